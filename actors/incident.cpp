#include "actors/incident.hpp"

#include "actors/ask_child.hpp"
#include "actors/incident_parts.hpp"
#include "actors/secrets.hpp"
#include "messages/json.hpp"
#include "runtime/actor/deliver.hpp"
#include "runtime/home/token.hpp"
#include "runtime/rules/reactions.hpp"
#include "runtime/rules/verdicts.hpp"

#include <stdexcept>
#include <utility>

namespace ao {
namespace incident_parts {
namespace {

using answer_type = std::function<void(result<incident>)>;

void work(self_pointer self);
void submit(self_pointer self, incident_input input, answer_type answer = {},
            request_id request = {});

escalation_policy policy_of(self_pointer self) {
  const auto& st = self->state;
  return escalation_policy_of(*st.context.config,
                              st.context.project(st.row.project), st.row.cause);
}

// -- tiers --------------------------------------------------------------------

struct tier_place {
  actor_name supervisor;
  std::string role;
};

tier_place place_of(incident_tier t) {
  switch (t) {
  case incident_tier::self_heal:
    return {"self-heals"_name, "self-heal"};
  case incident_tier::mediation:
    return {"mediations"_name, "mediation"};
  default:
    return {"humans"_name, "human"};
  }
}

/// Its tier hears the row; one that has done its part hears it, too, and ends.
void tell_tiers(self_pointer self) {
  auto& st = self->state;
  for (auto t : {incident_tier::self_heal, incident_tier::mediation,
                 incident_tier::human}) {
    auto [supervisor, role] = place_of(t);
    auto name = make_actor_name(role, st.row.id.text);
    if (st.row.tier != t || st.row.state != incident_state::open)
      tell<tier_actor>(st.context, name, msg::incident_changed{st.row});
    else
      ask_child<tier_actor>(
        self, st.context, supervisor, name, registry_deadline,
        msg::incident_changed{st.row}, [](const incident_id&) {},
        try_later(self, "tier_not_told"));
  }
}

// -- decide, commit, do, tell -------------------------------------------------

void conclude(self_pointer self, const incident_step& step) {
  auto& st = self->state;
  st.row = step.next;
  for (const auto& effect : step.effects)
    carry_out(self, effect);
  for (const auto& n : step.notifications)
    tell<outbox_actor>(st.context, make_actor_name("outbox", n.channel),
                       look_atom::value);
  tell_tiers(self);
}

void commit(self_pointer self, incident_step step,
            incident_actor_state::call call) {
  auto& st = self->state;
  if (!step.changed) {
    if (call.answer)
      call.answer(st.row);
    return;
  }
  store_write write;
  write.request = call.request;
  write.rows.emplace_back(step.next);
  for (auto& n : step.notifications)
    write.rows.emplace_back(n);
  write.events = step.events;
  write_in_turn(
    self, st.context, st.turns, std::move(write), call,
    [self, step, call](const store_written& written) {
      // A repeat has changed nothing.
      if (!written.repeated)
        conclude(self, step);
      if (call.answer)
        call.answer(self->state.row);
    },
    [self] { work(self); });
}

/// A closed one, of whose end nothing is left to be done, needs no actor.
void end_if_done(self_pointer self) {
  auto& st = self->state;
  auto closed = st.row.state != incident_state::open;
  if (!closed || !st.turns.idle() || st.pending > 0 || st.again)
    return;
  if (st.row.settled)
    self->quit();
  else
    submit(self, effects_done{});
}

/// A request that was executed before its asker heard of it is not refused
/// when it comes again.
void refuse(self_pointer self, const incident_actor_state::call& call,
            const error& why) {
  auto& st = self->state;
  if (call.request.empty())
    return call.answer(fail(why));
  st.pending += 1;
  ask<store_actor>(self, st.context, "store"_name, store_deadline,
                   msg::recall_request{call.request})
    .then(
      [self, answer = call.answer, why](const store_written& known) {
        if (known.repeated)
          answer(self->state.row);
        else
          answer(fail(why));
        settle(self);
      },
      [self, answer = call.answer](const caf::error& failed) {
        answer(fail(to_ao_error(failed)));
        settle(self);
      });
}

void work(self_pointer self) {
  auto& st = self->state;
  while (has_turn(st.turns)) {
    auto call = next_turn(st.turns);
    auto step = next_incident(st.row, call.input, policy_of(self),
                              st.context.now(), make_code());
    if (!step.dropped.empty())
      st.context.say(log_level::debug,
                     "input_dropped incident=" + st.row.id.text + " reason=\""
                       + step.dropped + "\"");
    if (step.refused && call.answer) {
      refuse(self, call, *step.refused);
      continue;
    }
    commit(self, std::move(step), std::move(call));
  }
  end_if_done(self);
}

void submit(self_pointer self, incident_input input, answer_type answer,
            request_id request) {
  line_up(self->state.turns,
          {std::move(input), std::move(answer), std::move(request)});
  work(self);
}

/// Why the cause must be gone, as the rows say; empty while it need not be.
/// Whoever would have told it may have ended before.
std::string reason_to_close(self_pointer self) {
  const auto& st = self->state;
  if (auto c = st.context.rows->find<change>(st.row.change.text);
      c && c->state != change_state::open)
    return c->id.text + " is " + std::string{to_string(c->state)};
  if (auto t = st.context.rows->find<task>(st.row.task.text);
      t && is_closed(t->state))
    return t->id.text + " is " + std::string{to_string(t->state)};
  return {};
}

/// Closes it when the rows say that its cause must be gone.
bool close_if_gone(self_pointer self) {
  const auto& row = self->state.row;
  if (row.state != incident_state::open || row.history.empty())
    return false;
  auto why = reason_to_close(self);
  if (why.empty())
    return false;
  submit(self, cause_gone{"recovery", why});
  return true;
}

/// Does again what may have been left undone.
void recover(self_pointer self) {
  auto& st = self->state;
  st.again = false;
  // Somebody asks it something: it was started for that, and ends after it.
  if (st.row.state != incident_state::open && st.row.settled)
    return;
  if (close_if_gone(self))
    return;
  for (const auto& effect : unfinished_effects(st.row))
    carry_out(self, effect);
  tell_tiers(self);
  if (auto mediator = st.context.rows->find<session>(st.row.mediator.text))
    submit(self, mediator_told{*mediator});
  end_if_done(self);
}

// -- requests -----------------------------------------------------------------

failure_seen seen_in(self_pointer self, const msg::report_cause& what) {
  const auto& st = self->state;
  auto secrets = secrets_of(st.context);
  auto text = what.text;
  if (const auto* project = st.context.project(what.project))
    if (auto more = reaction_message(*st.context.config, *project, what.cause);
        !more.empty())
      text += (text.empty() || text.back() == '\n' ? "" : "\n") + more + "\n";
  failure_seen out{what.session,         what.change, what.sha,
                   secrets.redact(text), {},          what.others};
  for (const auto& line : what.log_tail)
    out.log_tail.push_back(secrets.redact(line));
  return out;
}

caf::result<incident> resolve(self_pointer self,
                              const msg::resolve_incident& order) {
  auto promise = self->make_response_promise<incident>();
  auto answer = delivering(promise);
  if (order.verdict.empty()) {
    submit(self, closed_by_hand{"api", order.why}, answer, order.request);
    return promise;
  }
  auto parsed = parse_json(order.verdict, "verdict");
  auto read
    = parsed ? read_verdict(*parsed) : result<verdict>{fail(parsed.error())};
  if (read) {
    submit(self, verdict_given{std::move(*read), order.by}, answer,
           order.request);
    return promise;
  }
  // The second that cannot be read ends the round.
  submit(self, verdict_refused{order.by, read.error().context},
         [promise, why = read.error()](result<incident>) mutable {
           promise.deliver(make_error(why));
         });
  return promise;
}

} // namespace

void settle(self_pointer self) {
  self->state.pending -= 1;
  end_if_done(self);
}

} // namespace incident_parts

using namespace incident_parts;

incident_actor::behavior_type
incident_keeper(self_pointer self, hub_context context, incident_id id) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  auto row = st.context.rows->find<incident>(id.text);
  if (!row)
    throw std::runtime_error("no row of incident " + id.text);
  st.row = *row;
  recover(self);
  return {
    [self](const msg::report_cause& what) -> caf::result<incident_id> {
      auto promise = self->make_response_promise<incident_id>();
      submit(self, seen_in(self, what),
             delivering(promise, [](const incident& i) { return i.id; }));
      return promise;
    },
    [self](const msg::report_recovered& news) -> caf::result<std::uint64_t> {
      auto promise = self->make_response_promise<std::uint64_t>();
      submit(
        self, cause_gone{"recovery", news.why},
        delivering(promise, [](const incident&) { return std::uint64_t{1}; }));
      return promise;
    },
    [self](const msg::resolve_incident& order) { return resolve(self, order); },
    [self](const msg::answer_incident& order) -> caf::result<incident> {
      auto promise = self->make_response_promise<incident>();
      submit(self, answer_given{order.text, order.code, order.by},
             delivering(promise), order.request);
      return promise;
    },
    [self](const msg::mark_incident& order) -> caf::result<incident> {
      auto promise = self->make_response_promise<incident>();
      incident_input input = question_acked{order.by};
      if (order.what == msg::mark_incident::kind::reopen)
        input = reopen_wanted{order.by};
      submit(self, std::move(input), delivering(promise), order.request);
      return promise;
    },
    [self](const msg::incident_overdue&) {
      if (!close_if_gone(self))
        submit(self, incident_due{});
    },
    [self](const msg::mediator_found& found) {
      submit(self, mediator_opened{found.round, found.session});
    },
    [self](const msg::tier_failed& failed) {
      submit(self, try_failed{failed.tier, failed.number, failed.why});
    },
    [self](const msg::session_changed& told) {
      submit(self, mediator_told{told.now});
    },
    [self](look_atom) {
      self->state.alarm.came(self->clock().now());
      recover(self);
    },
  };
}

} // namespace ao
