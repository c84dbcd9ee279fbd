#include "runtime/notify/http_call.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"
#include "tests/support/loopback_server.hpp"
#include "tests/support/store_fixture.hpp"

#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <atomic>
#include <future>
#include <thread>

using namespace ao;
using namespace ao::notify;
using testing::HasSubstr;

namespace {

http_call call_to(const std::string& url) {
  http_call out;
  out.url = url;
  out.body = "hello";
  out.headers = {{"X-Word", "xyzzy"}};
  return out;
}

loopback_reply reply_with(int status, std::string body = {}) {
  loopback_reply out;
  out.status = status;
  out.body = std::move(body);
  return out;
}

loopback_reply badly(loopback_reply::kind what) {
  loopback_reply out;
  out.what = what;
  return out;
}

TEST(HttpCall, CarriesEverythingBothWays) {
  loopback_request seen;
  loopback_server server{[&](const loopback_request& r) {
    seen = r;
    auto out = reply_with(202, "taken");
    out.headers = {{"Retry-After", " 7 "}};
    return out;
  }};
  auto got = perform(call_to(server.url() + "/x?y=z"), {});
  EXPECT_EQ(got.status, 202) << got.failure;
  EXPECT_EQ(got.body, "taken");
  EXPECT_EQ(got.headers["retry-after"], "7");
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target, "/x?y=z");
  EXPECT_EQ(seen.body, "hello");
  EXPECT_EQ(seen.headers["x-word"], "xyzzy");
}

TEST(HttpCall, FollowsNoRedirect) {
  std::atomic<int> asked{0};
  loopback_server server{[&](const loopback_request&) {
    ++asked;
    auto out = reply_with(307);
    out.headers = {{"Location", "/elsewhere"}};
    return out;
  }};
  EXPECT_EQ(perform(call_to(server.url()), {}).status, 307);
  EXPECT_EQ(asked, 1);
}

TEST(HttpCall, EndsAtItsTimeout) {
  loopback_server server{[](const loopback_request&) {
    return badly(loopback_reply::kind::silence);
  }};
  auto call = call_to(server.url());
  call.timeout = milliseconds{200};
  auto got = perform(call, {});
  EXPECT_EQ(got.status, 0);
  EXPECT_EQ(got.failure, "no answer within 200ms");
}

TEST(HttpCall, TellsOfAResetWithoutTheAddress) {
  loopback_server server{
    [](const loopback_request&) { return badly(loopback_reply::kind::reset); }};
  auto got = perform(call_to(server.url() + "/bot123:secret/x"), {});
  EXPECT_EQ(got.status, 0);
  EXPECT_NE(got.failure, "");
  EXPECT_THAT(got.failure, testing::Not(HasSubstr("secret")));
}

TEST(HttpCall, CutsAHugeBody) {
  loopback_server server{[](const loopback_request&) {
    return reply_with(200, std::string(4u << 20, 'x'));
  }};
  auto call = call_to(server.url());
  auto got = perform(call, {});
  EXPECT_EQ(got.status, 200) << got.failure;
  EXPECT_EQ(got.body.size(), longest_reply);
  call.longest = 5u << 20;
  EXPECT_EQ(perform(call, {}).body.size(), 4u << 20);
}

TEST(HttpCall, IsStoppedAtOnce) {
  std::promise<void> asked;
  loopback_server server{[&](const loopback_request&) {
    asked.set_value();
    return badly(loopback_reply::kind::silence);
  }};
  auto stop = std::make_shared<stop_signal>();
  auto call = call_to(server.url());
  call.timeout = std::chrono::minutes{5};
  auto end
    = std::async(std::launch::async, [&] { return perform(call, stop); });
  asked.get_future().wait();
  stop->raise();
  EXPECT_EQ(end.get().failure, "it was stopped");
  // And for good.
  EXPECT_EQ(perform(call, stop).failure, "it was stopped");
}

TEST(HttpCall, SendsNoSecretInTheClear) {
  for (auto url : {"http://example.org/", "ftp://127.0.0.1/", "file:///etc/x",
                   "http://127.0.0.1.example.org/", "//127.0.0.1/", "",
                   "http://127.0.0.1@example.org/", "HTTP://example.org"}) {
    auto got = perform(call_to(url), {});
    EXPECT_EQ(got.status, 0) << url;
    EXPECT_EQ(got.failure, "the url is neither https nor on loopback") << url;
  }
  EXPECT_TRUE(is_safe_url("https://example.org"));
  EXPECT_TRUE(is_safe_url("http://[::1]:80/x"));
}

/// Shakes hands by TLS once, with a certificate that it has made itself.
class self_signed_server {
public:
  self_signed_server() : context_(SSL_CTX_new(TLS_server_method())) {
    process_spec make;
    make.argv = {"openssl",  "req",
                 "-x509",    "-newkey",
                 "rsa:2048", "-nodes",
                 "-subj",    "/CN=127.0.0.1",
                 "-keyout",  dir_ / "key",
                 "-out",     dir_ / "cert",
                 "-addext",  "subjectAltName=IP:127.0.0.1"};
    make.env = environment::inherited().to_vector();
    auto made = run(make, std::chrono::seconds{30});
    EXPECT_TRUE(made && made->ok());
    EXPECT_EQ(SSL_CTX_use_certificate_file(context_, (dir_ / "cert").c_str(),
                                           SSL_FILETYPE_PEM),
              1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context_, (dir_ / "key").c_str(),
                                          SSL_FILETYPE_PEM),
              1);
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    auto* raw = reinterpret_cast<sockaddr*>(&at);
    EXPECT_EQ(::bind(listener_.get(), raw, size), 0);
    EXPECT_EQ(::listen(listener_.get(), 4), 0);
    EXPECT_EQ(::getsockname(listener_.get(), raw, &size), 0);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread{[this] {
      unique_fd peer{
        ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      auto* ssl = SSL_new(context_);
      SSL_set_fd(ssl, peer.get());
      if (SSL_accept(ssl) == 1) {
        char byte = 0;
        heard_ = SSL_read(ssl, &byte, 1) == 1;
      }
      SSL_free(ssl);
    }};
  }
  ~self_signed_server() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    if (thread_.joinable())
      thread_.join();
    SSL_CTX_free(context_);
  }

  std::string url() const {
    return "https://127.0.0.1:" + std::to_string(port_);
  }

  /// Whether a client has trusted it with a byte; waits for its end.
  bool was_trusted() {
    thread_.join();
    return heard_;
  }

private:
  test::private_directory dir_;
  SSL_CTX* context_;
  unique_fd listener_;
  int port_ = 0;
  std::atomic<bool> heard_{false};
  std::thread thread_;
};

TEST(HttpCall, TrustsNoCertificateOfUnknownOrigin) {
  self_signed_server server;
  auto got = perform(call_to(server.url()), {});
  EXPECT_EQ(got.status, 0);
  EXPECT_THAT(got.failure, HasSubstr("certificate"));
  EXPECT_FALSE(server.was_trusted());
}

} // namespace
