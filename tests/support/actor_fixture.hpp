#pragma once

#include "messages/actor_name.hpp"
#include "runtime/actor/context.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/actor/error.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_actor.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ao::test {

using namespace std::chrono_literals;

/// The actor system of a test: nothing moves until the test says so. No
/// threads, no sleeping, no wall clock.
class actor_fixture : public ::testing::Test {
private:
  struct config : caf::actor_system_config {
    config();
  };
  config config_;

public:
  actor_fixture();

  /// Kills what was spawned and drains mail and timers, as CAF waits for
  /// every actor at shutdown.
  ~actor_fixture() override;

  /// The names of the host.
  directory names;

  /// The log, one line each: `warn child_restarted supervisor=…`.
  std::vector<std::string> log;

  /// Passed to behaviours: `names`, `log`, no threads.
  actor_context context;

  caf::actor_system sys;

  /// The test itself, for requests.
  caf::scoped_actor self;

  /// Runs all mail.
  void settle();

  /// Settles, moves the clock by `d` from timer to timer, settling at each.
  void advance(caf::timespan d);

  /// Whether mail for the test is there.
  bool has_mail();

  /// The present of the virtual clock.
  caf::actor_clock::time_point now();

  /// Spawns `fun(self, xs...)` and remembers it for the end of the test.
  template <class F, class... Ts>
  auto spawn(F fun, Ts&&... xs) {
    auto handle = sys.spawn(fun, std::forward<Ts>(xs)...);
    remember(caf::actor_cast<caf::strong_actor_ptr>(handle));
    return handle;
  }

  /// The same, under a name in the directory.
  template <class F, class... Ts>
  auto spawn_as(const std::string& name, F fun, Ts&&... xs) {
    auto handle = spawn(fun, std::forward<Ts>(xs)...);
    names.set(actor_name{name}, caf::actor_cast<caf::strong_actor_ptr>(handle));
    return handle;
  }

  /// The answer to a request made with `self->request(...)`, or a failure of
  /// the test and a default value when none has come or it is an error.
  template <class T, class Pending>
  T answer(Pending&& pending) {
    auto got = outcome<T>(pending);
    EXPECT_TRUE(got) << (got ? "" : sys.render(got.error()));
    return got ? std::move(*got) : T{};
  }

  /// The same for what may be an error.
  template <class T, class Pending>
  caf::expected<T> outcome(Pending&& pending) {
    settle();
    caf::expected<T> got{make_error(ec::internal, "no answer yet")};
    if (!has_mail())
      return got;
    pending.receive([&](T& value) { got = std::move(value); },
                    [&](caf::error& why) { got = std::move(why); });
    return got;
  }

  /// Asks and expects the answer without any time passing.
  template <class T, class Handle, class... Ts>
  T ask(const Handle& to, Ts&&... xs) {
    return answer<T>(self->request(to, caf::infinite, std::forward<Ts>(xs)...));
  }

  /// Whether the actor lives.
  static bool alive(const caf::strong_actor_ptr& handle);

  /// Sends an exit; settles.
  template <class Handle>
  void end(const Handle& whom,
           caf::error why = caf::exit_reason::user_shutdown) {
    self->send_exit(whom, std::move(why));
    settle();
  }

private:
  using scheduler_type = caf::scheduler::test_coordinator;

  void remember(caf::strong_actor_ptr handle);

  scheduler_type& scheduler_;
  std::vector<caf::strong_actor_ptr> spawned_;
};

} // namespace ao::test
