#include "runtime/shim/link.hpp"

#include "runtime/io/loop.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>
#include <sys/un.h>

#include <atomic>
#include <deque>
#include <istream>

namespace ao {

namespace asio = boost::asio;
using boost::system::error_code;

/// Lives as long as an operation of its socket is under way. Everything but
/// `abandoned` belongs to the loop's thread.
struct shim_link::impl : std::enable_shared_from_this<impl> {
  impl(io_loop& loop_of, std::string socket_path, handlers on_what)
      : loop(loop_of),
        path(std::move(socket_path)),
        on(std::move(on_what)),
        socket(loop_of.context()),
        buffer(shim_line_limit) {}

  void dial() {
    if (path.size() >= sizeof(sockaddr_un::sun_path))
      return close(link_end::refused, path + " is too long for a socket");
    socket.async_connect(asio::local::stream_protocol::endpoint{path},
                         [me = shared_from_this()](error_code failed) {
                           if (failed)
                             return me->close(link_end::refused,
                                              failed.message());
                           me->connected = true;
                           me->read_line();
                           me->write_next();
                         });
  }

  void read_line() {
    asio::async_read_until(
      socket, buffer, '\n',
      [me = shared_from_this()](error_code failed, std::size_t) {
        if (failed == asio::error::not_found)
          return me->close(link_end::mismatch, "a line without end");
        if (failed)
          return me->close(me->exited ? link_end::finished : link_end::lost,
                           failed.message());
        std::string line;
        std::istream in{&me->buffer};
        std::getline(in, line);
        if (me->take(line))
          me->read_line();
      });
  }

  /// One line of the shim; false when the link is closed by it.
  bool take(const std::string& line) {
    if (abandoned)
      return false;
    if (!greeted) {
      auto hello = parse_hello(line);
      if (!hello) {
        close(link_end::mismatch, to_string(hello.error()));
        return false;
      }
      greeted = true;
      if (on.on_hello)
        on.on_hello(*hello);
      return true;
    }
    auto doc = nlohmann::json::parse(line, nullptr, false);
    if (!doc.is_object()) {
      close(link_end::mismatch, "not a JSON object");
      return false;
    }
    // Events of later versions are not ours to understand.
    if (doc.value("event", nlohmann::json{}) != "exited")
      return true;
    auto report = parse_exit(line);
    if (!report) {
      close(link_end::mismatch, to_string(report.error()));
      return false;
    }
    exited = true;
    if (on.on_exited)
      on.on_exited(*report);
    return true;
  }

  void send(std::string line) {
    if (closed)
      return;
    outbox.push_back(std::move(line) + "\n");
    if (connected && outbox.size() == 1)
      write_next();
  }

  void write_next() {
    if (outbox.empty() || closed)
      return;
    asio::async_write(
      socket, asio::buffer(outbox.front()),
      [me = shared_from_this()](error_code failed, std::size_t) {
        // The read side notices the same and reports it.
        if (failed)
          return;
        me->outbox.pop_front();
        me->write_next();
      });
  }

  void close(link_end why, const std::string& detail) {
    if (closed)
      return;
    closed = true;
    error_code ignored;
    socket.close(ignored);
    if (!abandoned && on.on_closed)
      on.on_closed(why, detail);
  }

  io_loop& loop;
  std::string path;
  handlers on;
  asio::local::stream_protocol::socket socket;
  asio::streambuf buffer;
  std::deque<std::string> outbox;
  bool connected = false;
  bool greeted = false;
  bool exited = false;
  bool closed = false;
  /// Set by the destructor, from any thread: no handler begins any more.
  std::atomic<bool> abandoned{false};
};

shim_link::shim_link(io_loop& loop, std::string socket_path, handlers on)
    : impl_(
      std::make_shared<impl>(loop, std::move(socket_path), std::move(on))) {
  loop.post([me = impl_] { me->dial(); });
}

shim_link::~shim_link() {
  impl_->abandoned = true;
  impl_->loop.post([me = impl_] { me->close(link_end::lost, "abandoned"); });
}

void shim_link::stop(milliseconds grace) {
  auto line = to_json(shim_order{shim_order::kind::stop, grace});
  impl_->loop.post([me = impl_, line] { me->send(line); });
}

void shim_link::kill() {
  auto line = to_json(shim_order{shim_order::kind::kill, milliseconds{0}});
  impl_->loop.post([me = impl_, line] { me->send(line); });
}

} // namespace ao
