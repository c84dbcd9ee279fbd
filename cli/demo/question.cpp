#include "cli/demo/question.hpp"

#include <algorithm>

namespace ao::cli::demo {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t from = 0; from < text.size();) {
    auto end = std::min(text.find('\n', from), text.size());
    out.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return out;
}

/// What follows `front` in the last line that begins with it: the question
/// itself stands further up.
std::string last_after(const std::vector<std::string>& lines,
                       const std::string& front) {
  auto found
    = std::find_if(lines.rbegin(), lines.rend(), [&](const std::string& one) {
        return one.rfind(front, 0) == 0;
      });
  return found == lines.rend() ? "" : found->substr(front.size());
}

std::vector<std::string> split(const std::string& text,
                               const std::string& between) {
  std::vector<std::string> out;
  for (std::size_t from = 0; from < text.size();) {
    auto end = std::min(text.find(between, from), text.size());
    out.push_back(text.substr(from, end - from));
    from = end + between.size();
  }
  return out;
}

std::string trimmed(const std::string& text) {
  const auto* blanks = " \t\r\n";
  auto from = text.find_first_not_of(blanks);
  if (from == std::string::npos)
    return "";
  return text.substr(from, text.find_last_not_of(blanks) - from + 1);
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 5
    && text.find_first_not_of("0123456789") == std::string::npos;
}

} // namespace

std::optional<letter> read_letter(const std::string& text) {
  const std::string case_front = "Case ";
  auto lines = lines_of(text);
  if (lines.size() < 2 || lines[0].rfind("[AO ", 0) != 0
      || lines[1].rfind(case_front, 0) != 0)
    return std::nullopt;
  letter out;
  out.kind = lines[0].substr(lines[0].rfind(' ') + 1);
  out.case_id = lines[1].substr(case_front.size());
  out.options = split(last_after(lines, "Options: "), " | ");
  out.code = last_after(lines, "Code: ");
  return out;
}

std::optional<std::string> meant(const letter& of, const std::string& typed) {
  auto text = trimmed(typed);
  if (text.empty())
    text = "1";
  if (!is_number(text))
    return text;
  auto number = static_cast<std::size_t>(std::stoul(text));
  if (number < 1 || number > of.options.size())
    return std::nullopt;
  return of.options[number - 1];
}

} // namespace ao::cli::demo
