#include "actors/supervisor.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/actor/error.hpp"
#include "tests/bench/rows.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <limits>
#include <stdexcept>

namespace ao::bench {
namespace {

constexpr int deaths = 2'000;
constexpr int warm_up = 200;
constexpr std::chrono::seconds patience{10};

using born_atom = caf::atom_constant<caf::atom("born")>;
using ping_atom = caf::atom_constant<caf::atom("ping")>;

/// Says that it is there, then answers.
caf::behavior talker(caf::event_based_actor* self, const caf::actor& observer) {
  self->send(observer, born_atom::value);
  return {[](ping_atom) { return ping_atom::value; }};
}

/// The least that restarts: a monitor, and a new one for each that is down.
caf::behavior bare_loop(caf::event_based_actor* self,
                        const caf::actor& observer) {
  auto start
    = [self, observer] { self->monitor(self->spawn(talker, observer)); };
  self->set_down_handler([start](caf::down_msg&) { start(); });
  start();
  return {[](ping_atom) {}};
}

/// Waits for a child to be born.
caf::actor next_child(caf::scoped_actor& self) {
  caf::actor out;
  self->receive(
    [&](born_atom) {
      out = caf::actor_cast<caf::actor>(self->current_sender());
    },
    caf::after(patience) >>
      [] { throw std::runtime_error("no child was born"); });
  return out;
}

void expect_answer(caf::scoped_actor& self, const caf::actor& whom) {
  self->request(whom, patience, ping_atom::value)
    .receive([](ping_atom) {},
             [](const caf::error&) {
               throw std::runtime_error("a child does not answer");
             });
}

/// Milliseconds from the end of a child to its successor's first answer.
/// `holder_of` tells who that is.
template <class HolderOf>
double median_restart(caf::scoped_actor& self, HolderOf holder_of) {
  auto present = holder_of(next_child(self));
  expect_answer(self, present);
  std::vector<double> took;
  for (int i = 0; i < warm_up + deaths; ++i) {
    auto one = timed([&] {
      self->send_exit(present, make_error(ec::internal, "dies for a figure"));
      present = holder_of(next_child(self));
      expect_answer(self, present);
    });
    if (i >= warm_up)
      took.push_back(one);
  }
  return median(took);
}

double ours(restart_strategy strategy) {
  directory names;
  caf::actor_system_config config;
  register_errors(config);
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  child_spec spec;
  spec.name = "child"_name;
  spec.start = starts(talker, caf::actor_cast<caf::actor>(self));
  supervisor_spec parent;
  parent.name = "parent";
  parent.rule.strategy = strategy;
  parent.rule.limits = {std::numeric_limits<std::uint32_t>::max(),
                        std::chrono::seconds{1},
                        {},
                        {},
                        0};
  parent.children = {spec};
  auto boss = system.spawn(supervisor, actor_context{&names}, parent);
  // By its name, as everybody finds it.
  auto out = median_restart(self, [&](const caf::actor&) {
    return names.find<caf::actor>("child"_name);
  });
  self->monitor(boss);
  self->send_exit(boss, caf::exit_reason::user_shutdown);
  self->receive([](const caf::down_msg&) {});
  return out;
}

double bare() {
  caf::actor_system_config config;
  register_errors(config);
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  auto loop = system.spawn(bare_loop, caf::actor_cast<caf::actor>(self));
  caf::actor last;
  auto out = median_restart(self, [&](const caf::actor& born) {
    last = born;
    return born;
  });
  // The loop first, or it would start another.
  self->monitor(loop);
  self->send_exit(loop, caf::exit_reason::user_shutdown);
  self->receive([](const caf::down_msg&) {});
  self->send_exit(last, caf::exit_reason::user_shutdown);
  return out;
}

} // namespace

std::vector<figure> supervisor_figures() {
  constexpr double micro = 1000;
  auto raw = bare() * micro;
  return {{"a child's end -> its successor answers",
           ours(restart_strategy::one_for_one) * micro, raw, "us", "<= 3"},
          {"  the same below a dynamic supervisor",
           ours(restart_strategy::dynamic) * micro, raw, "us", "<= 3"}};
}

} // namespace ao::bench
