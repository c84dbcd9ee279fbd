#include "actors/hub.hpp"

#include "actors/api.hpp"
#include "actors/backlog.hpp"
#include "actors/base_watch.hpp"
#include "actors/breakers.hpp"
#include "actors/chat.hpp"
#include "actors/ci_runners.hpp"
#include "actors/ci_watcher.hpp"
#include "actors/cluster.hpp"
#include "actors/config_keeper.hpp"
#include "actors/dispatcher.hpp"
#include "actors/escalation.hpp"
#include "actors/forge.hpp"
#include "actors/front_door.hpp"
#include "actors/human.hpp"
#include "actors/incident.hpp"
#include "actors/inventory.hpp"
#include "actors/journal.hpp"
#include "actors/mailbox.hpp"
#include "actors/mediation.hpp"
#include "actors/merge_queue.hpp"
#include "actors/node_proxy.hpp"
#include "actors/node_uplink.hpp"
#include "actors/notices.hpp"
#include "actors/outbox.hpp"
#include "actors/overlaps.hpp"
#include "actors/publisher.hpp"
#include "actors/registry.hpp"
#include "actors/repository.hpp"
#include "actors/retention.hpp"
#include "actors/runner.hpp"
#include "actors/self_heal.hpp"
#include "actors/session.hpp"
#include "actors/store.hpp"
#include "actors/task.hpp"
#include "actors/terminals.hpp"
#include "actors/tmux.hpp"
#include "actors/uplink.hpp"
#include "actors/uplink_name.hpp"

#include <filesystem>
#include <set>

namespace ao {
namespace {

/// `3 in 60 s`, of the hub itself.
constexpr restart_limits hub_limits{3, std::chrono::seconds{60}, {}, {}, 0};
/// Of the node's parts and of one project's forge.
constexpr restart_limits node_limits{5, std::chrono::seconds{60}, {}, {}, 0};

child_spec child(actor_name name, decltype(child_spec::start) start,
                 bool blocks = false) {
  child_spec spec;
  spec.name = std::move(name);
  spec.start = std::move(start);
  spec.detached = blocks;
  return spec;
}

/// Leaves a note and wakes the JOURNAL; the supervisor itself logs.
void leave_note(const hub_context& context, supervisor_note note) {
  note.at = context.now();
  context.notes->push(std::move(note));
  tell<journal_actor>(context, "journal"_name, look_atom{});
}

supervisor_hooks reporting(const hub_context& context,
                           const std::string& supervisor) {
  using verdict = supervisor_note::verdict;
  supervisor_hooks hooks;
  hooks.on_restart = [context,
                      supervisor](const std::string& id, const error& why,
                                  std::uint32_t restarts, milliseconds delay) {
    leave_note(context,
               {verdict::restarted, supervisor, id, why, restarts, delay, {}});
  };
  hooks.on_given_up = [context, supervisor](const std::string& id,
                                            const error& why) {
    leave_note(context, {verdict::given_up, supervisor, id, why, 0, {}, {}});
  };
  hooks.on_abandoned
    = [context, supervisor](const std::string& id, std::uint64_t) {
        leave_note(context,
                   {verdict::abandoned,
                    supervisor,
                    id,
                    error{ec::timed_out, "it did not die by kill"},
                    0,
                    {},
                    {}});
      };
  return hooks;
}

supervisor_spec supervisor_of(const hub_context& context, std::string name,
                              restart_strategy strategy,
                              restart_limits limits) {
  supervisor_spec spec;
  spec.name = std::move(name);
  spec.rule.strategy = strategy;
  spec.rule.limits = limits;
  spec.hooks = reporting(context, spec.name);
  return spec;
}

/// A dynamic supervisor whose children are called `role/<key>`.
template <class MakeStart>
supervisor_spec family(const hub_context& context, std::string name,
                       const std::string& role, std::vector<std::string> keys,
                       restart_kind kind, bool blocks, MakeStart start_of) {
  auto spec = supervisor_of(context, std::move(name), restart_strategy::dynamic,
                            node_limits);
  for (auto& key : keys)
    spec.keys.push_back(role + "/" + key);
  spec.factory = [role, kind, blocks,
                  start_of](const std::string& id) -> result<child_spec> {
    actor_name called{id};
    if (role_of(called) != role || key_of(called).empty())
      return fail(ec::bad_input,
                  "\"" + id
                    + "\" is not a child of this "
                      "supervisor");
    auto made = child(called, start_of(std::string{key_of(called)}), blocks);
    made.restart = kind;
    return made;
  };
  return spec;
}

std::vector<std::string> live_sessions(const row_view& rows) {
  std::vector<std::string> out;
  for (const auto& s : rows.all<session>())
    if (!is_terminal(*s) || !s->cleaned)
      out.push_back(s->id.text);
  return out;
}

/// Whether something of the session may live on the node, or an order to its
/// RUNNER may be under way; the RUNNER of any other is started by the first
/// order to it.
bool may_need_runner(const session& s) {
  switch (s.runtime) {
  case runtime_state::queued:
    return false;
  case runtime_state::provisioning:
  case runtime_state::starting:
  case runtime_state::alive:
  case runtime_state::lost:
    return true;
  case runtime_state::exited:
    return !is_terminal(s) || (s.end == session_end::merged && !s.cleaned);
  case runtime_state::parked:
    return s.agent_pid != 0 || s.shim_pid != 0;
  }
  return true;
}

std::vector<std::string> sessions_to_adopt(const row_view& rows) {
  std::vector<std::string> out;
  for (const auto& s : rows.all<session>())
    if (s->run > 0 && s->role != session_role::manual && may_need_runner(*s)
        && uplink_of(s->node) == "uplink"_name)
      out.push_back(s->id.text);
  return out;
}

/// Sessions with a message that is not settled.
std::vector<std::string> sessions_with_mail(const row_view& rows) {
  std::set<std::string> out;
  for (const auto& m : rows.all<message>())
    if (is_open(*m))
      out.insert(m->session.text);
  return {out.begin(), out.end()};
}

/// Those that are open, or whose end is not carried out.
std::vector<std::string> unsettled_incidents(const row_view& rows) {
  std::vector<std::string> out;
  for (const auto& i : rows.all<incident>())
    if (i->state == incident_state::open || !i->settled)
      out.push_back(i->id.text);
  return out;
}

std::vector<std::string> unfinished_tasks(const row_view& rows) {
  std::vector<std::string> out;
  for (const auto& t : rows.all<task>())
    if (!is_closed(t->state))
      out.push_back(t->id.text);
  return out;
}

std::vector<std::string> open_changes(const row_view& rows,
                                      const project_id& project) {
  std::vector<std::string> out;
  for (const auto& c : rows.changes_of(project))
    if (c->state == change_state::open)
      out.push_back(c->id.text);
  return out;
}

/// The supervisor's children are read from the rows at its own start, which
/// comes after the store's.
child_spec late(actor_name name, const hub_context& context,
                std::function<supervisor_spec()> make) {
  auto spec = supervisor_child(name, context, supervisor_spec{});
  spec.start = [name, context, make](caf::actor_system& system, bool detached) {
    return supervisor_child(name, context, make()).start(system, detached);
  };
  return spec;
}

child_spec forge_of(const node_context& context, const project_id& id) {
  auto spec = supervisor_of(context, "forge-tree/" + id.text,
                            restart_strategy::rest_for_one, node_limits);
  spec.children
    = {child(make_actor_name("forge", id.text),
             starts(forge, hub_context{context}, id), true),
       child(make_actor_name("ci-runners", id.text),
             starts(ci_runners, hub_context{context}, id, *context.inherited)),
       child(make_actor_name("base-watch", id.text),
             starts(base_watch, hub_context{context}, id)),
       child(make_actor_name("merge-queue", id.text),
             starts(merge_queue, hub_context{context}, id)),
       late(make_actor_name("watchers", id.text), context,
            [context, id] {
              return family(context, "watchers/" + id.text, "ci-watcher",
                            open_changes(*context.rows, id),
                            restart_kind::transient, false,
                            [one = shared_context<hub_context>{context}](
                              const std::string& key) {
                              return starts(ci_watcher, one, change_id{key});
                            });
            }),
       // Behind the others, as nobody waits for it.
       child(make_actor_name("overlaps", id.text),
             starts(overlaps, hub_context{context}, id), true)};
  const auto* project = context.project(id);
  if (project != nullptr && project->forge.publish)
    spec.children.push_back(child(make_actor_name("publisher", id.text),
                                  starts(publisher, hub_context{context}, id)));
  return supervisor_child(make_actor_name("forge-tree", id.text), context,
                          std::move(spec));
}

child_spec forges(const node_context& context) {
  auto spec = supervisor_of(context, "forges", restart_strategy::one_for_one,
                            node_limits);
  for (const auto& [id, project] : context.config->projects)
    spec.children.push_back(forge_of(context, id));
  return supervisor_child("forges"_name, context, std::move(spec));
}

/// One for each notifier; one that is given up takes no other along.
child_spec outboxes(const hub_context& context) {
  return late("outboxes"_name, context, [context] {
    std::vector<std::string> ids;
    for (const auto& [id, n] : (*context.config).notifiers)
      ids.push_back(id);
    return family(context, "outboxes", "outbox", ids, restart_kind::permanent,
                  false, [context](const std::string& key) {
                    return starts(outbox, context, key);
                  });
  });
}

/// One for each bot that may bring answers.
child_spec chats(const hub_context& context) {
  return late("chats"_name, context, [context] {
    std::vector<std::string> ids;
    for (const auto& bot : chat_bots(context.config->notifiers))
      ids.push_back(bot.id);
    return family(context, "chats", "chat", ids, restart_kind::permanent, false,
                  [context](const std::string& key) {
                    return starts(chat, context, key, notify::perform);
                  });
  });
}

/// What hub and node have in common of a node, behind its UPLINK.
std::vector<child_spec>
node_parts(const node_context& context,
           std::function<std::vector<std::string>()> sessions) {
  std::vector<std::string> projects;
  for (const auto& [id, project] : context.config->projects)
    projects.push_back(id.text);
  return {
    supervisor_child("repositories"_name, context,
                     family(context, "repositories", "repository", projects,
                            restart_kind::permanent, true,
                            [context](const std::string& key) {
                              return starts(repository, context,
                                            project_id{key});
                            })),
    child("tmux"_name, starts(tmux, context), true),
    late("runners"_name, context, [context, sessions = std::move(sessions)] {
      return family(
        context, "runners", "runner", sessions(), restart_kind::transient,
        false,
        [one = shared_context<node_context>{context}](const std::string& key) {
          return starts(runner, one, session_id{key});
        });
    })};
}

child_spec node(const node_context& context) {
  auto spec = supervisor_of(context, "node", restart_strategy::rest_for_one,
                            node_limits);
  spec.children = node_parts(
    context, [context] { return sessions_to_adopt(*context.rows); });
  spec.children.insert(spec.children.begin(),
                       child("uplink"_name, starts(uplink, context)));
  // Before any runner, so that what it finds was there before us.
  spec.children.insert(spec.children.end() - 1,
                       child("inventory"_name, starts(inventory, context)));
  return supervisor_child("node"_name, context, std::move(spec));
}

/// One for each node that has joined; those that join later are started by
/// their first call.
child_spec nodes(const hub_context& shared) {
  return late("nodes"_name, shared, [shared] {
    std::vector<std::string> names;
    for (const auto& n : shared.rows->all<cluster_node>())
      if (n->order != node_order::revoked)
        names.push_back(n->name.text);
    return family(shared, "nodes", "node-proxy", names, restart_kind::transient,
                  false, [shared](const std::string& key) {
                    return starts(node_proxy, shared, node_name{key});
                  });
  });
}

/// The supervisor of one tier. Its children are started by their INCIDENTS.
template <class Tier>
child_spec tier_of(const hub_context& shared, actor_name supervisor,
                   const std::string& role, Tier tier) {
  return late(supervisor, shared, [shared, supervisor, role, tier] {
    return family(shared, supervisor.text, role, {}, restart_kind::transient,
                  false, [shared, tier](const std::string& key) {
                    return starts(tier, shared, incident_id{key});
                  });
  });
}

/// Ready when the backlogs were read, so that whoever has started the hub can
/// name their tasks.
child_spec backlog(const hub_context& context) {
  auto spec = child("backlog"_name, starts(backlog_keeper, context));
  spec.ready = child_ready::answers;
  return spec;
}

} // namespace

supervisor_spec hub_tree(const node_context& context, api_host host,
                         config_source source) {
  auto spec
    = supervisor_of(context, "hub", restart_strategy::rest_for_one, hub_limits);
  hub_context shared{context};
  shared_context<hub_context> one{shared};
  spec.children = {
    child("journal"_name, starts(journal, shared)),
    child("store"_name, starts(store_keeper, shared), true),
    child("registry"_name, starts(registry, shared)),
    child("breakers"_name, starts(breakers, shared)),
    forges(context),
    outboxes(shared),
    late("sessions"_name, context,
         [shared, one] {
           return family(shared, "sessions", "session",
                         live_sessions(*shared.rows), restart_kind::transient,
                         false, [one](const std::string& key) {
                           return starts(session_keeper, one, session_id{key});
                         });
         }),
    late("mailboxes"_name, context,
         [shared, one] {
           return family(
             shared, "mailboxes", "mailbox", sessions_with_mail(*shared.rows),
             restart_kind::transient, false, [one](const std::string& key) {
               return starts(mailbox, one, session_id{key});
             });
         }),
    late("tasks"_name, context,
         [shared, one] {
           return family(
             shared, "tasks", "task", unfinished_tasks(*shared.rows),
             restart_kind::transient, false, [one](const std::string& key) {
               return starts(task_keeper, one, task_id{key});
             });
         }),
    child("dispatcher"_name, starts(dispatcher, shared)),
    node(context),
    nodes(shared),
    child("escalation"_name, starts(escalation, shared)),
    tier_of(shared, "self-heals"_name, "self-heal", self_heal),
    tier_of(shared, "mediations"_name, "mediation", mediation),
    tier_of(shared, "humans"_name, "human", human),
    late("incidents"_name, context,
         [shared] {
           return family(
             shared, "incidents", "incident", unsettled_incidents(*shared.rows),
             restart_kind::transient, false, [shared](const std::string& key) {
               return starts(incident_keeper, shared, incident_id{key});
             });
         }),
    child("notices"_name, starts(notices, shared)),
    chats(shared),
    backlog(shared),
    child("retention"_name, starts(retention, shared)),
    child("config"_name, starts(config_keeper, shared, std::move(source))),
    child("cluster"_name, starts(cluster, shared)),
    child("api"_name, starts(api_keeper, shared, std::move(host)))};
  if (!link_address(*context.config).empty())
    spec.children.insert(
      spec.children.end() - 1,
      child("front-door"_name, starts(front_door, shared), true));
  return spec;
}

supervisor_spec node_tree(const node_context& context,
                          std::vector<std::string> sessions) {
  auto spec = supervisor_of(context, "node", restart_strategy::rest_for_one,
                            node_limits);
  spec.children = node_parts(
    context, [sessions = std::move(sessions)] { return sessions; });
  spec.children.insert(spec.children.begin(),
                       child("uplink"_name, starts(node_uplink, context)));
  // Its clients are started by a system call that takes its time.
  spec.children.push_back(
    child("terminals"_name, starts(terminals, context), true));
  return spec;
}

} // namespace ao
