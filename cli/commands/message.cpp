#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "runtime/home/files.hpp"

namespace ao::cli {
namespace {

using nlohmann::json;

/// Names whoever orchestrates the project.
constexpr const char* by_role = "orchestrator";

/// How long `--wait` waits when it is not said.
constexpr milliseconds usual_wait{600'000};

/// Whether the message will not change any more in a way that one waits for.
enum class verdict { pending, reached, failed };

verdict verdict_on(const json& m, const std::string& wanted) {
  auto state = text_at(m, "state");
  if (state == "answered" || (state == "acknowledged" && wanted == "ack"))
    return verdict::reached;
  for (const auto* end : {"undeliverable", "unknown", "superseded", "expired"})
    if (state == end)
      return verdict::failed;
  return m.value("settled", false) ? verdict::failed : verdict::pending;
}

std::string last_detail(const json& m) {
  const auto& evidence = m.at("evidence");
  return evidence.empty() ? std::string{} : text_at(evidence.back(), "detail");
}

/// The text to send: the words, or the file's bytes.
result<std::string> text_to_send(const invocation& what) {
  auto words = what.args.list("text");
  auto file = what.args.maybe("file");
  if (file && !words.empty())
    return fail(ec::bad_input, "a text and --file exclude each other");
  std::string text;
  for (const auto& word : words)
    text += (text.empty() ? "" : " ") + word;
  if (file) {
    auto read = read_input(*file);
    if (!read)
      return fail(ec::bad_input, read.error().context);
    text = std::move(*read);
  }
  if (!is_clean_utf8(text))
    return fail(ec::bad_input,
                (file ? *file : "the text")
                  + ": contains a NUL or invalid UTF-8");
  if (text.find_first_not_of(" \t\r\n") == std::string::npos)
    return fail(ec::bad_input,
                "no text; expected ao send SESSION TEXT or --file PATH");
  return text;
}

result<std::string> wished_state(const invocation& what) {
  auto wait = what.args.text("wait");
  if (wait.empty() || wait == "ack" || wait == "answer")
    return wait;
  return fail(ec::bad_input,
              "--wait: \"" + wait + "\" is unknown, expected ack or answer");
}

/// The message as it is now.
result<json> look_up(const http::api_client& api, const std::string& session,
                     const std::string& id) {
  auto target = api_root + "/messages";
  add_query(target, "session", session);
  auto answer = api.call("GET", target);
  if (!answer)
    return fail(answer.error());
  for (const auto& m : answer->body.value("data", json::array()))
    if (text_at(m, "id") == id)
      return m;
  return fail(ec::internal, "message " + id + " is not listed");
}

/// Looks again at each event of the session until the state waited for is
/// reached or cannot be any more.
result<json> follow_message(invocation& what, json m, const std::string& wanted,
                            milliseconds allowed) {
  using clock = std::chrono::steady_clock;
  auto api = what.api();
  auto session = text_at(m, "session");
  auto id = text_at(m, "id");
  auto until = clock::now() + allowed;
  result<json> seen = std::move(m);
  auto done = verdict_on(*seen, wanted) != verdict::pending;
  auto target = api_root + "/events";
  add_query(target, "after", "0");
  add_query(target, "subject", "session:" + session);
  while (!done) {
    auto left = std::chrono::duration_cast<milliseconds>(until - clock::now());
    if (left.count() <= 0)
      return seen;
    auto look = [&](const http::received_event&) {
      seen = look_up(api, session, id);
      done = !seen || verdict_on(*seen, wanted) != verdict::pending;
      return done ? http::api_client::next::stop : http::api_client::next::more;
    };
    auto streamed = api.stream(target, look, left);
    if (!streamed && streamed.error().code != ec::timed_out)
      return fail(streamed.error());
  }
  return seen;
}

error not_reached(const json& m, const std::string& wanted,
                  const std::string& request) {
  auto id = text_at(m, "id");
  auto state = text_at(m, "state");
  auto late = state == "expired" || verdict_on(m, wanted) == verdict::pending;
  auto detail = last_detail(m);
  error why{late ? ec::timed_out : ec::process_failed,
            "message " + id + " is " + state
              + (detail.empty() ? "" : ": " + detail)
              + (late ? "; request id " + request : "")};
  why.details = {{"message", id}, {"state", state}, {"requestId", request}};
  return why;
}

} // namespace

outcome run_send(invocation& what) {
  auto session = what.args.text("session");
  auto text = text_to_send(what);
  if (!text)
    return fail(text.error());
  auto wanted = wished_state(what);
  if (!wanted)
    return fail(wanted.error());
  auto allowed = what.args.duration("timeout", usual_wait);
  if (!allowed)
    return fail(allowed.error());
  if (what.args.flag("now") && what.args.flag("stop"))
    return fail(ec::bad_input, "--now and --stop exclude each other");
  auto request = request_id_of(what);
  json body = {{"text", *text}, {"requestId", request}};
  if (what.args.flag("now"))
    body["mode"] = "now";
  if (what.args.flag("stop"))
    body["mode"] = "stop";
  if (what.args.has("timeout"))
    body["deadlineMs"] = allowed->count();
  auto target = item_path("sessions", session, "messages");
  if (session == by_role) {
    if (!wanted->empty())
      return fail(ec::bad_input,
                  "--wait: the answer of the orchestrator comes as a message");
    target = api_root + "/questions";
    if (what.args.has("project"))
      body["project"] = what.args.text("project");
  }
  auto answer = what.api().call("POST", target, body, idempotency(request));
  if (!answer)
    return fail(answer.error());
  auto m = std::move(answer->body);
  if (!wanted->empty()) {
    auto seen = follow_message(what, std::move(m), *wanted, *allowed);
    if (!seen)
      return fail(seen.error());
    m = std::move(*seen);
    if (verdict_on(m, *wanted) != verdict::reached)
      return fail(not_reached(m, *wanted, request));
  }
  what.out.document(m);
  what.out.line("message to " + session + " is " + shown(m, "state"));
  what.out.result_line("MESSAGE", text_at(m, "id"));
  return 0;
}

outcome run_messages(invocation& what) {
  auto target = api_root + "/messages";
  add_query(target, "session", what.args.text("session"));
  auto answer = what.api().call("GET", target);
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  auto rows = answer->body.value("data", json::array());
  for (auto& row : rows)
    row["why"] = last_detail(row);
  print_rows(what.out, rows,
             {{"MESSAGE", "id"},
              {"SESSION", "session"},
              {"STATE", "state"},
              {"MODE", "mode"},
              {"RUN", "run"},
              {"FROM", "sender"},
              {"CREATED", "createdAt"},
              {"WHY", "why"}},
             7, "No messages.");
  return 0;
}

} // namespace ao::cli
