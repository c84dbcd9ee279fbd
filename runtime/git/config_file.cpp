#include "runtime/git/config_file.hpp"

#include "runtime/git/tree.hpp"
#include "runtime/home/files.hpp"

#include <algorithm>
#include <map>
#include <string_view>

namespace ao {
namespace {

namespace fs = std::filesystem;

std::string in_quotes(std::string_view value) {
  std::string out = "\"";
  for (auto c : value)
    switch (c) {
    case '"':
    case '\\':
      (out += '\\') += c;
      break;
    case '\n':
      out += "\\n";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += c;
    }
  return out + "\"";
}

/// As git lists it: sections and names mean the same in any case.
std::string listed(std::string key) {
  std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A'))
                                : static_cast<char>(c);
  });
  return key;
}

using value_lists = std::map<std::string, std::vector<std::string>>;

result<value_lists> read_settings(const git_runner& git, const fs::path& file) {
  auto out = git.ask(
    {file.parent_path(), {"config", "--file", file.string(), "--list", "-z"}});
  if (!out)
    return fail(out.error());
  value_lists found;
  for (const auto& line : split_nul(*out)) {
    auto end = line.find('\n');
    auto& values = found[line.substr(0, end)];
    values.push_back(end == std::string::npos ? "" : line.substr(end + 1));
  }
  return found;
}

result<void> replace(const git_runner& git, const fs::path& file,
                     const git_setting& setting) {
  const char* how = "--replace-all";
  for (const auto& value : setting.values) {
    auto done
      = git.ask({file.parent_path(),
                 {"config", "--file", file.string(), how, setting.key, value}});
    if (!done)
      return fail(done.error());
    how = "--add";
  }
  return {};
}

} // namespace

std::string config_text(const std::vector<git_setting>& settings) {
  std::string out;
  for (const auto& setting : settings) {
    auto dot = setting.key.find('.');
    out += "[" + setting.key.substr(0, dot) + "]\n";
    for (const auto& value : setting.values)
      out
        += "\t" + setting.key.substr(dot + 1) + " = " + in_quotes(value) + "\n";
  }
  return out;
}

result<void> put_settings(const git_runner& git, const fs::path& file,
                          const std::vector<git_setting>& settings) {
  if (!is_there(file))
    return write_file_durably(file.string(), config_text(settings), 0644);
  auto found = read_settings(git, file);
  if (!found)
    return fail(found.error());
  for (const auto& setting : settings)
    if ((*found)[listed(setting.key)] != setting.values)
      if (auto done = replace(git, file, setting); !done)
        return done;
  return {};
}

} // namespace ao
