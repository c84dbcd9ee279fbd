#include "runtime/shim/link.hpp"

#include "runtime/io/loop.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>
#include <sys/un.h>

#include <atomic>
#include <list>

namespace ao {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t largest_read = std::size_t{64} << 10;

} // namespace

/// Lives as long as an operation of its socket is under way. Everything but
/// `abandoned` belongs to the loop's thread.
struct shim_link::impl : std::enable_shared_from_this<impl> {
  impl(io_loop& loop_of, handlers on_what)
      : loop(loop_of), on(std::move(on_what)), socket(loop_of.context()) {}

  void dial(const std::string& path) {
    if (path.size() >= sizeof(sockaddr_un::sun_path))
      return close(link_end::refused, path + " is too long for a socket");
    socket.async_connect(asio::local::stream_protocol::endpoint{path},
                         [me = shared_from_this()](error_code failed) {
                           // What can be read is read, without waiting.
                           if (!failed)
                             me->socket.non_blocking(true, failed);
                           if (failed)
                             return me->close(link_end::refused,
                                              failed.message());
                           me->connected = true;
                           me->await_words();
                           me->write_next();
                         });
  }

  /// Waits until there is something to read: a shim says next to nothing, so
  /// a link that is quiet holds no buffer.
  void await_words() {
    socket.async_wait(asio::local::stream_protocol::socket::wait_read,
                      [me = shared_from_this()](error_code failed) {
                        if (!failed)
                          failed = me->read_some();
                        if (failed)
                          return me->close(me->exited ? link_end::finished
                                                      : link_end::lost,
                                           failed.message());
                        if (me->take_lines())
                          me->await_words();
                      });
  }

  /// What can be read at present; nothing is no error.
  error_code read_some() {
    char chunk[largest_read];
    error_code failed;
    auto n = socket.read_some(asio::buffer(chunk), failed);
    heard.append(chunk, n);
    return failed == asio::error::would_block ? error_code{} : failed;
  }

  /// The whole lines so far; false when the link is closed by one of them.
  bool take_lines() {
    for (auto end = heard.find('\n'); end != std::string::npos;
         end = heard.find('\n')) {
      auto line = heard.substr(0, end);
      heard.erase(0, end + 1);
      if (!take(line))
        return false;
    }
    if (heard.size() >= shim_line_limit) {
      close(link_end::mismatch, "a line without end");
      return false;
    }
    if (heard.empty())
      heard.shrink_to_fit();
    return true;
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
  handlers on;
  asio::local::stream_protocol::socket socket;
  /// The beginning of a line.
  std::string heard;
  std::list<std::string> outbox;
  bool connected = false;
  bool greeted = false;
  bool exited = false;
  bool closed = false;
  /// Set by the destructor, from any thread: no handler begins any more.
  std::atomic<bool> abandoned{false};
};

shim_link::shim_link(io_loop& loop, std::string socket_path, handlers on)
    : impl_(std::make_shared<impl>(loop, std::move(on))) {
  loop.post([me = impl_, path = std::move(socket_path)] { me->dial(path); });
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
