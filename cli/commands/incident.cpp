#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "messages/json.hpp"
#include "runtime/home/files.hpp"

namespace ao::cli {
namespace {

/// Prints the incident as it is now.
outcome done(invocation& what, const result<http::reply>& answer) {
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  what.out.line(shown(answer->body, "id") + " is "
                + shown(answer->body, "state") + ", tier "
                + shown(answer->body, "tier"));
  what.out.result_line("INCIDENT", text_at(answer->body, "id"));
  return 0;
}

outcome post(invocation& what, const std::string& action, const json& body) {
  return done(
    what,
    what.api().call("POST",
                    item_path("incidents", what.args.text("incident"), action),
                    body, idempotency(request_id_of(what))));
}

void print_attempts(output& out, const json& incident) {
  for (const auto& a : incident.value("history", json::array())) {
    auto verdict = text_at(a, "verdict");
    out.line(
      "  " + shown(a, "tier") + " " + shown(a, "number")
      + (text_at(a, "sha").empty() ? ""
                                   : " at " + text_at(a, "sha").substr(0, 12))
      + (text_at(a, "session").empty() ? "" : " by " + shown(a, "session"))
      + ": " + (verdict.empty() ? "goes on" : verdict));
  }
}

} // namespace

outcome run_incident_ls(invocation& what) {
  std::string target = api_root + "/incidents";
  if (what.args.has("all"))
    add_query(target, "all", "1");
  return show_list(what, target,
                   {{"INCIDENT", "id"},
                    {"STATE", "state"},
                    {"TIER", "tier"},
                    {"CAUSE", "cause"},
                    {"TASK", "task"},
                    {"SESSION", "session"},
                    {"TRIES", "attempts"},
                    {"QUESTION", "question"}},
                   7, "No open incidents.");
}

outcome run_incident_show(invocation& what) {
  auto answer = what.api().call(
    "GET", item_path("incidents", what.args.text("incident")));
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  if (what.json)
    return 0;
  print_object(what.out, answer->body);
  print_attempts(what.out, answer->body);
  return 0;
}

outcome run_incident_ack(invocation& what) {
  return post(what, "ack", json::object());
}

outcome run_incident_reopen(invocation& what) {
  return post(what, "reopen", json::object());
}

outcome run_incident_answer(invocation& what) {
  std::string text;
  for (const auto& word : what.args.list("answer"))
    text += (text.empty() ? "" : " ") + word;
  if (!is_clean_utf8(text))
    return fail(ec::bad_input, "answer: it has a NUL or is not UTF-8");
  json body = {{"answer", text}};
  if (auto code = what.args.maybe("code"))
    body["code"] = *code;
  return post(what, "answer", body);
}

outcome run_incident_resolve(invocation& what) {
  json body = json::object();
  if (auto why = what.args.maybe("why"))
    body["why"] = *why;
  if (auto file = what.args.maybe("file")) {
    auto text = read_input(*file);
    if (!text)
      return fail(text.error());
    auto verdict = parse_json(*text, *file == "-" ? "standard input" : *file);
    if (!verdict)
      return fail(verdict.error());
    body["verdict"] = std::move(*verdict);
  }
  return post(what, "resolve", body);
}

} // namespace ao::cli
