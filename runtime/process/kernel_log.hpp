#pragma once

#include <sys/types.h>

#include <chrono>
#include <string_view>

namespace ao {

/// Whether a record of `/dev/kmsg` says that the kernel has killed this process
/// for want of memory, at or after `since` (of the clock that the log has:
/// since the boot).
bool tells_of_memory_kill(std::string_view record, pid_t pid,
                          std::chrono::microseconds since);

/// Looks for that in the kernel's log. False, too, where this user may not read
/// it.
bool killed_for_memory(pid_t pid, std::chrono::microseconds since);

} // namespace ao
