#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/harden.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace ao {

/// State of SELF HEAL, MEDIATION and HUMAN.
struct tier_state {
  static inline const char* name = "tier";
  hub_context context;
  incident row;
  /// The deadline for which a look is armed.
  std::optional<wall_time> armed;
  /// What is under way, so that it is not begun twice.
  std::string doing;
};

/// What is the same for the three tiers; for them alone.
namespace tier_parts {

using self_pointer = tier_actor::stateful_pointer<tier_state>;

constexpr std::chrono::seconds retry_delay{2};

template <class Message>
void tell_incident(self_pointer self, Message message) {
  auto& st = self->state;
  tell<incident_actor>(st.context, make_actor_name("incident", st.row.id.text),
                       std::move(message));
}

/// The present try cannot be made: says so to the INCIDENT; or tries again
/// later, when that may help.
inline void fail_try(self_pointer self, incident_tier tier,
                     std::uint32_t number, const caf::error& why) {
  auto& st = self->state;
  auto known = to_ao_error(why);
  st.doing.clear();
  st.context.say(log_level::warn,
                 "tier_failed incident=" + st.row.id.text + " reason=\""
                   + to_string(known) + "\"");
  if (may_pass(known.code))
    self->delayed_send(self, retry_delay, look_atom::value);
  else
    tell_incident(self,
                  msg::tier_failed{st.row.id, tier, number, to_string(known)});
}

/// Has a look when the deadline is over, and the INCIDENT told when it is.
inline void keep_deadline(self_pointer self) {
  auto& st = self->state;
  if (!st.row.deadline)
    return;
  auto left = *st.row.deadline - st.context.now();
  if (left.count() <= 0)
    return tell_incident(self, msg::incident_overdue{st.row.id});
  if (st.armed && *st.armed <= *st.row.deadline)
    return;
  st.armed = st.row.deadline;
  self->delayed_send(self, left, look_atom::value);
}

/// Takes the row, keeps its deadline, does `act`, ends when the incident is
/// another tier's.
template <class Act>
tier_actor::behavior_type behave(self_pointer self, hub_context context,
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
    keep_deadline(self);
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

} // namespace tier_parts
} // namespace ao
