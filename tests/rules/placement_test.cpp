#include "runtime/rules/placement.hpp"

#include <gtest/gtest.h>

using namespace ao;
using namespace std::chrono_literals;

namespace {

placement_node node(const std::string& name, std::uint32_t used,
                    std::uint32_t slots = 4) {
  placement_node n;
  n.name = node_name{name};
  n.used = used;
  n.slots = slots;
  return n;
}

placement_wish wish() {
  placement_wish w;
  w.agent = "codex";
  w.project = "app";
  return w;
}

} // namespace

TEST(Placement, SpreadsByTheShareOfFreeSlots) {
  auto p = place(wish(), {node("a", 2), node("b", 1), node("c", 4, 16)});
  EXPECT_EQ(p.node.text, "b");
  EXPECT_EQ(p.why, "3 of 4 slots are free");
}

TEST(Placement, PrefersTheRepositoryThenTheName) {
  auto with = node("z", 1);
  with.projects = {"app"};
  EXPECT_EQ(place(wish(), {node("a", 1), with}).node.text, "z");
  EXPECT_EQ(place(wish(), {node("b", 1), node("a", 1)}).node.text, "a");
}

TEST(Placement, GoesOnlyWhereItWasAskedFor) {
  auto w = wish();
  w.pinned = node_name{"b"};
  EXPECT_EQ(place(w, {node("a", 0), node("b", 3)}).node.text, "b");
  auto full = place(w, {node("a", 0), node("b", 4)});
  EXPECT_TRUE(full.node.empty());
  EXPECT_EQ(full.why, "waits for a node: b has no free slot (4 of 4 used)");
  EXPECT_EQ(place(w, {node("a", 0)}).why,
            "waits for a node: no node is called b");
}

TEST(Placement, SaysOfEachNodeWhyNot) {
  auto w = wish();
  w.labels = {"gpu=yes"};
  auto lost = node("a", 0);
  lost.closed = "lost";
  auto plain = node("b", 0);
  auto other = node("c", 0);
  other.labels = {"gpu=yes"};
  other.agents = {"aider"};
  auto p = place(w, {lost, plain, other});
  EXPECT_TRUE(p.node.empty());
  EXPECT_EQ(p.why,
            "waits for a node: a is lost; b has not gpu=yes; c cannot "
            "start codex");
  other.agents->push_back("codex");
  EXPECT_EQ(place(w, {lost, plain, other}).node.text, "c");
  EXPECT_EQ(place(wish(), {}).why, "waits for a node: there is no node");
}

TEST(Placement, GoesNowhereWithoutALogin) {
  auto out = node("a", 0);
  out.unready["codex"] = "is not logged in there";
  EXPECT_EQ(place(wish(), {out, node("b", 3)}).node.text, "b");
  auto p = place(wish(), {out});
  EXPECT_TRUE(p.node.empty());
  EXPECT_EQ(p.why, "waits for a node: a: codex is not logged in there");
  auto other = wish();
  other.agent = "aider";
  EXPECT_EQ(place(other, {out, node("b", 3)}).node.text, "a");
  auto pinned = wish();
  pinned.pinned = node_name{"a"};
  EXPECT_TRUE(place(pinned, {out}).node.empty());
}

TEST(Placement, KeepsAwayFromANodeWithoutMemory) {
  auto tight = node("a", 0);
  tight.memory = least_memory - 1;
  EXPECT_EQ(place(wish(), {tight, node("b", 3)}).node.text, "b");
  EXPECT_EQ(place(wish(), {tight}).why,
            "waits for a node: a has too little memory (511 MiB available, at "
            "least 512 MiB needed)");
  tight.memory = least_memory;
  EXPECT_EQ(place(wish(), {tight}).node.text, "a");
  // What its agent may use has to be there, too.
  auto large = wish();
  large.memory = 2 * least_memory;
  EXPECT_TRUE(place(large, {tight}).node.empty());
  tight.memory = 2 * least_memory;
  EXPECT_EQ(place(large, {tight}).node.text, "a");
  auto small = wish();
  small.memory = 1;
  tight.memory = least_memory - 1;
  EXPECT_TRUE(place(small, {tight}).node.empty());
}

TEST(Placement, ReadsTheLabelsThatATaskWantsOfItsNode) {
  EXPECT_EQ(wanted_labels({"bug", "node:gpu=yes", "node:x"}),
            std::vector<std::string>{"gpu=yes"});
}

TEST(Quarantine, NeedsDifferentTasksWithinTheWindow) {
  mono_time t{1h};
  quarantine q;
  for (int i = 0; i < 10; ++i)
    q = note_failure(q, task_id{"T1"}, t);
  EXPECT_FALSE(in_quarantine(q, t));
  q = note_failure(q, task_id{"T2"}, t);
  q = note_failure(q, task_id{"T3"}, t);
  EXPECT_TRUE(in_quarantine(q, t));
  EXPECT_FALSE(in_quarantine(q, t + quarantine_first));

  quarantine slow;
  for (int i = 1; i < 9; ++i)
    slow = note_failure(slow, task_id{"T" + std::to_string(i)}, t + i * 6min);
  EXPECT_FALSE(in_quarantine(slow, t + 48min));
}

TEST(Quarantine, GetsLongerAndIsForgottenBySuccess) {
  mono_time t{1h};
  quarantine q;
  auto fail_three = [&] {
    for (const auto* id : {"T1", "T2", "T3"})
      q = note_failure(q, task_id{id}, t);
  };
  fail_three();
  t += quarantine_first;
  fail_three();
  EXPECT_TRUE(in_quarantine(q, t + quarantine_first));
  EXPECT_FALSE(in_quarantine(q, t + 2 * quarantine_first));
  t += 2 * quarantine_first;
  q = note_success(q);
  fail_three();
  EXPECT_FALSE(in_quarantine(q, t + quarantine_first));
}
