#pragma once

#include "messages/error.hpp"
#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <string>

namespace ao {

/// Waits until the shim of `run` listens (true) or its exit file is there
/// (false: the run is over already). Woken by the file system (inotify), not
/// by time. Blocks. Errors: `timed_out` after `limit`, `process_failed`.
result<bool> await_shim_socket(const std::string& socket,
                               const std::string& session_dir, run_no run,
                               milliseconds limit);

} // namespace ao
