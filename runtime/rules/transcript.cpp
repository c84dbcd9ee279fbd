#include "runtime/rules/transcript.hpp"

#include <algorithm>
#include <cctype>

namespace ao {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Without spaces of any kind: what a terminal or a program does to them says
/// nothing.
std::string without_spaces(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out),
               [](char c) { return !is_space(c); });
  return out;
}

bool has(std::string_view words, std::string_view what) {
  auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  };
  return std::search(words.begin(), words.end(), what.begin(), what.end(), same)
    != words.end();
}

} // namespace

void take_line(transcript_state& state, std::string_view line) {
  switch (state.kind) {
  case transcript_kind::codex:
    return take_codex_line(state, line);
  case transcript_kind::claude_code:
    return take_claude_line(state, line);
  case transcript_kind::none:
    return;
  }
}

bool is_same_text(std::string_view heard, std::string_view sent) {
  return without_spaces(heard) == without_spaces(sent);
}

void close_transcript(transcript_state& state) {
  state.activity = activity_state::unknown;
  state.question.clear();
}

std::string failure_of(int status, std::string_view words) {
  if (status == 401 || status == 403 || has(words, "not logged in")
      || has(words, "/login") || has(words, "invalid api key"))
    return "auth";
  if (has(words, "usage limit") || has(words, "quota")
      || has(words, "credit balance"))
    return "quota";
  if (status == 429 || has(words, "rate limit"))
    return "rate_limited";
  if (status == 529 || status == 503 || has(words, "overloaded"))
    return "overloaded";
  if (has(words, "context window") || has(words, "prompt is too long"))
    return "context_exhausted";
  if (status == 0
      && (has(words, "connect") || has(words, "network")
          || has(words, "timed out")))
    return "network";
  return "tool";
}

} // namespace ao
