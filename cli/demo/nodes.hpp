#pragma once

#include "cli/demo/stage.hpp"
#include "messages/error.hpp"
#include "runtime/process/process.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ao::cli::demo {

/// A port of loopback that is free together with the one after it. Errors:
/// `process_failed`.
result<std::uint16_t> free_port_pair();

/// The workers of the demo: `ao-node` programs `n1`, `n2`, … of this machine,
/// each with a home of its own in `<home>/nodes`.
class nodes {
public:
  /// @param where Outlives this.
  explicit nodes(const stage& where) : where_(where) {}
  /// Lets go of what `end` was not called for.
  ~nodes() = default;
  nodes(const nodes&) = delete;
  nodes& operator=(const nodes&) = delete;

  /// Has one join the hub, which runs, and starts it. Errors: those of the
  /// programs.
  result<void> add(const std::string& name, std::uint16_t door);

  /// Stops and continues its program, as if its host were cut off: its agents
  /// go on. Errors: `no_such_node`.
  result<void> cut(const std::string& name);
  result<void> restore(const std::string& name);

  /// Ends its program and all that it has started with SIGKILL, as if its host
  /// had lost its power. Errors: `no_such_node`, `timed_out`.
  result<void> kill(const std::string& name);

  /// Ends all programs in order, then the tmux servers, whose agents have
  /// ended. Errors: `timed_out`, naming who does not end.
  result<void> end();

private:
  result<child*> find(const std::string& name);

  const stage& where_;
  std::map<std::string, child> running_;
};

} // namespace ao::cli::demo
