#pragma once

#include "messages/time.hpp"
#include "runtime/io/fd.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace ao {

/// A request as it came in.
struct loopback_request {
  std::string method;
  std::string target;
  /// Names in lower case.
  std::map<std::string, std::string> headers;
  std::string body;
};

/// What is done with a request.
struct loopback_reply {
  enum class kind {
    answer,
    /// The connection is cut without a byte.
    reset,
    /// Nothing is said until the client gives up.
    silence,
  } what
    = kind::answer;
  int status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// A server of HTTP/1.1 on a free port of loopback, for clients under test:
/// every connection has its thread, carries one request, and may be treated
/// as badly as a real one. Not for programs.
class loopback_server {
public:
  /// Called by the connections' threads, also at the same time.
  using handler = std::function<loopback_reply(const loopback_request&)>;

  explicit loopback_server(handler handle);
  /// Cuts every connection.
  ~loopback_server();
  loopback_server(const loopback_server&) = delete;
  loopback_server& operator=(const loopback_server&) = delete;

  /// `http://127.0.0.1:<port>`
  std::string url() const;

private:
  void accept_all();
  void serve(int connection);

  handler handle_;
  unique_fd listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::thread> threads_;
  std::vector<int> open_;
  std::thread acceptor_;
};

} // namespace ao
