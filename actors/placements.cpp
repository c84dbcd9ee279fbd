#include "actors/placements.hpp"

#include <algorithm>

namespace ao {
namespace {

const node_name local{"local"};

bool has_slot(const session& s) {
  return !is_terminal(s) && s.role != session_role::manual
    && (s.runtime == runtime_state::provisioning
        || s.runtime == runtime_state::starting
        || s.runtime == runtime_state::alive);
}

/// Since when what is there goes elsewhere, under new grants: the time of its
/// drain is over, or it is lost.
std::optional<wall_time> left_since(const hub_context& context,
                                    const cluster_node& n) {
  if (n.link == node_link::lost)
    return n.heard_at.value_or(wall_time{});
  if (n.order == node_order::draining && n.drain_until
      && *n.drain_until <= context.now())
    return n.drain_until;
  return std::nullopt;
}

/// Says of a node whether it takes work.
void take_state(placement_node& there, const hub_context& context,
                const cluster_node& n) {
  auto seen = context.nodes->find(n.name);
  auto alive = n.link == node_link::alive;
  if (n.order != node_order::open || !alive) {
    there.closed = state_of(n);
    there.closed_for_new_only = alive && n.order != node_order::revoked;
  } else if (!seen || !seen->connected) {
    there.closed = "not connected";
  } else {
    there.closed = seen->closed;
    there.closed_for_new_only = seen->closed_for_new_only;
  }
}

void take_facts(placement_node& there, const msg::node_facts& facts) {
  there.agents = facts.agents;
  there.memory = facts.memory;
  for (const auto& x : facts.unready)
    there.unready[x.agent]
      = x.by_login ? "is not logged in there" : "cannot start there: " + x.why;
}

} // namespace

placements::placements(const hub_context& context,
                       const std::map<session_id, node_name>& granted)
    : rows_(context.rows), config_(&*context.config) {
  auto joined = context.rows->all<cluster_node>();
  if (joined.empty())
    return;
  std::map<node_name, std::uint32_t> used;
  for (const auto& s : context.rows->all<session>())
    if (has_slot(*s))
      used[s->node.empty() ? local : s->node] += 1;
  for (const auto& [id, node] : granted)
    if (auto s = context.rows->find<session>(id.text); s && !has_slot(*s))
      used[node] += 1;
  placement_node here;
  here.name = local;
  here.slots = context.config->limits.sessions;
  here.used = used[local];
  if (!context.local_node)
    here.closed = "not used (--no-local-node)";
  for (const auto& [id, project] : context.config->projects)
    here.projects.push_back(id.text);
  nodes_.push_back(std::move(here));
  for (const auto& n : joined) {
    if (n->order == node_order::revoked)
      continue;
    placement_node there;
    there.name = n->name;
    take_state(there, context, *n);
    if (auto since = left_since(context, *n))
      left_.emplace(n->name, *since);
    there.labels = n->labels;
    there.slots = n->slots;
    there.used = used[n->name];
    if (!n->agents.empty())
      there.agents = n->agents;
    there.projects = n->projects;
    if (auto seen = context.nodes->find(n->name); seen && seen->facts)
      take_facts(there, *seen->facts);
    nodes_.push_back(std::move(there));
  }
}

/// A move is a new grant: what waits under an older one stays.
bool placements::has_left(const session& s) const {
  auto left = left_.find(s.node);
  if (left == left_.end())
    return false;
  auto held = rows_->held_claim(s.subject);
  return held && held->since >= left->second;
}

placement placements::choose(const session& s, const task* t) const {
  if (nodes_.empty())
    return {local, {}};
  placement_wish wish;
  wish.agent = s.agent;
  wish.project = s.project.text;
  if (auto agent = config_->agents.find(s.agent);
      agent != config_->agents.end())
    wish.memory = agent->second.limits.memory;
  if (t != nullptr)
    wish.labels = wanted_labels(t->labels);
  // A run of its own was there, or somebody has asked for it.
  auto there = std::find_if(nodes_.begin(), nodes_.end(),
                            [&s](const auto& n) { return n.name == s.node; });
  if (there != nodes_.end() && !(s.run > 0 && has_left(s))) {
    wish.pinned = s.node;
    if (s.run > 0) {
      // It goes on where its work is, also on a node that takes nothing new.
      wish.labels.clear();
      // Its own memory is there, and whether it may go on is its breaker's.
      auto at_home = *there;
      at_home.memory.reset();
      at_home.unready.clear();
      if (at_home.closed_for_new_only)
        at_home.closed.clear();
      return place(wish, {at_home});
    }
  }
  return place(wish, nodes_);
}

} // namespace ao
