#include "runtime/tls/channel.hpp"

#include "runtime/home/files.hpp"
#include "runtime/io/fd.hpp"
#include "runtime/tls/openssl_ptr.hpp"
#include "runtime/tls/strangers.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

namespace ao::tls {
namespace {

using clock = std::chrono::steady_clock;

/// Who has not said anything yet, and all of them.
constexpr std::size_t most_silent = 32;
constexpr std::size_t most_conversations = 64;

std::string last_problem() {
  auto code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0)
    return "it has hung up";
  const auto* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "OpenSSL failed";
}

/// One connection that is given up at a moment.
class conversation {
public:
  conversation(unique_fd fd, ssl_ptr ssl, clock::time_point until)
      : fd_(std::move(fd)), ssl_(std::move(ssl)), until_(until) {
    SSL_set_fd(ssl_.get(), fd_.get());
  }

  result<void> accept() {
    return go_on([this] { return SSL_accept(ssl_.get()); });
  }

  result<void> connect() {
    return go_on([this] { return SSL_connect(ssl_.get()); });
  }

  result<void> say(std::string_view line) {
    std::string text{line};
    text += '\n';
    return go_on([this, &text] {
      return SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
    });
  }

  result<std::string> hear() {
    std::string out;
    std::array<char, 4096> chunk{};
    for (;;) {
      int n = 0;
      auto ok = go_on([this, &n, &chunk] {
        n = SSL_read(ssl_.get(), chunk.data(), static_cast<int>(chunk.size()));
        return n;
      });
      if (!ok)
        return fail(ok.error());
      out.append(chunk.data(), static_cast<std::size_t>(n));
      if (auto end = out.find('\n'); end != std::string::npos) {
        out.resize(end);
        return out;
      }
      if (out.size() > longest_line)
        return fail(ec::too_large, "a line of over 64 KiB");
    }
  }

  /// Until the other side has said something, whatever it is.
  result<void> wait_for_word() {
    char first = 0;
    return go_on([this, &first] { return SSL_read(ssl_.get(), &first, 1); });
  }

  void hang_up() { SSL_shutdown(ssl_.get()); }

  SSL* ssl() const { return ssl_.get(); }

private:
  /// Repeats an operation until it has done something.
  template <class Operation>
  result<void> go_on(Operation operation) {
    for (;;) {
      ERR_clear_error();
      auto n = operation();
      if (n > 0)
        return {};
      auto why = SSL_get_error(ssl_.get(), n);
      if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        return fail(ec::not_reachable, last_problem());
      auto left
        = std::chrono::duration_cast<milliseconds>(until_ - clock::now());
      if (left.count() <= 0)
        return fail(ec::timed_out, "it says nothing");
      pollfd waits{
        fd_.get(),
        static_cast<short>(why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
      ::poll(&waits, 1, static_cast<int>(left.count()));
    }
  }

  unique_fd fd_;
  ssl_ptr ssl_;
  clock::time_point until_;
};

context_ptr make_context() {
  context_ptr context{SSL_CTX_new(TLS_method())};
  if (!context
      || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1)
    return nullptr;
  return context;
}

/// The authority goes along, so that a node can compare its fingerprint.
result<context_ptr> make_door_context(const identity_files& files) {
  auto context = make_context();
  if (!context
      || SSL_CTX_use_certificate_file(context.get(), files.certificate.c_str(),
                                      SSL_FILETYPE_PEM)
        != 1
      || SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(),
                                     SSL_FILETYPE_PEM)
        != 1)
    return fail(ec::internal, "TLS: " + last_problem());
  auto pem = read_file(files.authority, longest_line);
  if (!pem)
    return fail(pem.error());
  bio_ptr bio{BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size()))};
  cert_ptr authority{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
  if (!authority
      || SSL_CTX_add1_chain_cert(context.get(), authority.get()) != 1)
    return fail(ec::internal, "TLS: " + last_problem());
  return context;
}

std::string fingerprint_of(X509* cert) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  X509_digest(cert, EVP_sha256(), digest.data(), &size);
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    out += digits[digest[i] >> 4];
    out += digits[digest[i] & 15];
  }
  return out;
}

std::string to_pem(X509* cert) {
  bio_ptr bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(bio.get(), cert);
  char* data = nullptr;
  auto size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

/// The authority of this fingerprint, if it vouches for the other side as one
/// that may be dialled.
result<std::string> proven_authority(SSL* ssl, const std::string& fingerprint) {
  auto foreign = [](const std::string& why) {
    return fail(ec::token_foreign,
                "whoever listens there is not the hub of this token (" + why
                  + "); nothing was told to it");
  };
  cert_ptr leaf{SSL_get1_peer_certificate(ssl)};
  auto* chain = SSL_get_peer_cert_chain(ssl);
  if (!leaf || chain == nullptr)
    return foreign("it shows no certificate");
  X509* authority = nullptr;
  for (int i = 0; i < sk_X509_num(chain); ++i)
    if (fingerprint_of(sk_X509_value(chain, i)) == fingerprint)
      authority = sk_X509_value(chain, i);
  if (authority == nullptr)
    return foreign("another authority vouches for it");
  store_ptr trusted{X509_STORE_new()};
  verify_ptr verify{X509_STORE_CTX_new()};
  if (!trusted || !verify || X509_STORE_add_cert(trusted.get(), authority) != 1
      || X509_STORE_CTX_init(verify.get(), trusted.get(), leaf.get(), nullptr)
        != 1
      || X509_STORE_CTX_set_default(verify.get(), "ssl_server") != 1)
    return fail(ec::internal, "TLS: " + last_problem());
  if (X509_verify_cert(verify.get()) != 1)
    return foreign(
      X509_verify_cert_error_string(X509_STORE_CTX_get_error(verify.get())));
  return to_pem(authority);
}

std::string text_of(const sockaddr_storage& peer) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  std::uint16_t port = 0;
  if (peer.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(peer);
    ::inet_ntop(AF_INET, &in.sin_addr, text.data(), text.size());
    port = ntohs(in.sin_port);
  } else if (peer.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(peer);
    ::inet_ntop(AF_INET6, &in.sin6_addr, text.data(), text.size());
    port = ntohs(in.sin6_port);
  }
  return std::string{text.data()} + ":" + std::to_string(port);
}

struct addresses {
  addrinfo* first = nullptr;
  ~addresses() {
    if (first != nullptr)
      ::freeaddrinfo(first);
  }
};

result<void> look_up(const std::string& host, std::uint16_t port, bool passive,
                     addresses& out) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0);
  auto code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints,
                            &out.first);
  if (code != 0)
    return fail(passive ? ec::bad_input : ec::not_reachable,
                host + ": " + ::gai_strerror(code));
  return {};
}

/// Connects without waiting longer than until then.
result<unique_fd> dial(const std::string& host, std::uint16_t port,
                       clock::time_point until) {
  addresses found;
  if (auto ok = look_up(host, port, false, found); !ok)
    return fail(ok.error());
  std::string problem = "no address";
  for (auto* a = found.first; a != nullptr; a = a->ai_next) {
    unique_fd fd{
      ::socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (fd.get() < 0)
      continue;
    if (::connect(fd.get(), a->ai_addr, a->ai_addrlen) == 0)
      return fd;
    if (errno != EINPROGRESS) {
      problem = std::strerror(errno);
      continue;
    }
    auto left
      = std::chrono::duration_cast<milliseconds>(until - clock::now()).count();
    pollfd waits{fd.get(), POLLOUT, 0};
    if (left <= 0 || ::poll(&waits, 1, static_cast<int>(left)) <= 0) {
      problem = "it does not answer";
      continue;
    }
    int code = 0;
    socklen_t size = sizeof code;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &code, &size);
    if (code == 0)
      return fd;
    problem = std::strerror(code);
  }
  return fail(ec::not_reachable,
              host + ":" + std::to_string(port) + ": " + problem);
}

} // namespace

struct door::impl {
  context_ptr context;
  answerer answer;
  unique_fd listener;
  unique_fd wake;
  std::uint16_t port = 0;

  strangers silent{most_silent, conversation_limit};
  std::mutex mutex;
  std::condition_variable one_less;
  std::size_t conversations = 0;
  std::thread thread;

  ~impl() {
    std::uint64_t one = 1;
    if (wake.get() >= 0) [[maybe_unused]]
      auto n = ::write(wake.get(), &one, sizeof one);
    if (thread.joinable())
      thread.join();
    std::unique_lock<std::mutex> guard{mutex};
    one_less.wait(guard, [this] { return conversations == 0; });
  }

  void talk(unique_fd fd, const std::string& from) {
    auto number = fd.get();
    conversation with{std::move(fd), ssl_ptr{SSL_new(context.get())},
                      clock::now() + conversation_limit};
    auto shaken = with.accept();
    auto line
      = shaken ? with.hear() : result<std::string>{fail(shaken.error())};
    silent.dismiss(number);
    if (!line)
      return;
    if (auto ok = with.say(answer({*line, from})); ok)
      with.hang_up();
  }

  /// Where too many are talked with, others wait for the first that ends.
  void let_in(unique_fd fd, const std::string& from) {
    silent.admit(fd.get(), clock::now());
    {
      std::unique_lock<std::mutex> guard{mutex};
      one_less.wait(guard,
                    [this] { return conversations < most_conversations; });
      ++conversations;
    }
    std::thread{[this, from, raw = fd.release()] {
      talk(unique_fd{raw}, from);
      std::lock_guard<std::mutex> guard{mutex};
      --conversations;
      one_less.notify_all();
    }}.detach();
  }

  void run() {
    for (;;) {
      std::array<pollfd, 2> waits{
        {{listener.get(), POLLIN, 0}, {wake.get(), POLLIN, 0}}};
      ::poll(waits.data(), waits.size(), -1);
      if (waits[1].revents != 0)
        return;
      sockaddr_storage peer{};
      socklen_t size = sizeof peer;
      unique_fd fd{::accept4(listener.get(), reinterpret_cast<sockaddr*>(&peer),
                             &size, SOCK_CLOEXEC | SOCK_NONBLOCK)};
      if (fd.get() >= 0)
        let_in(std::move(fd), text_of(peer));
      else if (errno == EMFILE || errno == ENFILE)
        // Nothing else can be done than to let others end theirs.
        ::poll(nullptr, 0, 100);
    }
  }
};

door::door(std::unique_ptr<impl> x) : impl_(std::move(x)) {}
door::~door() = default;
door::door(door&&) noexcept = default;
door& door::operator=(door&&) noexcept = default;

std::uint16_t door::port() const {
  return impl_->port;
}

result<door> door::open(const identity_files& files, const std::string& host,
                        std::uint16_t port, answerer answer) {
  if (auto ok = check_files(files, ec::cluster_not_initialised, wall_now());
      !ok)
    return fail(ok.error());
  auto context = make_door_context(files);
  if (!context)
    return fail(context.error());
  addresses found;
  if (auto ok = look_up(host, port, true, found); !ok)
    return fail(ok.error());
  auto made = std::make_unique<impl>();
  made->context = std::move(*context);
  made->answer = std::move(answer);
  const auto* a = found.first;
  made->listener
    = unique_fd{::socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  int on = 1;
  ::setsockopt(made->listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(made->listener.get(), a->ai_addr, a->ai_addrlen) != 0
      || ::listen(made->listener.get(), 64) != 0)
    return fail(ec::bad_input,
                host + ":" + std::to_string(port) + ": "
                  + std::strerror(errno));
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  ::getsockname(made->listener.get(), reinterpret_cast<sockaddr*>(&own), &size);
  made->port = ntohs(own.ss_family == AF_INET6
                       ? reinterpret_cast<sockaddr_in6&>(own).sin6_port
                       : reinterpret_cast<sockaddr_in&>(own).sin_port);
  made->wake = unique_fd{::eventfd(0, EFD_CLOEXEC)};
  made->thread = std::thread{[own = made.get()] { own->run(); }};
  return door{std::move(made)};
}

result<heard> ask_door(const std::string& host, std::uint16_t port,
                       const std::string& fingerprint, std::string_view line,
                       milliseconds limit) {
  auto until = clock::now() + limit;
  auto where = host + ":" + std::to_string(port);
  auto context = make_context();
  if (!context)
    return fail(ec::internal, "TLS: " + last_problem());
  // What is shown is judged below, by the fingerprint.
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  auto fd = dial(host, port, until);
  if (!fd)
    return fail(fd.error());
  conversation with{std::move(*fd), ssl_ptr{SSL_new(context.get())}, until};
  if (auto ok = with.connect(); !ok)
    return fail(ok.error().code == ec::timed_out ? ec::timed_out
                                                 : ec::protocol_mismatch,
                where + " does not speak TLS 1.3: " + ok.error().context);
  auto authority = proven_authority(with.ssl(), fingerprint);
  if (!authority)
    return fail(authority.error().code,
                where + ": " + authority.error().context);
  if (auto ok = with.say(line); !ok)
    return fail(ok.error().code, where + ": " + ok.error().context);
  auto answer = with.hear();
  if (!answer)
    return fail(answer.error().code, where + ": " + answer.error().context);
  with.hang_up();
  return heard{std::move(*answer), std::move(*authority)};
}

result<void> knock(const std::string& host, std::uint16_t port,
                   milliseconds limit) {
  auto fd = dial(host, port, clock::now() + limit);
  if (!fd)
    return fail(fd.error());
  return {};
}

result<void> prove_identity(const address& link, const identity& own,
                            const std::string& authority, milliseconds limit) {
  auto until = clock::now() + limit;
  auto where = link.host + ":" + std::to_string(link.port);
  auto context = make_context();
  cert_ptr leaf{PEM_read_bio_X509(reading(own.certificate).get(), nullptr,
                                  nullptr, nullptr)};
  cert_ptr trusted{
    PEM_read_bio_X509(reading(authority).get(), nullptr, nullptr, nullptr)};
  key_ptr key{
    PEM_read_bio_PrivateKey(reading(own.key).get(), nullptr, nullptr, nullptr)};
  if (!context || !leaf || !trusted || !key
      || SSL_CTX_use_certificate(context.get(), leaf.get()) != 1
      || SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1
      || X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()),
                             trusted.get())
        != 1)
    return fail(ec::internal, "TLS: " + last_problem());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  auto fd = dial(link.host, link.port, until);
  if (!fd)
    return fail(fd.error());
  conversation with{std::move(*fd), ssl_ptr{SSL_new(context.get())}, until};
  auto refused = [&where](const error& why) {
    return why.code == ec::timed_out
      ? fail(ec::timed_out, where + ": " + why.context)
      : fail(ec::bad_token,
             where + " does not accept the certificate: " + why.context);
  };
  if (auto ok = with.connect(); !ok)
    return refused(ok.error());
  // In TLS 1.3 our certificate is judged after our side has finished.
  if (auto ok = with.wait_for_word(); !ok)
    return refused(ok.error());
  with.hang_up();
  return {};
}

result<address> parse_address(const std::string& text) {
  auto colon = text.rfind(':');
  address out;
  auto wrong = [&text] {
    return fail(ec::bad_input, "\"" + text + "\" is not <host>:<port>");
  };
  if (colon == std::string::npos || colon == 0)
    return wrong();
  const auto* end = text.data() + text.size();
  auto [last, problem]
    = std::from_chars(text.data() + colon + 1, end, out.port);
  if (problem != std::errc{} || last != end)
    return wrong();
  out.host = text.substr(0, colon);
  if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']')
    out.host = out.host.substr(1, out.host.size() - 2);
  if (out.host == "localhost")
    out.host = "127.0.0.1";
  return out;
}

result<void> require_tls_1_3(const home& place) {
  auto path = place.tls() + "/openssl.cnf";
  constexpr std::string_view text = "openssl_conf = ao\n"
                                    "[ao]\n"
                                    "ssl_conf = ao_ssl\n"
                                    "[ao_ssl]\n"
                                    "system_default = ao_default\n"
                                    "[ao_default]\n"
                                    "MinProtocol = TLSv1.3\n";
  if (auto ok = write_file_durably(path, text); !ok)
    return ok;
  // The host's own configuration first, so that it does not undo ours.
  OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, nullptr);
  if (CONF_modules_load_file(path.c_str(), nullptr, 0) != 1)
    return fail(ec::internal, "OpenSSL: " + last_problem());
  context_ptr probe{SSL_CTX_new(TLS_method())};
  if (!probe || SSL_CTX_get_min_proto_version(probe.get()) != TLS1_3_VERSION)
    return fail(ec::internal, "OpenSSL does not take MinProtocol");
  return {};
}

} // namespace ao::tls
