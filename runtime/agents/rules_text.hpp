#pragma once

#include "messages/orders.hpp"
#include "messages/settings.hpp"

#include <string>

namespace ao {

/// What every agent of a role is told beside its prompt: what ao is, how it
/// reports, how its work gets on; then the project's own rules. For programs
/// that have a place for such words.
/// @param own_rules Of the project, already read; empty = none.
std::string rules_text(const msg::session_spec& spec, change_opener opener,
                       const std::string& own_rules);

/// What an agent is told in a conversation that was cut off.
std::string resume_text(resume_reason why);

/// `agentRules` and the text of `agentRulesFile`, by role. Blocking. A file
/// that cannot be read is an error: an agent without its rules does harm.
result<std::string> own_rules_of(const project_settings& project,
                                 session_role role);

/// Permissions and model for a session of this role in `project`.
agent_config config_for(const project_settings& project, session_role role);

} // namespace ao
