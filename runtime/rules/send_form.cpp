#include "runtime/rules/send_form.hpp"

#include <charconv>
#include <vector>

namespace ao {
namespace {

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    auto blank = text.find(' ');
    if (blank != 0)
      out.push_back(text.substr(0, blank));
    text.remove_prefix(blank == text.npos ? text.size() : blank + 1);
  }
  return out;
}

std::string_view name_of_word(std::string_view word) {
  return word.substr(0, word.find('='));
}

template <class Keep>
std::string words_that(std::string_view text, Keep keep) {
  std::string out;
  for (auto word : words_of(text))
    if (keep(word))
      out += (out.empty() ? "" : " ") + std::string{word};
  return out;
}

std::string without(std::string_view text, std::string_view word) {
  return words_that(text,
                    [word](auto other) { return name_of_word(other) != word; });
}

} // namespace

bool has_word(std::string_view text, std::string_view word) {
  for (auto other : words_of(text))
    if (name_of_word(other) == word)
      return true;
  return false;
}

std::uint32_t count_in(std::string_view text, std::string_view word) {
  std::uint32_t n = 0;
  for (auto other : words_of(text))
    if (name_of_word(other) == word && other.size() > word.size())
      std::from_chars(other.data() + word.size() + 1,
                      other.data() + other.size(), n);
  return n;
}

std::string with_word(std::string_view text, std::string_view word) {
  auto out = without(text, word);
  return out + (out.empty() ? "" : " ") + std::string{word};
}

std::string with_count(std::string_view text, std::string_view word,
                       std::uint32_t n) {
  return with_word(text, word) + "=" + std::to_string(n);
}

std::string of_channel(std::string_view text) {
  return words_that(text, [](auto word) { return word.front() != '.'; });
}

} // namespace ao
