#include "tests/support/agent_scripts.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <fstream>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

/// Says what the base had when it began, works.
const std::string diligent = R"(ls > "$HOME/$AO_SESSION.began-with"
)" + scripts::diligent;

/// The person's checkout and the forge's base, and how they meet.
class Base : public testing::Test {
protected:
  explicit Base(world_options options = {}) : w(std::move(options)) {
    w.add_agent("diligent", diligent);
  }

  /// The person commits to the checkout.
  void commit(const std::string& file, const std::string& text = "mine") {
    std::ofstream{w.checkout() / file} << text << "\n";
    w.git(w.checkout(), {"add", "--all"});
    w.git(w.checkout(), {"commit", "--quiet", "--message", "Add " + file});
  }

  /// Has an agent work, to the end.
  void merge_one(const std::string& title) {
    auto task = w.add_task(title);
    w.ask({"spawn", task});
    w.await("session_cleaned",
            "session:"
              + w.ask({"task", "show", task}).value("session", std::string{}));
    EXPECT_EQ(w.ask({"task", "show", task})["state"], "merged");
  }

  std::string head_of(const fs::path& repository) {
    return w.git(repository, {"rev-parse", "refs/heads/main"});
  }

  world w;
};

TEST_F(Base, ASessionBeginsAtWhatThePersonHasCommitted) {
  w.start();
  commit("late.txt");
  merge_one("First");
  EXPECT_THAT(content_of(w.user() / "app-1.began-with"), HasSubstr("late.txt"));
  EXPECT_EQ(w.git(w.forge(), {"show", "main:late.txt"}), "mine");
}

TEST_F(Base, PullBringsMergedWorkIntoTheCheckout) {
  w.start();
  merge_one("First");
  EXPECT_FALSE(fs::exists(w.checkout() / "app-1.txt"));
  auto pulled = w.ask({"pull"});
  EXPECT_EQ(pulled["commits"], 1);
  EXPECT_EQ(pulled["branch"], "main");
  EXPECT_EQ(pulled["to"], head_of(w.forge()));
  EXPECT_EQ(content_of(w.checkout() / "app-1.txt"), "by app-1\n");
  EXPECT_EQ(head_of(w.checkout()), head_of(w.forge()));
  EXPECT_EQ(w.ask({"pull"})["commits"], 0);
  // Nothing of ours is left in the person's repository.
  EXPECT_EQ(w.git(w.checkout(), {"for-each-ref", "--format=%(refname)"}),
            "refs/heads/main");
}

TEST_F(Base, PullMovesABranchThatIsNotCheckedOut) {
  w.start();
  merge_one("First");
  w.git(w.checkout(), {"checkout", "--quiet", "-b", "other"});
  EXPECT_EQ(w.ask({"pull"})["commits"], 1);
  EXPECT_FALSE(fs::exists(w.checkout() / "app-1.txt"));
  EXPECT_EQ(head_of(w.checkout()), head_of(w.forge()));
}

TEST_F(Base, PullLosesNoUncommittedWork) {
  w.start();
  merge_one("First");
  std::ofstream{w.checkout() / "app-1.txt"} << "the person's own\n";
  auto end = w.ao({"pull"});
  EXPECT_EQ(end.status.code, 1);
  EXPECT_THAT(end.err, HasSubstr("app-1.txt"));
  EXPECT_EQ(content_of(w.checkout() / "app-1.txt"), "the person's own\n");
  EXPECT_NE(head_of(w.checkout()), head_of(w.forge()));
}

TEST_F(Base, BothSidesMovedIsSaidOnceAndLosesNothing) {
  w.start();
  merge_one("First");
  commit("own.txt");
  auto mine = head_of(w.checkout());
  merge_one("Second");
  merge_one("Third");
  // Merges go on at the forge.
  EXPECT_EQ(w.git(w.forge(), {"show", "main:app-3.txt"}), "by app-3");
  int told = 0;
  for (const auto& e : w.events())
    if (e["kind"] == "base_diverged") {
      ++told;
      EXPECT_EQ(e["data"]["theirs"], mine);
      EXPECT_EQ(e["data"]["project"], "app");
    }
  EXPECT_EQ(told, 1);
  auto end = w.ao({"pull"});
  EXPECT_EQ(end.status.code, 4) << end.out;
  EXPECT_THAT(end.err, HasSubstr("merge"));
  EXPECT_EQ(head_of(w.checkout()), mine);
  // What the message says to do helps.
  auto theirs = head_of(w.forge());
  w.git(w.checkout(), {"merge", "--quiet", "--no-edit", theirs});
  merge_one("Fourth");
  EXPECT_EQ(w.git(w.forge(), {"show", "main:own.txt"}), "mine");
}

TEST_F(Base, PullSaysWhichProjectItNeeds) {
  w.start();
  auto end = w.ao({"pull", "-p", "nobody"});
  EXPECT_EQ(end.status.code, 3);
  EXPECT_THAT(end.err, HasSubstr("app"));
}

world_options publishing() {
  world_options o;
  o.project = ", forge: {plugin: local, publish: upstream}";
  return o;
}

class Publish : public Base {
protected:
  Publish() : Base(publishing()) {
    w.git(w.root(), {"init", "--quiet", "--bare", upstream().string()});
    // A relative address means what it means in the checkout.
    w.git(w.checkout(), {"remote", "add", "upstream", "../upstream.git"});
  }

  fs::path upstream() const { return w.root() / "upstream.git"; }
};

TEST_F(Publish, CarriesWhatWasMergedToTheRemote) {
  w.start();
  merge_one("First");
  auto done = w.await([&](const json& e) {
    return e["kind"] == "published" && e["data"]["sha"] == head_of(w.forge());
  });
  EXPECT_EQ(done["data"]["remote"], "upstream");
  EXPECT_EQ(head_of(upstream()), head_of(w.forge()));
}

TEST_F(Publish, IsRefusedRatherThanForcedAndTriedAgain) {
  // Somebody else has pushed what the checkout does not have.
  auto other = w.root() / "other";
  w.git(w.root(), {"clone", "--quiet", w.checkout().string(), other.string()});
  std::ofstream{other / "theirs.txt"} << "theirs\n";
  w.git(other, {"add", "--all"});
  w.git(other, {"commit", "--quiet", "--message", "Theirs"});
  w.git(other, {"push", "--quiet", upstream().string(), "main"});
  auto theirs = head_of(upstream());
  w.start();
  merge_one("First");
  auto failed
    = w.await([](const json& e) { return e["kind"] == "publish_failed"; });
  EXPECT_THAT(failed["data"].value("reason", ""), HasSubstr("push"));
  EXPECT_EQ(head_of(upstream()), theirs);
  // The person brings them together; the next merge is published.
  w.git(w.checkout(),
        {"pull", "--quiet", "--no-edit", "--no-rebase", upstream().string(),
         "main"});
  w.git(w.checkout(),
        {"pull", "--quiet", "--no-edit", "--no-rebase", w.forge().string(),
         "main"});
  merge_one("Second");
  w.await([&](const json& e) {
    return e["kind"] == "published" && e["data"]["sha"] == head_of(w.forge());
  });
  EXPECT_EQ(w.git(upstream(), {"show", "main:theirs.txt"}), "theirs");
}

world_options with_slow_ci() {
  world_options o;
  // The first head's checks last for ever, and tell who they are.
  o.project = ", ci: {command: [sh, -c, \"if test -e slow; then "
              "echo $$ > $HOME/ci-pid; exec sleep 600; fi\"]}";
  return o;
}

TEST(SlowChecks, OfAHeadThatHasMovedAreEnded) {
  world w{with_slow_ci()};
  w.add_agent("hasty", R"(
touch slow; git add --all; git commit --quiet --message slow; git push --quiet
ao report ready_for_review
while [ ! -e "$HOME/ci-pid" ]; do sleep 0.05; done
git rm --quiet slow; echo done > done.txt; git add --all
git commit --quiet --message quick
)");
  w.start();
  w.ask({"spawn", w.add_task("First")});
  w.await("session_cleaned", "session:app-1");
  EXPECT_EQ(w.git(w.forge(), {"show", "main:done.txt"}), "done");
  expect_ends(static_cast<pid_t>(std::stol(content_of(w.user() / "ci-pid"))));
  // Nothing of the old run stands in the agent's way: it heard no complaint.
  EXPECT_TRUE(w.ask({"messages", "app-1"})["data"].empty());
}

} // namespace
