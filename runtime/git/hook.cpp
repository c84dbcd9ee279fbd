#include "runtime/git/hook.hpp"

#include "runtime/io/fd.hpp"

#include <sys/stat.h>

namespace ao {
namespace {

namespace fs = std::filesystem;

constexpr unsigned executable = 0755;

/// `text` as one word of a shell.
std::string shell_word(std::string_view text) {
  std::string word = "'";
  for (auto c : text)
    if (c == '\'')
      word += "'\\''";
    else
      word += c;
  return word + "'";
}

/// Whether the file is there already, as it should be.
bool is_installed(const std::string& path, const std::string& text) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)
      || (info.st_mode & 07777) != executable)
    return false;
  auto present = read_whole_file(path, text.size());
  return present && *present == text;
}

} // namespace

std::string hook_script(std::string_view name, const hook_target& target) {
  auto ao = shell_word(target.ao.string());
  auto hook = shell_word(name);
  return "#!/bin/sh\n"
         "# Written by ao; changes are lost.\n"
         "ao="
    + ao
    + "\n"
      "if [ ! -x \"$ao\" ]; then\n"
      "  echo \"ao: push refused: $ao is missing\" >&2\n"
      "  exit 1\n"
      "fi\n"
      "AO_HOME="
    + shell_word(target.home.string())
    + "\n"
      "export AO_HOME\n"
      "exec \"$ao\" hook "
    + hook + "\n";
}

result<void> install_hook(const fs::path& dir, std::string_view name,
                          const hook_target& target) {
  if (!target.ao.is_absolute() || !target.home.is_absolute())
    return fail(ec::bad_input, "a hook needs absolute paths of ao and home");
  std::error_code problem;
  fs::create_directories(dir, problem);
  if (problem)
    return fail(ec::home_unusable, dir.string() + ": " + problem.message());
  auto path = (dir / name).string();
  auto text = hook_script(name, target);
  if (is_installed(path, text))
    return {};
  auto written = write_file_durably(path, text, executable);
  if (!written)
    return fail(ec::home_unusable, written.error().context);
  return {};
}

} // namespace ao
