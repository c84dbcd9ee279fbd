#include "runtime/rules/sessions.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <set>

using namespace ao;

namespace {

constexpr runtime_state runtimes[] = {
  runtime_state::queued, runtime_state::provisioning, runtime_state::starting,
  runtime_state::alive,  runtime_state::exited,       runtime_state::lost,
  runtime_state::parked,
};

constexpr session_end ends[] = {
  session_end::open,   session_end::merged,  session_end::done,
  session_end::killed, session_end::errored,
};

constexpr session_role roles[] = {session_role::worker, session_role::mediator,
                                  session_role::reviewer, session_role::manual};

exit_info failure(std::string name) {
  exit_info e;
  e.code = name.empty() ? 0 : 1;
  e.failure = std::move(name);
  return e;
}

/// Each kind of input at least once, for (epoch, run) as given.
std::vector<session_input> all_inputs(epoch_no epoch, run_no run,
                                      std::uint64_t seq) {
  worktree_facts dirty;
  dirty.dirty = true;
  worktree_facts ahead;
  ahead.ahead = 1;
  change_id id{"app#1"};
  std::vector<session_input> out{
    session_recovered{},
    slot_granted{node_name{"n2"}},
    slot_waits{"waits"},
    restart_due{run},
    restart_due{run + 1},
    message_waits{message_id{"m"}, run},
    kill_session{"k"},
    park_session{"p", false},
    park_session{"p", true},
    restore_session{},
    restore_session{epoch + 1, {}, resume_reason::restore},
    end_session{session_end::merged, "m"},
    end_session{session_end::open, ""},
    cleanup_session{},
    change_told{id, change_state::open},
    change_told{id, change_state::merged},
    change_told{id, change_state::closed},
    node_gone{"n"},
    node_back{},
    work_finished{"f"},
    login_restored{},
    restore_session{epoch + 1, node_name{"n1"}, resume_reason::hub, {}},
    restore_session{epoch + 1, {}, resume_reason::restore, "abc"},
    original_back{node_name{"n1"}, epoch > 0 ? epoch - 1 : 0, run, ahead, "",
                  ""},
    original_back{node_name{"n1"}, epoch, run, std::nullopt, "abc", "lost"},
    work_compared{"", "", true},
    work_compared{"abc", "", true},
    work_compared{"", "", false},
  };
  agent_alive alive;
  alive.agent_pid = 1;
  const session_fact facts[] = {
    step_reached{"fetch"},
    alive,
    conversation_state{activity_state::waiting_input, "?"},
    conversation_state{activity_state::idle, ""},
    agent_said{"completed", ""},
    agent_said{"needs_input", "?"},
    agent_ended{failure(""), {}},
    agent_ended{failure(""), dirty},
    agent_ended{failure(""), ahead},
    agent_ended{failure("crash"), {}},
    agent_ended{failure("auth"), {}},
    agent_ended{exit_info{}, {}},
    conversation_state{activity_state::idle, "", "auth"},
    conversation_state{activity_state::idle, "", "rate_limited"},
    provision_failed{"pane", "no"},
    provision_failed{"launch", "no login", false, true, true},
    branch_pushed{"abc"},
    push_failed{"no"},
    run_stopped{},
    run_stopped{failure("killed"), "refs/x"},
    cleaned_up{},
    cleaned_up{"kept"},
  };
  for (const auto& f : facts)
    out.emplace_back(session_report{epoch, run, seq, f});
  return out;
}

// RC_ASSERT does not work in plain tests; this is thrown in both.
void must(bool holds, const char* what) {
  if (!holds)
    throw std::logic_error(what);
}

#define MUST(x) must((x), #x)

/// What holds of every step.
void check(const session_state& before, const session_input& input,
           const session_step& step) {
  const auto& a = before.row;
  const auto& b = step.next.row;
  MUST(b.version == a.version + (step.changed ? 1 : 0));
  MUST(step.changed || step.events.empty());
  MUST(b.run == a.run || b.run == a.run + 1);
  MUST(b.epoch >= a.epoch);
  // Back once, and only under a new grant.
  MUST(!a.went_back || b.went_back);
  if (b.went_back && !a.went_back)
    MUST(b.epoch > a.epoch && b.node == a.left->node);
  if (a.went_back && b.left && !is_terminal(b))
    MUST(b.left->state != left_state::compared
         || (a.left && a.left->state == left_state::compared));
  MUST(b.restarts == a.restarts || b.restarts == a.restarts + 1);
  MUST(b.id == a.id && b.task == a.task && b.subject == a.subject);
  MUST(step.dropped.empty() || !step.changed);
  MUST(!step.refused || (!step.changed && step.effects.empty()));
  auto restores = std::get_if<restore_session>(&input) != nullptr;
  if (is_terminal(a) && !restores)
    MUST(b.end == a.end && b.run == a.run);
  if (is_terminal(a) && !is_terminal(b))
    MUST(b.epoch > a.epoch);
  if (a.end == session_end::merged || a.end == session_end::done)
    MUST(b.end == a.end);
  if (b.run != a.run)
    MUST(!is_terminal(b));
  std::size_t ensures = 0;
  for (const auto& e : step.effects) {
    if (auto x = std::get_if<ensure_run>(&e)) {
      ++ensures;
      MUST(x->run == b.run);
      MUST(!is_terminal(b) && b.role != session_role::manual);
      // Ordered anew only for a new run, or by one who has forgotten, or of a
      // node that is back.
      MUST(b.run == a.run + 1
           || std::get_if<session_recovered>(&input) != nullptr
           || std::get_if<node_back>(&input) != nullptr);
    }
    if (auto x = std::get_if<stop_run>(&e))
      MUST(x->run == b.run && x->run > 0);
    if (auto x = std::get_if<arm_restart>(&e))
      MUST(
        x->run == b.run + 1 && x->delay.count() >= 0
        && (awaits_restart(b)
            || (b.runtime == runtime_state::alive && passes(b.turn_failure))));
    if (std::get_if<publish_branch>(&e) || std::get_if<open_change>(&e))
      MUST(b.role == session_role::worker && !is_terminal(b));
    if (std::get_if<remove_worktree>(&e))
      MUST(is_terminal(b));
    // Nothing is parked where it goes on.
    if (auto x = std::get_if<disown_run>(&e))
      MUST(x->node != b.node);
  }
  MUST(ensures <= 1);
  MUST((b.run == a.run + 1) == (ensures == 1)
       || std::get_if<session_recovered>(&input) != nullptr
       || std::get_if<node_back>(&input) != nullptr);
}

left_work left_on_n1(left_state x) {
  left_work out;
  out.node = node_name{"n1"};
  out.epoch = 1;
  out.run = 1;
  out.state = x;
  out.worktree.emplace();
  return out;
}

/// Whether a row can be like that.
bool may_leave(const session& s, left_state x) {
  auto stopped = x == left_state::compared || x == left_state::returns;
  return s.run > 0 && s.role == session_role::worker && !is_terminal(s)
    && (!stopped || s.runtime == runtime_state::parked);
}

const std::optional<left_state> lefts[]
  = {std::nullopt, left_state::away, left_state::compared, left_state::returns,
     left_state::back};

session_state state_of(runtime_state runtime, session_end end,
                       session_role role) {
  session_state x;
  auto& s = x.row;
  s.id = session_id{"app-1"};
  s.task = task_id{"T1"};
  s.subject = "T1";
  s.version = 5;
  s.epoch = 3;
  s.run = runtime == runtime_state::queued ? 0 : 2;
  s.role = role;
  s.runtime = runtime;
  s.end = end;
  return x;
}

} // namespace

TEST(SessionTable, DefinesEveryInputInEveryState) {
  session_context context;
  std::set<std::size_t> inputs;
  std::set<std::size_t> facts;
  for (auto role : roles)
    for (auto runtime : runtimes)
      for (auto end : ends)
        for (auto started : {false, true})
          for (auto left : lefts)
            for (auto exited : {"", "none", "crash", "auth"}) {
              auto state = state_of(runtime, end, role);
              if (started)
                state.row.started_at = context.now;
              if (std::string{exited} != "none")
                state.row.exit = failure(exited);
              if (left) {
                if (!may_leave(state.row, *left))
                  continue;
                state.row.left = left_on_n1(*left);
                state.row.resume = resume_reason::hub;
              }
              for (epoch_no epoch : {2, 3, 4})
                for (const auto& in : all_inputs(epoch, state.row.run, 0)) {
                  inputs.insert(in.index());
                  if (auto r = std::get_if<session_report>(&in))
                    facts.insert(r->fact.index());
                  session_step step;
                  ASSERT_NO_THROW(step = next_session(state, in, context));
                  ASSERT_NO_THROW(check(state, in, step))
                    << to_string(runtime) << " " << to_string(end) << " input "
                    << in.index();
                }
            }
  EXPECT_EQ(inputs.size(), std::variant_size_v<session_input>);
  EXPECT_EQ(facts.size(), std::variant_size_v<session_fact>);
}

RC_GTEST_PROP(SessionProperty, HoldsThroughAnyHistory, ()) {
  auto picks = *rc::gen::resize(
    150,
    rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(0, 1000), rc::gen::inRange(0, 40))));
  auto state
    = state_of(runtime_state::queued, session_end::open, session_role::worker);
  session_context context;
  std::set<std::pair<epoch_no, run_no>> ordered;
  std::uint64_t seq = 0;
  for (const auto& [which, late] : picks) {
    context.now += milliseconds{which * 100};
    context.draw = which / 1000.;
    auto s = state.row;
    // Mostly of the present run; sometimes late, sometimes early.
    auto run = late == 0 && s.run > 0 ? s.run - 1 : s.run;
    auto epoch = late == 1 ? s.epoch - 1 : s.epoch;
    auto inputs = all_inputs(epoch, run, late == 2 ? seq : ++seq);
    const auto& in = inputs[static_cast<std::size_t>(which) % inputs.size()];
    auto step = next_session(state, in, context);
    check(state, in, step);
    for (const auto& e : step.effects)
      if (auto x = std::get_if<ensure_run>(&e); x != nullptr
          && std::get_if<session_recovered>(&in) == nullptr
          && std::get_if<node_back>(&in) == nullptr)
        MUST(ordered.emplace(step.next.row.epoch, x->run).second);
    auto fresh = std::get_if<session_report>(&in);
    state = step.next;
    // Whatever is told twice changes nothing the second time.
    if (fresh != nullptr) {
      auto again = next_session(state, in, context);
      check(state, in, again);
      MUST(!again.changed);
      // Nor after a restart of the hub, which forgets what it has seen; only
      // what the agent says by itself leaves no trace in the row.
      auto forgetful = state;
      forgetful.seen = 0;
      if (step.dropped.empty()
          && !std::holds_alternative<agent_said>(fresh->fact))
        MUST(!next_session(forgetful, in, context).changed);
    }
  }
}
