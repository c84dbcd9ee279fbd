#include "actors/supervisor.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/actor/error.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <gtest/gtest.h>

#include <future>

using namespace ao;
using namespace std::chrono_literals;

namespace {

using block_atom = caf::atom_constant<caf::atom("block")>;

} // namespace

// The one test of supervision on real threads: the deterministic fixture
// cannot block.
TEST(SupervisorOnThreads, AbandonsADetachedChildThatBlocks) {
  std::promise<void> blocked;
  std::promise<void> released;
  auto release = released.get_future().share();
  std::promise<std::uint64_t> abandoned;
  {
    directory names;
    caf::actor_system_config config;
    register_errors(config);
    caf::actor_system system{config};
    caf::scoped_actor self{system};
    child_spec child;
    child.name = "store"_name;
    child.detached = true;
    child.stop_within = 1ms;
    child.start
      = starts([&blocked, release](caf::event_based_actor*) -> caf::behavior {
          return {[&blocked, release](block_atom) {
            blocked.set_value();
            release.wait();
          }};
        });
    supervisor_spec spec;
    spec.name = "root";
    spec.rule.kill_grace = 1ms;
    spec.children = {child};
    spec.hooks.on_abandoned = [&](const std::string&, std::uint64_t total) {
      abandoned.set_value(total);
    };
    supervisor_actor boss
      = system.spawn(supervisor, actor_context{&names}, std::move(spec));
    self->request(boss, 10s, ready_atom::value)
      .receive(
        [](const child_list& all) { EXPECT_EQ(all.children.size(), 1u); },
        [](caf::error&) { FAIL(); });
    self->send(caf::actor_cast<caf::actor>(names.find("store"_name)),
               block_atom::value);
    blocked.get_future().wait();
    self->monitor(boss);
    self->send_exit(boss, caf::exit_reason::user_shutdown);
    self->receive([](const caf::down_msg& down) {
      EXPECT_EQ(to_ao_error(down.reason).code, ec::shutting_down);
    });
    EXPECT_EQ(abandoned.get_future().get(), 1u);
    EXPECT_EQ(names.size(), 0u);
    released.set_value();
  }
}
