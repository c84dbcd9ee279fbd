#include "tests/support/actor_fixture.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>

#include <thread>

using namespace ao;

namespace {

class Directory : public test::actor_fixture {
protected:
  caf::strong_actor_ptr somebody() {
    return caf::actor_cast<caf::strong_actor_ptr>(
      spawn([](caf::event_based_actor*) -> caf::behavior {
        return {[](int x) { return x; }};
      }));
  }
};

} // namespace

TEST_F(Directory, FindsTheNewestHolderOfAName) {
  auto first = somebody();
  auto second = somebody();
  EXPECT_EQ(names.find("tmux"_name), nullptr);
  names.set("tmux"_name, first);
  EXPECT_EQ(names.find("tmux"_name), first);
  names.set("tmux"_name, second);
  EXPECT_EQ(names.find("tmux"_name), second);
  EXPECT_EQ(names.size(), 1u);
}

TEST_F(Directory, DoesNotLetAnOldEndEraseANewHolder) {
  auto old = names.set("tmux"_name, somebody());
  auto holder = somebody();
  auto now = names.set("tmux"_name, holder);
  EXPECT_FALSE(names.erase("tmux"_name, old));
  EXPECT_EQ(names.find("tmux"_name), holder);
  EXPECT_TRUE(names.erase("tmux"_name, now));
  EXPECT_FALSE(names.erase("tmux"_name, now));
  EXPECT_EQ(names.find("tmux"_name), nullptr);
}

TEST_F(Directory, ListsTheNamesOfARole) {
  for (auto name : {"task/T2", "session/app-1", "task/T1", "tasks", "task"})
    names.set(actor_name{name}, somebody());
  EXPECT_EQ(
    names.names("task"),
    (std::vector<actor_name>{"task"_name, "task/T1"_name, "task/T2"_name}));
}

TEST_F(Directory, IsSafeToUseFromManyThreads) {
  auto holder = somebody();
  std::vector<std::thread> threads;
  for (auto t = 0; t < 4; ++t)
    threads.emplace_back([this, t, holder] {
      auto mine = make_actor_name("task", std::to_string(t));
      for (auto i = 0; i < 500; ++i) {
        auto ticket = names.set(mine, holder);
        auto shared = names.set("shared"_name, holder);
        EXPECT_EQ(names.find(mine), holder);
        EXPECT_TRUE(names.erase(mine, ticket));
        names.erase("shared"_name, shared);
      }
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_LE(names.size(), 1u);
}

TEST(ActorName, HasRoleAndKey) {
  EXPECT_EQ(role_of("forge/rocket"_name), "forge");
  EXPECT_EQ(key_of("forge/rocket"_name), "rocket");
  EXPECT_EQ(key_of("repository/a/b"_name), "a/b");
  EXPECT_EQ(role_of("tmux"_name), "tmux");
  EXPECT_EQ(key_of("tmux"_name), "");
  EXPECT_EQ(make_actor_name("task", "T42"), "task/T42"_name);
  EXPECT_EQ(make_actor_name("tmux"), "tmux"_name);
}

TEST_F(Directory, ErrorsKeepTheirContextBothWays) {
  error original{ec::task_already_claimed,
                 "T42 is held by app-7",
                 {{"holder", "app-7"}, {"epoch", "3"}}};
  auto sent = make_error(original);
  auto back = to_ao_error(sent);
  EXPECT_EQ(back, original);
  EXPECT_EQ(back.details, original.details);
  EXPECT_EQ(sys.render(sent), "task_already_claimed: T42 is held by app-7");
  EXPECT_EQ(to_ao_error(make_error(ec::no_such_task, "T17")),
            (error{ec::no_such_task, "T17"}));
}

TEST_F(Directory, ErrorsOfCafGetACodeOfOurs) {
  auto code = [](const caf::error& e) { return to_ao_error(e).code; };
  EXPECT_EQ(code({}), ec::none);
  EXPECT_EQ(code(caf::sec::request_timeout), ec::timed_out);
  EXPECT_EQ(code(caf::sec::request_receiver_down), ec::not_reachable);
  EXPECT_EQ(code(caf::sec::no_route_to_receiving_node), ec::not_reachable);
  EXPECT_EQ(code(caf::exit_reason::remote_link_unreachable), ec::not_reachable);
  EXPECT_EQ(code(caf::exit_reason::user_shutdown), ec::shutting_down);
  EXPECT_EQ(code(caf::exit_reason::kill), ec::internal);
  EXPECT_EQ(code(caf::sec::runtime_error), ec::internal);
  EXPECT_EQ(
    to_ao_error(caf::make_error(caf::sec::runtime_error, "boom")).context,
    "runtime_error(\"boom\")");
}
