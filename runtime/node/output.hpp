#pragma once

#include "messages/error.hpp"
#include "messages/output.hpp"
#include "runtime/home/home.hpp"

#include <cstddef>

namespace ao {

/// A part of what a run has printed: of the file that the shim has kept of its
/// end, else of the terminal with all that has left it at the top. A terminal
/// goes on while it is read in parts, so that its text is kept in a file until
/// its last part was read. Blocks. Errors: `bad_input`, `wrong_state` (that
/// text is gone; begin again), `home_unusable`.
/// @param most Bytes of a part.
result<msg::output_part>
read_output(const home& place, const msg::read_output& what, std::size_t most);

} // namespace ao
