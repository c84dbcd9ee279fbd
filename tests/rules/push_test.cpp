#include "runtime/rules/push.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace ao;

namespace {

const std::string zeros(40, '0');
const std::string one(40, '1');
const std::string two(40, '2');

/// A session at work, whose push is allowed.
push_facts holder() {
  return {pusher{session_id{"app-7"}, 4, 2},
          push_claim{session_id{"app-7"}, 4, 2, "ao/app-7", true},
          {"main", "release/1"}};
}

/// The line that git shows, empty when allowed.
std::string line(const push_facts& facts, std::vector<ref_update> updates) {
  auto why = refuse_push(facts, updates);
  return why ? why->context : "";
}

ref_update move(std::string ref) {
  return {one, two, std::move(ref)};
}

} // namespace

TEST(PushRule, AllowsTheHolderItsOwnBranch) {
  EXPECT_EQ(line(holder(), {move("refs/heads/ao/app-7")}), "");
  EXPECT_EQ(line(holder(), {{zeros, one, "refs/heads/ao/app-7"}}), "");
}

TEST(PushRule, RefusesAStaleEpochInTheContractsWords) {
  auto facts = holder();
  facts.who->epoch = 3;
  auto why = refuse_push(facts, {move("refs/heads/ao/app-7")});
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code, ec::stale_epoch);
  EXPECT_EQ(why->context, "ao: push refused: stale epoch 3 (current 4)");
}

TEST(PushRule, TellsTheLoserOfAClaimSoWhateverElseIsWrong) {
  auto facts = holder();
  facts.claim = push_claim{session_id{"app-9"}, 5, 1, "ao/app-7", false};
  EXPECT_EQ(line(facts, {move("refs/heads/main")}),
            "ao: push refused: stale epoch 4 (current 5)");
}

TEST(PushRule, RefusesAnEarlierRun) {
  auto facts = holder();
  facts.who->run = 1;
  auto why = refuse_push(facts, {move("refs/heads/ao/app-7")});
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code, ec::stale_epoch);
  EXPECT_EQ(why->context, "ao: push refused: stale run 1 (current 2)");
}

TEST(PushRule, RefusesWhoeverIsNotTheHolder) {
  auto facts = holder();
  facts.who->session = session_id{"app-8"};
  EXPECT_EQ(line(facts, {move("refs/heads/ao/app-7")}),
            "ao: push refused: app-8 does not hold epoch 4");
  facts.claim.reset();
  EXPECT_EQ(line(facts, {move("refs/heads/ao/app-7")}),
            "ao: push refused: app-8 holds no claim");
  facts.who.reset();
  EXPECT_EQ(line(facts, {move("refs/heads/ao/app-7")}),
            "ao: push refused: no session (AO_TOKEN is missing or not valid)");
}

TEST(PushRule, WaitsForTheProofOfTheLease) {
  auto facts = holder();
  facts.claim->lease_provable = false;
  EXPECT_EQ(line(facts, {move("refs/heads/ao/app-7")}),
            "ao: push refused: lease not provable");
}

TEST(PushRule, LeavesTheBaseToTheMergeQueue) {
  for (auto base : {"main", "release/1"}) {
    auto facts = holder();
    EXPECT_EQ(line(facts, {move("refs/heads/" + std::string{base})}),
              "ao: push refused: only the merge queue moves "
                + std::string{base});
    // Not even when a session's branch is configured to be the base.
    facts.claim->branch = base;
    EXPECT_NE(line(facts, {move("refs/heads/" + std::string{base})}), "");
  }
}

TEST(PushRule, RefusesAllThatIsNotTheBranch) {
  EXPECT_EQ(line(holder(), {move("refs/heads/ao/app-8")}),
            "ao: push refused: ao/app-8 is not the branch of app-7 "
            "(ao/app-7)");
  EXPECT_EQ(line(holder(), {move("refs/tags/v1")}),
            "ao: push refused: tags are not pushed (refs/tags/v1)");
  EXPECT_EQ(line(holder(), {move("refs/ao/rescue/app-7/x")}),
            "ao: push refused: refs/ao/rescue/app-7/x is not a branch");
  for (auto ref : {"HEAD", "refs/notes/x", "refs/heads", "refs/headsx/main",
                   "refs/heads/", "refs/heads/ao/app-7/x", "ao/app-7", ""})
    EXPECT_NE(line(holder(), {move(ref)}), "") << ref;
}

TEST(PushRule, RefusesDeletion) {
  EXPECT_EQ(line(holder(), {{one, zeros, "refs/heads/ao/app-7"}}),
            "ao: push refused: ao/app-7 is not deleted by a push");
}

TEST(PushRule, RefusesAllForOne) {
  EXPECT_NE(
    line(holder(), {move("refs/heads/ao/app-7"), move("refs/heads/main")}), "");
}

TEST(PushRule, RefusesARoleWithoutBranch) {
  auto facts = holder();
  facts.claim->branch.clear();
  EXPECT_EQ(line(facts, {move("refs/heads/x")}),
            "ao: push refused: app-7 has no branch to push");
}

TEST(PushRule, AnswersOnOneLineWhateverTheRef) {
  auto text = line(holder(), {move("refs/heads/a\nb\x1b[31m\xff")});
  EXPECT_EQ(text.find_first_of("\n\x1b\xff"), std::string::npos);
}

// The rule said again, the other way round: all conditions at once.
RC_GTEST_PROP(PushRule, AllowsNothingButTheHoldersBranch, ()) {
  auto flag = [] { return *rc::gen::arbitrary<bool>(); };
  auto facts = holder();
  auto fine = true;
  auto spoil = [&](bool yes, auto change) {
    if (yes) {
      change();
      fine = false;
    }
  };
  spoil(flag(), [&] { facts.claim->epoch += *rc::gen::inRange(1, 9); });
  spoil(flag(), [&] { facts.claim->run += *rc::gen::inRange(1, 9); });
  spoil(flag(), [&] { facts.claim->holder = session_id{"app-8"}; });
  spoil(flag(), [&] { facts.claim->lease_provable = false; });
  spoil(flag(), [&] { facts.claim.reset(); });
  spoil(flag(), [&] { facts.who.reset(); });
  auto ref = *rc::gen::element<std::string>(
    "refs/heads/ao/app-7", "refs/heads/main", "refs/heads/ao/app-70",
    "refs/tags/ao/app-7", "refs/ao/x", "ao/app-7");
  fine = fine && ref == "refs/heads/ao/app-7";
  auto update = move(ref);
  spoil(flag(), [&] { update.new_sha = zeros; });
  auto why = refuse_push(facts, {update});
  RC_ASSERT(!why.has_value() == fine);
  if (why)
    RC_ASSERT(why->context.rfind("ao: push refused: ", 0) == 0u);
}

TEST(RefUpdates, AreReadLineByLine) {
  auto updates = parse_ref_updates(zeros + " " + one + " refs/heads/a\n" + one
                                   + " " + zeros + " refs/heads/b c\n");
  ASSERT_TRUE(updates);
  ASSERT_EQ(updates->size(), 2u);
  EXPECT_TRUE(updates->at(0).creates());
  EXPECT_FALSE(updates->at(0).deletes());
  EXPECT_TRUE(updates->at(1).deletes());
  EXPECT_EQ(updates->at(1).ref, "refs/heads/b c");
  EXPECT_TRUE(parse_ref_updates("")->empty());
}

TEST(RefUpdates, RefuseWhatIsNone) {
  for (const auto& text :
       {std::string{"\n"}, std::string{"x y z\n"}, one + " " + two + "\n",
        one + " " + two + " \n", one + "  refs/heads/a\n"})
    EXPECT_EQ(parse_ref_updates(text).error().code, ec::bad_input) << text;
}
