#pragma once

#include "messages/ids.hpp"

#include <string>

namespace ao {

/// The subject of the claim of a project's standing orchestrator:
/// `role/orchestrator/<project>`. There is one at a time, whoever asks for it.
std::string orchestrator_subject(const project_id& project);

/// How the question of a session reads to its orchestrator: who asks, what, and
/// how the answer reaches him.
std::string question_from(const session_id& who, const std::string& text);

/// What the standing orchestrator is given to read when it begins.
std::string orchestrator_prompt(const project_id& project);

} // namespace ao
