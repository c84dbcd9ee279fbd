#include "runtime/rules/changes.hpp"

#include "runtime/rules/change_texts.hpp"
#include "runtime/rules/event_data.hpp"
#include "runtime/rules/reviews.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace ao {
namespace {

bool concluded(const ci_run& run) {
  return run.state == ci_state::passed || run.state == ci_state::failed;
}

/// Nothing more is to be expected of it.
bool over(const ci_run& run) {
  return concluded(run) || run.finished_at;
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : ", ") + word;
  return out;
}

/// One input on its way through the machine.
class machine {
public:
  machine(const change_watch& watch, const change_policy& policy, wall_time now)
      : policy_(policy), now_(now) {
    out_.next = watch;
  }

  change_step finish() {
    for (const auto& key : touched_) {
      auto& run = out_.next.runs.at(key);
      run.version += 1;
      out_.rows.emplace_back(run);
    }
    for (const auto& key : touched_reviews_) {
      auto& r = out_.next.reviews.at(key);
      r.version += 1;
      out_.rows.emplace_back(r);
    }
    if (changed_) {
      c().version += 1;
      c().updated_at = now_;
      out_.rows.emplace_back(c());
    }
    return std::move(out_);
  }

  // -- inputs -----------------------------------------------------------------

  void operator()(const change_recovered&) {
    tell();
    if (!open())
      return;
    if (auto run = find(c().head_sha, false);
        run != nullptr && !over(*run) && !policy_.external_ci)
      effect(run_ci{c().head_sha, false});
    retell();
    if (queued()) {
      // The queue has forgotten it; where it stood is found at the forge.
      if (c().merge == merge_state::merging) {
        c().merge = merge_state::queued;
        changed_ = true;
      }
      effect(enqueue_merge{});
    }
    go_on();
  }

  void operator()(const head_moved& x) {
    if (!open())
      return drop("is closed");
    if (x.epoch < c().epoch)
      return drop("has a newer epoch than " + std::to_string(x.epoch));
    if (x.sha == c().head_sha || x.sha.empty())
      return drop("is at that head");
    cancel_runs();
    c().head_sha = x.sha;
    c().epoch = x.epoch;
    c().ci = has_ci() ? ci_state::pending : ci_state::none;
    c().merge = merge_state::idle;
    c().merge_reason.clear();
    c().blame = ci_blame::own;
    changed_ = true;
    record(event_kind::head_moved, data());
    review_anew();
    // The branch may be back at a head that has its verdict.
    if (auto run = find(x.sha, false); run != nullptr) {
      if (concluded(*run)) {
        c().ci = run->state;
      } else {
        auto& again = touch(x.sha, false);
        again.state = ci_state::pending;
        again.cause.clear();
        again.finished_at.reset();
        if (!policy_.external_ci)
          effect(run_ci{x.sha, false});
      }
    }
    go_on();
    tell();
  }

  void operator()(const holder_moved& x) {
    if (!open())
      return drop("is closed");
    if (x.epoch <= c().epoch)
      return drop("has a newer epoch than " + std::to_string(x.epoch));
    auto from = std::exchange(c().session, x.session);
    c().epoch = x.epoch;
    changed_ = true;
    record(event_kind::change_taken_over, data().with("from", from));
    // What its agent was told, or was about to be, is the new one's to heed.
    retell();
    tell();
  }

  void operator()(const ci_began& x) {
    if (auto why = off_course(x.sha, x.merged_result); !why.empty())
      return drop(why);
    auto known = find(x.sha, x.merged_result);
    if (known != nullptr && known->state != ci_state::pending)
      return drop("knows that run");
    auto& run = touch(x.sha, x.merged_result);
    run.state = ci_state::running;
    run.directory = x.directory;
    run.started_at = now_;
    if (!x.merged_result) {
      c().ci = ci_state::running;
      changed_ = true;
      tell();
    }
    record(event_kind::ci_started, data(run));
  }

  void operator()(const ci_ended& x) {
    if (auto run = red_run(); run != nullptr && !x.passed && x.sha == run->sha
        && x.merged_result == run->merged_result && !policy_.external_ci)
      return report(*run, x.log_tail);
    if (auto why = off_course(x.sha, x.merged_result); !why.empty())
      return drop(why);
    auto verdict = x.passed ? ci_state::passed : ci_state::failed;
    auto known = find(x.sha, x.merged_result);
    if (known != nullptr && known->attempt != x.attempt)
      return drop("waits for attempt " + std::to_string(known->attempt));
    // A forge may run its checks again; our own runs end once.
    if (known != nullptr && over(*known)
        && (!policy_.external_ci || known->state == verdict))
      return drop("knows that verdict");
    auto& run = touch(x.sha, x.merged_result);
    if (!x.passed && may_be_flake(run))
      return run_again(run, x);
    run.state = verdict;
    run.exit_code = x.exit_code;
    run.cause = x.cause;
    run.finished_at = now_;
    if (run.started_at == wall_time{})
      run.started_at = now_;
    record(x.passed ? event_kind::ci_passed : event_kind::ci_failed, data(run));
    if (x.merged_result)
      effect(tell_queue{x.sha, x.passed});
    if (!x.merged_result || !x.passed) {
      c().ci = verdict;
      changed_ = true;
    }
    if (!x.passed) {
      leave_queue(x.merged_result ? "fails with what was merged before it"
                                  : "");
      c().blame = ci_blame::own;
      report(run, x.log_tail);
    } else if (!x.merged_result) {
      effect(report_recovery{incident_cause::ci_failed, "CI passed"});
    }
    go_on();
    tell();
  }

  void operator()(const base_seen_red& x) {
    auto run = red_run();
    if (run == nullptr || run->sha != x.sha)
      return drop("is not red at " + x.sha.substr(0, 12));
    if (c().blame == ci_blame::base)
      return drop("waits for its base");
    c().blame = ci_blame::base;
    changed_ = true;
    tell();
  }

  void operator()(const base_seen_green&) {
    if (!open() || c().blame != ci_blame::base)
      return drop("does not wait for its base");
    c().blame = ci_blame::excused;
    changed_ = true;
    go_on();
    tell();
  }

  void operator()(const review_given& x) {
    if (!open())
      return refuse(ec::wrong_state, "is " + std::string{to_string(c().state)});
    if (!x.sha.empty() && x.sha != c().head_sha)
      return refuse(ec::ref_moved,
                    "is at " + c().head_sha.substr(0, 12)
                      + ", the review is of " + x.sha.substr(0, 12));
    if (!x.session.empty() && x.session == c().session)
      return refuse(ec::not_allowed,
                    "is the work of " + x.session.text
                      + ", which cannot review it");
    auto verdict
      = x.review == review_state::none ? review_state::pending : x.review;
    auto known = find_review(c().head_sha);
    if (known ? known->verdict == verdict && known->by == x.by
            && known->text == x.text
              : verdict == review_state::pending)
      return drop("knows that review");
    auto& r = touch_review(c().head_sha);
    r.verdict = verdict;
    r.by = x.by;
    r.text = x.text;
    r.given_at = now_;
    r.failure.clear();
    if (has_verdict(r))
      r.number += 1;
    if (verdict == review_state::approved) {
      record(event_kind::approved, data(r));
      effect(report_recovery{incident_cause::changes_requested, "approved"});
    } else if (verdict == review_state::changes_requested) {
      record(event_kind::changes_requested, data(r));
      report(r);
    }
    go_on();
    tell();
  }

  void operator()(const review_begun& x) {
    if (!open() || x.sha != c().head_sha)
      return drop("is not at " + x.sha.substr(0, 12));
    if (find_review(x.sha) != nullptr)
      return drop("knows that review");
    if (!policy_.reviewer)
      return drop("has no reviewer");
    auto& r = touch_review(x.sha);
    r.base_sha = x.base_sha;
    r.attempts = 1;
    go_on();
  }

  void operator()(const reviewer_opened& x) {
    auto known = find_review(x.sha);
    if (known == nullptr || known->attempts != x.attempt
        || !known->session.empty())
      return drop("knows its reviewer of " + x.sha.substr(0, 12));
    auto& r = touch_review(x.sha);
    r.session = x.session;
    record(event_kind::review_asked, data(r));
    // It may be of a head that has moved meanwhile, and is to hear so.
    tell();
  }

  void operator()(const reviewer_told& x) {
    auto known = find_review(c().head_sha);
    if (!open() || known == nullptr || known->session != x.now.id)
      return drop("is not reviewed by " + x.now.id.text);
    auto outlook = look_at_reviewer(*known, x.now);
    switch (outlook.what) {
    case reviewer_outlook::need::nothing:
      return drop("waits for " + x.now.id.text);
    case reviewer_outlook::need::another:
      review_anew();
      break;
    case reviewer_outlook::need::reminder:
      if (known->reminded_run == 0)
        touch_review(c().head_sha).reminded_run = x.now.run;
      return effect(remind_reviewer{*known});
    case reviewer_outlook::need::given_up:
      if (known->failure == outlook.why)
        return drop("knows that " + outlook.why);
      give_up_review(outlook.why);
      break;
    case reviewer_outlook::need::is_back:
      touch_review(c().head_sha).failure.clear();
      break;
    }
    go_on();
    tell();
  }

  void operator()(const merge_wanted& x) {
    if (!open())
      return refuse(ec::wrong_state, "is " + std::string{to_string(c().state)});
    if (queued())
      return drop("is in the queue");
    if (c().merge == merge_state::conflict)
      return refuse(ec::wrong_state, "has a " + c().merge_reason);
    if (!ready())
      return refuse(ec::wrong_state, "cannot be merged: " + unready());
    enqueue(x.by);
    tell();
  }

  void operator()(const merge_began&) {
    if (!open() || c().merge != merge_state::queued)
      return drop("is not queued");
    c().merge = merge_state::merging;
    changed_ = true;
  }

  void operator()(const merge_prepared& x) {
    if (!open() || !queued())
      return drop("is not being merged");
    if (c().merge == merge_state::queued) {
      c().merge = merge_state::merging;
      changed_ = true;
    }
    if (!has_ci() || policy_.external_ci || x.sha == c().head_sha)
      return effect(tell_queue{x.sha, is_green(c())});
    auto run = find(x.sha, true);
    if (run != nullptr && concluded(*run))
      return effect(tell_queue{x.sha, run->state == ci_state::passed});
    auto& again = touch(x.sha, true);
    if (again.finished_at) {
      again.state = ci_state::pending;
      again.cause.clear();
      again.finished_at.reset();
    }
    effect(run_ci{x.sha, true});
  }

  void operator()(const merge_done& x) {
    if (!open())
      return drop("is closed");
    cancel_runs();
    c().state = change_state::merged;
    c().merged_sha = x.merged_sha;
    c().merge = merge_state::idle;
    c().merge_reason.clear();
    changed_ = true;
    record(event_kind::merged, data().with("sha", x.merged_sha));
    effect(report_recovery{{}, c().id.text + " is merged"});
    tell();
  }

  void operator()(const merge_conflicted& x) {
    if (!open() || !queued())
      return drop("is not being merged");
    c().merge = merge_state::conflict;
    c().merge_reason = "conflict in " + join(x.files);
    changed_ = true;
    record(event_kind::conflict, data().with_value("files", x.files));
    report_conflict();
    tell();
  }

  void operator()(const merge_raced&) {
    if (!open() || !queued())
      return drop("is not being merged");
    if (c().merge != merge_state::queued) {
      c().merge = merge_state::queued;
      changed_ = true;
    }
    effect(enqueue_merge{});
  }

  void operator()(const change_dropped& x) {
    if (!open())
      return drop("is closed");
    cancel_runs();
    c().state = change_state::closed;
    c().merge = merge_state::idle;
    changed_ = true;
    record(event_kind::change_closed, data().with("why", x.why));
    effect(report_recovery{{}, c().id.text + " was closed: " + x.why});
    tell();
  }

private:
  // -- moves ------------------------------------------------------------------

  /// What follows from the row as it is now.
  void go_on() {
    if (!open() || c().head_sha.empty())
      return;
    go_on_reviewing();
    if (!has_ci() && c().ci != ci_state::none) {
      c().ci = ci_state::none;
      changed_ = true;
    }
    if (has_ci() && !policy_.external_ci
        && find(c().head_sha, false) == nullptr) {
      touch(c().head_sha, false);
      c().ci = ci_state::pending;
      changed_ = true;
      effect(run_ci{c().head_sha, false});
    }
    if (c().merge != merge_state::idle || !ready())
      return;
    if (policy_.merge_auto)
      return enqueue({});
    if (c().ready_sha == c().head_sha)
      return;
    c().ready_sha = c().head_sha;
    changed_ = true;
    record(event_kind::merge_ready, data().with("title", c().title));
  }

  void enqueue(const std::string& by) {
    c().merge = merge_state::queued;
    changed_ = true;
    record(event_kind::merge_queued, data().with("by", by));
    effect(enqueue_merge{});
  }

  void leave_queue(const std::string& why) {
    if (!queued())
      return;
    c().merge = merge_state::idle;
    c().merge_reason = why;
    changed_ = true;
  }

  // -- reviews ----------------------------------------------------------------

  /// The row says of its head what the review of that says; a reviewer that is
  /// wanted and not there yet is asked for.
  void go_on_reviewing() {
    auto r = find_review(c().head_sha);
    auto failure = r == nullptr ? std::string{} : r->failure;
    auto state = r != nullptr && has_verdict(*r) ? r->verdict
      : policy_.require_review || (policy_.reviewer && failure.empty())
      ? review_state::pending
      : review_state::none;
    if (c().review != state || c().review_reason != failure) {
      c().review = state;
      c().review_reason = failure;
      changed_ = true;
    }
    // Whatever had let it pass does so no longer.
    if (!review_passes())
      leave_queue("");
    if (!policy_.reviewer || (r != nullptr && has_verdict(*r)))
      return;
    if (r == nullptr)
      effect(find_review_base{c().head_sha});
    else if (r->session.empty() && r->attempts > 0)
      effect(open_reviewer{*r});
  }

  /// The head is to be reviewed by another session than the one it had.
  void review_anew() {
    auto known = find_review(c().head_sha);
    if (known == nullptr || has_verdict(*known) || known->session.empty())
      return;
    auto& r = touch_review(c().head_sha);
    r.session = {};
    r.attempts += 1;
    r.reminded_run = 0;
    r.failure.clear();
  }

  void give_up_review(const std::string& why) {
    auto& r = touch_review(c().head_sha);
    r.failure = why;
    record(event_kind::review_missing, data(r).with("why", why));
  }

  void report(const change_review& r) {
    effect(report_failure{
      incident_cause::changes_requested, r.sha, changes_requested_text(r), {}});
  }

  // -- failures ---------------------------------------------------------------

  /// Nothing of this change has failed before.
  bool may_be_flake(const ci_run& run) {
    return policy_.ci_rerun && !policy_.external_ci && run.attempt == 1
      && std::none_of(out_.next.runs.begin(), out_.next.runs.end(),
                      [](const auto& entry) {
                        return entry.second.state == ci_state::failed
                          || entry.second.attempt > 1;
                      });
  }

  void run_again(ci_run& run, const ci_ended& x) {
    run.exit_code = x.exit_code;
    run.cause = x.cause;
    record(event_kind::ci_rerun, data(run));
    run.attempt += 1;
    run.state = ci_state::pending;
    run.exit_code.reset();
    run.cause.clear();
    if (!x.merged_result) {
      c().ci = ci_state::pending;
      changed_ = true;
    }
    effect(run_ci{x.sha, x.merged_result});
    tell();
  }

  void report(const ci_run& run, const std::vector<std::string>& log_tail) {
    effect(report_failure{incident_cause::ci_failed, run.sha,
                          ci_failure_text(run, log_tail, c().base), log_tail});
  }

  void report_conflict() {
    effect(report_failure{
      incident_cause::conflict, c().head_sha, conflict_text(c()), {}});
  }

  /// After a crash: what was committed may not have been told. Telling the
  /// same again is no harm.
  void retell() {
    if (c().merge == merge_state::conflict)
      report_conflict();
    if (auto r = find_review(c().head_sha);
        r != nullptr && r->verdict == review_state::changes_requested)
      report(*r);
    if (auto run = red_run();
        run != nullptr && !policy_.external_ci && c().blame == ci_blame::own)
      effect(retell_failure{run->sha, run->merged_result});
  }

  /// The run that makes the change red at its present head.
  const ci_run* red_run() {
    if (!open() || c().ci != ci_state::failed)
      return nullptr;
    auto own = find(c().head_sha, false);
    if (own == nullptr || own->state == ci_state::failed)
      return own;
    const ci_run* last = nullptr;
    for (const auto& [key, run] : out_.next.runs)
      if (run.merged_result && run.state == ci_state::failed
          && run.finished_at >= own->finished_at
          && (last == nullptr || run.finished_at > last->finished_at))
        last = &run;
    return last;
  }

  void cancel_runs() {
    for (auto& entry : out_.next.runs) {
      auto& run = entry.second;
      if (over(run))
        continue;
      run.cause = "superseded";
      run.finished_at = now_;
      touched_.push_back(entry.first);
      if (!policy_.external_ci)
        effect(cancel_ci{run.sha, run.merged_result});
    }
  }

  // -- questions --------------------------------------------------------------

  bool open() { return c().state == change_state::open; }

  bool queued() {
    return c().merge == merge_state::queued
      || c().merge == merge_state::merging;
  }

  bool has_ci() { return policy_.external_ci || !policy_.ci_command.empty(); }

  bool ready() {
    auto passed = !has_ci() || c().ci == ci_state::passed;
    return !c().head_sha.empty()
      && (c().blame == ci_blame::excused || (is_green(c()) && passed))
      && review_passes();
  }

  /// Why it is not ready.
  std::string unready() {
    if (c().head_sha.empty())
      return "it has no head yet";
    if (!review_passes())
      return "its review is " + std::string{to_string(c().review)};
    return "its checks are " + std::string{to_string(c().ci)};
  }

  bool review_passes() {
    return c().review == review_state::none
      || c().review == review_state::approved;
  }

  /// Why a word about a run of `sha` does not count; empty when it does.
  std::string off_course(const std::string& sha, bool merged_result) {
    if (!open())
      return "is closed";
    if (!merged_result)
      return sha == c().head_sha ? "" : "is not at " + sha.substr(0, 12);
    return queued() && find(sha, true) != nullptr
      ? ""
      : "has no merged result " + sha.substr(0, 12);
  }

  const ci_run* find(const std::string& sha, bool merged_result) {
    auto i = out_.next.runs.find(ci_key(c().id, sha, merged_result));
    return i == out_.next.runs.end() ? nullptr : &i->second;
  }

  const change_review* find_review(const std::string& sha) {
    auto i = out_.next.reviews.find(review_key(c().id, sha));
    return i == out_.next.reviews.end() ? nullptr : &i->second;
  }

  // -- the step ---------------------------------------------------------------

  /// The review, made if there is none; it will be committed.
  change_review& touch_review(const std::string& sha) {
    auto key = review_key(c().id, sha);
    auto& r = out_.next.reviews[key];
    if (r.key.empty()) {
      r.key = key;
      r.change = c().id;
      r.sha = sha;
      r.asked_at = now_;
    }
    touched_reviews_.insert(key);
    return r;
  }

  /// The run, made if there is none; it will be committed.
  ci_run& touch(const std::string& sha, bool merged_result) {
    auto key = ci_key(c().id, sha, merged_result);
    auto& run = out_.next.runs[key];
    if (run.key.empty()) {
      run.key = key;
      run.change = c().id;
      run.sha = sha;
      run.merged_result = merged_result;
      run.command = policy_.ci_command;
    }
    if (std::find(touched_.begin(), touched_.end(), key) == touched_.end())
      touched_.push_back(key);
    return run;
  }

  change& c() { return out_.next.row; }

  event_data data() {
    event_data d;
    d.with("project", c().project)
      .with("task", c().task)
      .with("session", c().session)
      .with("change", c().id)
      .with("head", c().head_sha);
    return d;
  }

  event_data data(const ci_run& run) {
    auto d = data();
    d.with("sha", run.sha)
      .with("cause", run.cause)
      .with_value("mergedResult", run.merged_result);
    if (run.exit_code)
      d.with_value("exitCode", *run.exit_code);
    return d;
  }

  event_data data(const change_review& r) {
    auto d = data();
    d.with("sha", r.sha).with("by", r.by).with("text", r.text);
    return d.with("reviewer", r.session);
  }

  void record(event_kind kind, const event_data& data) {
    out_.events.push_back(make_event(kind, now_, subject_of(c().id),
                                     "ci-watcher/" + c().id.text, c().epoch,
                                     data));
  }

  void effect(change_effect e) { out_.effects.push_back(std::move(e)); }

  void tell() { effect(tell_owners{}); }

  void drop(const std::string& why) { out_.dropped = c().id.text + " " + why; }

  void refuse(ec code, const std::string& why) {
    drop(why);
    out_.refused = error{code, c().id.text + " " + why};
  }

  const change_policy& policy_;
  wall_time now_;
  change_step out_;
  bool changed_ = false;
  std::vector<std::string> touched_;
  std::set<std::string> touched_reviews_;
};

} // namespace

std::string ci_key(const change_id& change, const std::string& sha,
                   bool merged_result) {
  return change.text + "/" + sha + (merged_result ? "/merge" : "");
}

change_step next_change(const change_watch& watch, const change_input& input,
                        const change_policy& policy, wall_time now) {
  machine m{watch, policy, now};
  std::visit(m, input);
  return m.finish();
}

} // namespace ao
