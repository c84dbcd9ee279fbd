#pragma once

#include <cstdint>
#include <string>

namespace ao::bench {

/// Where the home of a scripted node is below `root`.
std::string crew_home(const std::string& root, int number);

/// Has this process be several nodes that have joined: `first` and those after
/// it. They share its one link, as CAF has one for each pair of processes, and
/// show the first one's certificate; each says hello with its own credential
/// and beats by itself. Beside each beat the same call goes to an echo, for
/// the raw cost. Says `ready`; with the first line of standard input it dials,
/// and with the end of it, it ends.
/// @param words `<root> <first> <count> <echo port>`.
int serve_crew(const std::string& words);

} // namespace ao::bench
