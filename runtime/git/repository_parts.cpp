#include "runtime/git/repository_parts.hpp"

#include "runtime/git/names.hpp"
#include "runtime/io/fd.hpp"

namespace ao::repository_parts {

namespace fs = std::filesystem;

std::string without_heads(std::string_view ref) {
  constexpr std::string_view heads = "refs/heads/";
  return std::string{
    ref.substr(0, heads.size()) == heads ? ref.substr(heads.size()) : ref};
}

result<std::string> line_of(const fs::path& file, std::string_view intro) {
  auto text = read_whole_file(file.string(), 1u << 16);
  if (!text)
    return fail(text.error());
  if (text->compare(0, intro.size(), intro) != 0)
    return fail(ec::git_failed,
                file.string() + " does not begin with \"" + std::string{intro}
                  + "\"");
  text->erase(0, intro.size());
  return text->substr(0, text->find('\n'));
}

result<void> unset_key(const git_runner& git, const fs::path& file,
                       const char* how, const std::string& key) {
  git_call unset{file.parent_path(),
                 {"config", "--file", file.string(), how, key}};
  auto end = git.run(unset);
  if (!end)
    return fail(end.error());
  constexpr int was_not_set = 5;
  if (end->code != 0 && end->code != was_not_set)
    return fail(git_failure(unset, *end));
  return {};
}

} // namespace ao::repository_parts
