#pragma once

#include "messages/change.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What agents and people are told about a change. Texts about reviews are in
/// reviews.hpp.
namespace ao {

/// The failing CI message (CONTRACT §8): what, how it ended, up to 100 lines
/// of the log fenced, the rule.
/// @param base The branch that a merged result was merged with.
std::string ci_failure_text(const ci_run& run,
                            const std::vector<std::string>& log_tail,
                            const std::string& base = "main");

/// What a person is told of a base that fails by itself.
std::string base_red_text(const std::string& base, const std::string& sha,
                          const std::vector<std::string>& command,
                          const std::string& how,
                          const std::vector<std::string>& log_tail);

/// The command as a person would type it; quoted where a shell needs it.
std::string shown_command(const std::vector<std::string>& command);

/// What an agent whose change does not merge is to do.
std::string conflict_text(const change& c);

} // namespace ao
