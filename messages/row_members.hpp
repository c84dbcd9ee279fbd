#pragma once

#include "messages/breaker.hpp"
#include "messages/change.hpp"
#include "messages/incident.hpp"
#include "messages/message.hpp"
#include "messages/node.hpp"
#include "messages/session.hpp"
#include "messages/task.hpp"

#include <optional>
#include <string_view>

/// What a row consists of on disk; for row_json and row_text alone.
namespace ao::row_members {

/// The members of `T` on disk: one list that both directions walk.
template <class T>
struct members;

template <>
struct members<suspicion> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("other", x.other);
    v("title", x.title);
    v("score", x.score);
    v("reason", x.reason);
    v("session", x.session);
    v("otherSession", x.other_session);
    v("hold", x.hold);
    v("since", x.since);
  }
};

template <>
struct members<task> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("id", x.id);
    v("version", x.version);
    v("key", x.key);
    v("project", x.project);
    v("ref", x.ref);
    v("title", x.title);
    v("body", x.body);
    v("labels", x.labels);
    v("priority", x.priority);
    v("needs", x.needs);
    v("agent", x.agent);
    v("state", x.state);
    v("why", x.why);
    v("session", x.session);
    v("epoch", x.epoch);
    v("change", x.change);
    v("suspects", x.suspects);
    v("createdAt", x.created_at);
    v("updatedAt", x.updated_at);
    v("closedAt", x.closed_at);
  }
};

template <>
struct members<claim> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("subject", x.subject);
    v("version", x.version);
    v("session", x.session);
    v("node", x.node);
    v("epoch", x.epoch);
    v("held", x.held);
    v("since", x.since);
  }
};

template <>
struct members<counter> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("name", x.name);
    v("version", x.version);
    v("last", x.last);
  }
};

template <>
struct members<exit_info> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("run", x.run);
    v("code", x.code);
    v("signal", x.signal);
    v("cause", x.cause);
    v("at", x.at);
    v("unread", x.unread);
    v("failure", x.failure);
    v("until", x.until);
    v("lastLines", x.last_lines);
  }
};

template <>
struct members<worktree_facts> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("headSha", x.head_sha);
    v("dirty", x.dirty);
    v("statusLines", x.status_lines);
    v("changed", x.changed);
    v("ahead", x.ahead);
  }
};

template <>
struct members<left_work> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("node", x.node);
    v("epoch", x.epoch);
    v("run", x.run);
    v("head", x.head);
    v("state", x.state);
    v("worktree", x.worktree);
  }
};

template <>
struct members<session> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("id", x.id);
    v("version", x.version);
    v("project", x.project);
    v("role", x.role);
    v("task", x.task);
    v("subject", x.subject);
    v("epoch", x.epoch);
    v("run", x.run);
    v("node", x.node);
    v("agent", x.agent);
    v("branch", x.branch);
    v("base", x.base);
    v("head", x.head);
    v("runtime", x.runtime);
    v("reason", x.reason);
    v("activity", x.activity);
    v("needsInput", x.needs_input);
    v("conversation", x.conversation);
    v("lastWords", x.last_words);
    v("inputTokens", x.input_tokens);
    v("outputTokens", x.output_tokens);
    v("turnFailure", x.turn_failure);
    v("turnUntil", x.turn_until);
    v("resume", x.resume);
    v("prompt", x.prompt);
    v("agentPid", x.agent_pid);
    v("shimPid", x.shim_pid);
    v("workspacePath", x.workspace_path);
    v("tmuxSocket", x.tmux_socket);
    v("tmuxPane", x.tmux_pane);
    v("exit", x.exit);
    v("worktree", x.worktree);
    v("change", x.change);
    v("left", x.left);
    v("wentBack", x.went_back);
    v("tookOver", x.took_over);
    v("finishedAt", x.finished_at);
    v("finished", x.finished);
    v("restarts", x.restarts);
    v("end", x.end);
    v("endReason", x.end_reason);
    v("cleaned", x.cleaned);
    v("createdAt", x.created_at);
    v("updatedAt", x.updated_at);
    v("since", x.since);
    v("startedAt", x.started_at);
    v("endedAt", x.ended_at);
  }
};

template <>
struct members<change> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("id", x.id);
    v("version", x.version);
    v("number", x.number);
    v("project", x.project);
    v("session", x.session);
    v("task", x.task);
    v("epoch", x.epoch);
    v("title", x.title);
    v("body", x.body);
    v("branch", x.branch);
    v("base", x.base);
    v("headSha", x.head_sha);
    v("state", x.state);
    v("ci", x.ci);
    v("review", x.review);
    v("reviewReason", x.review_reason);
    v("merge", x.merge);
    v("mergeReason", x.merge_reason);
    v("mergedSha", x.merged_sha);
    v("readySha", x.ready_sha);
    v("blame", x.blame);
    v("createdAt", x.created_at);
    v("updatedAt", x.updated_at);
  }
};

template <>
struct members<ci_run> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("key", x.key);
    v("version", x.version);
    v("change", x.change);
    v("sha", x.sha);
    v("mergedResult", x.merged_result);
    v("state", x.state);
    v("command", x.command);
    v("exitCode", x.exit_code);
    v("cause", x.cause);
    v("directory", x.directory);
    v("attempt", x.attempt);
    v("startedAt", x.started_at);
    v("finishedAt", x.finished_at);
  }
};

template <>
struct members<change_review> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("key", x.key);
    v("version", x.version);
    v("change", x.change);
    v("sha", x.sha);
    v("baseSha", x.base_sha);
    v("verdict", x.verdict);
    v("by", x.by);
    v("text", x.text);
    v("number", x.number);
    v("session", x.session);
    v("attempts", x.attempts);
    v("remindedRun", x.reminded_run);
    v("failure", x.failure);
    v("askedAt", x.asked_at);
    v("givenAt", x.given_at);
  }
};

template <>
struct members<message_evidence> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("state", x.state);
    v("at", x.at);
    v("source", x.source);
    v("detail", x.detail);
  }
};

template <>
struct members<message> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("id", x.id);
    v("version", x.version);
    v("session", x.session);
    v("number", x.number);
    v("epoch", x.epoch);
    v("run", x.run);
    v("mode", x.mode);
    v("text", x.text);
    v("sender", x.sender);
    v("topic", x.topic);
    v("state", x.state);
    v("delivering", x.delivering);
    v("settled", x.settled);
    v("evidence", x.evidence);
    v("createdAt", x.created_at);
    v("updatedAt", x.updated_at);
    v("deadline", x.deadline);
  }
};

template <>
struct members<incident_attempt> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("tier", x.tier);
    v("number", x.number);
    v("sha", x.sha);
    v("session", x.session);
    v("verdict", x.verdict);
    v("detail", x.detail);
    v("logTail", x.log_tail);
    v("at", x.at);
    v("endedAt", x.ended_at);
  }
};

template <>
struct members<incident> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("id", x.id);
    v("version", x.version);
    v("project", x.project);
    v("task", x.task);
    v("session", x.session);
    v("change", x.change);
    v("cause", x.cause);
    v("fingerprint", x.fingerprint);
    v("tier", x.tier);
    v("state", x.state);
    v("sha", x.sha);
    v("text", x.text);
    v("logTail", x.log_tail);
    v("attempts", x.attempts);
    v("maxAttempts", x.max_attempts);
    v("rounds", x.rounds);
    v("misses", x.misses);
    v("history", x.history);
    v("mediator", x.mediator);
    v("mediatorRun", x.mediator_run);
    v("question", x.question);
    v("options", x.options);
    v("code", x.code);
    v("raised", x.raised);
    v("askedAt", x.asked_at);
    v("ackedAt", x.acked_at);
    v("answer", x.answer);
    v("answeredBy", x.answered_by);
    v("answeredAt", x.answered_at);
    v("notifications", x.notifications);
    v("deadline", x.deadline);
    v("others", x.others);
    v("openedAt", x.opened_at);
    v("since", x.since);
    v("updatedAt", x.updated_at);
    v("closedAt", x.closed_at);
    v("settled", x.settled);
    v("closedBy", x.closed_by);
    v("why", x.why);
  }
};

template <>
struct members<notification> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("id", x.id);
    v("version", x.version);
    v("channel", x.channel);
    v("subject", x.subject);
    v("number", x.number);
    v("priority", x.priority);
    v("project", x.project);
    v("session", x.session);
    v("kind", x.kind);
    v("text", x.text);
    v("options", x.options);
    v("key", x.key);
    v("state", x.state);
    v("attempts", x.attempts);
    v("lastError", x.last_error);
    v("failure", x.failure);
    v("form", x.form);
    v("digest", x.digest);
    v("remote", x.remote);
    v("nextAt", x.next_at);
    v("createdAt", x.created_at);
    v("updatedAt", x.updated_at);
  }
};

template <>
struct members<breaker> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("key", x.key);
    v("version", x.version);
    v("account", x.account);
    v("failure", x.failure);
    v("state", x.state);
    v("reason", x.reason);
    v("agent", x.agent);
    v("project", x.project);
    v("session", x.session);
    v("blind", x.blind);
    v("alarmed", x.alarmed);
    v("trial", x.trial);
    v("trips", x.trips);
    v("openedAt", x.opened_at);
    v("closedAt", x.closed_at);
    v("updatedAt", x.updated_at);
  }
};

template <>
struct members<cluster_node> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("name", x.name);
    v("version", x.version);
    v("link", x.link);
    v("order", x.order);
    v("labels", x.labels);
    v("slots", x.slots);
    v("incarnation", x.incarnation);
    v("serial", x.serial);
    v("certifiedUntil", x.certified_until);
    v("program", x.program);
    v("cores", x.cores);
    v("memory", x.memory);
    v("agents", x.agents);
    v("projects", x.projects);
    v("why", x.why);
    v("joinedAt", x.joined_at);
    v("updatedAt", x.updated_at);
    v("drainUntil", x.drain_until);
    v("drainedAt", x.drained_at);
    v("heardAt", x.heard_at);
  }
};

template <>
struct members<join_token> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("id", x.id);
    v("version", x.version);
    v("hash", x.hash);
    v("name", x.name);
    v("labels", x.labels);
    v("createdAt", x.created_at);
    v("expiresAt", x.expires_at);
    v("usedAt", x.used_at);
    v("usedBy", x.used_by);
  }
};

/// The value of an enum that is written so; the second argument only chooses
/// which.
#define AO_WORD(type)                                                          \
  inline std::optional<type> word_as(std::string_view text, const type&) {     \
    return type##_from(text);                                                  \
  }
AO_WORD(task_state)
AO_WORD(session_role)
AO_WORD(runtime_state)
AO_WORD(left_state)
AO_WORD(activity_state)
AO_WORD(session_end)
AO_WORD(resume_reason)
AO_WORD(change_state)
AO_WORD(ci_state)
AO_WORD(review_state)
AO_WORD(ci_blame)
AO_WORD(merge_state)
AO_WORD(message_mode)
AO_WORD(message_state)
AO_WORD(incident_cause)
AO_WORD(incident_tier)
AO_WORD(incident_state)
AO_WORD(priority)
AO_WORD(notification_state)
AO_WORD(send_failure)
AO_WORD(breaker_state)
AO_WORD(node_link)
AO_WORD(node_order)
#undef AO_WORD

} // namespace ao::row_members
