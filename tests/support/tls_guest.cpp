#include "tests/support/tls_guest.hpp"

#include "runtime/tls/openssl_ptr.hpp"
#include "tests/support/world.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace ao {
namespace {

using namespace tls;

void show(SSL_CTX* context, const tls::identity& who) {
  auto cert_text = reading(who.certificate);
  auto key_text = reading(who.key);
  cert_ptr cert{PEM_read_bio_X509(cert_text.get(), nullptr, nullptr, nullptr)};
  key_ptr key{
    PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr)};
  if (!cert || !key || SSL_CTX_use_certificate(context, cert.get()) != 1
      || SSL_CTX_use_PrivateKey(context, key.get()) != 1)
    throw std::runtime_error("this is no identity");
}

/// Nobody waits for ever.
void limit_reading(const unique_fd& fd) {
  timeval limit{
    std::chrono::duration_cast<std::chrono::seconds>(world::patience).count(),
    0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

} // namespace

unique_fd dial_loopback(unsigned port) {
  unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0)
    throw std::runtime_error("port " + std::to_string(port) + ": "
                             + std::strerror(errno));
  return fd;
}

void say(const unique_fd& to, std::string_view bytes) {
  (void)::send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

bool is_cut(const unique_fd& connection) {
  auto until = mono_time::clock::now() + world::patience;
  for (std::array<char, 512> ignored{}; mono_time::clock::now() < until;) {
    auto left = std::chrono::duration_cast<milliseconds>(
      until - mono_time::clock::now());
    pollfd waits{connection.get(), POLLIN, 0};
    if (::poll(&waits, 1, static_cast<int>(left.count())) <= 0)
      return false;
    if (::read(connection.get(), ignored.data(), ignored.size()) <= 0)
      return true;
  }
  return false;
}

bool is_cut_already(const unique_fd& connection) {
  char ignored = 0;
  auto n = ::recv(connection.get(), &ignored, 1, MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno != EAGAIN);
}

std::string basp_header(std::uint32_t payload) {
  // Operation, three of padding and flags, payload; then what it is about.
  constexpr std::size_t size = 32;
  constexpr char client_handshake = 1;
  std::string out(size, '\0');
  out[0] = client_handshake;
  auto length = htonl(payload);
  std::memcpy(out.data() + 4, &length, sizeof length);
  return out;
}

bool is_let_in(unsigned port, const tls_guest& guest) {
  auto fd = dial_loopback(port);
  limit_reading(fd);
  context_ptr context{SSL_CTX_new(TLS_method())};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), guest.version);
  if (guest.shown)
    show(context.get(), *guest.shown);
  ssl_ptr ssl{SSL_new(context.get())};
  SSL_set_fd(ssl.get(), fd.get());
  auto size = static_cast<int>(guest.words.size());
  char first = 0;
  auto in = SSL_connect(ssl.get()) == 1
    && (size == 0 || SSL_write(ssl.get(), guest.words.data(), size) == size)
    && SSL_read(ssl.get(), &first, 1) == 1;
  ERR_clear_error();
  return in;
}

unique_fd listen_on_loopback(unsigned& port) {
  unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&at), size) != 0
      || ::listen(fd.get(), 8) != 0
      || ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size) != 0)
    throw std::runtime_error(std::strerror(errno));
  port = ntohs(at.sin_port);
  return fd;
}

namespace {

/// The next connection on which somebody speaks: a node knocks before it dials.
unique_fd next_speaker(const unique_fd& listener) {
  auto until = mono_time::clock::now() + world::patience;
  while (mono_time::clock::now() < until) {
    pollfd waits{listener.get(), POLLIN, 0};
    if (::poll(&waits, 1, static_cast<int>(world::patience.count())) <= 0)
      break;
    unique_fd fd{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    limit_reading(fd);
    char first = 0;
    if (::recv(fd.get(), &first, 1, MSG_PEEK) == 1)
      return fd;
  }
  ADD_FAILURE() << "nobody dials";
  return {};
}

} // namespace

bool is_believed(const unique_fd& listener, const tls::identity& shown) {
  auto fd = next_speaker(listener);
  if (!fd)
    return false;
  context_ptr context{SSL_CTX_new(TLS_method())};
  show(context.get(), shown);
  ssl_ptr ssl{SSL_new(context.get())};
  SSL_set_fd(ssl.get(), fd.get());
  auto went_on = SSL_accept(ssl.get()) == 1;
  ERR_clear_error();
  return went_on;
}

} // namespace ao
