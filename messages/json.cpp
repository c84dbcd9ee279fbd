#include "messages/json.hpp"

#include <string>
#include <utility>

namespace ao {
namespace {

constexpr int max_depth = 64;

/// `<what>:<line>:<column>: <problem>`; `at` counts bytes from 0.
tl::unexpected<error> bad_json(std::string_view what, std::string_view text,
                               std::size_t at, const std::string& problem) {
  auto before = text.substr(0, at);
  std::size_t line = 1;
  std::size_t column = 1;
  for (auto c : before) {
    ++column;
    if (c == '\n') {
      ++line;
      column = 1;
    }
  }
  return fail(ec::bad_input,
              std::string{what} + ":" + std::to_string(line) + ":"
                + std::to_string(column) + ": " + problem);
}

/// Where the nesting first exceeds the limit; npos when it never does.
std::size_t too_deep_at(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = text[i];
    if (quoted) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > max_depth)
        return i;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return std::string_view::npos;
}

/// What went wrong, without the library's prefix and without the text that was
/// read, which may be a secret.
std::string problem_of(const json::exception& e) {
  std::string_view text = e.what();
  for (std::string_view mark : {"] ", "column ", ": "})
    if (auto i = text.find(mark); i != std::string_view::npos)
      text.remove_prefix(i + mark.size());
  if (auto i = text.find(" - "); i != std::string_view::npos)
    text.remove_prefix(i + 3);
  return std::string{text.substr(0, text.find("; last read"))};
}

} // namespace

void to_json(json& out, const event& x) {
  // `data` was made by us, but a hand-edited database must not end a feed.
  auto data = json::parse(x.data, nullptr, false);
  out = json{
    {"seq", x.seq},
    {"at", format_time(x.at)},
    {"subject", x.subject},
    {"kind", std::string{to_string(x.kind)}},
    {"actor", x.actor},
    {"cause", x.cause},
    {"epoch", x.epoch},
    {"data", data.is_object() ? std::move(data) : json::object()},
  };
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

result<json> parse_json(std::string_view text, std::string_view what) {
  if (auto at = too_deep_at(text); at != std::string_view::npos)
    return bad_json(what, text, at,
                    "nested too deeply, expected at most "
                      + std::to_string(max_depth) + " levels");
  try {
    return json::parse(text);
  } catch (const json::parse_error& e) {
    auto at = e.byte == 0 ? 0 : e.byte - 1;
    return bad_json(what, text, at, "not JSON: " + problem_of(e));
  } catch (const json::exception& e) {
    return bad_json(what, text, 0, "not JSON: " + problem_of(e));
  }
}

} // namespace ao
