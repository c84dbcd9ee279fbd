#pragma once

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/http/respond.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
} // namespace boost::asio

namespace ao::http {

/// The limits of a server.
struct server_options {
  /// Longest body; a longer one gets 413 `too_large`.
  std::size_t body_limit = 1 << 20;
  /// Longest request line and headers; longer ones get 431.
  std::size_t header_limit = 16 << 10;
  /// Open connections over all listeners; further ones wait in the backlog.
  std::size_t max_connections = 512;
  /// Longest wait for a handler; then 504 `timed_out`.
  milliseconds deadline{20'000};
  /// Longest time from the first byte of a request to its last.
  milliseconds read_timeout{10'000};
  /// Longest pause between two requests of a connection.
  milliseconds idle_timeout{60'000};
  /// Longest time for a client to take its answer.
  milliseconds write_timeout{10'000};
  /// Pause between two `: ping` of a stream.
  milliseconds ping{15'000};
  /// Events and bytes that a stream's reader may be behind.
  std::size_t stream_events = 1024;
  std::size_t stream_bytes = 4 << 20;
  /// Peers of Unix sockets must be this user or root; others get 403
  /// `peer_refused`. The default is the process's own.
  uid_t owner;

  server_options();
};

/// How to treat a file that is where the socket should be.
enum class stale_socket {
  /// Refuse: the caller does not know who lives there.
  keep,
  /// Replace a socket (never any other kind of file): the caller holds the
  /// lock on the home, so whoever made it is dead.
  replace,
};

/// An HTTP/1.1 server on any number of Unix sockets and TCP ports.
///
///   accept -> read head -> read body -> handler -> write -> read head ...
///                                         |
///                                         +-> stream -> until closed
///
/// Requests of one connection are answered in their order, one at a time.
/// Everything happens on the thread that runs `io`, which must be one only
/// and must outlive the server's connections; the public functions may be
/// called from any thread.
class server {
public:
  server(boost::asio::io_context& io, handler fn, server_options options = {});

  /// Stops.
  ~server();

  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Listens on a Unix socket of mode 0600. Errors: `home_unusable` with the
  /// path and the reason.
  result<void> listen_unix(std::string name, const std::string& path,
                           stale_socket stale = stale_socket::keep);

  /// Listens on `<address>:<port>` (a numeric address; port 0 = any free
  /// one). Says which port. Errors: `bad_input`.
  result<std::uint16_t> listen_tcp(std::string name, const std::string& address,
                                   std::uint16_t port);

  /// Closes every listener and connection and removes the socket files that
  /// are still its own. Answers that come later are ignored.
  void stop();

private:
  class impl;
  std::shared_ptr<impl> impl_;
};

} // namespace ao::http
