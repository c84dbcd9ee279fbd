#pragma once

#include "messages/store.hpp"

#include <rapidcheck.h>

#include <string>
#include <vector>

namespace ao::test {

/// Any text that is valid in a row, with the bytes that break writers.
inline rc::Gen<std::string> any_text() {
  return rc::gen::container<std::string>(
    rc::gen::oneOf(rc::gen::inRange<char>(1, 127),
                   rc::gen::element('"', '\\', '\n', '\t', '/')));
}

inline rc::Gen<std::vector<std::string>> any_lines() {
  return rc::gen::resize(
    4, rc::gen::container<std::vector<std::string>>(any_text()));
}

template <class Name>
Name any_name() {
  return Name{*any_text()};
}

inline wall_time any_time() {
  return wall_time{
    milliseconds{*rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000)}};
}

template <class T>
std::optional<T> maybe(T (*make)()) {
  return *rc::gen::arbitrary<bool>() ? std::optional<T>{make()} : std::nullopt;
}

inline int any_int() {
  return *rc::gen::arbitrary<int>();
}

inline std::uint64_t any_number() {
  return *rc::gen::arbitrary<std::uint64_t>();
}

/// A value of an enumeration that has `count` of them.
template <class Enum>
Enum any_of(int count) {
  return static_cast<Enum>(*rc::gen::inRange(0, count));
}

inline suspicion any_suspicion() {
  suspicion x;
  x.other = any_name<task_id>();
  x.title = *any_text();
  x.score = any_int();
  x.reason = *any_text();
  x.session = any_name<session_id>();
  x.other_session = any_name<session_id>();
  x.hold = *rc::gen::arbitrary<bool>();
  x.since = any_time();
  return x;
}

inline task any_task() {
  task x;
  x.id = any_name<task_id>();
  x.version = any_number();
  x.key = *any_text();
  x.project = any_name<project_id>();
  x.ref = *any_text();
  x.title = *any_text();
  x.body = *any_text();
  x.labels = *any_lines();
  x.priority = any_int();
  for (const auto& id : *any_lines())
    x.needs.emplace_back(id);
  x.agent = *any_text();
  x.state = any_of<task_state>(9);
  x.why = *any_text();
  x.session = any_name<session_id>();
  x.epoch = any_number();
  x.change = any_name<change_id>();
  for (auto n = *rc::gen::inRange(0, 3); n > 0; --n)
    x.suspects.push_back(any_suspicion());
  x.created_at = any_time();
  x.updated_at = any_time();
  x.closed_at = maybe(any_time);
  return x;
}

inline claim any_claim() {
  claim x;
  x.subject = *any_text();
  x.version = any_number();
  x.session = any_name<session_id>();
  x.node = any_name<node_name>();
  x.epoch = any_number();
  x.held = *rc::gen::arbitrary<bool>();
  x.since = any_time();
  return x;
}

inline counter any_counter() {
  counter x;
  x.name = *any_text();
  x.version = any_number();
  x.last = any_number();
  return x;
}

inline exit_info any_exit() {
  exit_info x;
  x.run = *rc::gen::arbitrary<run_no>();
  x.code = maybe(any_int);
  x.signal = maybe(any_int);
  x.cause = *any_text();
  x.at = any_time();
  x.unread = any_number();
  x.failure = *any_text();
  x.until = maybe(any_time);
  x.last_lines = *any_lines();
  return x;
}

inline worktree_facts any_worktree() {
  worktree_facts x;
  x.head_sha = *any_text();
  x.dirty = *rc::gen::arbitrary<bool>();
  x.status_lines = *any_lines();
  x.changed = any_number();
  x.ahead = any_number();
  return x;
}

inline left_work any_left() {
  left_work x;
  x.node = any_name<node_name>();
  x.epoch = any_number();
  x.run = *rc::gen::arbitrary<run_no>();
  x.head = *any_text();
  x.state = any_of<left_state>(4);
  x.worktree = maybe(any_worktree);
  return x;
}

inline session any_session() {
  session x;
  x.id = any_name<session_id>();
  x.version = any_number();
  x.project = any_name<project_id>();
  x.role = any_of<session_role>(5);
  x.task = any_name<task_id>();
  x.subject = *any_text();
  x.epoch = any_number();
  x.run = *rc::gen::arbitrary<run_no>();
  x.node = any_name<node_name>();
  x.agent = *any_text();
  x.branch = *any_text();
  x.base = *any_text();
  x.head = *any_text();
  x.runtime = any_of<runtime_state>(7);
  x.reason = *any_text();
  x.activity = any_of<activity_state>(6);
  x.needs_input = *any_text();
  x.conversation = *any_text();
  x.last_words = *any_text();
  x.input_tokens = any_number();
  x.output_tokens = any_number();
  x.turn_failure = *any_text();
  x.turn_until = maybe(any_time);
  x.resume = any_of<resume_reason>(7);
  x.prompt = any_name<message_id>();
  x.agent_pid = any_int();
  x.shim_pid = any_int();
  x.workspace_path = *any_text();
  x.tmux_socket = *any_text();
  x.tmux_pane = *any_text();
  x.exit = maybe(any_exit);
  x.worktree = maybe(any_worktree);
  x.change = any_name<change_id>();
  x.left = maybe(any_left);
  x.went_back = *rc::gen::arbitrary<bool>();
  x.took_over = any_name<session_id>();
  x.finished_at = maybe(any_time);
  x.finished = *any_text();
  x.restarts = *rc::gen::arbitrary<std::uint32_t>();
  x.end = any_of<session_end>(5);
  x.end_reason = *any_text();
  x.cleaned = *rc::gen::arbitrary<bool>();
  x.created_at = any_time();
  x.updated_at = any_time();
  x.since = any_time();
  x.started_at = maybe(any_time);
  x.ended_at = maybe(any_time);
  return x;
}

inline change any_change() {
  change x;
  x.id = any_name<change_id>();
  x.version = any_number();
  x.number = any_number();
  x.project = any_name<project_id>();
  x.session = any_name<session_id>();
  x.task = any_name<task_id>();
  x.epoch = any_number();
  x.title = *any_text();
  x.body = *any_text();
  x.branch = *any_text();
  x.base = *any_text();
  x.head_sha = *any_text();
  x.state = any_of<change_state>(3);
  x.ci = any_of<ci_state>(5);
  x.review = any_of<review_state>(4);
  x.review_reason = *any_text();
  x.merge = any_of<merge_state>(4);
  x.merge_reason = *any_text();
  x.merged_sha = *any_text();
  x.ready_sha = *any_text();
  x.blame = any_of<ci_blame>(3);
  x.created_at = any_time();
  x.updated_at = any_time();
  return x;
}

inline ci_run any_ci_run() {
  ci_run x;
  x.key = *any_text();
  x.version = any_number();
  x.change = any_name<change_id>();
  x.sha = *any_text();
  x.merged_result = *rc::gen::arbitrary<bool>();
  x.state = any_of<ci_state>(5);
  x.command = *any_lines();
  x.exit_code = maybe(any_int);
  x.cause = *any_text();
  x.directory = *any_text();
  x.attempt = static_cast<std::uint32_t>(any_number());
  x.started_at = any_time();
  x.finished_at = maybe(any_time);
  return x;
}

inline change_review any_review() {
  change_review x;
  x.key = *any_text();
  x.version = any_number();
  x.change = any_name<change_id>();
  x.sha = *any_text();
  x.base_sha = *any_text();
  x.verdict = any_of<review_state>(4);
  x.by = *any_text();
  x.text = *any_text();
  x.number = *rc::gen::arbitrary<std::uint32_t>();
  x.session = any_name<session_id>();
  x.attempts = *rc::gen::arbitrary<std::uint32_t>();
  x.reminded_run = *rc::gen::arbitrary<run_no>();
  x.failure = *any_text();
  x.asked_at = any_time();
  x.given_at = maybe(any_time);
  return x;
}

inline std::vector<std::string> any_texts() {
  return *rc::gen::container<std::vector<std::string>>(any_text());
}

inline incident_attempt any_attempt() {
  incident_attempt x;
  x.tier = incident_tier{static_cast<std::uint8_t>(*rc::gen::inRange(1, 4))};
  x.number = *rc::gen::arbitrary<std::uint32_t>();
  x.sha = *any_text();
  x.session = any_name<session_id>();
  x.verdict = *any_text();
  x.detail = *any_text();
  x.log_tail = any_texts();
  x.at = any_time();
  x.ended_at = maybe(any_time);
  return x;
}

inline incident any_incident() {
  incident x;
  x.id = any_name<incident_id>();
  x.version = any_number();
  x.project = any_name<project_id>();
  x.task = any_name<task_id>();
  x.session = any_name<session_id>();
  x.change = any_name<change_id>();
  x.cause = any_of<incident_cause>(12);
  x.fingerprint = *any_text();
  x.tier = incident_tier{static_cast<std::uint8_t>(*rc::gen::inRange(1, 4))};
  x.state = any_of<incident_state>(3);
  x.sha = *any_text();
  x.text = *any_text();
  x.log_tail = any_texts();
  x.attempts = *rc::gen::arbitrary<std::uint32_t>();
  x.max_attempts = *rc::gen::arbitrary<std::uint32_t>();
  x.rounds = *rc::gen::arbitrary<std::uint32_t>();
  x.misses = *rc::gen::arbitrary<std::uint32_t>();
  if (*rc::gen::arbitrary<bool>())
    x.history.push_back(any_attempt());
  x.mediator = any_name<session_id>();
  x.mediator_run = *rc::gen::arbitrary<run_no>();
  x.question = *any_text();
  x.options = any_texts();
  x.code = *any_text();
  x.raised = *rc::gen::arbitrary<std::uint32_t>();
  x.asked_at = any_time();
  x.acked_at = maybe(any_time);
  x.answer = *any_text();
  x.answered_by = *any_text();
  x.answered_at = maybe(any_time);
  x.notifications = any_number();
  x.deadline = maybe(any_time);
  if (*rc::gen::arbitrary<bool>())
    x.others.push_back(any_name<session_id>());
  x.opened_at = any_time();
  x.since = any_time();
  x.updated_at = any_time();
  x.closed_at = maybe(any_time);
  x.settled = *rc::gen::arbitrary<bool>();
  x.closed_by = *any_text();
  x.why = *any_text();
  return x;
}

inline notification any_notification() {
  notification x;
  x.id = *any_text();
  x.version = any_number();
  x.channel = *any_text();
  x.subject = *any_text();
  x.number = any_number();
  x.priority = any_of<priority>(4);
  x.project = any_name<project_id>();
  x.session = any_name<session_id>();
  x.kind = *any_text();
  x.text = *any_text();
  x.options = any_texts();
  x.key = *any_text();
  x.state = any_of<notification_state>(4);
  x.attempts = *rc::gen::arbitrary<std::uint32_t>();
  x.last_error = *any_text();
  x.failure = any_of<send_failure>(5);
  x.form = *any_text();
  x.digest = *any_text();
  x.remote = *any_text();
  x.next_at = maybe(any_time);
  x.created_at = any_time();
  x.updated_at = any_time();
  return x;
}

inline breaker any_breaker() {
  breaker x;
  x.key = *any_text();
  x.version = any_number();
  x.account = *any_text();
  x.failure = *any_text();
  x.state = any_of<breaker_state>(3);
  x.reason = *any_text();
  x.agent = *any_text();
  x.project = any_name<project_id>();
  x.session = any_name<session_id>();
  x.blind = *rc::gen::arbitrary<bool>();
  x.alarmed = *rc::gen::arbitrary<bool>();
  x.trial = any_name<session_id>();
  x.trips = any_number();
  x.opened_at = maybe(any_time);
  x.closed_at = maybe(any_time);
  x.updated_at = any_time();
  return x;
}

inline cluster_node any_node() {
  cluster_node x;
  x.name = any_name<node_name>();
  x.version = any_number();
  x.link = any_of<node_link>(5);
  x.order = any_of<node_order>(4);
  x.labels = *any_lines();
  x.slots = *rc::gen::arbitrary<std::uint32_t>();
  x.incarnation = any_number();
  x.serial = *any_text();
  x.certified_until = any_time();
  x.program = *any_text();
  x.cores = *rc::gen::arbitrary<std::uint32_t>();
  x.memory = any_number();
  x.agents = *any_lines();
  x.projects = *any_lines();
  x.why = *any_text();
  x.joined_at = any_time();
  x.updated_at = any_time();
  x.drain_until = maybe(any_time);
  x.drained_at = maybe(any_time);
  x.heard_at = maybe(any_time);
  return x;
}

inline join_token any_join_token() {
  join_token x;
  x.id = *any_text();
  x.version = any_number();
  x.hash = *any_text();
  x.name = any_name<node_name>();
  x.labels = *any_lines();
  x.created_at = any_time();
  x.expires_at = any_time();
  x.used_at = maybe(any_time);
  x.used_by = any_name<node_name>();
  return x;
}

inline message_evidence any_evidence() {
  message_evidence x;
  x.state = any_of<message_state>(9);
  x.at = any_time();
  x.source = *any_text();
  x.detail = *any_text();
  return x;
}

inline message any_message() {
  message x;
  x.id = any_name<message_id>();
  x.version = any_number();
  x.session = any_name<session_id>();
  x.number = any_number();
  x.epoch = any_number();
  x.run = *rc::gen::arbitrary<run_no>();
  x.mode = any_of<message_mode>(3);
  x.text = *any_text();
  x.sender = *any_text();
  x.topic = *any_text();
  x.state = any_of<message_state>(9);
  x.delivering = *rc::gen::arbitrary<bool>();
  x.settled = *rc::gen::arbitrary<bool>();
  for (auto n = *rc::gen::inRange(0, 4); n > 0; --n)
    x.evidence.push_back(any_evidence());
  x.created_at = any_time();
  x.updated_at = any_time();
  x.deadline = maybe(any_time);
  return x;
}

} // namespace ao::test
