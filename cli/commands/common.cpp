#include "cli/commands/common.hpp"

#include "runtime/home/files.hpp"

#include <unistd.h>

#include <climits>
#include <cstdlib>

namespace ao::cli {
namespace {

using nlohmann::json;

/// Follows `runtime.state` into an object; null when it leads nowhere.
const json& member_at(const json& of, std::string_view name) {
  static const json nothing;
  const auto* at = &of;
  while (!name.empty()) {
    auto dot = name.find('.');
    auto step = std::string{name.substr(0, dot)};
    if (!at->is_object() || !at->contains(step))
      return nothing;
    at = &(*at)[step];
    name = dot == std::string_view::npos ? std::string_view{}
                                         : name.substr(dot + 1);
  }
  return *at;
}

std::string in_words(const json& value) {
  if (value.is_null())
    return "-";
  if (value.is_string())
    return value.get<std::string>();
  if (!value.is_array())
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
  std::string out;
  for (const auto& one : value)
    out += (out.empty() ? "" : ", ") + in_words(one);
  return out.empty() ? "-" : out;
}

} // namespace

result<std::string> read_input(const std::string& path) {
  return path == "-" ? read_stream(STDIN_FILENO, "standard input")
                     : read_file(path);
}

std::string item_path(std::string_view collection, std::string_view id,
                      std::string_view action) {
  auto out
    = api_root + "/" + std::string{collection} + "/" + http::percent_encode(id);
  if (!action.empty())
    out += "/" + std::string{action};
  return out;
}

void add_query(std::string& target, std::string_view name,
               std::string_view value) {
  if (value.empty())
    return;
  target += target.find('?') == std::string::npos ? '?' : '&';
  target += std::string{name} + "=" + http::percent_encode(value);
}

http::api_client::header_list idempotency(const std::string& request_id) {
  return {{"Idempotency-Key", request_id}};
}

result<json> follow_session(invocation& what, const json& first,
                            const std::function<bool(const json&)>& settled,
                            milliseconds allowed) {
  using clock = std::chrono::steady_clock;
  auto api = what.api();
  auto id = text_at(first, "id");
  auto until = clock::now() + allowed;
  result<json> seen = first;
  auto target = api_root + "/events";
  add_query(target, "after", "0");
  add_query(target, "subject", "session:" + id);
  auto done = settled(first);
  while (!done) {
    auto left = std::chrono::duration_cast<milliseconds>(until - clock::now());
    if (left.count() <= 0)
      return fail(ec::timed_out,
                  id + " is still " + shown(*seen, "runtime.state")
                    + "; it goes on, see ao why " + id);
    auto look = [&](const http::received_event&) {
      auto answer = api.call("GET", item_path("sessions", id));
      seen = answer ? result<json>{std::move(answer->body)}
                    : result<json>{fail(answer.error())};
      done = !seen || settled(*seen);
      return done ? http::api_client::next::stop : http::api_client::next::more;
    };
    auto streamed = api.stream(target, look, left);
    if (!streamed && streamed.error().code != ec::timed_out)
      return fail(streamed.error());
  }
  return seen;
}

std::string request_id_of(const invocation& what) {
  return what.args.maybe("request-id").value_or(make_ulid());
}

result<std::string> session_meant(const invocation& what) {
  if (auto named = what.args.maybe("session"))
    return *named;
  for (const auto* name : {"AO_SESSION_NAME", "AO_SESSION"})
    if (const auto* value = std::getenv(name); value && *value)
      return std::string{value};
  return fail(ec::bad_input, "which session? AO_SESSION is not set");
}

void put_place(const invocation& what, json& body) {
  const auto* of_session = std::getenv("AO_PROJECT_ID");
  if (!what.project.empty())
    body["project"] = what.project;
  else if (of_session && *of_session)
    body["project"] = of_session;
  char here[PATH_MAX];
  if (::getcwd(here, sizeof here))
    body["cwd"] = here;
}

result<std::optional<std::string>> text_or_file(const invocation& what,
                                                const std::string& name) {
  auto text = what.args.maybe(name);
  auto file = what.args.maybe(name + "-file");
  if (text && file)
    return fail(ec::bad_input,
                "--" + name + " and --" + name + "-file exclude each other");
  if (file) {
    auto read = read_input(*file);
    if (!read)
      return fail(ec::bad_input, read.error().context);
    text = std::move(*read);
  }
  if (text && !is_clean_utf8(*text))
    return fail(ec::bad_input,
                (file ? *file : "--" + name)
                  + ": contains a NUL or invalid UTF-8");
  return text;
}

std::string shown(const json& of, std::string_view name) {
  return in_words(member_at(of, name));
}

std::string text_at(const json& of, std::string_view name) {
  const auto& value = member_at(of, name);
  return value.is_string() ? value.get<std::string>() : "";
}

colour colour_of(std::string_view state) {
  struct paint {
    std::string_view state;
    colour with;
  };
  static constexpr paint paints[] = {
    {"working", colour::green},
    {"merged", colour::green},
    {"done", colour::green},
    {"approved", colour::green},
    {"mergeable", colour::green},
    {"passed", colour::green},
    {"claimed", colour::blue},
    {"pr_open", colour::blue},
    {"review_pending", colour::blue},
    {"in_review", colour::blue},
    {"needs_input", colour::yellow},
    {"stuck", colour::yellow},
    {"restarting", colour::yellow},
    {"rate_limited", colour::yellow},
    {"auth_blocked", colour::yellow},
    {"blocked", colour::yellow},
    {"changes_requested", colour::yellow},
    {"ci_failed", colour::red},
    {"failed", colour::red},
    {"errored", colour::red},
    {"lost", colour::red},
    {"parked", colour::red},
    {"queued", colour::dim},
    {"killed", colour::dim},
    {"cancelled", colour::dim},
  };
  for (const auto& one : paints)
    if (one.state == state)
      return one.with;
  return colour::none;
}

void print_rows(output& out, const json& rows,
                const std::vector<std::pair<std::string, std::string>>& columns,
                int flexible, std::string_view nothing) {
  if (!rows.is_array() || rows.empty()) {
    out.line(nothing);
    return;
  }
  table what;
  what.flexible = flexible;
  for (const auto& [heading, member] : columns)
    what.head.push_back(heading);
  for (const auto& row : rows) {
    what.rows.emplace_back();
    for (const auto& [heading, member] : columns) {
      cell one{shown(row, member)};
      if (member == "status" || member == "state" || member == "ciStatus")
        one.paint = colour_of(one.text);
      what.rows.back().push_back(std::move(one));
    }
  }
  out.print(what);
}

void print_suspects(output& out, const json& row) {
  auto id = text_at(row, row.contains("task") ? "task" : "id");
  for (const auto& other : row.value("suspectedDuplicateOf", json::array()))
    out.line(id + " looks like " + shown(other, "task") + " ("
               + shown(other, "title") + "): " + shown(other, "reason"),
             colour::yellow);
}

void print_object(output& out, const json& what) {
  std::size_t width = 0;
  for (const auto& [name, value] : what.items())
    width = std::max(width, name.size());
  for (const auto& [name, value] : what.items()) {
    auto text = in_words(value);
    out.line(name + std::string(width - name.size() + 2, ' ')
               + text.substr(0, text.find('\n')),
             name == "status" || name == "state" ? colour_of(text)
                                                 : colour::none);
    for (auto at = text.find('\n'); at != std::string::npos;) {
      auto end = text.find('\n', at + 1);
      out.line(
        std::string(width + 2, ' ')
        + text.substr(at + 1, end == std::string::npos ? end : end - at - 1));
      at = end;
    }
  }
}

outcome
show_list(invocation& what, const std::string& target,
          const std::vector<std::pair<std::string, std::string>>& columns,
          int flexible, std::string_view nothing) {
  auto answer = what.api().call("GET", target);
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  print_rows(what.out, answer->body.value("data", json::array()), columns,
             flexible, nothing);
  return 0;
}

outcome show_object(invocation& what, const std::string& target) {
  auto answer = what.api().call("GET", target);
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  print_object(what.out, answer->body);
  return 0;
}

} // namespace ao::cli
