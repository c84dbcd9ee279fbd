// The only file that includes Boost.Beast (six seconds of compiler): the
// server, and the small client of `ao`.
#include "runtime/http/client.hpp"
#include "runtime/http/problem.hpp"
#include "runtime/http/server.hpp"

#include <arpa/inet.h>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace ao::http {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;

using boost::system::error_code;
using stream_socket = net::generic::stream_protocol::socket;
using clock = std::chrono::steady_clock;

/// How long a client that is being turned away may take to read why.
constexpr auto linger_time = std::chrono::seconds{2};

/// Pause after the process ran out of descriptors; no event says that there
/// are some again.
constexpr auto scarcity_pause = std::chrono::milliseconds{200};

std::string reason() {
  return std::strerror(errno);
}

/// Fills the address of a Unix socket; false when the path is too long.
bool unix_address(const std::string& path, sockaddr_un& out) {
  out = {};
  out.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof out.sun_path)
    return false;
  std::memcpy(out.sun_path, path.data(), path.size());
  return true;
}

std::string lower(beast::string_view text) {
  std::string out{text.data(), text.size()};
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  });
  return out;
}

class connection;

/// What a connection needs of its server.
class host {
public:
  virtual ~host() = default;
  virtual net::io_context& io() = 0;
  virtual const server_options& options() const = 0;
  virtual void handle(request what, respond_once respond) = 0;
  virtual void forget(connection* gone) = 0;
};

/// The queue between writers on any thread and a connection.
class live_stream : public stream_sink,
                    public std::enable_shared_from_this<live_stream> {
public:
  live_stream(net::io_context& io, const server_options& options,
              std::weak_ptr<connection> to)
      : io_(io),
        max_events_(options.stream_events),
        max_bytes_(options.stream_bytes),
        to_(std::move(to)) {}

  bool push(std::string frame) override;
  void close() override;

  bool closed() const override {
    std::lock_guard guard{lock_};
    return closed_;
  }

  void on_close(std::function<void()> fn) override {
    {
      std::lock_guard guard{lock_};
      if (!ended_) {
        callbacks_.emplace_back(std::move(fn));
        return;
      }
    }
    fn();
  }

  /// Everything that waits, as one buffer. The reader has it now, so from
  /// here on the bounds count from zero.
  std::string take() {
    std::lock_guard guard{lock_};
    std::string out;
    for (auto& frame : queue_)
      out += frame;
    queue_.clear();
    bytes_ = 0;
    return out;
  }

  /// The connection is gone.
  void end() {
    std::vector<std::function<void()>> callbacks;
    {
      std::lock_guard guard{lock_};
      closed_ = true;
      if (std::exchange(ended_, true))
        return;
      callbacks.swap(callbacks_);
    }
    for (auto& fn : callbacks)
      fn();
  }

private:
  net::io_context& io_;
  const std::size_t max_events_;
  const std::size_t max_bytes_;
  const std::weak_ptr<connection> to_;
  mutable std::mutex lock_;
  std::deque<std::string> queue_;
  std::size_t bytes_ = 0;
  bool closed_ = false;
  bool ended_ = false;
  std::vector<std::function<void()>> callbacks_;
};

/// One client, from accept to close:
///
///   idle -> reading -> waiting (for the handler) -> writing -> idle ...
///                         \-> streaming             \-> lingering -> closed
///
/// All members belong to the io thread; `answer`, `begin_stream`, `flush` and
/// `drop` are posted to it. The one timer guards the present state.
class connection : public std::enable_shared_from_this<connection> {
public:
  connection(std::shared_ptr<host> owner, stream_socket socket,
             std::string listener, std::optional<peer_identity> peer)
      : owner_(std::move(owner)),
        socket_(std::move(socket)),
        timer_(owner_->io()),
        listener_(std::move(listener)),
        peer_(peer) {}

  ~connection() {
    if (stream_)
      stream_->end();
    owner_->forget(this);
  }

  void start() { await_request(); }

  /// The answer to request number `n`; late ones find another state.
  void answer(std::uint64_t n, response what) {
    if (state_ == state::waiting && n == number_)
      write(std::move(what), keep_alive_);
  }

  void begin_stream(std::uint64_t n, std::shared_ptr<live_stream> stream) {
    if (state_ != state::waiting || n != number_) {
      stream->end();
      return;
    }
    state_ = state::streaming;
    stream_ = std::move(stream);
    // Without a length the body ends with the connection.
    out_ = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
           "Cache-Control: no-store\r\nConnection: close\r\n\r\n";
    write_frames();
    await_hang_up();
    arm_ping();
  }

  /// Something waits in the stream's queue, or it was closed.
  void flush() {
    if (state_ != state::streaming || writing_)
      return;
    out_ = stream_->take();
    if (!out_.empty())
      write_frames();
    else if (stream_->closed())
      linger();
  }

  void drop() {
    if (state_ == state::closed)
      return;
    state_ = state::closed;
    timer_.cancel();
    error_code ignored;
    socket_.close(ignored);
    if (stream_)
      stream_->end();
  }

private:
  enum class state { reading, waiting, writing, streaming, lingering, closed };

  template <class Fn>
  void arm(std::chrono::milliseconds after, Fn fn) {
    timer_.expires_after(after);
    timer_.async_wait(
      [self = shared_from_this(), round = ++round_, fn](error_code problem) {
        // An expiry that was on its way when the timer was armed again
        // belongs to a state that has passed.
        if (!problem && round == self->round_)
          fn(*self);
      });
  }

  void arm_drop(std::chrono::milliseconds after) {
    arm(after, [](connection& self) { self.drop(); });
  }

  void await_request() {
    state_ = state::reading;
    parser_.emplace();
    parser_->header_limit(
      static_cast<std::uint32_t>(owner_->options().header_limit));
    parser_->body_limit(owner_->options().body_limit);
    if (in_.size() > 0) {
      read_head();
      return;
    }
    arm_drop(owner_->options().idle_timeout);
    socket_.async_wait(stream_socket::wait_read,
                       [self = shared_from_this()](error_code problem) {
                         if (problem)
                           self->drop();
                         else
                           self->read_head();
                       });
  }

  void read_head() {
    if (state_ != state::reading)
      return;
    arm_drop(owner_->options().read_timeout);
    bhttp::async_read_header(
      socket_, in_, *parser_,
      [self = shared_from_this()](error_code problem, std::size_t) {
        self->on_head(problem);
      });
  }

  void on_head(error_code problem) {
    if (state_ != state::reading)
      return;
    if (problem) {
      turn_away(problem);
      return;
    }
    const auto owner = owner_->options().owner;
    if (peer_ && peer_->uid != owner && peer_->uid != 0) {
      write(problem_response(ec::peer_refused,
                             "the socket belongs to user "
                               + std::to_string(owner) + ", not to "
                               + std::to_string(peer_->uid)),
            false);
      return;
    }
    auto expect = parser_->get()[bhttp::field::expect];
    if (beast::iequals(expect, "100-continue"))
      say_continue();
    else
      read_body();
  }

  void say_continue() {
    static constexpr std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
    net::async_write(
      socket_, net::buffer(line.data(), line.size()),
      [self = shared_from_this()](error_code problem, std::size_t) {
        if (problem)
          self->drop();
        else
          self->read_body();
      });
  }

  void read_body() {
    if (state_ != state::reading)
      return;
    bhttp::async_read(
      socket_, in_, *parser_,
      [self = shared_from_this()](error_code problem, std::size_t) {
        if (self->state_ != state::reading)
          return;
        if (problem)
          self->turn_away(problem);
        else
          self->dispatch();
      });
  }

  /// Says what is wrong with the bytes that came, if bytes came.
  void turn_away(error_code problem) {
    const auto& limits = owner_->options();
    if (problem == bhttp::error::body_limit) {
      write(problem_response(ec::too_large,
                             "the body is over "
                               + std::to_string(limits.body_limit) + " bytes"),
            false);
    } else if (problem == bhttp::error::header_limit) {
      auto out
        = problem_response(ec::too_large,
                           "the headers are over "
                             + std::to_string(limits.header_limit) + " bytes");
      out.status = 431;
      write(std::move(out), false);
    } else if (problem != bhttp::error::end_of_stream
               && problem != bhttp::error::partial_message
               && problem.category()
                 == make_error_code(bhttp::error::bad_method).category()) {
      write(problem_response(ec::bad_input,
                             "this is not HTTP: " + problem.message()),
            false);
    } else {
      drop();
    }
  }

  void dispatch() {
    auto message = parser_->release();
    keep_alive_ = message.keep_alive();
    request what;
    what.method = std::string{message.method_string()};
    what.target = std::string{message.target()};
    for (const auto& field : message)
      what.headers[lower(field.name_string())] = std::string{field.value()};
    what.body = std::move(message.body());
    what.peer = peer_;
    what.listener = listener_;
    // An answer to HEAD has no body, which no route of ours wants to know.
    if (what.method == "HEAD")
      keep_alive_ = false;
    if (!parse_target(what.target, what)) {
      write(problem_response(ec::bad_input,
                             "the request target is not a valid path"),
            keep_alive_);
      return;
    }
    state_ = state::waiting;
    auto limit = owner_->options().deadline;
    arm(limit, [limit](connection& self) {
      self.write(problem_response(ec::timed_out,
                                  "no answer within " + format_duration(limit)
                                    + "; repeating the request under the "
                                      "same Idempotency-Key is safe"),
                 self.keep_alive_);
    });
    owner_->handle(std::move(what), make_responder(++number_));
  }

  respond_once make_responder(std::uint64_t number);

  void write(response what, bool keep_alive) {
    state_ = state::writing;
    arm_drop(owner_->options().write_timeout);
    answer_.emplace();
    answer_->version(11);
    answer_->result(static_cast<unsigned>(what.status));
    answer_->set(bhttp::field::content_type, what.content_type);
    for (const auto& [name, value] : what.headers)
      answer_->set(name, value);
    answer_->keep_alive(keep_alive);
    answer_->body() = std::move(what.body);
    answer_->prepare_payload();
    bhttp::async_write(
      socket_, *answer_,
      [self = shared_from_this(), keep_alive](error_code problem, std::size_t) {
        if (self->state_ != state::writing)
          return;
        if (problem)
          self->drop();
        else if (keep_alive)
          self->await_request();
        else
          self->linger();
      });
  }

  /// Closes in a way that lets the client read the answer even while it is
  /// still sending: a plain close would reset the connection under it.
  void linger() {
    state_ = state::lingering;
    error_code problem;
    socket_.shutdown(stream_socket::shutdown_send, problem);
    if (problem || stream_) {
      drop();
      return;
    }
    arm_drop(
      std::chrono::duration_cast<std::chrono::milliseconds>(linger_time));
    discard();
  }

  void discard() {
    socket_.async_read_some(
      net::buffer(scratch_),
      [self = shared_from_this()](error_code problem, std::size_t) {
        if (problem)
          self->drop();
        else if (self->state_ == state::lingering)
          self->discard();
      });
  }

  void await_hang_up() {
    socket_.async_read_some(
      net::buffer(scratch_),
      [self = shared_from_this()](error_code problem, std::size_t) {
        if (problem)
          self->drop();
        else if (self->state_ == state::streaming)
          self->await_hang_up();
      });
  }

  void write_frames() {
    writing_ = true;
    net::async_write(
      socket_, net::buffer(out_),
      [self = shared_from_this()](error_code problem, std::size_t) {
        self->writing_ = false;
        self->stalled_ = false;
        if (problem)
          self->drop();
        else
          self->flush();
      });
  }

  /// A reader who has not taken one write from ping to ping is gone.
  void arm_ping() {
    arm(owner_->options().ping, [](connection& self) {
      if (self.writing_ && std::exchange(self.stalled_, true)) {
        self.drop();
        return;
      }
      if (!self.writing_) {
        self.out_ = ": ping\n\n";
        self.write_frames();
      }
      self.arm_ping();
    });
  }

  const std::shared_ptr<host> owner_;
  stream_socket socket_;
  net::steady_timer timer_;
  const std::string listener_;
  const std::optional<peer_identity> peer_;
  state state_ = state::reading;
  /// Which arming of the timer counts.
  std::uint64_t round_ = 0;
  /// Which request is being answered.
  std::uint64_t number_ = 0;
  bool keep_alive_ = false;
  beast::flat_buffer in_;
  std::optional<bhttp::request_parser<bhttp::string_body>> parser_;
  std::optional<bhttp::response<bhttp::string_body>> answer_;
  std::shared_ptr<live_stream> stream_;
  std::string out_;
  bool writing_ = false;
  bool stalled_ = false;
  std::array<char, 4096> scratch_{};
};

/// Calls `fn` with the connection, if there is one then. Other threads never
/// hold one themselves: the last to hold it destroys it.
template <class Fn>
void on_io_thread(net::io_context& io, const std::weak_ptr<connection>& to,
                  Fn fn) {
  net::post(io, [to, fn = std::move(fn)]() mutable {
    if (auto it = to.lock())
      fn(*it);
  });
}

bool live_stream::push(std::string frame) {
  bool overflow = false;
  {
    std::lock_guard guard{lock_};
    if (closed_ || to_.expired())
      return false;
    bytes_ += frame.size();
    queue_.emplace_back(std::move(frame));
    overflow = queue_.size() > max_events_ || bytes_ > max_bytes_;
    if (overflow) {
      closed_ = true;
      queue_.clear();
    } else if (queue_.size() > 1) {
      return true; // A flush is on its way.
    }
  }
  on_io_thread(io_, to_, [overflow](connection& to) {
    overflow ? to.drop() : to.flush();
  });
  return !overflow;
}

void live_stream::close() {
  {
    std::lock_guard guard{lock_};
    if (std::exchange(closed_, true))
      return;
  }
  on_io_thread(io_, to_, [](connection& to) { to.flush(); });
}

/// Carries the answer of a handler, on any thread, to its connection.
class responder : public answer_sink {
public:
  responder(net::io_context& io, const server_options& options,
            std::weak_ptr<connection> to, std::uint64_t number)
      : io_(io), options_(options), to_(std::move(to)), number_(number) {}

  void send(response what) override {
    on_io_thread(io_, to_,
                 [n = number_, what = std::move(what)](connection& to) mutable {
                   to.answer(n, std::move(what));
                 });
  }

  event_stream open_stream() override {
    if (to_.expired())
      return {};
    auto stream = std::make_shared<live_stream>(io_, options_, to_);
    on_io_thread(io_, to_, [n = number_, stream](connection& to) {
      to.begin_stream(n, stream);
    });
    return event_stream{stream};
  }

private:
  net::io_context& io_;
  const server_options options_;
  const std::weak_ptr<connection> to_;
  const std::uint64_t number_;
};

respond_once connection::make_responder(std::uint64_t number) {
  return respond_once{std::make_shared<responder>(
    owner_->io(), owner_->options(), weak_from_this(), number)};
}

/// One bound socket.
struct listener {
  listener(net::io_context& io, std::string called, int fd, std::string at)
      : name(std::move(called)),
        path(std::move(at)),
        descriptor(io, fd),
        timer(io) {
    struct stat there {};
    if (!path.empty() && ::lstat(path.c_str(), &there) == 0)
      inode = there.st_ino;
  }

  std::string name;
  /// Of a Unix socket; empty for TCP.
  std::string path;
  ino_t inode = 0;
  net::posix::stream_descriptor descriptor;
  net::steady_timer timer;
  /// Whether it leaves clients in the backlog for now.
  bool paused = false;
};

std::optional<peer_identity> peer_of(int fd) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
    return std::nullopt;
  return peer_identity{who.uid, who.pid};
}

/// Binds and listens; the errno is left for the caller. The mode is set
/// before the name exists: at no moment can another user connect.
int bind_unix(const sockaddr_un& address) {
  auto fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return -1;
  if (::fchmod(fd, 0600) == 0
      && ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address)
        == 0
      && ::listen(fd, SOMAXCONN) == 0)
    return fd;
  auto why = errno;
  ::close(fd);
  errno = why;
  return -1;
}

bool remove_stale_socket(const std::string& path) {
  struct stat there {};
  return ::lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode)
    && ::unlink(path.c_str()) == 0;
}

} // namespace

server_options::server_options() : owner(::geteuid()) {}

class server::impl : public host, public std::enable_shared_from_this<impl> {
public:
  impl(net::io_context& io, handler fn, server_options options)
      : io_(io), fn_(std::move(fn)), options_(options) {}

  net::io_context& io() override { return io_; }

  const server_options& options() const override { return options_; }

  void handle(request what, respond_once respond) override {
    try {
      fn_(std::move(what), respond);
    } catch (const std::exception& thrown) {
      respond(error{ec::internal,
                    std::string{"the handler failed: "} + thrown.what()});
    }
  }

  void forget(connection* gone) override {
    connections_.erase(gone);
    if (stopped_)
      return;
    for (auto& one : listeners_)
      if (one->paused)
        accept_from(one);
  }

  void add(std::string name, int fd, std::string path) {
    auto one
      = std::make_shared<listener>(io_, std::move(name), fd, std::move(path));
    if (!one->path.empty()) {
      std::lock_guard guard{lock_};
      paths_.emplace_back(one->path, one->inode);
    }
    net::post(io_, [self = shared_from_this(), one] {
      if (self->stopped_)
        return;
      self->listeners_.emplace_back(one);
      self->await_client(one);
    });
  }

  void stop() {
    if (stopped_.exchange(true))
      return;
    {
      std::lock_guard guard{lock_};
      for (const auto& [path, inode] : paths_) {
        struct stat there {};
        if (::lstat(path.c_str(), &there) == 0 && there.st_ino == inode)
          ::unlink(path.c_str());
      }
    }
    net::post(io_, [self = shared_from_this()] {
      for (auto& one : self->listeners_) {
        error_code ignored;
        one->descriptor.close(ignored);
        one->timer.cancel();
      }
      self->listeners_.clear();
      // Dropping a connection may erase it from the map.
      auto connections = self->connections_;
      for (auto& [address, weak] : connections)
        if (auto client = weak.lock())
          client->drop();
    });
  }

private:
  using listener_ptr = std::shared_ptr<listener>;

  void await_client(const listener_ptr& one) {
    one->descriptor.async_wait(
      net::posix::stream_descriptor::wait_read,
      [self = shared_from_this(), one](error_code problem) {
        if (!problem)
          self->accept_from(one);
      });
  }

  void accept_from(const listener_ptr& one) {
    one->paused = false;
    while (!stopped_) {
      if (connections_.size() >= options_.max_connections) {
        one->paused = true; // `forget` goes on.
        return;
      }
      auto fd = ::accept4(one->descriptor.native_handle(), nullptr, nullptr,
                          SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd >= 0)
        welcome(*one, fd);
      else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS
               || errno == ENOMEM)
        return retry_later(one);
      else if (errno == EAGAIN || errno == EWOULDBLOCK)
        return await_client(one);
      // Anything else concerns the client that has gone meanwhile.
    }
  }

  void retry_later(const listener_ptr& one) {
    one->timer.expires_after(scarcity_pause);
    one->timer.async_wait([self = shared_from_this(), one](error_code problem) {
      if (!problem)
        self->accept_from(one);
    });
  }

  void welcome(const listener& one, int fd) {
    auto local = !one.path.empty();
    std::optional<peer_identity> peer;
    if (local) {
      peer = peer_of(fd);
      if (!peer) {
        ::close(fd);
        return;
      }
    } else {
      int on = 1;
      // Only a matter of speed.
      (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    stream_socket socket{
      io_, net::generic::stream_protocol{local ? AF_UNIX : AF_INET, 0}, fd};
    auto client = std::make_shared<connection>(
      shared_from_this(), std::move(socket), one.name, peer);
    connections_.emplace(client.get(), client);
    client->start();
  }

  net::io_context& io_;
  const handler fn_;
  const server_options options_;
  std::atomic<bool> stopped_{false};
  // Of the io thread.
  std::vector<listener_ptr> listeners_;
  std::unordered_map<connection*, std::weak_ptr<connection>> connections_;
  // Of any thread.
  std::mutex lock_;
  std::vector<std::pair<std::string, ino_t>> paths_;
};

server::server(net::io_context& io, handler fn, server_options options)
    : impl_(std::make_shared<impl>(io, std::move(fn), options)) {}

server::~server() {
  stop();
}

void server::stop() {
  impl_->stop();
}

result<void> server::listen_unix(std::string name, const std::string& path,
                                 stale_socket stale) {
  sockaddr_un address{};
  if (!unix_address(path, address))
    return fail(ec::home_unusable,
                path
                  + ": is too long for a socket's path; set AO_HOME to a "
                    "shorter one");
  auto fd = bind_unix(address);
  if (fd < 0 && errno == EADDRINUSE && stale == stale_socket::replace
      && remove_stale_socket(path))
    fd = bind_unix(address);
  if (fd < 0)
    return fail(ec::home_unusable, path + ": cannot listen: " + reason());
  impl_->add(std::move(name), fd, path);
  return {};
}

result<std::uint16_t> server::listen_tcp(std::string name,
                                         const std::string& address,
                                         std::uint16_t port) {
  sockaddr_storage where{};
  socklen_t size = 0;
  auto& v4 = reinterpret_cast<sockaddr_in&>(where);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(where);
  if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    size = sizeof v4;
  } else if (::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    size = sizeof v6;
  } else {
    return fail(ec::bad_input,
                "\"" + address
                  + "\" is not an address, expected a numeric "
                    "one such as 127.0.0.1");
  }
  auto spot = address + ":" + std::to_string(port);
  auto fd
    = ::socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return fail(ec::bad_input, spot + ": no socket: " + reason());
  int on = 1;
  auto* raw = reinterpret_cast<sockaddr*>(&where);
  if (::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0
      || ::bind(fd, raw, size) != 0 || ::listen(fd, SOMAXCONN) != 0
      || ::getsockname(fd, raw, &size) != 0) {
    auto why = reason();
    ::close(fd);
    return fail(ec::bad_input, spot + ": cannot listen: " + why);
  }
  impl_->add(std::move(name), fd, "");
  return ntohs(where.ss_family == AF_INET ? v4.sin_port : v6.sin6_port);
}

// -- client -------------------------------------------------------------------

namespace {

/// One connection to a hub and the deadline of everything done on it.
class dialogue {
public:
  /// Zero = no deadline.
  explicit dialogue(milliseconds allowed)
      : until_(allowed.count() > 0 ? clock::now() + allowed
                                   : clock::time_point::max()) {}

  result<void> connect(const std::string& path) {
    sockaddr_un address{};
    if (!unix_address(path, address))
      return fail(ec::bad_input, path + ": is not the path of a socket");
    auto fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
      return fail(ec::internal, "no socket: " + reason());
    socket_.assign(net::generic::stream_protocol{AF_UNIX, 0}, fd);
    // A full backlog blocks; the kernel keeps the deadline.
    auto left = remaining();
    timeval limit{left.count() / 1000, left.count() % 1000 * 1000};
    if (::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0)
      return fail(ec::internal, "no deadline: " + reason());
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address)
        == 0)
      return {};
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
      return fail(ec::hub_not_running,
                  "nobody listens on " + path + "; run: ao start");
    case EACCES:
    case EPERM:
      return fail(ec::peer_refused, path + " belongs to another user");
    case EAGAIN:
      return fail(ec::timed_out, "the hub takes no further connection");
    default:
      return fail(ec::internal, path + ": " + reason());
    }
  }

  /// Starts an operation and runs it to its end or the deadline.
  template <class Start>
  error_code run(Start start) {
    error_code outcome = net::error::would_block;
    start([&outcome](error_code problem, std::size_t) { outcome = problem; });
    io_.restart();
    if (until_ == clock::time_point::max())
      io_.run();
    else
      io_.run_until(until_);
    if (outcome != net::error::would_block)
      return outcome;
    // Too late: end the operation before its buffers go away.
    error_code ignored;
    socket_.close(ignored);
    io_.restart();
    io_.run();
    return net::error::timed_out;
  }

  stream_socket& socket() { return socket_; }

private:
  milliseconds remaining() const {
    if (until_ == clock::time_point::max())
      return milliseconds{0};
    auto left = std::chrono::duration_cast<milliseconds>(until_ - clock::now());
    return std::max(left, milliseconds{1});
  }

  net::io_context io_{1};
  stream_socket socket_{io_};
  const clock::time_point until_;
};

bhttp::request<bhttp::string_body>
compose(const std::string& method, const std::string& target,
        const std::string& token,
        const std::vector<std::pair<std::string, std::string>>& headers) {
  bhttp::request<bhttp::string_body> out;
  out.version(11);
  out.method_string(method);
  out.target(target);
  out.set(bhttp::field::host, "localhost");
  out.keep_alive(false);
  if (!token.empty())
    out.set(bhttp::field::authorization, "Bearer " + token);
  for (const auto& [name, value] : headers)
    out.set(name, value);
  return out;
}

/// What to say when a connection ends before the answer.
error broken(error_code problem, const std::string& what,
             const std::string& request_id) {
  auto again = request_id.empty()
    ? std::string{}
    : "; request id " + request_id + ", repeating it is safe";
  if (problem == net::error::timed_out)
    return error{ec::timed_out, "no answer to " + what + " in time" + again};
  return error{ec::hub_not_running,
               "the hub ended while answering " + what + again
                 + "; run: ao start"};
}

/// Cuts Server-Sent Events out of bytes as they come.
class event_parser {
public:
  using next = api_client::next;

  explicit event_parser(const std::function<next(const received_event&)>& fn)
      : fn_(fn) {}

  next feed(std::string_view bytes) {
    rest_.append(bytes);
    std::size_t from = 0;
    for (;;) {
      auto end = rest_.find('\n', from);
      if (end == std::string::npos)
        break;
      auto line = std::string_view{rest_}.substr(from, end - from);
      if (!line.empty() && line.back() == '\r')
        line.remove_suffix(1);
      if (take(line) == next::stop)
        return next::stop;
      from = end + 1;
    }
    rest_.erase(0, from);
    return next::more;
  }

private:
  next take(std::string_view line) {
    if (line.empty()) {
      if (!has_data_)
        return next::more;
      auto event = std::exchange(event_, {});
      has_data_ = false;
      return fn_(event);
    }
    auto colon = line.find(':');
    auto field = line.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view{}
                                                 : line.substr(colon + 1);
    if (!value.empty() && value.front() == ' ')
      value.remove_prefix(1);
    if (field == "id") {
      event_.id = std::strtoull(std::string{value}.c_str(), nullptr, 10);
    } else if (field == "event") {
      event_.event = std::string{value};
    } else if (field == "data") {
      if (std::exchange(has_data_, true))
        event_.data += '\n';
      event_.data += value;
    }
    return next::more;
  }

  const std::function<next(const received_event&)>& fn_;
  std::string rest_;
  received_event event_;
  bool has_data_ = false;
};

/// How long a hub may have no API, and between two looks.
constexpr milliseconds restart_patience{10'000};
constexpr milliseconds restart_pause{30};

} // namespace

api_client::api_client(std::string socket, std::string token)
    : socket_(std::move(socket)), token_(std::move(token)) {}

result<reply>
api_client::call(const std::string& method, const std::string& target,
                 const nlohmann::json& body, const header_list& headers,
                 milliseconds deadline) const {
  auto until = std::chrono::steady_clock::now()
    + std::min<milliseconds>(deadline, restart_patience);
  for (;;) {
    auto answer = call_once(method, target, body, headers, deadline);
    if (answer || answer.error().code != ec::shutting_down
        || std::chrono::steady_clock::now() >= until)
      return answer;
    std::this_thread::sleep_for(restart_pause);
  }
}

result<reply>
api_client::call_once(const std::string& method, const std::string& target,
                      const nlohmann::json& body, const header_list& headers,
                      milliseconds deadline) const {
  auto message = compose(method, target, token_, headers);
  if (!body.is_null()) {
    message.set(bhttp::field::content_type, "application/json");
    message.body()
      = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  message.prepare_payload();
  dialogue hub{deadline};
  if (auto connected = hub.connect(socket_); !connected)
    return fail(connected.error());
  auto what = method + " " + target;
  auto id = std::string{message["Idempotency-Key"]};
  // A server that refuses early answers before it has read everything: a
  // failed write is only the end when no answer follows.
  auto sent = hub.run(
    [&](auto done) { bhttp::async_write(hub.socket(), message, done); });
  if (sent == net::error::timed_out)
    return fail(broken(sent, what, id));
  beast::flat_buffer buffer;
  bhttp::response_parser<bhttp::string_body> parser;
  parser.body_limit(std::uint64_t{256} << 20);
  auto received = hub.run(
    [&](auto done) { bhttp::async_read(hub.socket(), buffer, parser, done); });
  if (received)
    return fail(broken(received, what, id));
  reply out;
  out.status = static_cast<int>(parser.get().result_int());
  out.text = std::move(parser.get().body());
  if (out.status >= 400)
    return fail(error_of_problem(out.status, out.text));
  out.body = nlohmann::json::parse(out.text, nullptr, false);
  if (out.body.is_discarded())
    out.body = nullptr;
  return out;
}

result<void>
api_client::stream(const std::string& target,
                   const std::function<next(const received_event&)>& on_event,
                   milliseconds deadline) const {
  auto message
    = compose("GET", target, token_, {{"Accept", "text/event-stream"}});
  message.prepare_payload();
  dialogue hub{deadline};
  if (auto connected = hub.connect(socket_); !connected)
    return fail(connected.error());
  auto what = "GET " + target;
  auto problem = hub.run(
    [&](auto done) { bhttp::async_write(hub.socket(), message, done); });
  beast::flat_buffer buffer;
  bhttp::response_parser<bhttp::empty_body> parser;
  if (!problem)
    problem = hub.run([&](auto done) {
      bhttp::async_read_header(hub.socket(), buffer, parser, done);
    });
  if (problem)
    return fail(broken(problem, what, ""));
  auto status = static_cast<int>(parser.get().result_int());
  auto bytes = [&buffer] {
    auto data = buffer.cdata();
    return std::string{static_cast<const char*>(data.data()), data.size()};
  };
  event_parser events{on_event};
  std::string refusal = bytes();
  if (status == 200 && events.feed(refusal) == next::stop)
    return {};
  std::array<char, 16384> chunk{};
  for (;;) {
    std::size_t n = 0;
    problem = hub.run([&](auto done) {
      hub.socket().async_read_some(
        net::buffer(chunk), [&n, done](error_code code, std::size_t size) {
          n = size;
          done(code, size);
        });
    });
    if (problem)
      break;
    if (status != 200)
      refusal.append(chunk.data(), n);
    else if (events.feed({chunk.data(), n}) == next::stop)
      return {};
  }
  if (status != 200)
    return fail(error_of_problem(status, refusal));
  if (problem == net::error::timed_out)
    return fail(broken(problem, what, ""));
  return fail(ec::not_reachable, "the hub ended the stream of events");
}

} // namespace ao::http
