#pragma once

/// Who talks to whom: the index of all conversations.
///
///   page            roles
///   store           STORE, RETENTION
///   tasks           REGISTRY, BACKLOG, TASK, DISPATCHER
///   sessions        SESSION, BREAKERS, MAILBOX, UPLINK, RUNNER, REPOSITORY,
///                   TMUX
///   api             API, EVENT STREAMER, CONFIG
///   forge           FORGE, OVERLAPS, CI WATCHER, CI RUNNERS, BASE WATCH, MERGE
///   QUEUE,
///                   PUBLISHER
///   escalation      ESCALATION, INCIDENT, SELF HEAL, MEDIATION, HUMAN, OUTBOX,
///                   CHAT
///   cluster         CLUSTER, FRONT DOOR, NODE PROXY, LINK, TERMINALS
///   supervision     SUPERVISOR, JOURNAL
///
/// Supervisors' children and the wire are the only untyped conversations.
#include "messages/interfaces/api.hpp"
#include "messages/interfaces/cluster.hpp"
#include "messages/interfaces/escalation.hpp"
#include "messages/interfaces/forge.hpp"
#include "messages/interfaces/sessions.hpp"
#include "messages/interfaces/store.hpp"
#include "messages/interfaces/supervision.hpp"
#include "messages/interfaces/tasks.hpp"
