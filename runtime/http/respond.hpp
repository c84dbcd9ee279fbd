#pragma once

#include "messages/error.hpp"
#include "runtime/http/message.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace ao::http {

/// Where the events of one stream go; implemented by the server and by tests.
class stream_sink {
public:
  virtual ~stream_sink() = default;
  /// Queues one framed event; false when the stream is closed. Thread-safe.
  virtual bool push(std::string frame) = 0;
  virtual void close() = 0;
  virtual bool closed() const = 0;
  /// `fn` runs once, on the server's thread (or at once when it is closed
  /// already).
  virtual void on_close(std::function<void()> fn) = 0;
};

/// The writing end of a stream of Server-Sent Events: a copyable, thread-safe
/// handle. A reader who does not keep up (1024 events or 4 MiB behind) is
/// disconnected; it comes back with `Last-Event-ID`. The server sends
/// `: ping` every 15 s by itself. Dropping every handle does not close it:
/// call `close()`.
class event_stream {
public:
  /// A stream that is closed.
  event_stream() = default;
  explicit event_stream(std::shared_ptr<stream_sink> sink)
      : sink_(std::move(sink)) {}

  /// Sends one event; `data` is one line (a line break in it is sent as
  /// several `data:` lines, as the format wants). False when the stream is
  /// closed.
  bool write(std::uint64_t id, std::string_view event,
             std::string_view data) const;

  /// Sends what is queued, then ends the connection.
  void close() const;

  bool closed() const;

  /// `fn` runs once when the stream ends for any reason.
  void on_close(std::function<void()> fn) const;

private:
  std::shared_ptr<stream_sink> sink_;
};

/// Where the one answer to a request goes; implemented by the server and by
/// tests. Only `respond_once` calls it, at most one of the two, once.
class answer_sink {
public:
  virtual ~answer_sink() = default;
  virtual void send(response answer) = 0;
  virtual event_stream open_stream() = 0;
};

/// The right and the duty to answer one request: a copyable, thread-safe
/// one-shot. The first answer wins, later ones are ignored. When the last
/// copy is dropped without an answer the client gets 500 `internal`; when the
/// server's deadline passes first it gets 504 `timed_out` and the answer that
/// comes after it is ignored.
class respond_once {
public:
  /// Answers nobody.
  respond_once() = default;
  explicit respond_once(std::shared_ptr<answer_sink> sink);

  /// Answers; false when an answer was given before.
  bool operator()(response answer) const;

  /// Answers with the problem document of `why`.
  bool operator()(const error& why) const;

  /// Answers with 200 and an open stream of events; a closed stream when an
  /// answer was given before.
  event_stream stream() const;

  bool answered() const;

private:
  struct state;
  std::shared_ptr<state> state_;
};

/// What a server does with a request. Called on the io thread: must not
/// block.
using handler = std::function<void(request, respond_once)>;

} // namespace ao::http
