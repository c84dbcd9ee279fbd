#pragma once

#include "tests/support/world.hpp"

#include <sys/types.h>

#include <cstdint>

namespace ao::bench {

/// Processor time that a process and its reaped children have spent.
double cpu_seconds(pid_t pid);

/// Bytes of a process that are in memory.
std::uint64_t resident_bytes(pid_t pid);

/// Waits until a process has done next to nothing for a second. Throws when it
/// never rests.
void await_rest(pid_t pid);

/// The hub of a world. Throws when it has none.
pid_t hub_pid(const world& w);

} // namespace ao::bench
