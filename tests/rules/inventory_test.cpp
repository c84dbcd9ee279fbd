#include "runtime/rules/inventory.hpp"

#include <gtest/gtest.h>

namespace ao {
namespace {

/// A row for every session but those called `unknown…`.
std::optional<session> row_of(const session_id& id, session_end end) {
  if (id.text.rfind("unknown", 0) == 0)
    return std::nullopt;
  session s;
  s.id = id;
  s.end = end;
  return s;
}

std::vector<finding> settle(found_session f, session_end end) {
  return settle_inventory(
    {std::move(f)}, [end](const session_id& id) { return row_of(id, end); });
}

TEST(Inventory, LeavesWhatMayLiveToItsRunner) {
  EXPECT_TRUE(
    settle({session_id{"app-1"}, true, true, true, true}, session_end::open)
      .empty());
}

TEST(Inventory, FindsWhatLivesOfAnEndedSession) {
  for (auto [shim, pane] : {std::pair{true, false}, {false, true}}) {
    auto found = settle({session_id{"app-1"}, true, shim, pane, true},
                        session_end::done);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].what, finding_kind::ghost);
  }
}

TEST(Inventory, KeepsTheFilesOfAnEndedSession) {
  EXPECT_TRUE(
    settle({session_id{"app-1"}, true, false, false, true}, session_end::killed)
      .empty());
}

TEST(Inventory, TellsWhatNoRowKnowsAndStopsNothing) {
  auto found = settle({session_id{"unknown-1"}, false, true, true, true},
                      session_end::open);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].what, finding_kind::foreign);
  EXPECT_EQ(found[0].parts, "pane, shim, worktree");
  EXPECT_TRUE(settle({session_id{"unknown-1"}, true, false, false, false},
                     session_end::open)
                .empty());
}

} // namespace
} // namespace ao
