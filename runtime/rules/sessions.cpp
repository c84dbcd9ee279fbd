#include "runtime/rules/sessions.hpp"

#include "runtime/rules/event_data.hpp"
#include "runtime/rules/reconcile.hpp"

#include <algorithm>

namespace ao {
namespace {

/// How long an agent may go on that has nothing more to do.
constexpr std::chrono::seconds leave_time{30};

/// A stop that the node could not carry out is ordered again after this.
constexpr std::chrono::seconds stop_again{5};

/// Spreads those who wait for the end of one limit.
constexpr std::chrono::seconds limit_spread{10};

/// Before a push that may succeed by itself is made again.
constexpr std::chrono::seconds push_pause{2};

/// True where a run of an agent is being made or lives.
bool runs(const session& s) {
  return s.runtime == runtime_state::provisioning
    || s.runtime == runtime_state::starting || s.runtime == runtime_state::alive
    || s.runtime == runtime_state::lost;
}

std::string how(const exit_info& e) {
  auto out = e.cause.empty() ? "no exit status" : e.cause;
  if (e.signal)
    out = "signal " + std::to_string(*e.signal);
  else if (e.code)
    out = "exit status " + std::to_string(*e.code);
  // Whose word it is, and what the limit was.
  if (e.failure == "oom" && !e.last_lines.empty())
    out += ", " + e.last_lines.back();
  return out;
}

resume_reason reason_of(const exit_info& e) {
  if (has_common_cause(e) || passes(e) || e.failure == "auth")
    return resume_reason::hub;
  if (e.failure == "hang")
    return resume_reason::hang;
  if (e.failure == "oom")
    return resume_reason::oom;
  return resume_reason::crash;
}

bool same_work(const std::optional<worktree_facts>& a,
               const std::optional<worktree_facts>& b) {
  if (!a || !b)
    return !a && !b;
  return a->head_sha == b->head_sha && a->dirty == b->dirty
    && a->ahead == b->ahead && a->status_lines == b->status_lines;
}

/// One input on its way through the machine.
class machine {
public:
  machine(const session_state& state, const session_context& context)
      : context_(context) {
    out_.next = state;
  }

  session_step finish() {
    if (out_.changed) {
      row().version += 1;
      row().updated_at = context_.now;
    }
    return std::move(out_);
  }

  // -- inputs -----------------------------------------------------------------

  void operator()(const session_recovered&) {
    auto& s = row();
    if (s.role == session_role::manual)
      return tell();
    if (s.finished_at && !is_terminal(s)) {
      if (!runs(s) || time_to_leave() == milliseconds{0})
        return finish_as(session_end::done, s.finished);
      effect(look_later{time_to_leave()});
    }
    if (is_terminal(s)) {
      if (is_being_stopped())
        effect(stop_run{s.run});
      else
        remove_if_over();
    } else if (s.runtime == runtime_state::queued) {
      effect(await_slot{});
    } else if (s.runtime == runtime_state::exited) {
      if (awaits_restart(s))
        effect(arm_restart{s.run + 1, wait_of_exit()});
      else if (wants_publishing())
        effect(publish_branch{});
    } else if (s.runtime == runtime_state::parked) {
      if (is_being_stopped())
        effect(stop_run{s.run});
    } else if (s.runtime != runtime_state::lost && runs(s)) {
      effect(ensure_run{s.run, s.resume});
      if (waits_at_limit())
        effect(arm_restart{s.run + 1, wait_until(s.turn_until)});
    }
    tell();
  }

  void operator()(const slot_granted& x) {
    auto& s = row();
    if (is_terminal(s) || s.runtime != runtime_state::queued
        || s.role == session_role::manual)
      return drop("is not queued");
    if (!x.node.empty())
      s.node = x.node;
    if (s.run > 0)
      return start(s.resume, x.why);
    s.run += 1;
    s.resume = resume_reason::none;
    to(runtime_state::provisioning, "");
    record(event_kind::session_spawned, data().with("placement", x.why));
    effect(ensure_run{s.run, s.resume});
    tell();
  }

  void operator()(const slot_waits& x) {
    auto& s = row();
    if (is_terminal(s) || s.runtime != runtime_state::queued)
      return drop("is not queued");
    if (s.reason == x.reason)
      return drop("waits for that already");
    to(runtime_state::queued, x.reason);
    record(event_kind::session_queued, data());
  }

  void operator()(const session_report& x) {
    auto& s = row();
    if (s.role == session_role::manual)
      return drop("has no agent");
    if (x.epoch != s.epoch)
      return drop("epoch " + std::to_string(x.epoch) + " is not the present "
                  + std::to_string(s.epoch));
    if (x.run != s.run || s.run == 0)
      return drop("run " + std::to_string(x.run) + " is not the present "
                  + std::to_string(s.run));
    if (x.seq != 0 && x.seq <= out_.next.seen)
      return drop("report " + std::to_string(x.seq) + " was seen");
    out_.next.seen = std::max(out_.next.seen, x.seq);
    std::visit([this](const auto& fact) { take(fact); }, x.fact);
  }

  void operator()(const restart_due& x) {
    auto& s = row();
    if (x.run == s.run + 1 && waits_at_limit())
      return effect(stop_run{s.run});
    if (s.role == session_role::manual || !awaits_restart(s)
        || x.run != s.run + 1)
      return drop("no restart as run " + std::to_string(x.run) + " is due");
    await(reason_of(*s.exit));
    tell();
  }

  void operator()(const login_restored&) {
    auto& s = row();
    if (is_terminal(s) || s.role == session_role::manual)
      return drop("has no agent");
    // It lives, but the turn that failed is over for it.
    if (s.runtime == runtime_state::alive && s.turn_failure == "auth")
      return effect(stop_run{s.run});
    if (s.runtime != runtime_state::exited || !s.exit
        || s.exit->failure != "auth")
      return drop("has not lost its login");
    await(reason_of(*s.exit));
    tell();
  }

  void operator()(const message_waits& x) {
    auto& s = row();
    if (is_terminal(s))
      return refuse(ec::session_closed, "has ended");
    if (s.runtime != runtime_state::exited || s.role == session_role::manual)
      return drop("has no exited agent");
    if (x.run != s.run)
      return drop("is at run " + std::to_string(s.run));
    if (awaits_restart(s))
      return drop("is restarted anyway");
    s.prompt = x.message;
    await(resume_reason::message);
    tell();
  }

  void operator()(const kill_session& x) {
    if (is_terminal(row()))
      return drop("has ended");
    finish_as(session_end::killed, x.why);
  }

  void operator()(const end_session& x) {
    if (is_terminal(row()))
      return drop("has ended");
    if (x.end == session_end::open)
      return drop("open is no end");
    finish_as(x.end, x.why);
  }

  void operator()(const work_finished& x) {
    auto& s = row();
    if (is_terminal(s))
      return drop("has ended");
    if (!runs(s) || s.runtime == runtime_state::lost)
      return finish_as(session_end::done, x.why);
    if (s.finished_at)
      return drop("knows that it may leave");
    s.finished_at = context_.now;
    s.finished = x.why;
    out_.changed = true;
    effect(look_later{time_to_leave()});
  }

  void operator()(const park_session& x) {
    auto& s = row();
    if (is_terminal(s))
      return drop("has ended");
    if (s.runtime == runtime_state::parked)
      return drop("is parked");
    if (s.role == session_role::manual)
      return drop("has no agent");
    if (s.runtime == runtime_state::queued && x.by_hub)
      return drop("is queued and stays so");
    park(x.why, x.by_hub ? resume_reason::hub : resume_reason::none);
    if (s.run > 0)
      effect(stop_run{s.run});
  }

  void operator()(const restore_session& x) {
    auto& s = row();
    if (s.role == session_role::manual)
      return refuse(ec::wrong_state, "has no agent to restore");
    if (s.end == session_end::merged || s.end == session_end::done)
      return refuse(ec::session_closed, "has ended");
    if (is_terminal(s) && s.cleaned)
      return refuse(ec::session_closed, "is cleaned up; spawn its task again");
    if (is_terminal(s) && runs(s))
      return refuse(ec::wrong_state, "is being stopped");
    // One that waits on a node that is to be empty waits under a new grant.
    auto moves = s.runtime == runtime_state::queued && x.epoch > s.epoch;
    auto rests = is_terminal(s) || s.runtime == runtime_state::exited
      || s.runtime == runtime_state::parked || s.runtime == runtime_state::lost;
    auto returns = is_reconciled(s) && s.left->state == left_state::returns
      && x.epoch > s.epoch && x.node == s.left->node;
    if (is_reconciled(s) && !returns)
      return refuse(ec::wrong_state,
                    "is stopped for a moment, as " + s.left->node.text
                      + " is back; it goes on by itself");
    if (!rests && !moves)
      return refuse(ec::wrong_state, "is " + std::string{to_string(s.runtime)});
    auto needs_grant = is_terminal(s) || s.runtime == runtime_state::lost
      || (s.runtime == runtime_state::parked && !parked_by_hub(s));
    auto epoch = x.epoch == 0 ? s.epoch : x.epoch;
    if (epoch < s.epoch || (needs_grant && epoch == s.epoch))
      return refuse(ec::stale_epoch, "needs a new grant of its claim");
    if (returns) {
      s.left->state = left_state::back;
      s.worktree = s.left->worktree;
      s.went_back = true;
    } else if (x.lost_at && epoch > s.epoch) {
      leave(*x.lost_at);
    }
    s.epoch = epoch;
    if (!x.node.empty())
      s.node = x.node;
    s.end = session_end::open;
    s.end_reason.clear();
    s.ended_at.reset();
    s.finished_at.reset();
    s.finished.clear();
    out_.next.failures.clear();
    // The hub's own stop only interrupted what the agent was at.
    if (x.reason != resume_reason::hub)
      s.prompt = {};
    await(s.run == 0 ? resume_reason::none : x.reason);
    tell();
  }

  void operator()(const cleanup_session&) {
    auto& s = row();
    if (!is_terminal(s))
      return refuse(ec::wrong_state, "has not ended");
    if (s.cleaned)
      return drop("is cleaned up");
    if (runs(s) && s.role != session_role::manual)
      return refuse(ec::wrong_state, "is being stopped");
    effect(remove_worktree{});
  }

  void operator()(const change_told& x) {
    auto& s = row();
    if (is_terminal(s))
      return drop("has ended");
    if (x.state == change_state::merged) {
      s.change = x.change;
      return finish_as(session_end::merged, x.change.text + " is merged");
    }
    if (x.state == change_state::open) {
      if (s.change == x.change)
        return drop("knows its change");
      s.change = x.change;
      out_.changed = true;
      return tell();
    }
    if (s.change != x.change)
      return drop("has no such change");
    s.change = {};
    ask_person(x.change.text + " was closed without a merge");
    tell();
  }

  void operator()(const node_gone& x) {
    auto& s = row();
    if (is_reconciled(s))
      settle("its own node is lost, too");
    else if (is_terminal(s) || !runs(s) || s.runtime == runtime_state::lost
             || s.role == session_role::manual)
      return drop("has no agent to lose");
    to(runtime_state::lost, x.why);
    s.activity = activity_state::unknown;
    record(event_kind::session_lost, data());
    effect(release_slot{});
    tell();
  }

  /// The node is asked for the run that the row has: what lives there is
  /// adopted, what has ended is told, what is unknown there begins again.
  void operator()(const node_back&) {
    auto& s = row();
    if (is_terminal(s) || s.runtime != runtime_state::lost
        || s.role == session_role::manual)
      return drop("was not lost");
    effect(ensure_run{s.run, s.resume});
  }

  void operator()(const original_back& x) {
    auto& s = row();
    // It goes on there.
    if (s.node == x.node)
      return drop("is on " + x.node.text);
    auto known = !is_terminal(s) && s.left && s.left->node == x.node
      && s.left->epoch <= x.epoch && x.epoch < s.epoch
      && s.left->state != left_state::back;
    if (!known) {
      effect(disown_run{x.node, x.epoch, x.run});
      return drop("has nothing there any more");
    }
    if (is_reconciled(s))
      return drop("is being compared");
    s.left->epoch = x.epoch;
    s.left->run = x.run;
    s.left->worktree = x.worktree;
    out_.changed = true;
    if (s.runtime == runtime_state::lost)
      return settle("its own node is lost, too");
    if (s.runtime == runtime_state::parked)
      return settle("it is parked: " + s.reason);
    auto verdict = judge(x.head, x.closed, false);
    if (verdict)
      return settle(verdict->why);
    s.left->state = left_state::compared;
    park(s.left->node.text + " is back: whose work counts is being found out",
         resume_reason::hub);
    effect(stop_run{s.run});
  }

  void operator()(const work_compared& x) {
    auto& s = row();
    if (!is_reconciled(s))
      return drop("compares nothing");
    if (!x.held) {
      // Whoever takes it up again restores it.
      s.resume = resume_reason::none;
      s.reason = "its claim on " + s.task.text + " was given back";
      settle(s.reason);
      return tell();
    }
    if (s.left->state == left_state::returns)
      return drop("is on its way back");
    auto verdict = judge(x.head, x.closed, true);
    if (!verdict || !verdict->original) {
      settle(verdict ? verdict->why : "nobody can tell");
      await(resume_reason::hub);
      return tell();
    }
    s.left->state = left_state::returns;
    s.reason = "goes back to " + s.left->node.text + ": " + verdict->why;
    record_verdict(true, verdict->why);
    effect(stop_run{s.run});
    tell();
  }

private:
  // -- a node that was lost ---------------------------------------------------

  /// Its node is lost: what is there may count when it returns. What was left
  /// there before and has not run since is the same.
  void leave(const std::string& head) {
    auto& s = row();
    if (s.role != session_role::worker || s.run == 0
        || (s.left && s.left->node == s.node))
      return;
    disown_left();
    left_work left;
    left.node = s.node;
    left.epoch = s.epoch;
    left.run = s.run;
    left.head = head;
    s.left = std::move(left);
  }

  /// @param stopped Its own worktree is known.
  std::optional<return_verdict> judge(const std::string& head,
                                      const std::string& closed, bool stopped) {
    const auto& s = row();
    const auto& left = *s.left;
    auto reported = s.exit && s.exit->run == s.run && s.exit->failure.empty()
      && s.worktree && s.worktree->ahead > 0
      && s.worktree->head_sha != left.head;
    return_facts facts;
    facts.policy = context_.policy.reconcile;
    facts.closed = closed;
    facts.went_back = s.went_back;
    if (left.worktree)
      facts.original = score_of(left.worktree, left.head, false);
    facts.delivered = (!head.empty() && head != left.head) || reported
      || s.finished_at.has_value();
    if (stopped)
      facts.replacement = score_of(s.worktree, left.head, facts.delivered);
    return judge_return(facts);
  }

  /// The replacement stays.
  void settle(const std::string& why) {
    record_verdict(false, why);
    disown_left();
  }

  void record_verdict(bool original, const std::string& why) {
    const auto& s = row();
    record(event_kind::session_reconciled,
           data()
             .with("node", original ? s.left->node : s.node)
             .with("original", s.left->node)
             .with("kept", original ? "original" : "replacement")
             .with("reason", why));
  }

  /// What is left on another node has lost.
  void disown_left() {
    auto& s = row();
    if (!s.left)
      return;
    if (s.left->node != s.node)
      effect(disown_run{s.left->node, s.left->epoch, s.left->run});
    s.left.reset();
    out_.changed = true;
  }

  /// Its agent is known to be gone, and this is what it has left.
  void compare(const std::optional<worktree_facts>& found) {
    auto& s = row();
    if (s.agent_pid != 0 || s.shim_pid != 0)
      stopped(std::nullopt, {});
    if (!same_work(s.worktree, found)) {
      s.worktree = found;
      out_.changed = true;
    }
    effect(compare_work{});
  }

  // -- facts ------------------------------------------------------------------

  void take(const step_reached& x) {
    auto& s = row();
    if (is_terminal(s)
        || (s.runtime != runtime_state::provisioning
            && s.runtime != runtime_state::starting))
      return drop("is not being provisioned");
    if (s.reason == x.name)
      return drop("is at that step");
    to(s.runtime, x.name);
    record(event_kind::session_step, data().with("step", x.name));
  }

  void take(const agent_alive& x) {
    auto& s = row();
    if (is_terminal(s) || s.runtime == runtime_state::parked) {
      // It should not live: our stop was lost, or overtaken by its start.
      effect(stop_run{s.run});
      return drop("is to be stopped");
    }
    if (!runs(s))
      return drop("run " + std::to_string(s.run) + " has ended");
    auto was = s.runtime;
    // An adopted run lives in the pane that it has had.
    auto moved = !x.tmux_pane.empty()
      && (s.tmux_pane != x.tmux_pane || s.tmux_socket != x.tmux_socket);
    if (was == runtime_state::alive && s.agent_pid == x.agent_pid
        && s.shim_pid == x.shim_pid && !moved)
      return drop("is known to live");
    s.agent_pid = x.agent_pid;
    s.shim_pid = x.shim_pid;
    s.workspace_path = x.workspace_path;
    if (moved) {
      s.tmux_socket = x.tmux_socket;
      s.tmux_pane = x.tmux_pane;
    }
    if (!s.started_at)
      s.started_at = context_.now;
    if (s.left && s.left->node == s.node)
      s.left.reset();
    to(runtime_state::alive, "");
    auto adopted = was == runtime_state::lost || was == runtime_state::alive;
    // Whoever waits for fewer starts at a time may go on.
    effect(release_slot{});
    record(adopted ? event_kind::session_adopted : event_kind::agent_started,
           data().with_value("pid", x.agent_pid));
    tell();
  }

  void take(const conversation_state& x) {
    auto& s = row();
    if (is_terminal(s) || s.runtime != runtime_state::alive)
      return drop("has no live agent");
    auto asks = x.activity == activity_state::waiting_input;
    auto question = !asks  ? std::string{}
      : x.question.empty() ? "the agent waits for input"
                           : x.question;
    // What the agent has said by `ao report` stays until it works again.
    if (!asks && x.activity != activity_state::active)
      question = s.needs_input;
    // `3pm` is another day when it is read again later.
    auto until = x.until;
    if (s.turn_failure == x.failure && s.turn_until)
      until = s.turn_until;
    auto same = s.activity == x.activity && s.turn_failure == x.failure
      && s.turn_until == until;
    if (same && s.needs_input == question && s.conversation == x.conversation
        && s.last_words == x.last_words && s.input_tokens == x.input_tokens
        && s.output_tokens == x.output_tokens)
      return drop("is known to be so");
    s.activity = x.activity;
    s.conversation = x.conversation;
    s.last_words = x.last_words;
    s.input_tokens = x.input_tokens;
    s.output_tokens = x.output_tokens;
    s.turn_failure = x.failure;
    s.turn_until = until;
    out_.changed = true;
    if (!same)
      record(event_kind::activity_changed,
             data()
               .with("activity", std::string{to_string(x.activity)})
               .with("failure", x.failure)
               .with("problem", x.problem));
    if (s.turn_failure == "auth")
      effect(raise_incident{"auth", login_text(x.problem)});
    if (!same && waits_at_limit())
      effect(arm_restart{s.run + 1, wait_until(s.turn_until)});
    if (question != s.needs_input) {
      s.needs_input = question;
      if (!question.empty())
        ask_person(question);
    }
    tell();
  }

  void take(const agent_said& x) {
    auto& s = row();
    if (is_terminal(s) || !runs(s))
      return drop("has no live agent");
    record(event_kind::agent_reported,
           data().with("state", x.word).with("note", x.note));
    out_.changed = true;
    if (x.word == "needs_input") {
      ask_person(x.note.empty() ? "the agent needs input" : x.note);
      return tell();
    }
    s.needs_input.clear();
    auto finished = x.word == "completed" || x.word == "ready_for_review";
    if (finished && publishes())
      effect(publish_branch{});
    tell();
  }

  void take(const agent_ended& x) {
    auto& s = row();
    if (is_terminal(s) || s.runtime == runtime_state::parked)
      return stopped(x.exit, {});
    if (!runs(s))
      return drop("is known to have ended");
    lived_unseen(x.exit);
    ended(with_turn(x.exit));
    s.worktree = x.worktree;
    if (x.exit.code == 0 && !x.exit.signal && s.exit->failure.empty())
      return turn_completed();
    failed();
  }

  void take(const provision_failed& x) {
    auto& s = row();
    auto why = x.step + ": " + x.why;
    if (is_terminal(s))
      return stopped(std::nullopt, {});
    if (s.runtime == runtime_state::parked || !runs(s))
      return drop("is not being provisioned");
    if (s.started_at) {
      // There is work in the worktree: as good as a crash of the agent.
      exit_info e;
      e.cause = x.by_disk ? "disk" : "start_failed";
      e.at = context_.now;
      e.failure = x.by_agent ? "auth" : "crash";
      e.last_lines = {why};
      ended(e);
      return failed();
    }
    record(event_kind::spawn_failed,
           data().with("step", x.step).with("why", x.why));
    if (x.by_login) {
      // Nothing of it is left: it begins anew when its login works again.
      effect(raise_incident{"auth", x.why});
      return await(resume_reason::none);
    }
    to(runtime_state::exited, why);
    end_as(session_end::errored, why);
    effect(release_slot{});
    tell();
  }

  void take(const branch_pushed& x) {
    auto& s = row();
    if (is_terminal(s) || s.role != session_role::worker)
      return drop("has nothing to publish");
    if (!s.worktree)
      s.worktree.emplace();
    if (s.worktree->head_sha != x.head_sha) {
      s.worktree->head_sha = x.head_sha;
      out_.changed = true;
    }
    if (publishes())
      effect(open_change{x.head_sha});
  }

  void take(const push_failed& x) {
    auto& s = row();
    if (is_terminal(s))
      return drop("has ended");
    // By then it is found again what is to be pushed.
    if (x.passes)
      return effect(look_later{push_pause});
    auto text = "the branch could not be pushed: " + x.why;
    if (s.needs_input == text)
      return drop("is known to be so");
    ask_person(text);
    tell();
  }

  void take(const run_stopped& x) {
    auto& s = row();
    if (is_reconciled(s) && s.left->state == left_state::compared)
      return compare(x.worktree);
    if (is_terminal(s) || s.runtime == runtime_state::parked)
      return stopped(x.exit, x.rescue_ref);
    if (!runs(s))
      return drop("is known to have ended");
    if (s.finished_at) {
      end_as(session_end::done, s.finished);
      stopped(x.exit, x.rescue_ref);
      return tell();
    }
    exit_info e;
    if (x.exit)
      e = *x.exit;
    if (e.cause.empty())
      e.cause = "stopped";
    // Stopped to be started again.
    auto resumed = waits_at_limit() || s.turn_failure == "auth";
    if (e.failure.empty())
      e.failure = resumed ? s.turn_failure : "killed";
    ended(e);
    if (!resumed)
      return failed();
    await(reason_of(e));
    tell();
  }

  void take(const cleaned_up& x) {
    auto& s = row();
    if (!x.kept_because.empty() && is_being_stopped()) {
      // It may live: nothing is over before it is known not to.
      effect(look_later{stop_again});
      if (s.reason == x.kept_because)
        return;
      s.reason = x.kept_because;
      out_.changed = true;
      return tell();
    }
    if (is_reconciled(s) && s.left->state == left_state::compared)
      return compare(std::nullopt);
    // Its work is under a ref.
    if (is_reconciled(s))
      return effect(take_back{});
    if (!is_terminal(s))
      return drop("has not ended");
    if (s.cleaned || (!x.kept_because.empty() && s.reason == x.kept_because))
      return drop("is known to be so");
    s.cleaned = x.kept_because.empty();
    s.reason = x.kept_because;
    out_.changed = true;
    if (s.cleaned)
      record(event_kind::session_cleaned, data());
  }

  // -- moves ------------------------------------------------------------------

  void to(runtime_state state, const std::string& reason) {
    auto& s = row();
    if (s.runtime != state)
      s.since = context_.now;
    s.runtime = state;
    s.reason = reason;
    out_.changed = true;
  }

  /// Every start passes the dispatcher: caps and pace hold for restarts too.
  void await(resume_reason why) {
    row().resume = why;
    to(runtime_state::queued, "");
    record(event_kind::session_queued, data());
    effect(await_slot{});
  }

  void start(resume_reason why, const std::string& placement) {
    auto& s = row();
    s.run += 1;
    s.resume = why;
    s.exit.reset();
    s.needs_input.clear();
    s.activity = activity_state::unknown;
    s.turn_failure.clear();
    s.turn_until.reset();
    s.agent_pid = s.shim_pid = 0;
    out_.next.seen = 0;
    if (why == resume_reason::crash || why == resume_reason::hang
        || why == resume_reason::oom)
      s.restarts += 1;
    to(s.started_at ? runtime_state::starting : runtime_state::provisioning,
       "");
    record(event_kind::agent_restarted,
           data()
             .with("reason", std::string{to_string(why)})
             .with("placement", placement));
    effect(ensure_run{s.run, why});
    tell();
  }

  /// An agent may be done before it was ever seen alive; it has started all the
  /// same, and whoever waits for its start is not to wait for ever.
  void lived_unseen(const exit_info& e) {
    auto& s = row();
    auto unseen = s.runtime == runtime_state::provisioning
      || s.runtime == runtime_state::starting;
    if (!unseen || !(e.code || e.signal))
      return;
    if (!s.started_at)
      s.started_at = context_.now;
    effect(release_slot{});
    record(event_kind::agent_started, data());
  }

  /// The run is over by itself.
  void ended(const exit_info& e) {
    auto& s = row();
    s.exit = e;
    s.exit->run = s.run;
    auto clean = e.code == 0 && !e.signal;
    if (!clean && e.failure.empty())
      s.exit->failure = "crash";
    s.agent_pid = s.shim_pid = 0;
    s.activity = activity_state::unknown;
    to(runtime_state::exited, how(e));
    record_exit(*s.exit);
  }

  void record_exit(const exit_info& e) {
    auto d = data();
    if (e.code)
      d.with_value("code", *e.code);
    if (e.signal)
      d.with_value("signal", *e.signal);
    record(event_kind::agent_exited,
           d.with("class", e.failure).with("cause", e.cause));
  }

  /// The run is over because we wanted it to be.
  void stopped(const std::optional<exit_info>& e, const std::string& rescue) {
    auto& s = row();
    auto saved = rescue.empty() ? std::string{} : "work saved as " + rescue;
    auto known = s.runtime != runtime_state::parked && !runs(s)
      && (saved.empty() || s.reason == saved);
    if (s.runtime == runtime_state::parked && !is_terminal(s))
      known = s.agent_pid == 0 && s.shim_pid == 0 && (s.exit || !e)
        && (saved.empty() || s.reason == saved);
    if (known)
      return drop("is known to be stopped");
    auto lived = s.agent_pid != 0;
    s.agent_pid = s.shim_pid = 0;
    s.activity = activity_state::unknown;
    if (e && !s.exit) {
      s.exit = e;
      s.exit->run = s.run;
    }
    to(is_terminal(s) ? runtime_state::exited : s.runtime,
       saved.empty() ? s.reason : saved);
    // Whoever waits for the end of the run is woken by an event.
    if (lived) {
      auto how_it_ended = e.value_or(exit_info{});
      how_it_ended.cause = "stopped";
      how_it_ended.failure = "killed";
      record_exit(how_it_ended);
    } else {
      record(event_kind::session_step, data().with("step", "stopped"));
    }
    if (!saved.empty())
      record(event_kind::rescue_saved, data().with("ref", rescue));
    effect(release_slot{});
    remove_if_over();
  }

  void turn_completed() {
    auto& s = row();
    const auto& w = *s.worktree;
    effect(release_slot{});
    if (s.finished_at)
      return finish_as(session_end::done, s.finished);
    // Whoever waits for a verdict knows whether there is one.
    if (is_judge(s.role))
      return tell();
    // It comes back when somebody has something for it.
    if (s.role == session_role::orchestrator)
      return tell();
    if (s.role != session_role::worker) {
      end_as(session_end::done, "completed");
    } else if (w.dirty) {
      std::string text = "uncommitted changes at exit:";
      for (const auto& line : w.status_lines)
        text += "\n" + line;
      ask_person(text);
    } else if (!s.needs_input.empty()) {
      // It asked before it left; the answer starts it again.
    } else if (w.ahead == 0 && s.change.empty()) {
      end_as(session_end::done, "nothing to merge");
    } else if (wants_publishing()) {
      effect(publish_branch{});
    } else if (w.ahead > 0 && s.change.empty()) {
      ask_person(std::to_string(w.ahead)
                 + " commits without a change; `ao pr create` opens one");
    }
    tell();
  }

  void failed() {
    auto& s = row();
    const auto& e = *s.exit;
    s.needs_input.clear();
    if (s.finished_at)
      return finish_as(session_end::done, s.finished);
    if (e.failure == "auth") {
      effect(release_slot{});
      auto said = e.last_lines.empty() ? std::string{} : e.last_lines.back();
      s.reason = "not logged in";
      effect(raise_incident{"auth", login_text(said)});
      return tell();
    }
    const auto& limits = context_.policy.restart;
    auto& failures = out_.next.failures;
    effect(release_slot{});
    if (is_counted(e)) {
      // A wall clock that was set back prolongs no window.
      for (auto& t : failures)
        t = std::min(t, context_.now);
      auto old = [&](wall_time t) { return context_.now - t > limits.period; };
      failures.erase(std::remove_if(failures.begin(), failures.end(), old),
                     failures.end());
      failures.push_back(context_.now);
      if (failures.size() > limits.intensity) {
        auto text = "failed " + std::to_string(failures.size()) + " times in "
          + format_duration(limits.period) + ", last by " + how(e);
        park(text, resume_reason::none);
        for (const auto& line : e.last_lines)
          text += "\n" + line;
        return effect(raise_incident{"crash_loop", text});
      }
    }
    auto delay = wait_of_exit();
    s.reason = how(e) + ", restart in "
      + format_duration(std::chrono::ceil<std::chrono::seconds>(delay));
    effect(arm_restart{s.run + 1, delay});
    tell();
  }

  void park(const std::string& why, resume_reason resume) {
    auto& s = row();
    s.resume = resume;
    to(runtime_state::parked, why);
    record(event_kind::session_parked, data().with("why", why));
    effect(release_slot{});
    tell();
  }

  void end_as(session_end end, const std::string& why) {
    auto& s = row();
    s.end = end;
    s.end_reason = why;
    s.ended_at = context_.now;
    s.needs_input.clear();
    disown_left();
    out_.changed = true;
    record(end == session_end::killed ? event_kind::session_killed
                                      : event_kind::session_ended,
           data().with("end", std::string{to_string(end)}).with("why", why));
  }

  void finish_as(session_end end, const std::string& why) {
    auto& s = row();
    end_as(end, why);
    // A kill ends what an exited agent has left, too, and saves its work.
    auto stop = s.run > 0 && s.role != session_role::manual
      && (runs(s) || s.runtime == runtime_state::parked
          || end == session_end::killed);
    if (stop) {
      effect(stop_run{s.run});
    } else {
      to(runtime_state::exited, s.reason);
      effect(release_slot{});
      remove_if_over();
    }
    tell();
  }

  void ask_person(const std::string& text) {
    row().needs_input = text;
    out_.changed = true;
    record(event_kind::needs_input, data().with("text", text));
    effect(raise_incident{"needs_input", text});
  }

  // -- questions --------------------------------------------------------------

  /// Its agent is to be gone, and is not yet known to be.
  bool is_being_stopped() {
    const auto& s = row();
    return is_terminal(s) ? runs(s)
                          : s.runtime == runtime_state::parked
        && (s.agent_pid != 0 || s.shim_pid != 0 || is_reconciled(s));
  }

  bool publishes() {
    return row().role == session_role::worker
      && context_.policy.open_change_auto;
  }

  bool wants_publishing() {
    auto& s = row();
    return publishes() && s.exit && s.exit->failure.empty() && s.worktree
      && !s.worktree->dirty && s.worktree->ahead > 0 && s.needs_input.empty();
  }

  /// The turn of its live agent has met a limit that passes.
  bool waits_at_limit() {
    const auto& s = row();
    return !is_terminal(s) && s.runtime == runtime_state::alive
      && passes(s.turn_failure) && !s.finished_at;
  }

  /// A turn that has failed of its account says why its agent has left, where
  /// nothing else does.
  exit_info with_turn(exit_info e) {
    const auto& s = row();
    auto says_nothing = e.failure.empty() || e.failure == "crash";
    if (says_nothing && (s.turn_failure == "auth" || passes(s.turn_failure))) {
      e.failure = s.turn_failure;
      e.until = s.turn_until;
    }
    return e;
  }

  /// `codex is not logged in: Not logged in`.
  std::string login_text(const std::string& said) {
    auto text = row().agent + " is not logged in";
    return said.empty() ? text : text + ": " + said;
  }

  /// Until a limit ends; where nobody knows when, for the longest pause.
  milliseconds wait_until(const std::optional<wall_time>& end) {
    auto spread = std::chrono::duration_cast<milliseconds>(
      std::chrono::duration<double>{limit_spread} * context_.draw);
    if (!end)
      return context_.policy.restart.max_delay + spread;
    auto left = std::chrono::ceil<milliseconds>(*end - context_.now);
    return std::max(left, milliseconds{0}) + spread;
  }

  /// What is left of the pause after the present exit.
  milliseconds wait_of_exit() {
    const auto& e = *row().exit;
    return passes(e) && e.until ? wait_until(e.until) : left_of(pause());
  }

  milliseconds pause() {
    auto limits = context_.policy.restart;
    if (row().exit && passes(*row().exit))
      limits.delay = limits.max_delay;
    auto nth = std::max<std::size_t>(1, out_.next.failures.size());
    return restart_delay(limits, static_cast<std::uint32_t>(nth),
                         context_.draw);
  }

  /// Of a pause that began when the agent exited.
  milliseconds left_of(milliseconds pause) {
    auto gone
      = std::chrono::duration_cast<milliseconds>(context_.now - row().since);
    return std::clamp(pause - gone, milliseconds{0}, pause);
  }

  milliseconds time_to_leave() {
    auto gone = std::chrono::duration_cast<milliseconds>(context_.now
                                                         - *row().finished_at);
    return std::clamp<milliseconds>(leave_time - gone, milliseconds{0},
                                    leave_time);
  }

  /// A merged one's worktree goes if that is wanted, a judge's in any case.
  void remove_if_over() {
    auto& s = row();
    auto over
      = (s.end == session_end::merged && context_.policy.remove_after_merge)
      || (s.end == session_end::done && is_judge(s.role));
    if (over && !s.cleaned && s.run > 0)
      effect(remove_worktree{});
  }

  // -- the step ---------------------------------------------------------------

  session& row() { return out_.next.row; }

  event_data data() {
    auto& s = row();
    event_data d;
    d.with("project", s.project)
      .with("task", s.task)
      .with("session", s.id)
      .with("change", s.change)
      .with("node", s.node)
      .with("reason", s.reason);
    return d.with_value("run", s.run);
  }

  void record(event_kind kind, const event_data& data) {
    auto& s = row();
    out_.events.push_back(make_event(kind, context_.now, subject_of(s.id),
                                     "session/" + s.id.text, s.epoch, data));
    out_.changed = true;
  }

  void effect(session_effect e) { out_.effects.push_back(std::move(e)); }

  void tell() { effect(tell_task{}); }

  void drop(std::string why) { out_.dropped = row().id.text + " " + why; }

  void refuse(ec code, const std::string& why) {
    out_.refused = error{code, row().id.text + " " + why};
  }

  const session_context& context_;
  session_step out_;
};

} // namespace

bool passes(const std::string& failure) {
  return failure == "rate_limited" || failure == "overloaded";
}

bool passes(const exit_info& e) {
  return passes(e.failure);
}

bool has_common_cause(const exit_info& e) {
  return e.cause == "hangup" || e.cause == "reboot" || e.cause == "disk";
}

bool is_counted(const exit_info& e) {
  return !e.failure.empty() && e.failure != "auth" && !passes(e)
    && !has_common_cause(e);
}

bool is_disk_trouble(const error& why) {
  if (why.code == ec::home_unusable)
    return true;
  // git and postCreate say it in the system's words only.
  for (const auto* words : {"No space left on device", "Read-only file system",
                            "Disk quota exceeded", "Input/output error"})
    if (why.context.find(words) != std::string::npos)
      return true;
  return false;
}

bool parked_by_hub(const session& s) {
  return s.runtime == runtime_state::parked && !is_terminal(s)
    && s.resume == resume_reason::hub;
}

bool is_at_work(const session& s) {
  if (s.role == session_role::manual || s.runtime == runtime_state::lost)
    return false;
  auto stopping = s.runtime == runtime_state::parked
    && (s.agent_pid != 0 || s.shim_pid != 0);
  return runs(s) || stopping;
}

bool has_to_leave(const session& other, const session& s) {
  return !s.took_over.empty() && s.run == 0 && other.id != s.id
    && other.project == s.project && other.branch == s.branch
    && (!is_terminal(other) || is_at_work(other));
}

std::optional<raise_incident> trouble_of(const session& s) {
  // Trouble of a judge is that of whom it judges.
  if (is_terminal(s) || s.role != session_role::worker)
    return std::nullopt;
  if (!s.needs_input.empty())
    return raise_incident{"needs_input", s.needs_input};
  if (s.runtime == runtime_state::alive && s.turn_failure == "auth")
    return raise_incident{"auth", s.agent + " is not logged in"};
  if (!s.exit || s.exit->failure.empty())
    return std::nullopt;
  if (s.runtime == runtime_state::exited && s.exit->failure == "auth")
    return raise_incident{"auth", s.agent + " is not logged in"};
  if (s.runtime != runtime_state::parked || parked_by_hub(s)
      || s.exit->failure == "killed")
    return std::nullopt;
  auto text = s.reason;
  for (const auto& line : s.exit->last_lines)
    text += "\n" + line;
  return raise_incident{"crash_loop", text};
}

bool awaits_restart(const session& s) {
  return !is_terminal(s) && s.runtime == runtime_state::exited && s.exit
    && !s.exit->failure.empty() && s.exit->failure != "auth"
    && s.needs_input.empty();
}

session_step next_session(const session_state& state,
                          const session_input& input,
                          const session_context& context) {
  machine m{state, context};
  std::visit(m, input);
  return m.finish();
}

} // namespace ao
