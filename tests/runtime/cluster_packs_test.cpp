#include "runtime/cluster/packs.hpp"
#include "runtime/git/hook.hpp"
#include "tests/runtime/git_fixture.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

using namespace ao;

namespace {

/// A forge of the hub with one commit, and a relay of a node beside it.
class ClusterPacks : public git_fixture {
protected:
  void SetUp() override {
    git_fixture::SetUp();
    work = root / "work";
    forge = root / "forge.git";
    relay = root / "relay.git";
    fs::create_directories(work);
    run(work, {"init", "--quiet", "--initial-branch=main", "."});
    add_commit("one");
    run(root, {"clone", "--quiet", "--bare", work.string(), forge.string()});
    auto made = make_relay(runner, relay, "main",
                           hook_target{"/bin/true", root, "app"});
    ASSERT_TRUE(made) << to_string(made.error());
  }

  std::string run(const fs::path& dir, std::vector<std::string> args) {
    git_call call{dir, std::move(args)};
    call.scope = git_scope::ours;
    call.env = {{"GIT_AUTHOR_NAME", "Ann"},
                {"GIT_AUTHOR_EMAIL", "ann@example.org"},
                {"GIT_COMMITTER_NAME", "Ann"},
                {"GIT_COMMITTER_EMAIL", "ann@example.org"}};
    auto out = runner.ask_line(call);
    EXPECT_TRUE(out) << to_string(out.error());
    return out.value_or("");
  }

  std::string add_commit(const std::string& name) {
    put(work / name, name);
    run(work, {"add", "--all"});
    run(work, {"commit", "--quiet", "--message", name});
    return run(work, {"rev-parse", "HEAD"});
  }

  /// One round of what a node does before it provisions.
  std::uint64_t refresh() {
    auto have = heads_of(runner, relay);
    std::vector<std::string> commits;
    for (const auto& [name, oid] : *have)
      commits.push_back(oid);
    auto offer = pack_new(runner, forge, commits, root / "offer");
    EXPECT_TRUE(offer) << to_string(offer.error());
    if (!offer->file.empty()) {
      EXPECT_TRUE(take_pack(runner, relay, offer->file));
    }
    EXPECT_TRUE(follow_heads(runner, relay, offer->heads));
    return offer->size;
  }

  /// Refuses every push, with this line.
  void have_forge_refuse(const std::string& line) {
    auto hook = forge / "hooks/pre-receive";
    put(hook, "#!/bin/sh\necho '" + line + "' >&2\nexit 1\n");
    ::chmod(hook.c_str(), 0755);
  }

  /// The branch `ao/app-1` is made; its objects are those of `work`.
  held_push first_push(const std::string& head) const {
    held_push out;
    out.updates = {{std::string(40, '0'), head, "refs/heads/ao/app-1"}};
    out.quarantine = (work / ".git/objects").string();
    return out;
  }

  fs::path work, forge, relay;
};

TEST_F(ClusterPacks, BringARelayUpToDateAndSendOnlyWhatIsNew) {
  EXPECT_GT(refresh(), 0u);
  EXPECT_EQ(*heads_of(runner, relay), *heads_of(runner, forge));
  EXPECT_EQ(refresh(), 0u);
  auto head = add_commit("two");
  run(work, {"push", "--quiet", forge.string(), "main", "main:ao/app-1"});
  EXPECT_GT(refresh(), 0u);
  EXPECT_EQ(heads_of(runner, relay)->at("ao/app-1"), head);
  EXPECT_EQ(run(relay, {"show", "main:two"}), "two");
  // A branch that is gone at the hub goes.
  run(forge, {"update-ref", "-d", "refs/heads/ao/app-1"});
  refresh();
  EXPECT_EQ(heads_of(runner, relay)->count("ao/app-1"), 0u);
  // What is in the way of git stays whole.
  run(relay, {"fsck", "--full"});
}

TEST_F(ClusterPacks, CarryAPushToTheForge) {
  refresh();
  auto head = add_commit("two");
  // As it is while the relay's hook is asked: objects in a quarantine.
  auto quarantine = root / "quarantine";
  fs::create_directories(quarantine);
  fs::copy(work / ".git/objects", quarantine, fs::copy_options::recursive);
  held_push push;
  push.updates = {{std::string(40, '0'), head, "refs/heads/ao/app-1"}};
  push.quarantine = quarantine.string();
  auto pack = pack_push(runner, relay, push, root / "out");
  ASSERT_TRUE(pack) << to_string(pack.error());
  ASSERT_FALSE(pack->empty());
  auto kept = root / "kept.pack";
  fs::copy(*pack, kept);
  auto done
    = carry_push(runner, forge, *pack, push.updates, {}, root / "scratch");
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(heads_of(runner, forge)->at("ao/app-1"), head);
  EXPECT_FALSE(fs::exists(root / "scratch"));
  // Once more after a crash: it is there already.
  EXPECT_TRUE(
    carry_push(runner, forge, kept, push.updates, {}, root / "scratch"));
  // A branch that the hub knows needs no objects.
  refresh();
  push.quarantine.clear();
  push.updates = {{std::string(40, '0'), head, "refs/heads/ao/app-2"}};
  pack = pack_push(runner, relay, push, root / "out");
  ASSERT_TRUE(pack);
  EXPECT_TRUE(pack->empty());
}

TEST_F(ClusterPacks, TakeNothingThatTheForgeRefuses) {
  refresh();
  have_forge_refuse("ao: push refused: stale epoch 3 (current 4)");
  auto head = add_commit("two");
  auto push = first_push(head);
  auto pack = pack_push(runner, relay, push, root / "out");
  ASSERT_TRUE(pack);
  auto done
    = carry_push(runner, forge, *pack, push.updates, {}, root / "scratch");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ec::stale_epoch);
  EXPECT_EQ(done.error().context,
            "ao: push refused: stale epoch 3 (current 4)");
  EXPECT_EQ(heads_of(runner, forge)->count("ao/app-1"), 0u);
}

/// The connection of a push was cut, and what it had begun at the hub goes on
/// beside the second try.
TEST_F(ClusterPacks, CarryAPushThatIsUnderWayTwice) {
  refresh();
  auto old = run(forge, {"rev-parse", "main"});
  auto head = add_commit("two");
  auto push = first_push(head);
  auto pack = pack_push(runner, relay, push, root / "out");
  ASSERT_TRUE(pack) << to_string(pack.error());
  // The other one is faster, by so little that git only sees it in the end.
  auto hook = forge / "hooks/pre-receive";
  put(hook,
      "#!/bin/sh\nset -e\ncat > /dev/null\n"
      "unset GIT_QUARANTINE_PATH\n"
      "git update-ref refs/heads/ao/app-1 "
        + head + "\n");
  ASSERT_EQ(::chmod(hook.c_str(), 0755), 0);
  auto kept = root / "kept.pack";
  fs::copy(*pack, kept);
  auto done
    = carry_push(runner, forge, *pack, push.updates, {}, root / "scratch");
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(heads_of(runner, forge)->at("ao/app-1"), head);
  // It has come to its end before the second one begins.
  push.updates = {{old, head, "refs/heads/ao/app-1"}};
  fs::remove(hook);
  done = carry_push(runner, forge, kept, push.updates, {}, root / "scratch");
  EXPECT_TRUE(done) << to_string(done.error());
}

TEST_F(ClusterPacks, RefuseADamagedPackAndAMovedBranch) {
  put(root / "bad.pack", "PACKnonsense");
  EXPECT_FALSE(take_pack(runner, relay, root / "bad.pack"));
  refresh();
  auto old = run(work, {"rev-parse", "HEAD"});
  auto head = add_commit("two");
  run(work, {"push", "--quiet", forge.string(), "main:ao/app-1"});
  auto other = add_commit("three");
  held_push push;
  push.updates = {{old, other, "refs/heads/ao/app-1"}};
  push.quarantine = (work / ".git/objects").string();
  auto pack = pack_push(runner, relay, push, root / "out");
  ASSERT_TRUE(pack);
  auto done
    = carry_push(runner, forge, *pack, push.updates, {}, root / "scratch");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ec::ref_moved);
  EXPECT_EQ(heads_of(runner, forge)->at("ao/app-1"), head);
}

} // namespace
