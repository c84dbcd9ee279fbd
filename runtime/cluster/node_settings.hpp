#pragma once

#include "messages/error.hpp"
#include "messages/settings.hpp"

#include <string>

namespace ao {

/// What of the hub's configuration a node has to know: its agents, and of each
/// project what a session is made by. No notifier, no token of a forge or a
/// tracker; an agent's own `env` goes along, as it goes to the agent. Blocks:
/// files of rules become their text, as the node has not the file.
/// Errors: those of reading.
result<std::string> node_settings(const settings& all);

/// The same as a configuration. `symlinks` need the person's checkout, which a
/// node has not, so it has none. Errors: `bad_input`.
result<settings> read_node_settings(const std::string& text);

} // namespace ao
