#include "cli/commands/node.hpp"

#include "cli/commands/common.hpp"
#include "runtime/http/problem.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"

namespace ao::cli {
namespace {

using nlohmann::json;

outcome order(invocation& what, const std::string& action,
              const json& body = json::object()) {
  auto answer = what.api().call(
    "POST", item_path("nodes", what.args.text("node"), action), body,
    idempotency(request_id_of(what)));
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  what.out.line(shown(answer->body, "name") + " is "
                + shown(answer->body, "state")
                + "; sessions there: " + shown(answer->body, "sessions"));
  return 0;
}

/// The hub's program makes the authority, see `run_authority`.
result<json> ask_for_authority(const invocation& what, const home& place) {
  constexpr milliseconds longest{30'000};
  process_spec spec;
  spec.argv = {what.program_dir + "/ao-hub", "--make-authority"};
  for (auto& host : what.args.list("host"))
    spec.argv.push_back(std::move(host));
  for (const auto* own : {"localhost", "127.0.0.1"})
    spec.argv.emplace_back(own);
  spec.env = environment::inherited().set("AO_HOME", place.root()).to_vector();
  auto end = run(std::move(spec), longest);
  if (!end)
    return fail(end.error());
  auto said = json::parse(end->out, nullptr, false);
  if (!said.is_object())
    return fail(ec::process_failed,
                "ao-hub: " + to_string(end->status) + " " + end->err);
  if (!end->ok())
    return fail(http::error_of_problem(500, end->out));
  return said;
}

} // namespace

outcome run_cluster_init(invocation& what) {
  auto place = open_home(home_path_from_environment());
  if (!place)
    return fail(place.error());
  auto made = ask_for_authority(what, *place);
  if (!made)
    return fail(made.error());
  what.out.document(*made);
  what.out.line("The cluster has its authority, in " + place->tls()
                + "; keep that directory secret.");
  what.out.line("Next: cluster: {listen: \"<address>:7420\"} in the "
                "configuration, ao start, ao node token.");
  what.out.result_line("CA_FINGERPRINT", text_at(*made, "caFingerprint"));
  return 0;
}

outcome run_node_token(invocation& what) {
  auto ttl = what.args.duration("ttl", std::chrono::minutes{15});
  if (!ttl)
    return fail(ttl.error());
  auto answer = what.api().call("POST", api_root + "/nodes/tokens",
                                {{"name", what.args.text("name")},
                                 {"labels", what.args.list("label")},
                                 {"ttlMs", ttl->count()}},
                                idempotency(request_id_of(what)));
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  what.out.line("On the other host, until " + shown(answer->body, "expiresAt")
                + ", once: ao-node join <host:port> <token>");
  what.out.result_line("TOKEN", text_at(answer->body, "token"));
  return 0;
}

outcome run_node_ls(invocation& what) {
  return show_list(what, api_root + "/nodes",
                   {{"NODE", "name"},
                    {"STATE", "state"},
                    {"USED", "slots.used"},
                    {"SLOTS", "slots.max"},
                    {"LABELS", "labels"},
                    {"HEARD", "lastHeartbeatAt"},
                    {"VERSION", "version"},
                    {"SESSIONS", "sessions"}},
                   7, "No nodes.");
}

outcome run_node_show(invocation& what) {
  return show_object(what, item_path("nodes", what.args.text("node")));
}

outcome run_node_cordon(invocation& what) {
  return order(what, "cordon");
}

outcome run_node_uncordon(invocation& what) {
  return order(what, "uncordon");
}

outcome run_node_drain(invocation& what) {
  auto body = json::object();
  if (!what.args.text("deadline").empty()) {
    auto deadline = what.args.duration("deadline", milliseconds{0});
    if (!deadline)
      return fail(deadline.error());
    body["deadlineMs"] = deadline->count();
  }
  return order(what, "drain", body);
}

outcome run_node_revoke(invocation& what) {
  return order(what, "revoke");
}

} // namespace ao::cli
