#pragma once

#include "messages/error.hpp"

#include <string>

namespace ao::cli {

/// Whether a person sits at standard input and error.
bool can_ask();

/// Asks on standard error for one line, which is not shown while it is typed.
/// Errors: `bad_input` when it is given up (Ctrl-C, end of input).
result<std::string> ask_secret(const std::string& question);

} // namespace ao::cli
