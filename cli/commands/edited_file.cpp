#include "cli/commands/edited_file.hpp"

#include "runtime/home/files.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

namespace ao::cli {

result<edited_file> open_for_edit(const std::string& name) {
  edited_file out;
  out.name = name;
  std::error_code problem;
  auto real = std::filesystem::canonical(name, problem);
  out.path = problem ? name : real.string();
  struct stat there {};
  if (::stat(out.path.c_str(), &there) != 0 && errno == ENOENT)
    return out;
  auto text = read_file(out.path, 1u << 20);
  if (!text)
    return fail(text.error());
  out.exists = true;
  out.text = std::move(*text);
  out.mode = there.st_mode & 0777;
  return out;
}

result<void> replace_text(const edited_file& file, const std::string& text) {
  if (!file.exists)
    return write_file_durably(file.path, text, file.mode);
  auto now = read_file(file.path, 1u << 20);
  if (!now)
    return fail(now.error());
  if (*now != file.text)
    return fail(ec::wrong_state,
                file.name + " was changed by somebody else; repeat it");
  if (auto kept = write_file_durably(file.path + ".bak", file.text, file.mode);
      !kept)
    return kept;
  return write_file_durably(file.path, text, file.mode);
}

} // namespace ao::cli
