#pragma once

#include "cli/command.hpp"

#include <functional>

namespace ao::cli {

/// Shows something anew at each event of the hub, until Ctrl-C or the end of
/// the hub, on the terminal's other screen. Many events at once are one
/// change. Errors: `bad_input` (standard output is no terminal), and those of
/// `show` and of the event stream.
/// @param show Prints one picture of it.
outcome watch(invocation& what, const std::function<result<void>()>& show);

} // namespace ao::cli
