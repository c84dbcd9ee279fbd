#pragma once

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/http/message.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace ao::http {

/// One event of a stream, as received.
struct received_event {
  std::uint64_t id = 0;
  std::string event;
  std::string data;
};

/// The answer to a call (status below 400).
struct reply {
  int status = 0;
  nlohmann::json body;
  /// The body as it came; equals `body` when that is JSON.
  std::string text;
};

/// A blocking client of the hub's API over its Unix socket; for `ao`, which
/// must start fast. One connection per call.
class api_client {
public:
  using header_list = std::vector<std::pair<std::string, std::string>>;

  /// @param socket Path of `hub.sock` or `agent.sock`.
  /// @param token Sent as bearer token unless empty.
  explicit api_client(std::string socket, std::string token = {});

  /// Sends one request and waits for its answer. A status of 400 and over is
  /// an error again: the problem document's code, detail and members.
  /// Errors: `hub_not_running` (nobody listens, or the hub ended meanwhile;
  /// the text says `ao start`), `timed_out` (names the request id when there
  /// is one), `peer_refused`, and everything the hub answers. A hub whose API
  /// is just being started is asked again for some seconds.
  /// @param target Path and query, already encoded (`percent_encode`).
  result<reply> call(const std::string& method, const std::string& target,
                     const nlohmann::json& body = nullptr,
                     const header_list& headers = {},
                     milliseconds deadline = milliseconds{30'000}) const;

  /// What a listener to a stream wants next.
  enum class next { more, stop };

  /// Reads Server-Sent Events until `on_event` says `stop` (ok), the server
  /// ends the stream (`not_reachable`), or the deadline passes (`timed_out`);
  /// a deadline of zero waits for ever.
  result<void>
  stream(const std::string& target,
         const std::function<next(const received_event&)>& on_event,
         milliseconds deadline = milliseconds{0}) const;

  const std::string& socket() const { return socket_; }

private:
  result<reply> call_once(const std::string& method, const std::string& target,
                          const nlohmann::json& body,
                          const header_list& headers,
                          milliseconds deadline) const;

  std::string socket_;
  std::string token_;
};

} // namespace ao::http
