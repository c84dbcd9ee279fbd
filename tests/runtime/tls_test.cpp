#include "runtime/cluster/credential.hpp"
#include "runtime/home/files.hpp"
#include "runtime/io/fd.hpp"
#include "runtime/tls/channel.hpp"

#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <vector>

using namespace ao;
using namespace ao::tls;
using namespace std::chrono_literals;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

class Tls : public testing::Test {
protected:
  Tls() {
    auto name = (fs::temp_directory_path() / "ao-tls-XXXXXX").string();
    root = ::mkdtemp(name.data());
    // As in every program that talks: who hangs up early ends nobody.
    std::signal(SIGPIPE, SIG_IGN);
  }

  ~Tls() override { fs::remove_all(root); }

  home made_home(const std::string& name) {
    auto place = open_home((root / name).string());
    EXPECT_TRUE(place) << to_string(place.error());
    return *place;
  }

  /// A home with an authority; its fingerprint.
  std::string init(const home& place, wall_time now = wall_now()) {
    auto made = init_cluster(place, {"localhost", "127.0.0.1"}, now);
    EXPECT_TRUE(made) << to_string(made.error());
    return made ? made->fingerprint : "";
  }

  door open_door(const home& place) {
    auto opened
      = door::open(hub_files(place), "127.0.0.1", 0,
                   [](const spoken& said) { return "heard " + said.line; });
    EXPECT_TRUE(opened) << to_string(opened.error());
    return std::move(*opened);
  }

  fs::path root;
};

TEST_F(Tls, MakesAClusterOnceAndKeepsItPrivate) {
  auto place = made_home("hub");
  auto fingerprint = init(place);
  EXPECT_EQ(fingerprint.size(), 64u);
  for (const auto* name : {"ca.pem", "ca.key", "hub.pem", "hub.key"}) {
    struct stat there {};
    ASSERT_EQ(::stat((place.tls() + "/" + name).c_str(), &there), 0);
    EXPECT_EQ(there.st_mode & 0777, 0600u) << name;
  }
  auto again = init_cluster(place, {}, wall_now());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ec::wrong_state);
  EXPECT_TRUE(
    check_files(hub_files(place), ec::cluster_not_initialised, wall_now()));
}

TEST_F(Tls, RefusesFilesThatAreMissingPublicForeignOrOld) {
  auto place = made_home("hub");
  auto files = hub_files(place);
  auto code = [&](wall_time now = wall_now()) {
    auto ok = check_files(files, ec::cluster_not_initialised, now);
    return ok ? ec::none : ok.error().code;
  };
  EXPECT_EQ(code(), ec::cluster_not_initialised);
  init(place);
  EXPECT_EQ(code(), ec::none);
  ::chmod(files.key.c_str(), 0640);
  EXPECT_EQ(code(), ec::home_unusable);
  ::chmod(files.key.c_str(), 0600);
  EXPECT_EQ(code(wall_now() + authority_life + 24h),
            ec::cluster_not_initialised);
  EXPECT_EQ(code(wall_now() - 72h), ec::cluster_not_initialised);
  auto key = make_key();
  ASSERT_TRUE(key);
  ASSERT_TRUE(write_file_durably(files.key, *key));
  EXPECT_EQ(code(), ec::cluster_not_initialised);
  fs::remove(files.authority);
  EXPECT_EQ(code(), ec::cluster_not_initialised);
}

TEST_F(Tls, CertifiesTheKeyThatHasAskedUnderTheNameItGives) {
  auto place = made_home("hub");
  init(place);
  auto authority = read_authority(place);
  ASSERT_TRUE(authority);
  auto key = make_key();
  auto request = make_request(*key, "whatever it calls itself");
  ASSERT_TRUE(request);
  auto now = wall_now();
  auto cert = sign_request(*authority, *request, "n1", now);
  ASSERT_TRUE(cert) << to_string(cert.error());
  auto facts = read_certificate(*cert);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->name, "n1");
  EXPECT_TRUE(*belong_together({*cert, *key}));
  EXPECT_FALSE(*belong_together({*cert, *make_key()}));
  EXPECT_FALSE(wants_renewal(*facts, now + 24h * 59));
  EXPECT_TRUE(wants_renewal(*facts, now + 24h * 61));
  auto second
    = read_certificate(*sign_request(*authority, *request, "n1", now));
  EXPECT_NE(second->serial, facts->serial);
}

TEST_F(Tls, CertifiesNoDamagedRequest) {
  auto place = made_home("hub");
  init(place);
  auto authority = read_authority(place);
  for (const auto* text : {"", "none",
                           "-----BEGIN CERTIFICATE REQUEST-----\n"
                           "AAAA\n-----END CERTIFICATE "
                           "REQUEST-----\n"}) {
    auto cert = sign_request(*authority, text, "n1", wall_now());
    ASSERT_FALSE(cert);
    EXPECT_EQ(cert.error().code, ec::bad_input);
  }
}

TEST_F(Tls, TalksToTheHubOfTheFingerprintAndToNoOther) {
  auto place = made_home("hub");
  auto fingerprint = init(place);
  auto d = open_door(place);
  auto heard = ask_door("127.0.0.1", d.port(), fingerprint, "hello");
  ASSERT_TRUE(heard) << to_string(heard.error());
  EXPECT_EQ(heard->line, "heard hello");
  EXPECT_EQ(read_certificate(heard->authority)->fingerprint, fingerprint);

  auto other = made_home("other");
  auto foreign = ask_door("127.0.0.1", d.port(), init(other), "secret");
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, ec::token_foreign);
}

TEST_F(Tls, BelievesNoNodeThatListensAsAHub) {
  auto place = made_home("hub");
  auto fingerprint = init(place);
  auto authority = read_authority(place);
  // A node's own certificate and key in the place of the hub's.
  auto thief = made_home("thief");
  auto files = hub_files(thief);
  auto key = make_key();
  auto cert
    = sign_request(*authority, *make_request(*key, "n1"), "hub", wall_now());
  ASSERT_TRUE(write_file_durably(files.authority, authority->certificate));
  ASSERT_TRUE(write_file_durably(files.certificate, *cert));
  ASSERT_TRUE(write_file_durably(files.key, *key));
  auto d = open_door(thief);
  auto heard = ask_door("127.0.0.1", d.port(), fingerprint, "secret");
  ASSERT_FALSE(heard);
  EXPECT_EQ(heard.error().code, ec::token_foreign);
  EXPECT_THAT(heard.error().context, HasSubstr("purpose"));
}

/// Tries to connect until nobody takes it any more; the sockets.
std::vector<unique_fd> fill_backlog(const sockaddr_in& at) {
  std::vector<unique_fd> out;
  for (;;) {
    out.emplace_back(
      ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)::connect(out.back().get(), reinterpret_cast<const sockaddr*>(&at),
                    sizeof at);
    pollfd taken{out.back().get(), POLLOUT, 0};
    if (::poll(&taken, 1, 500) <= 0)
      return out;
  }
}

TEST_F(Tls, KnocksNoLongerThanItMay) {
  unique_fd busy{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ASSERT_EQ(
    ::bind(busy.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  ASSERT_EQ(::getsockname(busy.get(), reinterpret_cast<sockaddr*>(&at), &size),
            0);
  auto port = ntohs(at.sin_port);
  // Nobody listens: refused at once.
  EXPECT_EQ(knock("127.0.0.1", port, 60s).error().code, ec::not_reachable);
  ASSERT_EQ(::listen(busy.get(), 1), 0);
  EXPECT_TRUE(knock("127.0.0.1", port, 60s));
  // Whoever is full drops what comes, as a network that loses all.
  auto waiting = fill_backlog(at);
  EXPECT_EQ(knock("127.0.0.1", port, 100ms).error().code, ec::not_reachable);
}

/// Connects with TLS of at most this version; true when it is let in.
bool let_in(std::uint16_t port, int version) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(port);
  EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  auto* context = SSL_CTX_new(TLS_method());
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context, version);
  auto* ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  auto in = SSL_connect(ssl) == 1;
  ERR_clear_error();
  SSL_free(ssl);
  SSL_CTX_free(context);
  ::close(fd);
  return in;
}

TEST_F(Tls, SpeaksNothingOlderThanTls13) {
  auto place = made_home("hub");
  init(place);
  auto d = open_door(place);
  EXPECT_TRUE(let_in(d.port(), TLS1_3_VERSION));
  EXPECT_FALSE(let_in(d.port(), TLS1_2_VERSION));
}

TEST_F(Tls, SetsTheVersionForTheWholeProcess) {
  auto place = made_home("hub");
  ASSERT_TRUE(require_tls_1_3(place));
  auto* context = SSL_CTX_new(TLS_method());
  EXPECT_EQ(SSL_CTX_get_min_proto_version(context), TLS1_3_VERSION);
  SSL_CTX_free(context);
}

TEST(NodeCredential, IsOfOneHubAndOneNode) {
  home_secret ours{std::string(32, 'a')};
  home_secret theirs{std::string(32, 'b')};
  auto text = mint_credential(ours, {node_name{"n1"}, "0f", wall_time{12ms}});
  auto claims = verify_credential(ours, text);
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->name.text, "n1");
  EXPECT_EQ(claims->serial, "0f");
  EXPECT_EQ(claims->until, wall_time{12ms});
  EXPECT_FALSE(verify_credential(theirs, text));
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto forged = text;
    forged[i] = forged[i] == '0' ? '1' : '0';
    EXPECT_FALSE(verify_credential(ours, forged)) << i;
  }
  // What a session shows is no credential of a node.
  EXPECT_FALSE(verify_credential(ours, mint_token(ours, {})));
  EXPECT_FALSE(verify_credential(ours, ""));
}

} // namespace
