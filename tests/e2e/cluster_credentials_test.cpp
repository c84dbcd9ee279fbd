#include "runtime/cluster/credential.hpp"
#include "runtime/process/process_table.hpp"
#include "runtime/tls/channel.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/cluster_fixture.hpp"
#include "tests/support/scripted_node.hpp"
#include "tests/support/tls_guest.hpp"

#include <gmock/gmock.h>

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

using namespace ao;
using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

constexpr int tls_1_2 = 0x0303;
constexpr int tls_1_3 = 0x0304;

/// Who somebody pretends to be, with certificates made for it.
class forger {
public:
  /// @param ours The authority that the hub trusts.
  explicit forger(tls::identity ours) : ours_(std::move(ours)) {}

  static tls::identity by(const tls::identity& authority, wall_time from) {
    tls::identity out;
    out.key = *tls::make_key();
    out.certificate
      = *tls::sign_request(authority, *tls::make_request(out.key, "worker"),
                           "worker", from, std::chrono::hours{2});
    return out;
  }

  tls::identity right() const { return by(ours_, wall_now()); }
  tls::identity expired() const { return by(ours_, wall_now() - 24h); }
  tls::identity not_yet_valid() const {
    return by(ours_, wall_now() + tls::clock_allowance + 24h);
  }
  static tls::identity of_other_authority() {
    return by(*tls::make_authority(wall_now()), wall_now());
  }
  static tls::identity self_signed() {
    return *tls::make_authority(wall_now());
  }
  /// The hub's own: it may be shown by who listens.
  tls::identity as_hub() const {
    return *tls::make_hub_identity(ours_, {"127.0.0.1"}, wall_now());
  }

private:
  tls::identity ours_;
};

tls_guest showing(tls::identity who, int version = tls_1_3) {
  tls_guest out;
  out.shown = std::move(who);
  out.version = version;
  return out;
}

class Credentials : public cluster_fixture {
protected:
  unsigned link() const { return port + 1; }

  forger make_forger() const {
    return forger{*tls::read_authority(locate_home(w.home().string()))};
  }

  /// All who have no right to be at the link, by what is wrong with them.
  std::map<std::string, tls_guest> wrong_guests() const {
    auto forge = make_forger();
    return {{"no certificate", {}},
            {"self-signed", showing(forger::self_signed())},
            {"other authority", showing(forger::of_other_authority())},
            {"expired", showing(forge.expired())},
            {"not yet valid", showing(forge.not_yet_valid())},
            {"a hub's, dialling", showing(forge.as_hub())},
            {"TLS 1.2", showing(forge.right(), tls_1_2)}};
  }

  /// What is no TLS at all: each a connection's first words.
  static std::vector<std::string> plain_words() {
    // The second claims 4 GB, the first crashes a bare port of CAF.
    return {basp_header(0), basp_header(0xffffffff), "GET / HTTP/1.1\r\n\r\n",
            std::string(300, '\0')};
  }

  std::size_t status(const std::string& key) const {
    std::ifstream in{"/proc/" + std::to_string(hub) + "/status"};
    for (std::string line; std::getline(in, line);)
      if (line.rfind(key + ":", 0) == 0)
        return std::stoul(line.substr(key.size() + 1));
    ADD_FAILURE() << "the hub is gone";
    return 0;
  }

  std::uint64_t cpu_ticks() const {
    auto entry = process_of(hub);
    return entry ? entry->cpu_time : 0;
  }

  std::size_t open_files() const {
    return static_cast<std::size_t>(std::distance(
      fs::directory_iterator{"/proc/" + std::to_string(hub) + "/fd"},
      fs::directory_iterator{}));
  }

  /// The node, which has joined, gets a task, and its work is merged.
  void expect_it_works() {
    n.start();
    w.await("node_joined", "node:worker");
    auto id = w.add_task("Write a file");
    ASSERT_EQ(spawn(id), "app-1");
    w.await("session_cleaned", "session:app-1");
    EXPECT_EQ(w.ask({"task", "show", id})["state"], "merged");
  }

  /// One that has a right joins, works, and its work is merged.
  void expect_a_right_node_works() {
    n.join(port, {}, {"--name", "worker"});
    expect_it_works();
  }

  void begin_alone() {
    ASSERT_EQ(w.ao({"cluster", "init"}).status.code, 0);
    w.add_agent("diligent", scripts::diligent);
    hub = w.start();
  }

  pid_t hub = 0;
};

// -- transport ----------------------------------------------------------------

TEST_F(Credentials, OnlyARightCertificateIsHeardAtTheLink) {
  begin_alone();
  EXPECT_TRUE(is_let_in(link(), showing(make_forger().right())));
  for (const auto& [what, guest] : wrong_guests())
    EXPECT_FALSE(is_let_in(link(), guest)) << what;
  for (const auto& words : plain_words()) {
    auto stranger = dial_loopback(link());
    say(stranger, words);
    EXPECT_TRUE(is_cut(stranger)) << words.size();
  }
  EXPECT_EQ(w.ask({"node", "ls"})["data"].size(), 1u);
  EXPECT_TRUE(of_kind("node_refused").empty());
}

TEST_F(Credentials, TheDoorSpeaksTls13AndNothingElse) {
  begin_alone();
  tls_guest guest;
  guest.words = "nothing that is a request\n";
  EXPECT_TRUE(is_let_in(port, guest));
  guest.version = tls_1_2;
  EXPECT_FALSE(is_let_in(port, guest));
  for (const auto& words : plain_words()) {
    auto stranger = dial_loopback(port);
    say(stranger, words);
    EXPECT_TRUE(is_cut(stranger)) << words.size();
  }
}

TEST_F(Credentials, AStormOfThemLeavesTheHubAsItWas) {
  constexpr int rounds = 60;
  constexpr std::size_t most_growth = 8'192; // KiB
  begin_alone();
  auto guests = wrong_guests();
  auto storm = [&](int times) {
    for (int i = 0; i < times; ++i) {
      for (const auto& [what, guest] : guests)
        EXPECT_FALSE(is_let_in(link(), guest)) << what;
      for (auto at : {port, link()})
        for (const auto& words : plain_words()) {
          auto stranger = dial_loopback(at);
          say(stranger, words);
          EXPECT_TRUE(is_cut(stranger));
        }
    }
  };
  // What is allocated once is not counted.
  storm(rounds / 4);
  auto before = status("VmRSS");
  auto files = open_files();
  storm(rounds);
  EXPECT_LE(status("VmRSS"), before + most_growth);
  EXPECT_LE(status("VmPeak"), std::size_t{4} << 20);
  EXPECT_LE(open_files(), files + 2);
  expect_a_right_node_works();
}

TEST_F(Credentials, WhoSaysNothingOrLittleIsCutOnBothPorts) {
  begin_alone();
  std::vector<unique_fd> silent;
  std::vector<unique_fd> slow;
  for (auto at : {port, link()}) {
    silent.push_back(dial_loopback(at));
    slow.push_back(dial_loopback(at));
  }
  auto spent = cpu_ticks();
  // A record of 16 kB is announced, and comes by one byte a second.
  for (const auto& fd : slow)
    say(fd, std::string{"\x16\x03\x01\x40\x00", 5});
  auto until = mono_time::clock::now() + world::patience;
  auto all_cut = [&slow] {
    return std::all_of(slow.begin(), slow.end(),
                       [](const unique_fd& fd) { return is_cut_already(fd); });
  };
  while (!all_cut() && mono_time::clock::now() < until) {
    for (const auto& fd : slow)
      say(fd, "\x01");
    ::poll(nullptr, 0, 1'000);
  }
  EXPECT_TRUE(all_cut());
  for (const auto& fd : silent)
    EXPECT_TRUE(is_cut(fd));
  // Nor has the hub been busy with them: CAF's own port asks for ever whether
  // it may write.
  auto most = static_cast<std::uint64_t>(2 * ::sysconf(_SC_CLK_TCK));
  EXPECT_LT(cpu_ticks() - spent, most);
}

/// Keeps more silent connections at a port than anybody may have, and dials
/// anew for each that is cut.
class flood {
public:
  explicit flood(unsigned port) : thread_([this, port] { run(port); }) {}

  ~flood() {
    ends_ = true;
    thread_.join();
  }

  /// How many were cut.
  int cut() const { return cut_; }

private:
  static constexpr std::size_t size = 400;
  /// A moment in which nothing else is dialled.
  static constexpr int breath = 20;

  void run(unsigned port) {
    std::vector<unique_fd> all(size);
    while (!ends_) {
      for (auto& fd : all) {
        if (fd && !is_cut_already(fd))
          continue;
        cut_ += fd ? 1 : 0;
        fd = dial_loopback(port);
        if (ends_)
          return;
      }
      ::poll(nullptr, 0, breath);
    }
  }

  std::atomic<bool> ends_{false};
  std::atomic<int> cut_{0};
  std::thread thread_;
};

TEST_F(Credentials, AFloodOfSilenceKeepsNoRightNodeOut) {
  begin_alone();
  {
    flood door{port};
    flood at_link{link()};
    while (door.cut() < 100 || at_link.cut() < 100)
      ::poll(nullptr, 0, 20);
    // Tried again where it came at a bad moment, as a person would.
    auto token = w.ask({"node", "token"})["token"].get<std::string>();
    auto until = mono_time::clock::now() + world::patience;
    while (n.call({"join", "127.0.0.1:" + std::to_string(port), token, "--name",
                   "worker"})
             .status.code
           != 0)
      ASSERT_LT(mono_time::clock::now(), until);
    expect_it_works();
  }
  // Nothing of it is left.
  auto until = mono_time::clock::now() + world::patience;
  while (open_files() > 100) {
    ASSERT_LT(mono_time::clock::now(), until);
    ::poll(nullptr, 0, 100);
  }
}

TEST_F(Credentials, ANodeTakesNoNodeForItsHub) {
  begin_alone();
  n.join(port, {}, {"--name", "worker"});
  auto place = locate_home(n.home().string());
  unsigned at = 0;
  auto listener = listen_on_loopback(at);
  auto membership = read_membership(place);
  ASSERT_TRUE(membership);
  membership->link = "127.0.0.1:" + std::to_string(at);
  ASSERT_TRUE(write_membership(place, *membership));
  n.start();
  auto forge = make_forger();
  EXPECT_FALSE(is_believed(listener, forge.right()));
  EXPECT_FALSE(is_believed(listener, forger::of_other_authority()));
  // It dials again and again; the hub's own is taken.
  EXPECT_TRUE(is_believed(listener, forge.as_hub()));
}

// -- application --------------------------------------------------------------

/// A running node, `worker`, and a voice with the right certificate of
/// another, `liar`.
class CredentialWords : public Credentials {
protected:
  void SetUp() override {
    begin(scripts::sleeper);
    liar.join(port, {}, {"--name", "liar"});
  }

  /// The last refusal on record, which must be there: the answer comes after
  /// its event was asked for, not after it is durable.
  json refusal(const std::string& reason) const {
    return w.await([&reason](const json& e) {
      return e["kind"] == "node_refused" && e["data"]["reason"] == reason;
    });
  }

  static ec code_of(const result<std::string>& said) {
    return said ? ec::none : said.error().code;
  }

  node_host liar{w, "liar"};
};

TEST_F(CredentialWords, EachWrongHelloIsRefusedByName) {
  scripted_node voice{liar.home()};
  // Before any hello nothing is heard.
  EXPECT_EQ(code_of(voice.call(msg::verb::beat, 1)), ec::not_allowed);
  EXPECT_EQ(refusal("not_allowed")["subject"], "node:liar");

  auto words = voice.hello();
  words.protocol += 1;
  EXPECT_EQ(code_of(voice.greet(words)), ec::protocol_mismatch);
  EXPECT_EQ(refusal("protocol_mismatch")["subject"], "node:liar");

  // A credential of another hub, and a token of a session.
  home_secret foreign{std::string(32, 'x')};
  words = voice.hello();
  words.credential = mint_credential(foreign, {node_name{"liar"}, "01"});
  EXPECT_EQ(code_of(voice.greet(words)), ec::bad_token);
  EXPECT_EQ(refusal("bad_token")["subject"], "node:liar");
  w.ask({"spawn", w.add_task("Any"), "--node", "local"});
  words.credential = w.environment_of("app-1")["AO_TOKEN"];
  EXPECT_EQ(code_of(voice.greet(words)), ec::bad_token);

  // Another node's name, with our credential and with its own that was stolen.
  voice.pose_as(node_name{"worker"});
  words = voice.hello();
  words.name = node_name{"worker"};
  EXPECT_EQ(code_of(voice.greet(words)), ec::bad_token);
  auto theirs = read_membership(locate_home(n.home().string()));
  ASSERT_TRUE(theirs);
  words.credential = theirs->credential;
  // Replayed: the life that it is in is spoken for.
  EXPECT_EQ(code_of(voice.greet(words)), ec::stale_incarnation);
  EXPECT_EQ(refusal("stale_incarnation")["subject"], "node:worker");
  EXPECT_EQ(code_of(voice.call(msg::verb::beat, 1)), ec::not_allowed);
  voice.pose_as(node_name{"nobody"});
  EXPECT_EQ(code_of(voice.greet(voice.hello())), ec::no_such_node);
  EXPECT_EQ(refusal("no_such_node")["subject"], "hub");

  // And the right one is heard, so that all of this was not for another reason.
  voice.pose_as(node_name{"liar"});
  EXPECT_TRUE(voice.greet(voice.hello()));
  EXPECT_TRUE(voice.call(msg::verb::beat, 1));
  EXPECT_EQ(w.ask({"node", "show", "worker"})["state"], "alive");
}

TEST_F(CredentialWords, ANodeSpeaksForItselfAlone) {
  w.ask({"spawn", w.add_task("Any"), "--node", "local"});
  scripted_node voice{liar.home()};
  ASSERT_TRUE(voice.greet(voice.hello()));
  // As a hub.
  for (auto verb : {msg::verb::ensure, msg::verb::stop, msg::verb::output})
    EXPECT_EQ(code_of(voice.call(verb, 1)), ec::not_allowed) << verb;
  EXPECT_THAT(refusal("not_allowed")["data"]["detail"].get<std::string>(),
              HasSubstr("only the hub"));
  // With what a session elsewhere was given.
  json asked{{"method", "GET"},
             {"target", "/api/v1/sessions/app-1"},
             {"token", w.environment_of("app-1")["AO_TOKEN"]}};
  EXPECT_EQ(code_of(voice.call(msg::verb::http, 1, asked.dump())),
            ec::not_allowed);
  w.await([](const json& e) {
    return e["kind"] == "node_refused" && e["subject"] == "node:liar"
      && e["data"]["detail"] == "the token is of app-1, which is not on liar";
  });
  // A life that is over.
  EXPECT_EQ(code_of(voice.call(msg::verb::beat, 7)), ec::stale_incarnation);
  // Revoked, while it speaks and when it greets again.
  w.ask({"node", "revoke", "liar"});
  EXPECT_EQ(code_of(voice.call(msg::verb::beat, 1)), ec::node_revoked);
  EXPECT_EQ(code_of(voice.greet(voice.hello(2))), ec::node_revoked);
  EXPECT_EQ(refusal("node_revoked")["subject"], "node:liar");
}

TEST_F(CredentialWords, TheDoorRefusesAnotherVersionByName) {
  auto made = w.ask({"node", "token"});
  auto heard = tls::ask_door(
    "127.0.0.1", static_cast<std::uint16_t>(port), made["caFingerprint"],
    json{{"protocol", 2}, {"token", made["token"]}, {"request", "none"}}
      .dump());
  ASSERT_TRUE(heard) << to_string(heard.error());
  EXPECT_EQ(json::parse(heard->line)["error"], "protocol_mismatch");
  EXPECT_EQ(refusal("protocol_mismatch")["subject"], "hub");
  // It has not used the token up.
  node_host third{w, "third"};
  EXPECT_EQ(third
              .call({"join", "127.0.0.1:" + std::to_string(port),
                     made["token"].get<std::string>()})
              .status.code,
            0);
}

} // namespace
