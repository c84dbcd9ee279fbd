#include "actors/runner.hpp"
#include "messages/interfaces.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/store_fixture.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <gmock/gmock.h>

#include <deque>
#include <memory>

using namespace ao;
using namespace ao::test;
using testing::ElementsAre;

namespace {

/// What the hub and the tmux of the node have heard, in order.
struct heard {
  std::vector<std::string> facts;
  /// What the hub orders as soon as it hears of the end of a run; once.
  std::deque<msg::ensure_order> at_the_end;
  std::vector<error> refused;
  /// Worktrees that are to be removed, and who waits for that.
  int dropped = 0;
  std::vector<caf::typed_response_promise<msg::worktree_dropped>> drops;
};

/// Empty for what is no end of anything.
std::string words_of(const msg::session_report& told) {
  std::string words;
  if (std::holds_alternative<msg::fact::agent_exited>(told.what))
    words = "exited";
  else if (std::holds_alternative<msg::fact::stopped>(told.what))
    words = "stopped";
  else if (std::holds_alternative<msg::fact::provision_failed>(told.what))
    words = "not provisioned";
  return words.empty() ? words : words + " " + std::to_string(told.run);
}

struct no_state {};

/// The way to a hub that orders the next run when one has ended.
uplink_actor::behavior_type
scripted_uplink(uplink_actor::stateful_pointer<no_state> self,
                std::shared_ptr<heard> seen, runner_actor runs) {
  return {
    [](const msg::ensure_order&) -> caf::result<session_id> {
      return session_id{};
    },
    [](const msg::stop_order&) -> caf::result<session_id> {
      return session_id{};
    },
    [](const msg::publish_order&) -> caf::result<session_id> {
      return session_id{};
    },
    [](const msg::deliver_message&) -> caf::result<session_id> {
      return session_id{};
    },
    [](const msg::inspect_worktree&) -> caf::result<worktree_facts> {
      return worktree_facts{};
    },
    [](const msg::message_report&) -> caf::result<message_id> {
      return message_id{};
    },
    [self, seen,
     runs](const msg::session_report& told) -> caf::result<std::uint64_t> {
      if (auto words = words_of(told); !words.empty())
        seen->facts.push_back(words);
      if (std::holds_alternative<msg::fact::agent_exited>(told.what)
          && !seen->at_the_end.empty()) {
        self->request(runs, caf::infinite, seen->at_the_end.front())
          .then([](const session_id&) {},
                [seen](const caf::error& why) {
                  seen->refused.push_back(to_ao_error(why));
                });
        seen->at_the_end.pop_front();
      }
      return std::uint64_t{0};
    },
    [](const msg::work_seen&) {},
    [](const msg::node_report&) -> caf::result<std::uint64_t> {
      return std::uint64_t{0};
    },
  };
}

/// Removes a worktree when it is asked to make one.
repository_actor::behavior_type
slow_repository(repository_actor::stateful_pointer<no_state> self,
                std::shared_ptr<heard> seen) {
  return {
    [seen](const msg::add_worktree&) -> caf::result<msg::worktree_made> {
      for (auto& promise : std::exchange(seen->drops, {}))
        promise.deliver(msg::worktree_dropped{});
      return msg::worktree_made{};
    },
    [self,
     seen](const msg::drop_worktree&) -> caf::result<msg::worktree_dropped> {
      ++seen->dropped;
      seen->drops.push_back(
        self->make_response_promise<msg::worktree_dropped>());
      return seen->drops.back();
    },
  };
}

/// A tmux without any pane.
tmux_actor::behavior_type empty_tmux(tmux_actor::stateful_pointer<no_state>) {
  auto none = [] { return make_error(ec::not_reachable, "no pane"); };
  return {
    [none](const msg::open_pane&) -> caf::result<msg::pane_opened> {
      return none();
    },
    [](const msg::list_panes&) -> caf::result<msg::pane_list> {
      return msg::pane_list{};
    },
    [none](const msg::ask_activity&) -> caf::result<msg::pane_activity> {
      return none();
    },
    [](const msg::terminal_gone&) {},
    [](const msg::close_pane& what) -> caf::result<session_id> {
      return what.session;
    },
    [none](const msg::paste_text&) -> caf::result<session_id> {
      return none();
    },
    [none](const msg::type_text&) -> caf::result<session_id> { return none(); },
    [none](const msg::press_key&) -> caf::result<session_id> { return none(); },
    [none](const msg::look_at_pane&) -> caf::result<msg::seen_pane> {
      return none();
    },
  };
}

/// A node with one session, whose first run has ended while nobody looked.
class Runner : public actor_fixture {
protected:
  private_directory root;
  std::shared_ptr<heard> seen = std::make_shared<heard>();
  node_context node;
  runner_actor runs;
  repository_actor repository;

  Runner() {
    static_cast<actor_context&>(node) = context;
    node.place = std::make_shared<home>(root / "home", root / "home/run");
    node.now = [] { return wall_time{1s}; };
    node.config = std::make_shared<const settings>(default_settings_of_all());
    node.caches = std::make_shared<
      const std::map<project_id, std::shared_ptr<repository_cache>>>(
      std::map<project_id, std::shared_ptr<repository_cache>>{
        {spec(1).project,
         std::make_shared<repository_cache>(git_runner{}, root / "cache.git",
                                            root / "forge.git")}});
    leave_files();
    spawn_as("tmux", empty_tmux);
    runs = spawn(runner, shared_context<node_context>{node}, spec(1).session);
    spawn_as("uplink", scripted_uplink, seen, runs);
    repository = spawn_as("repository/app", slow_repository, seen);
  }

  static msg::session_spec spec(run_no run) {
    msg::session_spec out;
    out.session = session_id{"app-1"};
    out.project = project_id{"app"};
    out.epoch = 1;
    out.run = run;
    out.branch = "ao/app-1";
    out.base = "main";
    return out;
  }

  /// As they are when node and agent have ended at once.
  void leave_files() const {
    session_dir files{node.places(spec(1).session).directory};
    ASSERT_TRUE(files.begin(spec(1)));
    launch_spec launch;
    launch.session = spec(1).session;
    launch.epoch = 1;
    launch.run = 1;
    launch.argv = {"/bin/true"};
    launch.cwd = root / "home";
    launch.socket = root / "shim.sock";
    launch.mark = "a-mark-that-no-process-has";
    ASSERT_TRUE(write_launch(files.path(), launch));
    ASSERT_TRUE(write_file_durably(lock_path(files.path()), "1"));
    exit_report end;
    end.session = spec(1).session;
    end.epoch = 1;
    end.run = 1;
    end.pid = 4711;
    end.code = 0;
    ASSERT_TRUE(write_file_durably(exit_path(files.path(), 1), to_json(end)));
  }

  void order(run_no run) { self->send(runs, msg::ensure_order{spec(run)}); }

  void answer_drops() {
    self->send(repository, msg::add_worktree{});
    settle();
  }

  void order_stop(run_no run, msg::stop_how how = msg::stop_how::end_agent) {
    msg::stop_order stop;
    stop.how = how;
    stop.session = spec(run).session;
    stop.epoch = 1;
    stop.run = run;
    self->send(runs, stop);
  }
};

TEST_F(Runner, TellsHowARunEndedThatIsOrderedAgain) {
  order(1);
  settle();
  EXPECT_THAT(seen->facts, ElementsAre("exited 1"));
}

/// The hub says an order again that was not answered in time, as often as that
/// happens: what waits is taken once, and each is answered.
TEST_F(Runner, TakesOnceWhatIsOrderedAgainMeanwhile) {
  auto ask = [this] {
    return self->request(runs, caf::infinite, msg::ensure_order{spec(1)});
  };
  std::vector<decltype(ask())> asked;
  for (int times = 0; times < 5; ++times)
    asked.push_back(ask());
  for (auto& one : asked)
    EXPECT_EQ(answer<session_id>(one), spec(1).session);
  EXPECT_THAT(seen->facts, ElementsAre("exited 1"));
}

/// Never beside the run after it, and an end that is known is told as it was.
TEST_F(Runner, LooksAtOneEndAtATime) {
  seen->at_the_end = {{spec(2)}};
  order(1);
  order(1);
  settle();
  // The project is not configured: that is how the second run ends.
  EXPECT_THAT(seen->facts, ElementsAre("exited 1", "not provisioned 2"));
  EXPECT_TRUE(seen->refused.empty());
}

/// Else a stop that takes longer than the hub waits for its answer would be
/// carried out again and again.
TEST_F(Runner, CarriesOutOnceAStopThatIsOrderedAgain) {
  order(1);
  settle();
  order_stop(1, msg::stop_how::remove);
  settle();
  order_stop(1, msg::stop_how::remove);
  settle();
  EXPECT_THAT(seen->facts, ElementsAre("exited 1"));
  answer_drops();
  EXPECT_THAT(seen->facts, ElementsAre("exited 1", "stopped 1"));
  EXPECT_EQ(seen->dropped, 1);
}

/// One that wants more of it is another.
TEST_F(Runner, GoesOnWithAStopThatWantsMore) {
  order(1);
  settle();
  order_stop(1, msg::stop_how::remove);
  settle();
  order_stop(1, msg::stop_how::discard);
  settle();
  answer_drops();
  answer_drops();
  EXPECT_EQ(seen->dropped, 2);
  EXPECT_THAT(seen->facts, ElementsAre("exited 1", "stopped 1", "stopped 1"));
}

TEST_F(Runner, BeginsNoRunBesideAStop) {
  seen->at_the_end = {{spec(2)}};
  order(1);
  order_stop(1);
  settle();
  EXPECT_THAT(seen->facts, ElementsAre("exited 1", "stopped 1"));
  ASSERT_EQ(seen->refused.size(), 1u);
  EXPECT_EQ(to_string(seen->refused[0]), "wrong_state: app-1 is being stopped");
  order(2);
  settle();
  EXPECT_THAT(seen->facts,
              ElementsAre("exited 1", "stopped 1", "not provisioned 2"));
}

} // namespace
