#include "runtime/git/hunks.hpp"

#include "runtime/git/git.hpp"

#include <algorithm>
#include <utility>

namespace ao {
namespace {

/// The path behind `--- a/` or `+++ b/`, as git quotes it.
std::string unquoted(std::string_view text) {
  if (text.empty() || text.front() != '"') {
    // git marks the end of a name with spaces by a tab.
    return std::string{text.substr(0, text.find('\t'))};
  }
  std::string path;
  for (std::size_t i = 1; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] != '\\') {
      path += text[i];
      continue;
    }
    if (++i == text.size())
      break;
    auto c = text[i];
    if (c >= '0' && c <= '3' && i + 2 < text.size()) {
      path += static_cast<char>((c - '0') * 64 + (text[i + 1] - '0') * 8
                                + (text[i + 2] - '0'));
      i += 2;
      continue;
    }
    constexpr std::string_view letters = "abtnvfr";
    constexpr std::string_view means = "\a\b\t\n\v\f\r";
    auto at = letters.find(c);
    path += at == std::string_view::npos ? c : means[at];
  }
  return path;
}

/// `first,count` of a hunk's header; the count is 1 when it is not written.
std::pair<std::uint64_t, std::uint64_t> range(std::string_view text) {
  text = text.substr(0, text.find(' '));
  auto comma = text.find(',');
  return {leading_number(text.substr(0, comma)),
          comma == std::string_view::npos
            ? 1
            : leading_number(text.substr(comma + 1))};
}

} // namespace

std::vector<std::string> plain_diff() {
  return {"diff",         "--no-color",      "--no-ext-diff",  "--no-textconv",
          "--no-renames", "--src-prefix=a/", "--dst-prefix=b/"};
}

std::vector<hunk> parse_hunks(std::string_view diff) {
  std::vector<hunk> hunks;
  std::string old_path;
  std::string path;
  std::uint64_t content = 0;
  while (!diff.empty()) {
    auto line = diff.substr(0, diff.find('\n'));
    diff.remove_prefix(std::min(line.size() + 1, diff.size()));
    if (content > 0) {
      content -= line.substr(0, 1) != "\\";
    } else if (line.substr(0, 4) == "--- ") {
      old_path = unquoted(line.substr(4));
    } else if (line.substr(0, 4) == "+++ ") {
      path = unquoted(line.substr(4));
      if (path == "/dev/null")
        path = old_path;
      path.erase(0, 2);
    } else if (line.substr(0, 4) == "@@ -") {
      auto [first, count] = range(line.substr(4));
      auto plus = line.find(" +", 4);
      content = count + range(line.substr(plus + 2)).second;
      hunks.push_back({path, first, count});
    }
  }
  return hunks;
}

} // namespace ao
