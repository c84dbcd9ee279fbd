#include "runtime/rules/breakers.hpp"

#include "runtime/rules/event_data.hpp"
#include "runtime/rules/sessions.hpp"

#include <algorithm>
#include <csignal>

namespace ao {
namespace {

/// Nobody tells when one that is tried lives, or that it was told in vain.
constexpr milliseconds look_pause{1'000};

/// `/opt/agents/fast.sh` → `fast.sh`.
std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

/// One input on its way through the machine.
class machine {
public:
  machine(const breaker_entry& entry, const breaker_limits& limits,
          mono_time now, wall_time clock)
      : limits_(limits), now_(now), clock_(clock) {
    out_.next = entry;
  }

  breaker_step finish() {
    if (out_.changed) {
      row().version += 1;
      row().updated_at = clock_;
    }
    return std::move(out_);
  }

  void operator()(const agent_failed& x) {
    switch (row().state) {
    case breaker_state::closed:
      if (is_auth() || is_one_too_many(x.session))
        trip(x);
      return;
    case breaker_state::open:
      return try_again();
    case breaker_state::half_open:
      if (row().trial.empty() || x.session != row().trial)
        return;
      change();
      row().state = breaker_state::open;
      row().trial = {};
      row().reason = x.reason;
      row().alarmed = true;
      memory().alive_since.reset();
      memory().next_try = now_ + limits_.half_open;
      out_.again_at = memory().next_try;
      record(event_kind::breaker_opened);
    }
  }

  void operator()(const probe_answered& x) {
    memory().probing = false;
    if (row().state != breaker_state::open)
      return;
    if (!x.ready) {
      if (row().reason != x.reason || row().blind || !row().alarmed) {
        change();
        row().reason = x.reason;
        row().blind = false;
        row().alarmed = true;
      }
      memory().next_try = now_ + limits_.half_open;
      out_.again_at = memory().next_try;
      return;
    }
    // Who fails though the probe has never seen why, proves more than it.
    if (row().blind || !row().alarmed)
      return try_one(true);
    close("the login works again");
  }

  void operator()(const try_now&) {
    if (row().state != breaker_state::open)
      return;
    memory().next_try = now_;
    try_again();
  }

  void operator()(const breaker_look& seen) {
    if (row().state == breaker_state::open)
      try_again();
    if (row().state == breaker_state::half_open)
      watch_trial(seen);
    if (row().state == breaker_state::closed)
      resume_all(seen);
  }

private:
  breaker& row() { return out_.next.row; }
  breaker_memory& memory() { return out_.next.memory; }

  bool is_auth() { return row().failure == auth_failure; }

  void change() { out_.changed = true; }

  void trip(const agent_failed& x) {
    change();
    auto& b = row();
    b.state = breaker_state::open;
    b.agent = x.agent;
    b.project = x.project;
    b.session = x.session;
    b.reason = x.reason;
    b.blind = false;
    // Of a login the probe says first what is wrong with it.
    b.alarmed = !is_auth();
    b.trial = {};
    b.trips += 1;
    b.opened_at = clock_;
    memory().recent.clear();
    memory().next_try = is_auth() ? now_ : now_ + limits_.half_open;
    record(event_kind::breaker_opened);
    try_again();
  }

  /// A session that dies again counts once.
  bool is_one_too_many(const session_id& session) {
    auto& recent = memory().recent;
    auto old = [&](const breaker_memory::death& d) {
      return now_ - d.at >= limits_.window || d.session == session;
    };
    recent.erase(std::remove_if(recent.begin(), recent.end(), old),
                 recent.end());
    recent.push_back({session, now_});
    return limits_.deaths > 0 && recent.size() >= limits_.deaths;
  }

  /// Probes, or has one tried, when it is time.
  void try_again() {
    auto& due = memory().next_try;
    if (!due)
      due = now_;
    if (*due > now_) {
      out_.again_at = *due;
      return;
    }
    if (memory().probing)
      return;
    if (!is_auth())
      return try_one(false);
    memory().probing = true;
    out_.effects.emplace_back(ask_probe{});
  }

  void try_one(bool blind) {
    change();
    row().state = breaker_state::half_open;
    row().blind = blind;
    row().trial = {};
    memory().alive_since.reset();
    memory().next_try.reset();
    out_.again_at = now_;
  }

  void watch_trial(const breaker_look& seen) {
    if (!row().trial.empty() && seen.trial == trial_state::passed)
      return close(row().trial.text + " works");
    if (!row().trial.empty() && seen.trial == trial_state::alive) {
      auto& since = memory().alive_since;
      if (!since)
        since = now_;
      if (now_ - *since >= limits_.probation)
        return close(row().trial.text + " lives");
      out_.again_at = std::min(*since + limits_.probation, now_ + look_pause);
      return;
    }
    memory().alive_since.reset();
    auto waits = !row().trial.empty() && seen.trial == trial_state::waiting;
    if (!waits && !choose(seen))
      return;
    out_.effects.emplace_back(resume_held{row().trial});
    out_.again_at = now_ + look_pause;
  }

  /// The next one to be tried; false when there is none.
  bool choose(const breaker_look& seen) {
    if (!row().trial.empty()) {
      change();
      row().trial = {};
    }
    if (!seen.held.empty()) {
      change();
      row().trial = seen.held.front();
      record(event_kind::breaker_half_open);
      return true;
    }
    if (seen.more_to_come)
      out_.again_at = now_ + look_pause;
    else
      close("nobody waits for it");
    return false;
  }

  void close(const std::string& why) {
    change();
    auto& b = row();
    b.state = breaker_state::closed;
    b.trial = {};
    b.blind = b.alarmed = false;
    b.closed_at = clock_;
    memory() = {};
    record(event_kind::breaker_closed, why);
    if (is_auth())
      out_.effects.emplace_back(relieve{why});
    out_.again_at = now_;
  }

  /// Who was told in vain is told again.
  void resume_all(const breaker_look& seen) {
    if (!is_auth() || seen.held.empty())
      return;
    for (const auto& id : seen.held)
      out_.effects.emplace_back(resume_held{id});
    auto again = now_ + 2 * look_pause;
    out_.again_at = out_.again_at ? std::min(*out_.again_at, again) : again;
  }

  void record(event_kind kind, const std::string& why = {}) {
    const auto& b = row();
    event_data data;
    data.with("account", b.account)
      .with("class", b.failure)
      .with("agent", b.agent)
      .with("project", b.project)
      .with("session", b.trial.empty() ? b.session : b.trial)
      .with("reason", why.empty() ? b.reason : why);
    out_.events.push_back(make_event(kind, clock_, "hub", "breakers", 0, data));
  }

  const breaker_limits& limits_;
  mono_time now_;
  wall_time clock_;
  breaker_step out_;
};

} // namespace

std::string account_of(const agent_settings& agent) {
  auto program = agent.adapter;
  if (agent.adapter == "command")
    program = agent.account.empty() || agent.command.empty()
      ? agent.name
      : base_name(agent.command.front());
  return agent.account.empty() ? program : program + "@" + agent.account;
}

std::string breaker_key(const agent_settings& agent, std::string_view failure) {
  return account_of(agent) + "/" + std::string{failure};
}

bool tells_of_account(const exit_info& e) {
  if (e.failure.empty() || e.failure == "killed" || e.failure == auth_failure
      || passes(e) || has_common_cause(e))
    return false;
  // Its shim was ended from outside, and nobody saw how the agent did.
  if (!e.code && !e.signal && e.failure == "crash" && e.cause == "signalled")
    return false;
  auto from_outside = e.signal && e.failure == "crash"
    && (*e.signal == SIGKILL || *e.signal == SIGTERM || *e.signal == SIGINT
        || *e.signal == SIGHUP || *e.signal == SIGQUIT);
  return !from_outside;
}

breaker new_breaker(const agent_settings& agent, std::string_view failure) {
  breaker b;
  b.key = breaker_key(agent, failure);
  b.account = account_of(agent);
  b.failure = failure;
  return b;
}

breaker_step
next_breaker(const breaker_entry& entry, const breaker_input& input,
             const breaker_limits& limits, mono_time now, wall_time clock) {
  machine m{entry, limits, now, clock};
  std::visit(m, input);
  return m.finish();
}

bool lost_its_login(const session& s) {
  if (is_terminal(s) || s.role == session_role::manual)
    return false;
  return (s.runtime == runtime_state::exited && s.exit
          && s.exit->failure == auth_failure)
    || (s.runtime == runtime_state::alive && s.turn_failure == auth_failure);
}

trial_state state_of_trial(const breaker& b, const session& s) {
  if (is_terminal(s))
    return s.end == session_end::merged || s.end == session_end::done
      ? trial_state::passed
      : trial_state::gone;
  switch (s.runtime) {
  case runtime_state::queued:
  case runtime_state::provisioning:
  case runtime_state::starting:
    return trial_state::waiting;
  case runtime_state::alive:
    // It is being stopped to be started again.
    return s.turn_failure == b.failure ? trial_state::waiting
                                       : trial_state::alive;
  case runtime_state::exited:
    if (!s.exit || s.exit->failure.empty())
      return trial_state::passed;
    return s.exit->failure == b.failure ? trial_state::waiting
                                        : trial_state::gone;
  default:
    return trial_state::gone;
  }
}

std::string why_held(const breaker& b) {
  auto trial = b.trial.empty() ? std::string{"one"} : b.trial.text;
  auto why = b.reason.substr(0, b.reason.find('\n'));
  if (b.failure == auth_failure)
    return b.account + " is not logged in"
      + (b.state == breaker_state::half_open ? "; " + trial + " is tried first"
                                             : ": " + why);
  return "agents of " + b.account + " die (" + b.failure + "); " + trial
    + " is tried first";
}

bool is_held(const breaker& b, const session& s) {
  if (!holds(b) || b.failure != auth_failure || is_terminal(s)
      || s.role == session_role::manual || b.trial == s.id)
    return false;
  return s.runtime == runtime_state::queued
    || s.runtime == runtime_state::provisioning
    || s.runtime == runtime_state::starting || s.runtime == runtime_state::alive
    || lost_its_login(s);
}

} // namespace ao
