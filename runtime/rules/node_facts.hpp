#pragma once

#include "messages/time.hpp"
#include "messages/wire.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace ao {

/// Between two looks at the agent programs of a node while all of them could
/// start; a run that fails for its login has one taken at once.
constexpr std::chrono::minutes probe_pause{5};

/// Between two looks at its memory, which cost nothing.
constexpr std::chrono::seconds weigh_pause{5};

/// When to look at the agent programs again: as often as a breaker probes
/// while one is not ready.
/// @param half_open `breaker.halfOpen`.
milliseconds pause_of_probe(const msg::node_facts& found,
                            milliseconds half_open);

/// Whether the hub is to be told: it knows nothing, other agents could start,
/// or the memory has changed by a quarter of what it knows.
bool worth_telling(const std::optional<msg::node_facts>& told,
                   const msg::node_facts& found);

/// The facts with an agent that has just failed to start there.
msg::node_facts with_unready(msg::node_facts facts, msg::unready_agent failed);

} // namespace ao
