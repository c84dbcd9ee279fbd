#pragma once

#include "actors/api.hpp"
#include "actors/child_spec.hpp"
#include "actors/config_keeper.hpp"
#include "actors/node_context.hpp"
#include "actors/supervisor.hpp"

#include <functional>

namespace ao {

/// The tree of DESIGN §4, as data: every supervisor, its strategy and its
/// children in start order.
///
///   hub (rest_for_one)
///   ├── journal
///   ├── store
///   ├── registry
///   ├── breakers
///   ├── forges                    one tree per project
///   │   └── forge-tree/app (rest_for_one)
///   │       ├── forge/app
///   │       ├── ci-runners/app
///   │       ├── base-watch/app
///   │       ├── merge-queue/app
///   │       ├── watchers/app (dynamic)    one ci-watcher per open change
///   │       ├── overlaps/app
///   │       └── publisher/app             where forge.publish names a remote
///   ├── outboxes (dynamic)        one outbox per notifier
///   ├── sessions (dynamic)        one session per live session
///   ├── mailboxes (dynamic)       one mailbox per session with mail
///   ├── tasks (dynamic)           one task per unfinished task
///   ├── dispatcher
///   ├── node (rest_for_one)
///   │   ├── uplink
///   │   ├── repositories (dynamic)        one repository per project
///   │   ├── tmux
///   │   ├── inventory
///   │   └── runners (dynamic)             one runner per session
///   ├── nodes (dynamic)           one node-proxy per node that has joined
///   ├── escalation
///   ├── self-heals (dynamic)      the tiers of each open incident
///   ├── mediations (dynamic)
///   ├── humans (dynamic)
///   ├── incidents (dynamic)       one incident per task and cause
///   ├── notices
///   ├── chats (dynamic)           one chat per bot that brings answers
///   ├── backlog
///   ├── retention
///   ├── config
///   ├── cluster                   with cluster.listen also the front-door
///   └── api
///
/// @param context Shared by all of them.
/// @param host What the API needs of the process.
/// @param source What the CONFIG needs of it.
supervisor_spec hub_tree(const node_context& context, api_host host,
                         config_source source);

/// The part of the tree that a node of its own runs, below its LINK: as the
/// hub's, without inventory, and behind the runners `terminals`, those who look
/// at its terminals through the hub.
/// @param sessions Those that its files know.
supervisor_spec node_tree(const node_context& context,
                          std::vector<std::string> sessions);

} // namespace ao
