#include "runtime/rules/incident_causes.hpp"

namespace ao {

incident_tier first_tier(incident_cause c) {
  switch (c) {
  case incident_cause::ci_failed:
  case incident_cause::changes_requested:
  case incident_cause::conflict:
    return incident_tier::self_heal;
  case incident_cause::stuck:
  case incident_cause::crash_loop:
    return incident_tier::mediation;
  default:
    return incident_tier::human;
  }
}

priority priority_of(incident_cause c) {
  switch (c) {
  case incident_cause::needs_input:
  case incident_cause::stuck:
  case incident_cause::crash_loop:
  case incident_cause::auth:
  case incident_cause::base_red:
    return priority::urgent;
  default:
    return priority::action;
  }
}

std::vector<std::string> options_for(incident_cause c) {
  switch (c) {
  case incident_cause::needs_input:
    return {};
  case incident_cause::base_red:
  case incident_cause::auth:
  case incident_cause::node_lost:
    return {std::string{answer_retry}};
  default:
    return {std::string{answer_retry}, std::string{answer_abandon}};
  }
}

} // namespace ao
