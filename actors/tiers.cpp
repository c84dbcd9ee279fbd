#include "actors/tiers.hpp"

#include "actors/mail.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/config/load.hpp"
#include "runtime/log/redactor.hpp"
#include "runtime/rules/incidents.hpp"
#include "runtime/rules/mediation.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace ao {
namespace {

using self_pointer = tier_actor::stateful_pointer<tier_state>;

constexpr std::chrono::seconds retry_delay{2};

actor_name incident_of(self_pointer self) {
  return make_actor_name("incident", self->state.row.id.text);
}

/// Has one look when the deadline is over; an earlier one than that which is
/// armed is armed as well.
void arm(self_pointer self) {
  auto& st = self->state;
  if (!st.row.deadline || (st.armed && *st.armed <= *st.row.deadline))
    return;
  st.armed = st.row.deadline;
  auto left = std::max(*st.row.deadline - st.context.now(), milliseconds{0});
  self->delayed_send(self, left, look_atom::value);
}

void tell_when_overdue(self_pointer self) {
  auto& st = self->state;
  if (st.row.deadline && st.context.now() >= *st.row.deadline)
    tell<incident_actor>(st.context, incident_of(self),
                         msg::incident_overdue{st.row.id});
}

void give_up(self_pointer self, incident_tier tier, std::uint32_t number,
             const caf::error& why) {
  auto& st = self->state;
  tell<incident_actor>(
    st.context, incident_of(self),
    msg::tier_failed{st.row.id, tier, number, to_string(to_ao_error(why))});
}

bool passes(const caf::error& why) {
  auto code = to_ao_error(why).code;
  return code == ec::timed_out || code == ec::not_reachable
    || code == ec::store_failed || code == ec::shutting_down
    || code == ec::request_in_flight;
}

/// What is the same for the three: takes the row, does `act`, ends when the
/// incident is another tier's.
template <class Act>
tier_actor::behavior_type tier(self_pointer self, hub_context context,
                               const incident_id& id, incident_tier mine,
                               Act act) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  auto row = st.context.rows->find<incident>(id.text);
  if (!row)
    throw std::runtime_error("no row of incident " + id.text);
  st.row = *row;
  auto look = [self, mine, act] {
    auto& st = self->state;
    if (st.row.state != incident_state::open || st.row.tier != mine)
      return self->quit();
    tell_when_overdue(self);
    arm(self);
    act(self);
  };
  self->send(self, look_atom::value);
  return {
    [self, look](const msg::incident_changed& told) -> incident_id {
      auto& st = self->state;
      if (told.now.version >= st.row.version) {
        st.row = told.now;
        look();
      }
      return st.row.id;
    },
    [self, look](look_atom) {
      self->state.armed.reset();
      look();
    },
  };
}

// -- SELF HEAL ----------------------------------------------------------------

void tell_agent_of(self_pointer self, const heal_agent& order) {
  auto& st = self->state;
  if (std::exchange(st.doing, order.key) == order.key)
    return;
  redactor secrets{secrets_in(*st.context.config, process_environment())};
  msg::send_message message;
  message.request = request_id{"incident/" + st.row.id.text + "/" + order.key};
  message.session = st.row.session;
  message.text = secrets.redact(order.text);
  message.topic = "incident:" + st.row.id.text;
  message.sender = "incident/" + st.row.id.text;
  send_mail(
    self, st.context, registry_deadline, std::move(message),
    [](const ao::message&) {},
    [self, number = st.row.attempts](const caf::error& why) {
      auto& st = self->state;
      st.doing.clear();
      st.context.say(log_level::warn,
                     "agent_not_told incident=" + st.row.id.text + " reason=\""
                       + to_string(to_ao_error(why)) + "\"");
      if (passes(why))
        self->delayed_send(self, retry_delay, look_atom::value);
      else
        give_up(self, incident_tier::self_heal, number, why);
    });
}

// -- MEDIATION ----------------------------------------------------------------

/// The session that holds the claim already.
session_id holder_in(const error& why) {
  if (why.code == ec::task_already_claimed)
    for (const auto& [name, value] : why.details)
      if (name == "holder")
        return session_id{value};
  return {};
}

void found(self_pointer self, std::uint32_t round, const session_id& id) {
  auto& st = self->state;
  tell<incident_actor>(st.context, incident_of(self),
                       msg::mediator_found{st.row.id, round, id});
}

void want_mediator(self_pointer self) {
  auto& st = self->state;
  const auto& row = st.row;
  auto key = "mediator/" + row.id.text + "/" + std::to_string(row.rounds);
  if (!awaits_verdict(row) || !row.mediator.empty()
      || std::exchange(st.doing, key) == key)
    return;
  const auto* project = st.context.project(row.project);
  auto round = row.rounds;
  if (project == nullptr)
    return give_up(self, incident_tier::mediation, round,
                   make_error(error{ec::no_such_project, row.project.text}));
  auto c = st.context.rows->find<change>(row.change.text);
  auto s = st.context.rows->find<session>(row.session.text);
  msg::open_session wanted;
  wanted.request = request_id{key};
  wanted.subject = mediator_subject(row);
  wanted.project = row.project;
  wanted.role = session_role::mediator;
  wanted.session_prefix = project->session_prefix;
  wanted.base = project->default_branch;
  wanted.change = row.change;
  wanted.head = c      ? c->head_sha
    : s && s->worktree ? s->worktree->head_sha
                       : std::string{};
  wanted.agent = mediator_of(*st.context.config, *project);
  wanted.node = node_name{"local"};
  wanted.actor = "mediation/" + row.id.text;
  ask<registry_actor>(self, st.context, "registry"_name, registry_deadline,
                      std::move(wanted))
    .then(
      [self, round](const msg::opened_session& made) {
        self->state.doing.clear();
        found(self, round, made.opened.id);
      },
      [self, round](const caf::error& why) {
        auto& st = self->state;
        st.doing.clear();
        if (auto holder = holder_in(to_ao_error(why)); !holder.empty())
          return found(self, round, holder);
        if (!passes(why))
          return give_up(self, incident_tier::mediation, round, why);
        self->delayed_send(self, retry_delay, look_atom::value);
      });
}

} // namespace

tier_actor::behavior_type self_heal_tier(self_pointer self, hub_context context,
                                         incident_id id) {
  return tier(self, std::move(context), id, incident_tier::self_heal,
              [](self_pointer me) {
                for (const auto& effect : unfinished_effects(me->state.row))
                  if (auto* order = std::get_if<heal_agent>(&effect))
                    tell_agent_of(me, *order);
              });
}

tier_actor::behavior_type mediation_tier(self_pointer self, hub_context context,
                                         incident_id id) {
  return tier(self, std::move(context), id, incident_tier::mediation,
              want_mediator);
}

tier_actor::behavior_type human_tier(self_pointer self, hub_context context,
                                     incident_id id) {
  return tier(self, std::move(context), id, incident_tier::human,
              [](self_pointer) {});
}

} // namespace ao
