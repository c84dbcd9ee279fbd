#pragma once

#include "messages/incident.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// Answers that are more than a text for the agent.
constexpr std::string_view answer_retry = "retry";
constexpr std::string_view answer_abandon = "abandon";

/// The tier that an incident of this cause begins with (DESIGN §10).
incident_tier first_tier(incident_cause c);

/// How urgent its question is.
priority priority_of(incident_cause c);

/// The answers that are offered for a cause.
std::vector<std::string> options_for(incident_cause c);

} // namespace ao
