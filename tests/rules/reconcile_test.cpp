#include "runtime/rules/reconcile.hpp"

#include <gtest/gtest.h>

using namespace ao;

namespace {

session on(const char* node, epoch_no epoch, run_no run) {
  session s;
  s.id = session_id{"app-1"};
  s.node = node_name{node};
  s.epoch = epoch;
  s.run = run;
  s.runtime = runtime_state::alive;
  return s;
}

TEST(Reconcile, AnUnknownSessionIsLost) {
  EXPECT_TRUE(has_lost(node_name{"n1"}, 1, 1, nullptr));
}

TEST(Reconcile, OnlyTheGrantAndTheNodeOfTheRecordsKeepARun) {
  auto row = on("n1", 3, 2);
  EXPECT_FALSE(has_lost(node_name{"n1"}, 3, 2, &row));
  // The hub has started a later one, which ends it.
  EXPECT_FALSE(has_lost(node_name{"n1"}, 3, 1, &row));
  EXPECT_TRUE(has_lost(node_name{"n2"}, 3, 2, &row));
  EXPECT_TRUE(has_lost(node_name{"n1"}, 2, 2, &row));
  // Of records that are older than the world.
  EXPECT_TRUE(has_lost(node_name{"n1"}, 4, 2, &row));
  EXPECT_TRUE(has_lost(node_name{"n1"}, 3, 3, &row));
}

TEST(Reconcile, ADrainWaitsForWhatMayStillBeAtWork) {
  auto s = on("n1", 1, 1);
  for (auto runtime : {runtime_state::queued, runtime_state::provisioning,
                       runtime_state::starting, runtime_state::alive,
                       runtime_state::exited, runtime_state::lost}) {
    s.runtime = runtime;
    EXPECT_TRUE(holds_node(s)) << to_string(runtime);
  }
  // For a person; one that the hub has parked is on its way elsewhere.
  s.runtime = runtime_state::parked;
  EXPECT_FALSE(holds_node(s));
  s.resume = resume_reason::hub;
  EXPECT_TRUE(holds_node(s));
}

TEST(Reconcile, ADrainWaitsForNothingThatIsOverOrNeverWasThere) {
  auto s = on("n1", 1, 1);
  s.end = session_end::merged;
  EXPECT_TRUE(holds_node(s)); // its agent is being stopped
  s.runtime = runtime_state::exited;
  EXPECT_FALSE(holds_node(s));
  auto fresh = on("n1", 1, 0);
  fresh.runtime = runtime_state::queued;
  EXPECT_FALSE(holds_node(fresh));
  auto manual = on("n1", 1, 1);
  manual.role = session_role::manual;
  EXPECT_FALSE(holds_node(manual));
}

TEST(Reconcile, KnowsTheRefsOfLosers) {
  EXPECT_TRUE(is_parked_ref("refs/ao/parked/app-1/e1-r1"));
  EXPECT_FALSE(is_parked_ref("refs/ao/rescue/app-1/20261123T200000123Z"));
}

} // namespace
