#include "tests/support/scripted_node.hpp"

#include "messages/interfaces/cluster.hpp"
#include "messages/protocol.hpp"
#include "runtime/actor/compat.hpp"
#include "runtime/actor/error.hpp"
#include "runtime/actor/network.hpp"
#include "runtime/tls/channel.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/openssl/remote_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <stdexcept>

namespace ao {
namespace {

constexpr std::chrono::seconds patience{20};

struct config : caf::actor_system_config {
  explicit config(const tls::identity_files& files) {
    AO_INIT();
    register_errors(*this);
    set(AO_KEY("scheduler.policy"), AO_SCHED("sharing"));
    set(AO_KEY("scheduler.max-threads"), std::size_t{1});
    speak_to_hosts(*this, files.certificate, files.key, files.authority);
  }
};

tls::identity_files ready_files(const home& place) {
  if (!tls::require_tls_1_3(place))
    throw std::runtime_error("no TLS 1.3");
  return tls::node_files(place);
}

} // namespace

struct scripted_node::impl {
  explicit impl(const home& place)
      : cfg(ready_files(place)), system(cfg), self(system) {}

  node_membership us;
  node_name posing;
  config cfg;
  caf::actor_system system;
  caf::scoped_actor self;
  front_door_actor::super door;
};

scripted_node::scripted_node(const std::filesystem::path& root) {
  auto place = locate_home(root.string());
  auto us = read_membership(place);
  if (!us)
    throw std::runtime_error(to_string(us.error()));
  impl_ = std::make_unique<impl>(place);
  impl_->us = *us;
  impl_->posing = us->name;
  auto where = tls::parse_address(us->link);
  if (!where)
    throw std::runtime_error(to_string(where.error()));
  auto door = caf::openssl::remote_actor<front_door_actor::super>(
    impl_->system, where->host, where->port);
  if (!door)
    throw std::runtime_error(impl_->system.render(door.error()));
  impl_->door = *door;
}

scripted_node::~scripted_node() = default;

msg::node_hello scripted_node::hello(std::uint64_t incarnation) const {
  msg::node_hello out;
  out.protocol = node_protocol;
  out.name = impl_->us.name;
  out.credential = impl_->us.credential;
  out.incarnation = incarnation;
  out.slots = 1;
  return out;
}

result<std::string> scripted_node::greet(const msg::node_hello& words) const {
  return call(msg::verb::hello, words.incarnation, msg::to_wire(words));
}

result<std::string> scripted_node::call(std::string_view verb,
                                        std::uint64_t incarnation,
                                        const std::string& body) const {
  msg::wire_call said;
  said.verb = std::string{verb};
  said.node = impl_->posing.text;
  said.incarnation = incarnation;
  said.body = body;
  result<std::string> out = fail(ec::internal, "no answer");
  impl_->self->request(impl_->door, patience, said)
    .receive([&out](const msg::wire_reply& reply) { out = reply.body; },
             [&out](const caf::error& why) { out = fail(to_ao_error(why)); });
  return out;
}

void scripted_node::pose_as(const node_name& other) {
  impl_->posing = other;
}

} // namespace ao
