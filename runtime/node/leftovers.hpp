#pragma once

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/process/process_table.hpp"

#include <sys/types.h>

#include <string>
#include <string_view>

namespace ao {

/// True when `pid` is the `ao-shim` of the session directory `dir`; pids are
/// used again, so a number alone says nothing.
bool is_shim_of(pid_t pid, std::string_view dir);

/// Ends everything that a run has left: what carries its mark, and its shim
/// when that no longer obeys (`shim_pid`, 0 = none known). TERM, `grace`,
/// KILL. Blocks. Errors: as `end_marked`.
result<end_report> end_leftovers(const std::string& mark, pid_t shim_pid,
                                 const std::string& dir, milliseconds grace);

} // namespace ao
