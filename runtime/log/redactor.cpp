#include "runtime/log/redactor.hpp"

#include <algorithm>

namespace ao {
namespace {

constexpr std::size_t shortest_secret = 4;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
    || c == '_';
}

bool is_token(char c) {
  return is_word(c) || c == '-';
}

/// A bearer token may also be base64 or a JWT.
bool is_bearer(char c) {
  return is_token(c) || c == '.' || c == '~' || c == '+' || c == '/'
    || c == '=';
}

/// A token told by how it begins.
struct shape {
  std::string_view prefix;
  /// Characters after the prefix that make it a token.
  std::size_t least;
};

constexpr shape shapes[] = {
  {"github_pat_", 20}, {"ghp_", 16},   {"gho_", 16}, {"ghu_", 16}, {"ghs_", 16},
  {"ghr_", 16},        {"glpat-", 16}, {"sk-", 16},  {"xoxb-", 8}, {"xoxp-", 8},
  {"xoxa-", 8},        {"xapp-", 8},   {"AKIA", 16}, {"ASIA", 16}, {"aot_", 8},
};

template <class Predicate>
std::size_t run_of(std::string_view text, Predicate allowed) {
  auto end = std::find_if_not(text.begin(), text.end(), allowed);
  return static_cast<std::size_t>(end - text.begin());
}

/// Length of the token that begins `text`; 0 when there is none.
std::size_t prefixed_token(std::string_view text) {
  for (const auto& s : shapes) {
    if (text.substr(0, s.prefix.size()) != s.prefix)
      continue;
    auto rest = run_of(text.substr(s.prefix.size()), is_token);
    if (rest >= s.least)
      return s.prefix.size() + rest;
  }
  return 0;
}

/// `123456789:AA…` of Telegram: at least six digits, a colon, 35 characters.
std::size_t telegram_token(std::string_view text) {
  auto digits = run_of(text, is_digit);
  if (digits < 6 || digits >= text.size() || text[digits] != ':')
    return 0;
  auto rest = run_of(text.substr(digits + 1), is_token);
  return rest >= 35 ? digits + 1 + rest : 0;
}

/// Length of `Bearer ` in any case, 0 when `text` begins otherwise or no
/// token follows.
std::size_t bearer_word(std::string_view text) {
  constexpr std::string_view word = "bearer ";
  if (text.size() <= word.size())
    return 0;
  for (std::size_t i = 0; i < word.size(); ++i) {
    auto c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c)
        != word[i])
      return 0;
  }
  return run_of(text.substr(word.size()), is_bearer) >= 8 ? word.size() : 0;
}

} // namespace

redactor::redactor(std::vector<std::string> secrets)
    : secrets_(std::move(secrets)) {
  secrets_.erase(std::remove_if(secrets_.begin(), secrets_.end(),
                                [](const std::string& s) {
                                  return s.size() < shortest_secret;
                                }),
                 secrets_.end());
  std::sort(secrets_.begin(), secrets_.end(),
            [](const std::string& a, const std::string& b) {
              return a.size() != b.size() ? a.size() > b.size() : a < b;
            });
  secrets_.erase(std::unique(secrets_.begin(), secrets_.end()), secrets_.end());
}

std::string redactor::redact(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    auto rest = text.substr(i);
    auto known = std::find_if(
      secrets_.begin(), secrets_.end(),
      [&](const std::string& s) { return rest.substr(0, s.size()) == s; });
    std::size_t length = known == secrets_.end() ? 0 : known->size();
    // A shape begins where a word begins: task-sk-… is no token.
    bool begins = i == 0 || !is_word(text[i - 1]);
    if (length == 0 && begins) {
      if (auto word = bearer_word(rest)) {
        out += rest.substr(0, word);
        out += mark;
        i += word + run_of(rest.substr(word), is_bearer);
        continue;
      }
      length = prefixed_token(rest);
    }
    // The Bot API's URLs write /bot before the digits.
    if (length == 0 && (i == 0 || !is_digit(text[i - 1])))
      length = telegram_token(rest);
    if (length == 0) {
      out += text[i++];
      continue;
    }
    out += mark;
    i += length;
  }
  return out;
}

} // namespace ao
