#include "cli/commands/node.hpp"

#include "cli/commands/common.hpp"
#include "runtime/tls/files.hpp"

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

} // namespace

outcome run_cluster_init(invocation& what) {
  auto place = open_home(home_path_from_environment());
  if (!place)
    return fail(place.error());
  auto hosts = what.args.list("host");
  for (const auto* own : {"localhost", "127.0.0.1"})
    hosts.emplace_back(own);
  auto made = tls::init_cluster(*place, hosts, wall_now());
  if (!made)
    return fail(made.error());
  what.out.document(json{{"caFingerprint", made->fingerprint},
                         {"certificate", tls::hub_files(*place).certificate}});
  what.out.line("The cluster has its authority, in " + place->tls()
                + "; keep that directory secret.");
  what.out.line("Next: cluster: {listen: \"<address>:7420\"} in the "
                "configuration, ao start, ao node token.");
  what.out.result_line("CA_FINGERPRINT", made->fingerprint);
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
