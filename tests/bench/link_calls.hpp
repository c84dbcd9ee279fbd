#pragma once

#include <cstdint>
#include <string>

namespace ao::bench {

/// The raw cost of a call between hosts: an actor that answers with what it is
/// sent, behind the same TLS. Prints its port, ends with its standard input.
/// A process of its own: two actor systems of one process would take each
/// other for themselves.
/// @param root The home of a hub that is initialised for a cluster.
int serve_echo(const std::string& root);

/// Milliseconds of many calls, one after the other.
struct call_times {
  double p50 = 0;
  double p99 = 0;
};

struct link_times {
  /// The first words, answered when the node's row is durable.
  double hello = 0;
  /// Calls that the hub answers from memory (`beat`).
  call_times calls;
  call_times echo;
};

/// Has this process be a node: says hello to its hub, then calls it, and the
/// echo before and after. Throws when somebody does not answer.
/// @param root The home of a node that has joined and does not run.
link_times time_calls(const std::string& root, std::uint16_t echo_port);

} // namespace ao::bench
