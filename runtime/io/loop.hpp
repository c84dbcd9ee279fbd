#pragma once

#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
} // namespace boost::asio

namespace ao {

/// The one thread that waits for sockets and pidfds: HTTP server, shim links
/// and exit watches all live on it. Handlers must not block and must not
/// throw: an exception that leaves one ends the process.
class io_loop {
public:
  /// Starts the thread.
  io_loop();

  /// As `stop()`.
  ~io_loop();

  io_loop(const io_loop&) = delete;
  io_loop& operator=(const io_loop&) = delete;

  /// Runs `task` on the loop's thread, in the order posted. Safe from any
  /// thread; after `stop()` the task is dropped.
  void post(std::function<void()> task);

  /// The context, for those who include asio themselves.
  boost::asio::io_context& context();

  /// Whether the caller is the loop's thread.
  bool on_loop_thread() const;

  /// Ends the thread after the handler that runs at present; what waits is
  /// dropped. Idempotent. Not to be called from the loop's thread.
  void stop();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace ao
