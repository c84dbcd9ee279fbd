#include "actors/session.hpp"
#include "messages/interfaces.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/scripted_store.hpp"
#include "tests/support/store_fixture.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <gmock/gmock.h>

#include <memory>

using namespace ao;
using namespace ao::test;
using testing::ElementsAre;

namespace {

struct no_state {};

/// What the neighbours of the SESSION were asked, and what they say.
struct neighbours {
  /// Grants that the REGISTRY was asked for.
  std::vector<msg::regrant_claim> grants;
  bool registry_answers = true;
  /// Whoever asks where the branch is waits for it.
  std::vector<caf::typed_response_promise<msg::found_head>> heads;
  std::vector<msg::ensure_order> ensured;
  std::size_t published = 0;
  /// Changes that were asked for; nobody gets one.
  std::vector<caf::typed_response_promise<change>> changes;
};

/// Grants what it is asked for, and shows it.
registry_actor::behavior_type
granting_registry(registry_actor::stateful_pointer<no_state> self,
                  row_view* rows, std::shared_ptr<neighbours> all) {
  auto none = [] { return make_error(ec::wrong_state, "not in this test"); };
  return {
    [none](const msg::add_task&) -> caf::result<task> { return none(); },
    [none](const msg::add_tasks&) -> caf::result<msg::tasks_added> {
      return none();
    },
    [none](const msg::open_session&) -> caf::result<msg::opened_session> {
      return none();
    },
    [none](const msg::move_task&) -> caf::result<task> { return none(); },
    [none](const msg::release_claim&) -> caf::result<task> { return none(); },
    [self, rows, all](const msg::regrant_claim& asked) -> caf::result<claim> {
      all->grants.push_back(asked);
      auto granted = claim_row(asked.subject, 2, 2, true);
      granted.session = asked.session;
      store_write write;
      write.rows.emplace_back(granted);
      rows->publish({std::move(write)}, {store_written{}});
      if (all->registry_answers)
        return granted;
      return self->make_response_promise<claim>();
    },
    [none](const msg::cancel_task&) -> caf::result<task> { return none(); },
    [none](const msg::park_task&) -> caf::result<task> { return none(); },
    [none](const msg::retry_task&) -> caf::result<task> { return none(); },
    [none](const msg::revise_task&) -> caf::result<task> { return none(); },
    [none](const msg::suspect_tasks&) -> caf::result<task> { return none(); },
    [none](const msg::raise_numbers&) -> caf::result<std::uint64_t> {
      return none();
    },
  };
}

/// Says where a branch is when it is told of a push.
forge_actor::behavior_type
slow_forge(forge_actor::stateful_pointer<no_state> self,
           std::shared_ptr<neighbours> all) {
  auto none = [] { return make_error(ec::wrong_state, "not in this test"); };
  return {
    [self, all](const msg::open_change&) -> caf::result<change> {
      all->changes.push_back(self->make_response_promise<change>());
      return all->changes.back();
    },
    [all](const msg::branch_pushed&) {
      for (auto& promise : std::exchange(all->heads, {}))
        promise.deliver(msg::found_head{});
    },
    [none](const msg::follow_checkout&) -> caf::result<std::string> {
      return none();
    },
    [none](const msg::find_base&) -> caf::result<msg::found_base> {
      return none();
    },
    [self, all](const msg::find_head&) -> caf::result<msg::found_head> {
      all->heads.push_back(self->make_response_promise<msg::found_head>());
      return all->heads.back();
    },
    [none](const msg::prepare_merge&) -> caf::result<msg::prepared_merge> {
      return none();
    },
    [none](const msg::land_merge&) -> caf::result<msg::landed_merge> {
      return none();
    },
    [](look_atom) {},
  };
}

/// The way to the node.
uplink_actor::behavior_type
hearing_uplink(uplink_actor::stateful_pointer<no_state>,
               std::shared_ptr<neighbours> all) {
  return {
    [all](const msg::ensure_order& order) -> caf::result<session_id> {
      all->ensured.push_back(order);
      return order.spec.session;
    },
    [](const msg::stop_order& order) -> caf::result<session_id> {
      return order.session;
    },
    [all](const msg::publish_order& order) -> caf::result<session_id> {
      ++all->published;
      return order.session;
    },
    [](const msg::deliver_message& order) -> caf::result<session_id> {
      return order.session;
    },
    [](const msg::inspect_worktree&) -> caf::result<worktree_facts> {
      return worktree_facts{};
    },
    [](const msg::message_report& told) -> caf::result<message_id> {
      return told.message;
    },
    [](const msg::session_report&) -> caf::result<std::uint64_t> {
      return std::uint64_t{0};
    },
    [](const msg::work_seen&) {},
    [](const msg::node_report&) -> caf::result<std::uint64_t> {
      return std::uint64_t{0};
    },
  };
}

/// A session whose agent was at work on a node that is lost.
class LostSession : public actor_fixture {
protected:
  private_directory root;
  row_view rows;
  hub_context hub;
  std::shared_ptr<neighbours> all = std::make_shared<neighbours>();
  forge_actor forge;
  session_actor keeps;
  const session_id id{"app-1"};

  /// @param claimed The epoch of its claim; its own is 1.
  void begin(epoch_no claimed = 1) { begin(lost_session(), claimed); }

  void begin(session row, epoch_no claimed) {
    static_cast<actor_context&>(hub) = context;
    std::filesystem::create_directories(root / "home");
    hub.place = std::make_shared<home>(root / "home", root / "home/run");
    hub.rows = &rows;
    hub.now = [] { return wall_time{1s}; };
    hub.secret
      = std::make_shared<const home_secret>(home_secret{std::string(32, 's')});
    auto settings_of_test = default_settings_of_all();
    settings_of_test.projects[project_id{"app"}].id.text = "app";
    hub.config = std::make_shared<const settings>(std::move(settings_of_test));
    store_rows known;
    known.sessions.push_back(std::move(row));
    auto held = claim_row("T1", 1, claimed, true);
    held.session = id;
    known.claims.push_back(std::move(held));
    auto t = task_row("T1", 1);
    t.state = task_state::claimed;
    t.session = id;
    t.epoch = claimed;
    known.tasks.push_back(std::move(t));
    cluster_node n;
    n.name.text = "n1";
    n.link = node_link::lost;
    known.nodes.push_back(std::move(n));
    rows.load(std::move(known), {}, 0);
    spawn_as("store", showing_store, &rows);
    spawn_as("registry", granting_registry, &rows, all);
    forge = spawn_as("forge/app", slow_forge, all);
    spawn_as("node-proxy/n1", hearing_uplink, all);
    keeps = spawn_as("session/app-1", session_keeper,
                     shared_context<hub_context>{hub}, id);
    settle();
  }

  session lost_session() const {
    session s;
    s.id = id;
    s.version = 1;
    s.project.text = "app";
    s.task.text = "T1";
    s.subject = "T1";
    s.epoch = 1;
    s.run = 1;
    s.node.text = "n1";
    s.agent = "worker";
    s.branch = "ao/app-1";
    s.runtime = runtime_state::lost;
    return s;
  }

  session row() const { return *rows.find<session>(id.text); }

  void restore() {
    self->send(keeps,
               msg::session_order{msg::session_order::kind::restore,
                                  request_id{"replace/app-1/1"},
                                  "node-proxy/n1"});
    settle();
  }

  /// Its node is back, and has seen the end of the first run.
  void report_end() {
    msg::session_report told;
    told.session = id;
    told.epoch = 1;
    told.run = 1;
    msg::fact::agent_exited end;
    end.how.run = 1;
    end.how.cause = "signalled";
    end.how.failure = "crash";
    told.what = end;
    self->send(keeps, told);
    settle();
  }

  void say_heads() {
    self->send(forge, msg::branch_pushed{});
    settle();
  }
};

/// Without that it went on under the former grant, and was refused every push.
TEST_F(LostSession, DecidesNothingElseUntilItsNewGrantIsItsOwn) {
  begin();
  restore();
  ASSERT_EQ(all->grants.size(), 1u);
  report_end();
  EXPECT_EQ(row().runtime, runtime_state::lost);
  say_heads();
  EXPECT_EQ(row().epoch, 2u);
  EXPECT_EQ(row().runtime, runtime_state::queued);
  EXPECT_FALSE(row().exit);
}

TEST_F(LostSession, FindsAGrantWhoseAnswerWasLost) {
  all->registry_answers = false;
  begin();
  restore();
  advance(10s);
  EXPECT_EQ(row().epoch, 1u);
  // The look that was left behind.
  advance(2s);
  say_heads();
  EXPECT_EQ(row().epoch, 2u);
  EXPECT_EQ(row().runtime, runtime_state::queued);
  // One request, however often it was sent.
  for (const auto& asked : all->grants)
    EXPECT_EQ(asked.request.text, "replace/app-1/1");
}

TEST_F(LostSession, GoesOnUnderAGrantOfAnEarlierLife) {
  begin(2);
  report_end();
  say_heads();
  EXPECT_EQ(row().epoch, 2u);
  EXPECT_EQ(row().runtime, runtime_state::queued);
}

/// A push is many processes; what it has brought does not go.
TEST_F(LostSession, PushesOnceHoweverLongItsChangeIsNotOpened) {
  auto done = lost_session();
  done.runtime = runtime_state::exited;
  done.exit.emplace();
  done.exit->run = 1;
  done.exit->code = 0;
  done.worktree.emplace();
  done.worktree->head_sha = "a1";
  done.worktree->ahead = 1;
  begin(done, 1);
  ASSERT_EQ(all->published, 1u);
  msg::session_report told;
  told.session = id;
  told.epoch = 1;
  told.run = 1;
  told.what = msg::fact::pushed{"a1"};
  self->send(keeps, told);
  settle();
  auto asked = all->changes.size();
  ASSERT_GE(asked, 1u);
  advance(60s);
  EXPECT_GT(all->changes.size(), asked);
  EXPECT_EQ(all->published, 1u);
}

/// What the node did not take, as it was busy, is ordered again.
TEST_F(LostSession, IsOrderedAgainWhileItsNodeIsThere) {
  begin();
  EXPECT_TRUE(all->ensured.empty());
  hub.nodes->put(node_name{"n1"}, {{}, true, {}, {}, false, {}});
  for (std::size_t times = 1; times <= 2; ++times) {
    self->send(keeps, look_atom::value);
    settle();
    EXPECT_EQ(all->ensured.size(), times);
  }
}

} // namespace
