#include "actors/api_call.hpp"

#include <algorithm>

namespace ao {
namespace {

/// Takes a slot of its node.
bool takes_slot(const session& s) {
  return !is_terminal(s) && s.role != session_role::manual
    && (s.runtime == runtime_state::provisioning
        || s.runtime == runtime_state::starting
        || s.runtime == runtime_state::alive);
}

std::vector<session_id> sessions_on(const row_view& rows,
                                    const node_name& node) {
  std::vector<session_id> out;
  for (const auto& s : rows.all<session>())
    if (takes_slot(*s) && s->node == node)
      out.push_back(s->id);
  return out;
}

json object_of(const hub_context& context, const cluster_node& n) {
  auto seen = context.nodes->find(n.name);
  auto out = api::node_object(n, sessions_on(*context.rows, n.name),
                              seen ? seen->heard_at : n.heard_at,
                              seen ? seen->closed : std::string{});
  out["notReady"] = json::array();
  if (!seen || !seen->facts)
    return out;
  out["memory"] = seen->facts->memory;
  out["agents"] = seen->facts->agents;
  for (const auto& x : seen->facts->unready)
    out["notReady"].push_back(
      {{"agent", x.agent}, {"byLogin", x.by_login}, {"reason", x.why}});
  return out;
}

row_ptr<cluster_node> node_in_path(api_pointer self, const api_call& call) {
  auto name = call.param("id");
  auto n = self->state.context.rows->find<cluster_node>(name);
  if (!n)
    call.refuse(error{ec::no_such_node,
                      name == "local"
                        ? "local is the hub's own node; it cannot be ordered"
                        : "no node is called " + name});
  return n;
}

void order(api_pointer self, const api_call_ptr& call, node_order to,
           std::optional<milliseconds> deadline = {}) {
  auto n = node_in_path(self, *call);
  if (!n)
    return;
  msg::order_node what{n->name, to, deadline, api_name.text};
  ask_child<node_proxy_actor>(
    self, self->state.context, "nodes"_name,
    make_actor_name("node-proxy", n->name.text), answer_deadline, what,
    [self, call](const cluster_node& now) {
      call->answer(200, object_of(self->state.context, now));
    },
    refuse_by(call));
}

} // namespace

void get_nodes(api_pointer self, api_call_ptr call) {
  auto& st = self->state;
  auto out = json::array();
  auto joined = st.context.rows->all<cluster_node>();
  if (st.host.local_node) {
    api::local_node local;
    local.started_at = st.host.started_at;
    local.version = self->state.host.version;
    local.slots = st.context.config->limits.sessions;
    for (const auto& s : st.context.rows->all<session>())
      if (takes_slot(*s) && (s->node.empty() || s->node.text == "local"))
        local.sessions.push_back(s->id);
    out.push_back(api::node_object(local));
  }
  for (const auto& n : joined)
    out.push_back(object_of(st.context, *n));
  call->answer(200, api::list_of(std::move(out)));
}

void get_node(api_pointer self, api_call_ptr call) {
  if (auto n = node_in_path(self, *call))
    call->answer(200, object_of(self->state.context, *n));
}

void post_node_token(api_pointer self, api_call_ptr call) {
  msg::make_join_token order;
  order.request = call->id;
  auto name = api::text_of(call->body, "name");
  auto labels = api::list_of_texts(call->body, "labels");
  constexpr std::uint64_t fifteen_minutes = 900'000;
  auto ttl = api::number_of(call->body, "ttlMs", fifteen_minutes,
                            std::uint64_t{7} * 24 * 3'600'000);
  if (!name)
    return call->refuse(name.error());
  if (!labels)
    return call->refuse(labels.error());
  if (!ttl)
    return call->refuse(ttl.error());
  order.name = node_name{std::move(*name)};
  order.labels = std::move(*labels);
  order.ttl = milliseconds{static_cast<std::int64_t>(*ttl)};
  ask<cluster_actor>(self, self->state.context, "cluster"_name, answer_deadline,
                     std::move(order))
    .then(
      [call](const msg::join_token_made& made) {
        call->answer(201,
                     {{"token", made.token},
                      {"expiresAt", format_time(made.expires_at)},
                      {"caFingerprint", made.fingerprint}});
      },
      refuse_by(call));
}

void cordon_node(api_pointer self, api_call_ptr call) {
  order(self, call, node_order::cordoned);
}

void uncordon_node(api_pointer self, api_call_ptr call) {
  order(self, call, node_order::open);
}

void drain_node(api_pointer self, api_call_ptr call) {
  constexpr std::uint64_t a_month = std::uint64_t{31} * 24 * 3'600'000;
  std::optional<milliseconds> deadline;
  if (call->body.contains("deadlineMs")) {
    auto given = api::number_of(call->body, "deadlineMs", 0, a_month);
    if (!given)
      return call->refuse(given.error());
    deadline = milliseconds{static_cast<std::int64_t>(*given)};
  }
  order(self, call, node_order::draining, deadline);
}

void revoke_node(api_pointer self, api_call_ptr call) {
  order(self, call, node_order::revoked);
}

} // namespace ao
