#include "actors/breakers.hpp"

#include "actors/agent_probe.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/deliver.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/rules/incidents.hpp"
#include "runtime/rules/sessions.hpp"

#include <memory>
#include <utility>

namespace ao {
namespace {

using self_pointer = breakers_actor::stateful_pointer<breakers_state>;

/// It may have to start an INCIDENT, which writes.
constexpr std::chrono::seconds escalation_deadline{15};
/// A program that says nothing is given up sooner.
constexpr std::chrono::seconds probe_deadline{60};
constexpr std::chrono::seconds retry_pause{5};

void work(self_pointer self);

breaker_limits limits_of(const settings& config) {
  const auto& b = config.breaker;
  return {b.half_open, b.probation, b.deaths, b.within};
}

void look_at(self_pointer self, mono_time at) {
  self->state.alarm.by(self, at);
}

void line_up(self_pointer self, breakers_state::call call) {
  ao::line_up(self->state.turns, std::move(call));
  work(self);
}

// -- what the rows say --------------------------------------------------------

/// The sessions of an account that have not ended.
std::vector<row_ptr<session>> sessions_of(self_pointer self, const breaker& b) {
  const auto& context = self->state.context;
  std::vector<row_ptr<session>> out;
  for (auto& s : context.rows->all<session>()) {
    if (is_terminal(*s) || s->role == session_role::manual)
      continue;
    const auto* agent = context.agent(s->agent);
    if (agent != nullptr && account_of(*agent) == b.account)
      out.push_back(std::move(s));
  }
  return out;
}

/// Whether nothing but a slot keeps it from its start.
bool could_start(self_pointer self, const session& s) {
  if (s.runtime != runtime_state::queued)
    return false;
  auto t = self->state.context.rows->find<task>(s.task.text);
  return !t || t->state != task_state::blocked;
}

breaker_look look_around(self_pointer self, const breaker& b) {
  breaker_look out;
  if (auto s = self->state.context.rows->find<session>(b.trial.text))
    out.trial = state_of_trial(b, *s);
  auto is_auth = b.failure == auth_failure;
  auto all = sessions_of(self, b);
  for (const auto& s : all)
    if (is_auth && lost_its_login(*s))
      out.held.push_back(s->id);
  // A closed one has the DISPATCHER start those that are queued.
  for (const auto& s : all) {
    if (b.state != breaker_state::closed && could_start(self, *s))
      out.held.push_back(s->id);
    out.more_to_come |= !is_auth && awaits_restart(*s);
  }
  return out;
}

// -- effects ------------------------------------------------------------------

void take_answer(self_pointer self, const std::string& key,
                 const agent_readiness& answer) {
  if (auto row = self->state.context.rows->find<breaker>(key))
    line_up(self, {*row, probe_answered{answer.ready, answer.reason}});
}

/// Probes as the agent would be started, in a job.
void probe(self_pointer self, const breaker& b) {
  const auto& context = self->state.context;
  const auto* agent = context.agent(b.agent);
  const auto* place = context.project(b.project);
  // Nobody can say: one that is tried will tell.
  if (agent == nullptr || place == nullptr || !can_tell(*agent))
    return take_answer(self, b.key, {true, {}});
  run_job(
    self, context, probe_deadline,
    [desk = context.desk, agent = *agent,
     directory = place->path.string()]() -> result<agent_readiness> {
      auto env = environment_for(agent, environment::inherited());
      return desk->ask(agent, env, directory,
                       agent_readiness_desk::answers::fresh);
    },
    [self, key = b.key](const agent_readiness& answer) {
      take_answer(self, key, answer);
    },
    [self, key = b.key](const caf::error& why) {
      take_answer(self, key, {false, to_string(to_ao_error(why))});
    });
}

void resume(self_pointer self, const session_id& id) {
  msg::session_order order;
  order.what = msg::session_order::kind::log_in;
  order.actor = "breakers";
  tell<session_actor>(self->state.context, make_actor_name("session", id.text),
                      std::move(order));
}

void report_relief(self_pointer self, const breaker& b,
                   const std::string& why) {
  self->state.told.erase(b.key);
  ask<escalation_actor>(
    self, self->state.context, "escalation"_name, escalation_deadline,
    msg::report_recovered{
      incident_cause::auth, b.project, {}, b.account, b.account + ": " + why})
    .then([](std::uint64_t) {},
          [self, b, why](const caf::error& problem) {
            self->state.context.say(log_level::warn,
                                    "incident_not_told breaker=" + b.key
                                      + " reason=\""
                                      + to_string(to_ao_error(problem)) + "\"");
            // Found again by its open incident.
            look_at(self, self->clock().now() + retry_pause);
          });
}

/// Tells ESCALATION of one session that is stopped, or of none.
void raise(self_pointer self, const breaker& b, const session_id& id) {
  auto& told = self->state.told[b.key];
  if (!told.insert(id).second)
    return;
  msg::report_cause report;
  report.cause = incident_cause::auth;
  report.project = b.project;
  report.session = id;
  report.face = b.account;
  report.text = b.reason;
  ask<escalation_actor>(self, self->state.context, "escalation"_name,
                        escalation_deadline, std::move(report))
    .then(
      [self, key = b.key](const incident_id&) {
        // It may have healed before anybody was told.
        if (auto now = self->state.context.rows->find<breaker>(key);
            now && !holds(*now))
          look_at(self, self->clock().now());
      },
      [self, key = b.key, id](const caf::error& why) {
        auto& st = self->state;
        st.context.say(log_level::warn,
                       "incident_not_told breaker=" + key + " reason=\""
                         + to_string(to_ao_error(why)) + "\"");
        st.told[key].erase(id);
        look_at(self, self->clock().now() + retry_pause);
      });
}

/// One incident for all: people are told once, and how many it stops.
void tell_people(self_pointer self, const breaker& b) {
  if (b.failure != auth_failure)
    return;
  auto& st = self->state;
  if (holds(b) && b.alarmed) {
    auto first = true;
    for (const auto& s : sessions_of(self, b))
      if (lost_its_login(*s)) {
        raise(self, b, s->id);
        first = false;
      }
    if (first && st.told[b.key].empty())
      raise(self, b, b.session);
    return;
  }
  if (holds(b))
    return;
  auto open = st.context.rows->incident_called(
    incident_key(b.project, {}, incident_cause::auth, b.account));
  if (open && open->state == incident_state::open)
    report_relief(self, b, "the login works again");
}

struct perform {
  self_pointer self;
  const breaker& row;

  void operator()(const ask_probe&) const { probe(self, row); }
  void operator()(const resume_held& x) const { resume(self, x.session); }
  void operator()(const relieve& x) const { report_relief(self, row, x.why); }
};

// -- decide, commit, do, tell -------------------------------------------------

void conclude(self_pointer self, const breaker_step& step,
              const breakers_state::call& call) {
  auto& st = self->state;
  const auto& row = step.next.row;
  st.memory[row.key] = step.next.memory;
  for (const auto& e : step.events)
    st.context.say(holds(row) ? log_level::error : log_level::info,
                   std::string{to_string(e.kind)} + " account=" + row.account
                     + " class=" + row.failure + " reason=\"" + row.reason
                     + "\"");
  for (const auto& effect : step.effects)
    std::visit(perform{self, row}, effect);
  if (row.version > 0)
    tell_people(self, row);
  if (step.changed)
    tell<dispatcher_actor>(st.context, "dispatcher"_name, look_atom::value);
  if (step.again_at)
    look_at(self, *step.again_at);
  if (call.answer)
    call.answer(row.version);
}

void commit(self_pointer self, breaker_step step, breakers_state::call call) {
  auto& st = self->state;
  store_write write;
  if (step.changed)
    write.rows.emplace_back(step.next.row);
  write.events = step.events;
  if (write.rows.empty() && write.events.empty())
    return conclude(self, step, call);
  auto made = std::make_shared<const breaker_step>(std::move(step));
  write_in_turn(
    self, st.context, st.turns, std::move(write), call,
    [self, made, call](const store_written&) { conclude(self, *made, call); },
    [self] { work(self); });
}

void work(self_pointer self) {
  auto& st = self->state;
  while (has_turn(st.turns)) {
    auto call = next_turn(st.turns);
    auto known = st.context.rows->find<breaker>(call.row.key);
    breaker_entry entry{known ? *known : call.row, st.memory[call.row.key]};
    if (auto* look = std::get_if<breaker_look>(&call.input))
      *look = look_around(self, entry.row);
    auto step = next_breaker(entry, call.input, limits_of(*st.context.config),
                             self->clock().now(), st.context.now());
    commit(self, std::move(step), std::move(call));
  }
}

void look(self_pointer self) {
  auto& st = self->state;
  st.alarm.came(self->clock().now());
  for (const auto& b : st.context.rows->all<breaker>())
    line_up(self, {*b, breaker_look{}});
}

/// A login that was lost and told to nobody, as the breaker is told only of
/// what is new, is found here: the breaker holds its account from now on.
void find_untold(self_pointer self) {
  const auto& context = self->state.context;
  for (const auto& s : context.rows->all<session>()) {
    const auto* agent = context.agent(s->agent);
    if (agent == nullptr || !lost_its_login(*s))
      continue;
    auto fresh = new_breaker(*agent, auth_failure);
    if (context.rows->find<breaker>(fresh.key))
      continue;
    line_up(self,
            {fresh,
             agent_failed{s->agent, s->project, s->id,
                          s->agent + " is not logged in"}});
  }
}

caf::result<std::uint64_t> take_failure(self_pointer self,
                                        const msg::agent_failed& told) {
  const auto* agent = self->state.context.agent(told.agent);
  if (agent == nullptr)
    return std::uint64_t{0};
  auto promise = self->make_response_promise<std::uint64_t>();
  line_up(self,
          {new_breaker(*agent, told.failure),
           agent_failed{told.agent, told.project, told.session, told.reason},
           delivering(promise)});
  // Who else is held by it is told to people, too.
  look_at(self, self->clock().now());
  return promise;
}

} // namespace

breakers_actor::behavior_type breakers(self_pointer self, hub_context context) {
  harden(self, context);
  self->state.context = std::move(context);
  find_untold(self);
  look_at(self, self->clock().now());
  return {
    [self](const msg::agent_failed& told) { return take_failure(self, told); },
    [self](probe_atom) {
      for (const auto& b : self->state.context.rows->all<breaker>())
        if (holds(*b))
          line_up(self, {*b, try_now{}});
    },
    [self](look_atom) { look(self); },
  };
}

} // namespace ao
