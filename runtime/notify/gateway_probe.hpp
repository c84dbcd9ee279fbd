#pragma once

#include "runtime/notify/http_call.hpp"

#include <string>

/// Whether a gateway would take notifications, found out without a run of its
/// agent: a request without a message is refused only behind path and token.
namespace ao::notify {

/// What a probe has found.
struct gateway_probe {
  enum class state {
    /// Path and token are right.
    ready,
    /// Nobody listens there.
    not_running,
    /// Nothing comes back in time, or the connection fails otherwise.
    no_answer,
    /// The token is not that of the gateway.
    wrong_token,
    /// Too many wrong tokens came from here.
    locked_out,
    /// Hooks are off, or have another path.
    no_hooks,
    /// Whatever listens there is no gateway that we know.
    unknown,
  } what
    = state::unknown;
  /// What was seen, one line.
  std::string detail;
  /// What to do, empty when ready.
  std::string remedy;
};

/// `ready`, `not_running`, …
std::string to_string(gateway_probe::state what);

/// POST of `{}`, which takes ten seconds at most.
/// @param token Sent as bearer; empty = none.
http_call probe_call(const std::string& url, const std::string& token);

gateway_probe read_probe(const std::string& url, const http_reply& reply);

} // namespace ao::notify
