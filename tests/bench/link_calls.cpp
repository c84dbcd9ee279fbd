#include "tests/bench/link_calls.hpp"

#include "messages/interfaces/cluster.hpp"
#include "messages/protocol.hpp"
#include "runtime/actor/compat.hpp"
#include "runtime/actor/error.hpp"
#include "runtime/actor/network.hpp"
#include "runtime/cluster/membership_file.hpp"
#include "runtime/tls/channel.hpp"
#include "tests/bench/rows.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/openssl/manager.hpp>
#include <caf/openssl/publish.hpp>
#include <caf/openssl/remote_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <vector>

namespace ao::bench {
namespace {

constexpr int calls = 5'000;
constexpr int warm_up = 500;
constexpr std::chrono::seconds patience{20};

/// Speaks as hub and nodes do.
struct speaker : caf::actor_system_config {
  explicit speaker(const tls::identity_files& files) {
    AO_INIT();
    register_errors(*this);
    set(AO_KEY("scheduler.max-throughput"), 300u);
    set(AO_KEY("scheduler.policy"), AO_SCHED("sharing"));
    speak_to_hosts(*this, files.certificate, files.key, files.authority);
  }
};

wire_actor::behavior_type echo(wire_actor::pointer) {
  return {[](const msg::wire_call& call) {
    return msg::wire_reply{call.body, call.bytes};
  }};
}

template <class Handle>
void expect_answer(caf::scoped_actor& self, const Handle& whom,
                   const msg::wire_call& call) {
  self->request(whom, patience, call)
    .receive([](const msg::wire_reply&) {},
             [&call](const caf::error& why) {
               throw std::runtime_error(call.verb + ": "
                                        + to_string(to_ao_error(why)));
             });
}

template <class Handle>
call_times measure_calls(caf::scoped_actor& self, const Handle& whom,
                         const msg::wire_call& call) {
  std::vector<double> took;
  for (int i = 0; i < warm_up + calls; ++i) {
    auto one = timed([&] {
      self->request(whom, patience, call)
        .receive([](const msg::wire_reply&) {},
                 [](const caf::error& why) {
                   throw std::runtime_error("a call fails: "
                                            + to_string(to_ao_error(why)));
                 });
    });
    if (i >= warm_up)
      took.push_back(one);
  }
  std::sort(took.begin(), took.end());
  return {took[took.size() / 2], took[took.size() * 99 / 100]};
}

/// The first words of a node that has nothing.
msg::wire_call hello_of(const node_membership& us) {
  msg::node_hello hello;
  hello.protocol = node_protocol;
  hello.name = us.name;
  hello.credential = us.credential;
  hello.incarnation = 1;
  hello.slots = 1;
  msg::wire_call out;
  out.verb = std::string{msg::verb::hello};
  out.node = us.name.text;
  out.incarnation = hello.incarnation;
  out.body = msg::to_wire(hello);
  return out;
}

} // namespace

int serve_echo(const std::string& root) {
  auto place = locate_home(root);
  if (!tls::require_tls_1_3(place))
    return 1;
  speaker config{tls::hub_files(place)};
  caf::actor_system system{config};
  auto there = system.spawn(echo);
  auto port = caf::openssl::publish(there, 0, "127.0.0.1", false);
  if (!port)
    return 1;
  std::printf("%u\n", static_cast<unsigned>(*port));
  std::fflush(stdout);
  char ignored = 0;
  while (::read(STDIN_FILENO, &ignored, 1) > 0) {
  }
  caf::anon_send_exit(there, caf::exit_reason::user_shutdown);
  return 0;
}

link_times time_calls(const std::string& root, std::uint16_t echo_port) {
  auto place = locate_home(root);
  auto us = read_membership(place);
  if (!us || !tls::require_tls_1_3(place))
    throw std::runtime_error(root + " has not joined a hub");
  auto where = tls::parse_address(us->link);
  if (!where)
    throw std::runtime_error(to_string(where.error()));
  speaker config{tls::node_files(place)};
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  auto door = caf::openssl::remote_actor<front_door_actor::super>(
    system, where->host, where->port);
  auto raw = caf::openssl::remote_actor<wire_actor::super>(system, "127.0.0.1",
                                                           echo_port);
  if (!door || !raw)
    throw std::runtime_error("the hub or the echo cannot be reached");
  auto call = hello_of(*us);
  link_times out;
  out.hello = timed([&] { expect_answer(self, *door, call); });
  call.verb = std::string{msg::verb::beat};
  call.body = "{}";
  // The echo twice, so that what else runs on this host is fair to both.
  auto before = measure_calls(self, *raw, call);
  out.calls = measure_calls(self, *door, call);
  auto after = measure_calls(self, *raw, call);
  out.echo = {(before.p50 + after.p50) / 2, (before.p99 + after.p99) / 2};
  return out;
}

} // namespace ao::bench
