#pragma once

#include "messages/orders.hpp"
#include "runtime/agents/launch.hpp"
#include "runtime/shim/protocol.hpp"

#include <optional>
#include <string>

namespace ao {

/// The node's truth about one session, as files (DESIGN §6): `spec.json` (the
/// order that is carried out), `saga.jsonl` (its steps), `launch.json` and
/// `exit.<run>.json` (the shim's), `in/` (prompts). Blocking.
class session_dir {
public:
  /// @param path `sessions/<id>`; made by `begin`.
  explicit session_dir(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }

  /// Makes the directory and writes the order down, durably.
  result<void> begin(const msg::session_spec& spec) const;

  /// The order last written; nothing when there is none (yet).
  result<std::optional<msg::session_spec>> spec() const;

  /// Adds a line to the saga: `what` is `begun`, `done`, `failed`, `undone`.
  result<void> note(run_no run, const std::string& step,
                    const std::string& what) const;

  /// Writes down that the run is being ended because it hangs (`hung.<run>`),
  /// so that its end is told as such whoever reads it.
  result<void> mark_hung(run_no run) const;
  bool is_hung(run_no run) const;

  /// Writes prompt and `launch.json` of a run.
  result<launch_spec> write_launch(const msg::session_spec& spec,
                                   const agent_launch& launch,
                                   const session_places& places,
                                   const std::string& shim_socket) const;

  /// Removes everything.
  result<void> remove() const;

private:
  std::string path_;
};

/// What a run's exit file means to the hub.
exit_info describe_exit(const exit_report& report);

} // namespace ao
