#pragma once

#include "runtime/shim/protocol.hpp"

#include <functional>
#include <memory>

namespace ao {

class io_loop;

/// Why a link is closed.
enum class link_end {
  /// Nobody listens: the shim is dead (or has not bound its socket yet); the
  /// exit file says why.
  refused,
  /// The connection broke without an `exited`: the shim died (KILL).
  lost,
  /// After `exited`, as expected.
  finished,
  /// It speaks another version, or no protocol of ours at all.
  mismatch,
};

/// The node's end of a shim's socket: dials once and reports.
///
///   dial --refused-------------------------> on_closed(refused)
///        --hello--> on_hello --exited--> on_exited --> on_closed(finished)
///                            --eof-----------------> on_closed(lost)
///
/// Handlers run on the loop's thread; `on_closed` comes exactly once, unless
/// the link is destroyed before. A handler that runs while the link is being
/// destroyed from another thread may still finish.
class shim_link {
public:
  struct handlers {
    std::function<void(const shim_hello&)> on_hello;
    std::function<void(const exit_report&)> on_exited;
    std::function<void(link_end, const std::string& detail)> on_closed;
  };

  /// Dials `socket_path` at once.
  shim_link(io_loop& loop, std::string socket_path, handlers on);

  /// Hangs up; the agent lives on.
  ~shim_link();

  shim_link(const shim_link&) = delete;
  shim_link& operator=(const shim_link&) = delete;

  /// Asks the shim to end the agent's whole tree: TERM, `grace`, KILL.
  /// Any thread; on a closed link nothing happens.
  void stop(milliseconds grace);

  /// Asks the shim to KILL the whole tree at once.
  void kill();

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

} // namespace ao
