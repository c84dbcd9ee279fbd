#include "actors/human.hpp"

namespace ao {

using namespace tier_parts;

tier_actor::behavior_type human(self_pointer self, hub_context context,
                                incident_id id) {
  return behave(self, std::move(context), id, incident_tier::human,
                [](self_pointer) {});
}

} // namespace ao
