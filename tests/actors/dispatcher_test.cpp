#include "actors/dispatcher.hpp"
#include "messages/interfaces.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/store_fixture.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <memory>

using namespace ao;
using namespace ao::test;

namespace {

/// Sessions that wait for a slot; each look of the DISPATCHER asks for the time
/// once per session.
class DispatcherActor : public actor_fixture {
protected:
  private_directory root;
  row_view rows;
  hub_context hub;
  dispatcher_actor dispatches;
  std::size_t asked = 0;

  static constexpr std::size_t waiting = 40;

  /// @param spawns Per minute.
  void begin(std::uint32_t spawns) {
    static_cast<actor_context&>(hub) = context;
    hub.place = std::make_shared<home>(root / "home", root / "home/run");
    std::filesystem::create_directories(root / "home");
    hub.rows = &rows;
    hub.now = [this] {
      ++asked;
      return wall_time{1s};
    };
    auto all = default_settings_of_all();
    all.limits.sessions = 1'000;
    all.limits.spawns_per_minute = spawns;
    all.limits.min_free_memory = 0;
    all.limits.min_free_disk = 0;
    hub.config = std::make_shared<const settings>(std::move(all));
    store_rows known;
    for (std::size_t i = 1; i <= waiting; ++i) {
      session s;
      s.id.text = "app-" + std::to_string(i);
      s.project.text = "app";
      s.runtime = runtime_state::queued;
      s.reason = "waits";
      known.sessions.push_back(std::move(s));
    }
    rows.load(std::move(known), {}, 0);
    dispatches = spawn_as("dispatcher", dispatcher, hub);
    settle();
  }

  /// Looks since the last time.
  std::size_t looks() {
    settle();
    return std::exchange(asked, 0) / waiting;
  }

  void want_look() { self->send(dispatches, look_atom::value); }
};

TEST_F(DispatcherActor, LooksOnceForAllThatWantIt) {
  begin(0);
  looks();
  for (int i = 0; i < 100; ++i)
    want_look();
  advance(1s);
  EXPECT_LE(looks(), 2u);
}

/// The next start is due in a minute, and that is looked at once, however often
/// it was found out.
TEST_F(DispatcherActor, KeepsOneTimerForWhatIsDue) {
  begin(1);
  for (int second = 0; second < 50; ++second) {
    want_look();
    advance(1s);
  }
  EXPECT_GE(looks(), 40u);
  // Nobody wants anything any more.
  advance(10min);
  EXPECT_LE(looks(), 25u);
}

} // namespace
