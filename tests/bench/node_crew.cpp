#include "tests/bench/node_crew.hpp"

#include "messages/interfaces/cluster.hpp"
#include "messages/protocol.hpp"
#include "runtime/actor/compat.hpp"
#include "runtime/actor/error.hpp"
#include "runtime/actor/network.hpp"
#include "runtime/cluster/membership_file.hpp"
#include "runtime/tls/channel.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/openssl/manager.hpp>
#include <caf/openssl/remote_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <sstream>
#include <vector>

namespace ao::bench {
namespace {

constexpr milliseconds heartbeat{1'000};
constexpr milliseconds hello_limit{10'000};
/// As the LINK, see actors/link.cpp.
constexpr milliseconds first_pause{200};
constexpr milliseconds longest_pause{15'000};

struct speaker : caf::actor_system_config {
  explicit speaker(const tls::identity_files& files) {
    AO_INIT();
    register_errors(*this);
    set(AO_KEY("scheduler.policy"), AO_SCHED("sharing"));
    set(AO_KEY("scheduler.max-threads"), std::size_t{1});
    speak_to_hosts(*this, files.certificate, files.key, files.authority);
  }
};

/// False when standard input has ended meanwhile.
bool wait(milliseconds length) {
  pollfd waits{STDIN_FILENO, POLLIN, 0};
  if (::poll(&waits, 1, static_cast<int>(length.count())) <= 0)
    return true;
  char ignored = 0;
  return ::read(STDIN_FILENO, &ignored, 1) > 0;
}

/// Several nodes and their link.
class crew {
public:
  crew(caf::actor_system& system, std::vector<node_membership> nodes)
      : self_(system), nodes_(std::move(nodes)) {}

  bool dial_echo(std::uint16_t port) {
    auto there = caf::openssl::remote_actor<wire_actor::super>(
      self_->system(), "127.0.0.1", port);
    if (there)
      echo_ = *there;
    return static_cast<bool>(there);
  }

  /// Until standard input ends.
  void live() {
    auto pause = first_pause;
    while (wait(jittered(pause))) {
      pause = std::min(longest_pause, pause * 2);
      if (!greet())
        continue;
      pause = first_pause;
      if (!beat())
        return;
    }
  }

private:
  static milliseconds jittered(milliseconds pause) {
    static std::mt19937 random{std::random_device{}()};
    return milliseconds{std::uniform_int_distribution<milliseconds::rep>{
      pause.count() / 2, pause.count()}(random)};
  }

  static msg::wire_call call_of(const node_membership& us,
                                std::string_view verb, std::string body) {
    msg::wire_call out;
    out.verb = std::string{verb};
    out.node = us.name.text;
    out.incarnation = 1;
    out.body = std::move(body);
    return out;
  }

  template <class Handle>
  bool ask(const Handle& whom, milliseconds limit, msg::wire_call call) {
    auto answered = false;
    self_->request(whom, limit, std::move(call))
      .receive([&](const msg::wire_reply&) { answered = true; },
               [](const caf::error&) {});
    return answered;
  }

  bool greet() {
    auto where = tls::parse_address(nodes_.front().link);
    auto door = caf::openssl::remote_actor<front_door_actor::super>(
      self_->system(), where->host, where->port);
    if (!door)
      return false;
    door_ = *door;
    return std::all_of(
      nodes_.begin(), nodes_.end(), [this](const node_membership& us) {
        msg::node_hello hello;
        hello.protocol = node_protocol;
        hello.name = us.name;
        hello.credential = us.credential;
        hello.incarnation = 1;
        hello.slots = 1;
        return ask(door_, hello_limit,
                   call_of(us, msg::verb::hello, msg::to_wire(hello)));
      });
  }

  /// False when standard input has ended.
  bool beat() {
    auto share = heartbeat / static_cast<int>(nodes_.size());
    for (;;)
      for (const auto& us : nodes_) {
        auto call = call_of(us, msg::verb::beat, "{}");
        if (!ask(door_, heartbeat, call))
          return true;
        (void)ask(echo_, heartbeat, call);
        if (!wait(share))
          return false;
      }
  }

  caf::scoped_actor self_;
  std::vector<node_membership> nodes_;
  front_door_actor::super door_;
  wire_actor::super echo_;
};

} // namespace

std::string crew_home(const std::string& root, int number) {
  return root + "/s" + std::to_string(number);
}

int serve_crew(const std::string& words) {
  std::istringstream in{words};
  std::string root;
  int first = 0;
  int count = 0;
  std::uint16_t echo = 0;
  in >> root >> first >> count >> echo;
  std::vector<node_membership> nodes;
  for (int i = first; i < first + count; ++i) {
    auto us = read_membership(locate_home(crew_home(root, i)));
    if (!us)
      return 1;
    nodes.push_back(std::move(*us));
  }
  auto place = locate_home(crew_home(root, first));
  if (!tls::require_tls_1_3(place))
    return 1;
  speaker config{tls::node_files(place)};
  caf::actor_system system{config};
  crew all{system, std::move(nodes)};
  if (!all.dial_echo(echo))
    return 1;
  std::puts("ready");
  std::fflush(stdout);
  constexpr milliseconds for_ever{-1};
  if (wait(for_ever))
    all.live();
  return 0;
}

} // namespace ao::bench
