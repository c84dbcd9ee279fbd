#include "actors/self_heal.hpp"

#include "actors/incident_mail.hpp"
#include "runtime/rules/incidents.hpp"

namespace ao {
namespace {

using namespace tier_parts;

void tell_agent_of(self_pointer self, const heal_agent& order) {
  auto& st = self->state;
  if (std::exchange(st.doing, order.key) == order.key)
    return;
  send_incident_mail(
    self, st.context, st.row, st.row.session, order.key, order.text,
    [](const message&) {},
    [self, number = st.row.attempts](const caf::error& why) {
      fail_try(self, incident_tier::self_heal, number, why);
    });
}

} // namespace

tier_actor::behavior_type self_heal(self_pointer self, hub_context context,
                                    incident_id id) {
  return behave(self, std::move(context), id, incident_tier::self_heal,
                [](self_pointer me) {
                  for (const auto& effect : unfinished_effects(me->state.row))
                    if (auto* order = std::get_if<heal_agent>(&effect))
                      tell_agent_of(me, *order);
                });
}

} // namespace ao
