#include "actors/ci_watcher.hpp"

#include "actors/ci_watcher_parts.hpp"
#include "actors/project_forge.hpp"
#include "actors/secrets.hpp"
#include "actors/store_trouble.hpp"
#include "runtime/actor/deliver.hpp"
#include "runtime/rules/incidents.hpp"

#include <stdexcept>
#include <utility>
#include <variant>

namespace ao {
namespace ci_watcher_parts {
namespace {

/// The queue may be long; a lost answer is found again by asking again.
constexpr std::chrono::hours merge_deadline{1};

/// It may have to start an INCIDENT, which writes.
constexpr std::chrono::seconds escalation_deadline{15};

change_policy policy_of(self_pointer self) {
  auto& st = self->state;
  change_policy policy;
  if (const auto* project = st.context->project(st.row->project)) {
    if (project->ci)
      policy.ci_command = project->ci->command;
    policy.ci_rerun = project->ci && project->ci->rerun;
    policy.merge_auto = merges_by_itself(*st.context->config, *project);
    policy.require_review = project->merge.require_review;
    policy.reviewer = project->reviewer.has_value();
  }
  return policy;
}

/// The change with its runs and reviews, as they are committed.
change_watch watch_of(self_pointer self) {
  auto& st = self->state;
  change_watch watch;
  watch.row = *st.row;
  for (const auto& run : st.context->rows->ci_runs_of(st.row->id))
    watch.runs.emplace(run->key, *run);
  for (const auto& r : st.context->rows->reviews_of(st.row->id))
    watch.reviews.emplace(r->key, *r);
  return watch;
}

bool in_queue(const change& c) {
  return c.merge == merge_state::queued || c.merge == merge_state::merging;
}

// -- effects, after the commit ------------------------------------------------

struct perform {
  self_pointer self;

  /// As the row of the run says, which is committed.
  std::uint32_t attempt_of(const std::string& key) const {
    auto run = self->state.context->rows->find<ci_run>(key);
    return run ? run->attempt : 1;
  }

  milliseconds deadline() const {
    const auto& st = self->state;
    return ci_deadline(st.context->project(st.row->project));
  }

  void operator()(const run_ci& order) const {
    auto& st = self->state;
    auto key = ci_key(st.row->id, order.sha, order.merged_result);
    if (!st.asked.insert(key).second)
      return;
    auto attempt = attempt_of(key);
    ask<ci_runners_actor>(
      self, st.context, make_actor_name("ci-runners", st.row->project.text),
      deadline(),
      msg::run_ci{st.row->id, order.sha, order.merged_result, attempt})
      .then(
        [self = self, key, attempt](const msg::ci_finished& end) {
          self->state.asked.erase(key);
          ci_ended ended;
          ended.attempt = attempt;
          ended.sha = end.sha;
          ended.merged_result = end.merged_result;
          ended.passed = end.state == ci_state::passed;
          ended.exit_code = end.exit_code;
          ended.cause = end.cause;
          auto secrets = secrets_of(self);
          // Before lines are cut, which could cut a secret.
          for (const auto& line : end.log_tail)
            ended.log_tail.push_back(secrets.redact(line));
          submit(self, std::move(ended));
        },
        [self = self, key](const caf::error& why) {
          self->state.asked.erase(key);
          say(self, log_level::warn, "ci_not_run", why);
          look_again(self, why);
        });
    submit(self, ci_began{order.sha, order.merged_result, {}});
  }

  /// A result that comes all the same is dropped by the rule.
  void operator()(const cancel_ci& order) const {
    const auto& row = *self->state.row;
    auto key = ci_key(row.id, order.sha, order.merged_result);
    tell<ci_runners_actor>(
      self->state.context, make_actor_name("ci-runners", row.project.text),
      msg::cancel_ci{row.id, order.sha, order.merged_result, attempt_of(key)});
  }

  void operator()(const enqueue_merge&) const {
    auto& st = self->state;
    if (std::exchange(st.enqueued, true))
      return;
    ask<merge_queue_actor>(
      self, st.context, make_actor_name("merge-queue", st.row->project.text),
      merge_deadline, msg::enqueue_change{st.row->id, st.row->head_sha})
      .then(
        [self = self](const msg::merge_outcome& outcome) {
          self->state.enqueued = false;
          hear(self, outcome);
        },
        [self = self](const caf::error& why) {
          self->state.enqueued = false;
          say(self, log_level::warn, "merge_not_queued", why);
          look_again(self, why);
        });
  }

  void operator()(const tell_queue& verdict) const {
    auto found = self->state.verdicts.extract(verdict.sha);
    if (!found.empty())
      found.mapped().deliver(msg::merge_verdict{verdict.sha, verdict.passed});
  }

  void operator()(const tell_owners&) const {
    auto& st = self->state;
    const auto& row = *st.row;
    tell<session_actor>(st.context,
                        make_actor_name("session", row.session.text),
                        msg::change_changed{row});
    tell<task_actor>(st.context, make_actor_name("task", row.task.text),
                     msg::change_changed{row});
    tell_reviewers(self);
    // A push that came beside the merge is looked at again.
    if (row.state == change_state::merged)
      tell<forge_actor>(st.context, make_actor_name("forge", row.project.text),
                        msg::branch_pushed{row.branch, row.head_sha});
  }

  void operator()(const find_review_base& order) const {
    ask_for_base(self, order);
  }

  void operator()(const open_reviewer& order) const {
    ask_for_reviewer(self, order);
  }

  void operator()(const remind_reviewer& order) const { remind(self, order); }

  void operator()(const retell_failure& failure) const {
    const auto& st = self->state;
    const auto& row = *st.row;
    auto known = st.context->rows->incident_called(
      incident_key(row.project, row.task, incident_cause::ci_failed));
    if (!known || known->sha != failure.sha || known->session != row.session)
      (*this)(run_ci{failure.sha, failure.merged_result});
  }

  void operator()(const report_failure& failure) const {
    if (failure.cause != incident_cause::ci_failed)
      return escalate(failure);
    const auto& row = *self->state.row;
    ask<base_watch_actor>(self, self->state.context,
                          make_actor_name("base-watch", row.project.text),
                          2 * deadline(),
                          msg::judge_failure{row.id, row.session, failure.sha})
      .then(
        [self = self, failure](const msg::base_judgement& said) {
          if (said.red)
            submit(self, base_seen_red{failure.sha});
          else
            perform{self}.escalate(failure);
        },
        report_later());
  }

  void escalate(const report_failure& failure) const {
    auto& st = self->state;
    const auto& row = *st.row;
    msg::report_cause report;
    report.cause = failure.cause;
    report.project = row.project;
    report.task = row.task;
    report.session = row.session;
    report.change = row.id;
    report.sha = failure.sha;
    report.text = failure.text;
    report.log_tail = failure.log_tail;
    ask<escalation_actor>(self, st.context, "escalation"_name,
                          escalation_deadline, std::move(report))
      .then([](const incident_id&) {}, report_later());
  }

  void operator()(const report_recovery& news) const {
    auto& st = self->state;
    const auto& row = *st.row;
    ask<escalation_actor>(
      self, st.context, "escalation"_name, escalation_deadline,
      msg::report_recovered{news.cause, row.project, row.task, {}, news.why})
      .then([](std::uint64_t) {}, report_later());
  }

  std::function<void(const caf::error&)> report_later() const {
    return [self = self](const caf::error& why) {
      say(self, log_level::warn, "incident_not_told", why);
      look_again(self, why);
    };
  }

  static void hear(self_pointer self, const msg::merge_outcome& outcome) {
    switch (outcome.what) {
    case msg::merge_outcome::kind::merged:
      return submit(self, merge_done{outcome.merged_sha});
    case msg::merge_outcome::kind::conflict:
      return submit(self, merge_conflicted{outcome.files});
    case msg::merge_outcome::kind::red:
      // The failed check has said it already; a later head may be queued.
    case msg::merge_outcome::kind::stale:
      return submit(self, merge_raced{});
    }
  }
};

// -- decide, commit, do, tell -------------------------------------------------

void conclude(self_pointer self, const change_step& step,
              const std::function<void()>& done) {
  auto& st = self->state;
  st.row = st.context->rows->find<change>(st.row->id.text);
  for (const auto& effect : step.effects)
    std::visit(perform{self}, effect);
  // Out of the queue no verdict comes any more.
  if (!in_queue(*st.row))
    for (auto& [sha, asker] : std::exchange(st.verdicts, {}))
      asker.deliver(msg::merge_verdict{sha, false});
  if (done)
    done();
  if (st.row->state != change_state::open && st.turns.waiting.empty())
    self->quit();
}

void commit(self_pointer self, change_step step, ci_watcher_state::call call) {
  auto& st = self->state;
  store_write write;
  write.rows = step.rows;
  write.events = step.events;
  write.request = call.request;
  // What has no id is asked again rather than remembered.
  if (!call.request.empty())
    write.answer = answer_of(step);
  if (write.rows.empty() && write.events.empty() && call.request.empty()) {
    conclude(self, step, call.done);
    if (call.answer && step.refused)
      call.answer(fail(*step.refused));
    else if (call.answer)
      call.answer(store_written{});
    return;
  }
  auto said = write.answer;
  write_in_turn(
    self, *st.context, st.turns, std::move(write), call,
    [self, step, call, said](store_written written) {
      // A repeat has changed nothing.
      if (!written.repeated) {
        conclude(self, step, call.done);
        written.answer = said;
      }
      if (call.answer)
        call.answer(std::move(written));
    },
    [self] { work(self); });
}

} // namespace

void submit(self_pointer self, change_input input, std::function<void()> done) {
  line_up(self->state.turns, {std::move(input), std::move(done)});
  work(self);
}

void work(self_pointer self) {
  auto& st = self->state;
  while (has_turn(st.turns)) {
    auto call = next_turn(st.turns);
    auto step = next_change(watch_of(self), call.input, policy_of(self),
                            st.context->now());
    if (!step.dropped.empty())
      st.context->say(log_level::debug,
                      "input_dropped change=" + st.row->id.text + " reason=\""
                        + step.dropped + "\"");
    commit(self, std::move(step), std::move(call));
  }
}

void say(self_pointer self, log_level level, const std::string& verb,
         const caf::error& why) {
  auto& st = self->state;
  st.context->say(level,
                  verb + " change=" + st.row->id.text + " reason=\""
                    + to_string(to_ao_error(why)) + "\"");
}

/// Whoever has taken the change over holds its task by now.
void heed_holder(self_pointer self) {
  const auto& st = self->state;
  const auto& rows = *st.context->rows;
  auto held = rows.held_claim(st.row->task.text);
  if (!held || held->session == st.row->session)
    return;
  auto holder = rows.find<session>(held->session.text);
  if (holder && holder->change == st.row->id)
    submit(self, holder_moved{held->session, held->epoch});
}

/// What no agent may read.
redactor secrets_of(self_pointer self) {
  return ao::secrets_of(*self->state.context);
}

} // namespace ci_watcher_parts

using namespace ci_watcher_parts;

ci_watcher_actor::behavior_type ci_watcher(self_pointer self,
                                           shared_context<hub_context> context,
                                           change_id id) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  auto row = st.context->rows->find<change>(id.text);
  if (!row)
    throw std::runtime_error("no row of change " + id.text);
  st.row = std::move(row);
  heed_holder(self);
  submit(self, change_recovered{});
  look_at_reviewers(self);
  return {
    [self](const msg::branch_pushed& news) {
      heed_holder(self);
      auto holder
        = self->state.context->rows->held_claim(self->state.row->task.text);
      submit(self, head_moved{news.head_sha, holder ? holder->epoch : 0});
    },
    [self](const msg::begin_merge&) -> caf::result<change> {
      auto promise = self->make_response_promise<change>();
      submit(self, merge_began{},
             [self, promise]() mutable { promise.deliver(*self->state.row); });
      return promise;
    },
    [self](const msg::check_merge& order) -> caf::result<msg::merge_verdict> {
      auto promise = self->make_response_promise<msg::merge_verdict>();
      self->state.verdicts.insert_or_assign(order.sha, promise);
      submit(self, merge_prepared{order.sha});
      return promise;
    },
    [self](const msg::submit_review& order) {
      return take_review(self, order);
    },
    [self](const msg::merge_change& order) -> caf::result<change> {
      auto promise = self->make_response_promise<change>();
      ci_watcher_state::call call;
      call.input = merge_wanted{order.by};
      call.answer = delivering(promise, [self](const store_written&) {
        return change{*self->state.row};
      });
      line_up(self->state.turns, std::move(call));
      work(self);
      return promise;
    },
    [self](const msg::base_recovered&) { submit(self, base_seen_green{}); },
    [self](const msg::session_changed& told) {
      if (told.now.role == session_role::worker)
        return heed_holder(self);
      submit(self, reviewer_told{told.now});
    },
    [self](look_atom) {
      self->state.alarm.came(self->clock().now());
      heed_holder(self);
      submit(self, change_recovered{});
      look_at_reviewers(self);
    },
  };
}

} // namespace ao
