#include "runtime/actor/link_port.hpp"

#include "messages/time.hpp"

#include <caf/detail/socket_guard.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/doorman_impl.hpp>
#include <caf/io/network/stream_impl.hpp>
#include <caf/openssl/session.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

namespace ao {
namespace {

using caf::io::network::native_socket;
using caf::io::network::rw_state;
using multiplexer = caf::io::network::default_multiplexer;

mono_time now() {
  return std::chrono::steady_clock::now();
}

/// Reads and writes one connection. What is to be written before the handshake
/// is over waits here: CAF would ask again and again whether the socket takes
/// it, which it does, while TLS waits for the other side.
class link_policy {
public:
  link_policy(caf::openssl::session_ptr session, native_socket fd,
              std::shared_ptr<tls::strangers> waiting)
      : session_(std::move(session)), fd_(fd), strangers_(std::move(waiting)) {
    strangers_->admit(fd_, now());
  }

  link_policy(const link_policy&) = delete;
  link_policy& operator=(const link_policy&) = delete;

  // The socket is closed after this.
  ~link_policy() { strangers_->dismiss(fd_); }

  rw_state read_some(std::size_t& done, native_socket fd, void* to,
                     std::size_t size) {
    auto state = session_->read_some(done, fd, to, size);
    if (state == rw_state::failure)
      return state;
    if (done > 0 && !std::exchange(proven_, true))
      strangers_->dismiss(fd_);
    // The handshake may just have ended.
    if (!open_ && !push())
      return rw_state::failure;
    return state;
  }

  rw_state write_some(std::size_t& done, native_socket fd, const void* from,
                      std::size_t size) {
    if (open_)
      return session_->write_some(done, fd, from, size);
    done = size;
    const auto* bytes = static_cast<const char*>(from);
    unsent_.insert(unsent_.end(), bytes, bytes + size);
    if (unsent_.size() > most_unsent || !push())
      return rw_state::failure;
    return size == 0 ? rw_state::indeterminate : rw_state::success;
  }

  bool must_read_more(native_socket fd, std::size_t threshold) {
    return session_->must_read_more(fd, threshold);
  }

private:
  static constexpr std::size_t most_unsent = 64 * 1024;

  /// Sends what has waited, once TLS takes it; false = the connection failed.
  bool push() {
    std::size_t done = 0;
    auto state
      = session_->write_some(done, fd_, unsent_.data(), unsent_.size());
    if (state == rw_state::failure)
      return false;
    unsent_.erase(unsent_.begin(),
                  unsent_.begin() + static_cast<std::ptrdiff_t>(done));
    open_ = done > 0 && unsent_.empty();
    return true;
  }

  caf::openssl::session_ptr session_;
  native_socket fd_;
  std::shared_ptr<tls::strangers> strangers_;
  std::vector<char> unsent_;
  /// What is written goes out at once.
  bool open_ = false;
  /// Something that a certificate vouches for was heard.
  bool proven_ = false;
};

/// One connection, as the broker sees it.
class link_scribe : public caf::io::scribe {
public:
  link_scribe(multiplexer& loop, native_socket fd,
              caf::openssl::session_ptr session,
              std::shared_ptr<tls::strangers> waiting)
      : scribe(caf::io::network::conn_hdl_from_socket(fd)),
        stream_(loop, fd, std::move(session), fd, std::move(waiting)) {}

  void configure_read(caf::io::receive_policy::config how) override {
    stream_.configure_read(how);
    if (!std::exchange(launched_, true))
      stream_.start(this);
  }

  void ack_writes(bool enable) override { stream_.ack_writes(enable); }

  std::vector<char>& wr_buf() override { return stream_.wr_buf(); }

  std::vector<char>& rd_buf() override { return stream_.rd_buf(); }

  void graceful_shutdown() override {
    stream_.graceful_shutdown();
    detach(&stream_.backend(), false);
  }

  void flush() override { stream_.flush(this); }

  std::string addr() const override {
    auto text = caf::io::network::remote_addr_of_fd(stream_.fd());
    return text ? *text : std::string{};
  }

  std::uint16_t port() const override {
    auto number = caf::io::network::remote_port_of_fd(stream_.fd());
    return number ? *number : std::uint16_t{0};
  }

  void add_to_loop() override { stream_.activate(this); }

  void remove_from_loop() override { stream_.passivate(); }

private:
  bool launched_ = false;
  caf::io::network::stream_impl<link_policy> stream_;
};

/// The port, as the broker sees it.
class link_doorman : public caf::io::network::doorman_impl {
public:
  link_doorman(multiplexer& loop, native_socket fd,
               std::shared_ptr<tls::strangers> waiting)
      : doorman_impl(loop, fd), strangers_(std::move(waiting)) {}

  bool new_connection() override {
    auto fd = acceptor_.accepted_socket();
    caf::detail::socket_guard guard{fd};
    // The broker may have closed the port in this turn of the loop.
    if (detached())
      return false;
    auto session = greet(fd);
    if (!session)
      return false;
    auto& loop = acceptor_.backend();
    auto made = caf::make_counted<link_scribe>(loop, fd, std::move(session),
                                               strangers_);
    guard.release();
    auto handle = made->hdl();
    parent()->add_scribe(std::move(made));
    return doorman::new_connection(&loop, handle);
  }

private:
  /// Null where TLS cannot begin. Reads the certificate's files: one that was
  /// renewed counts from now on, and a host that is out of descriptors throws.
  caf::openssl::session_ptr greet(native_socket fd) {
    try {
      caf::io::network::nonblocking(fd, true);
      caf::io::network::child_process_inherit(fd, false);
      return caf::openssl::make_session(parent()->system(), fd, true);
    } catch (const std::exception&) {
      // The other side sees that it is closed, and dials again.
      return nullptr;
    }
  }

  std::shared_ptr<tls::strangers> strangers_;
};

caf::actor broker_of(caf::actor_system& system) {
  return system.middleman().named_broker<caf::io::basp_broker>(
    caf::atom("BASP"));
}

} // namespace

result<std::uint16_t>
open_link_port(caf::actor_system& system, caf::strong_actor_ptr whom,
               std::set<std::string> interface, const std::string& host,
               std::uint16_t port, std::shared_ptr<tls::strangers> waiting) {
  auto fd = caf::io::network::new_tcp_acceptor_impl(port, host.c_str(), true);
  if (!fd)
    return fail(ec::bad_input, system.render(fd.error()));
  auto& loop = static_cast<multiplexer&>(system.middleman().backend());
  caf::io::doorman_ptr doorman
    = caf::make_counted<link_doorman>(loop, *fd, std::move(waiting));
  auto opened = doorman->port();
  caf::anon_send(broker_of(system), caf::publish_atom::value,
                 std::move(doorman), opened, std::move(whom),
                 std::move(interface));
  return opened;
}

void close_link_port(caf::actor_system& system, const caf::actor_addr& whom,
                     std::uint16_t port) {
  caf::anon_send(broker_of(system), caf::unpublish_atom::value, whom, port);
}

} // namespace ao
