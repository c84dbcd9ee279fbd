#include "tests/support/agent_scripts.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <set>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace {

/// Changes the only line of README, pushes, and lives on.
const std::string rewriter = R"(
echo "by $AO_SESSION" > README
git commit --quiet --all --message "Work of $AO_SESSION"
git push --quiet
exec sleep 1000
)";

/// Writes a file of its own, pushes, and lives on.
const std::string newcomer = R"(
echo "by $AO_SESSION" > "$AO_SESSION.txt"
git add --all
git commit --quiet --message "Work of $AO_SESSION"
git push --quiet
exec sleep 1000
)";

const std::string crash = "Crash when the cart is empty";
const std::string same_crash = "Empty cart crashes the shop";

world_options with(const std::string& project) {
  world_options out;
  out.project = project;
  return out;
}

/// Changes the only line of README and commits nothing, but shows that it
/// lives.
const std::string editor = R"(
echo "by $AO_SESSION" > README
while :; do echo busy; sleep 0.1; done
)";

std::vector<json> suspicions(const world& w) {
  std::vector<json> out;
  for (auto& e : w.events())
    if (e["kind"] == "duplicate_suspected")
      out.push_back(std::move(e));
  return out;
}

json row_of(const json& status, const std::string& session) {
  for (const auto& row : status["data"])
    if (row["name"] == session)
      return row;
  ADD_FAILURE() << "no row of " << session << " in " << status;
  return json::object();
}

std::string spawn(const world& w, const std::string& task,
                  std::vector<std::string> more = {}) {
  std::vector<std::string> words{"spawn", task};
  words.insert(words.end(), more.begin(), more.end());
  return w.ask(words).value("id", "");
}

TEST(Duplicates, AreWarnedOfAndBothSidesAreNamed) {
  world w;
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  auto first = w.add_task(crash);
  auto between = w.add_task("Translate the manual");
  auto added = w.ao({"task", "add", same_crash});
  ASSERT_EQ(added.status.code, 0) << added.err;
  EXPECT_THAT(added.out, HasSubstr("T3 looks like T1 (" + crash + "): "));
  auto e = w.await("duplicate_suspected", "task:T3");
  EXPECT_EQ(e["data"]["task"], "T3");
  EXPECT_EQ(e["data"]["other"], first);
  EXPECT_EQ(e["data"]["policy"], "warn");
  EXPECT_GE(e["data"]["score"].get<double>(), 0.65);
  EXPECT_THAT(e["data"]["reason"].dump(), HasSubstr("titles share"));

  // A warning stops nobody.
  auto s1 = spawn(w, first);
  auto s2 = spawn(w, between);
  auto s3 = spawn(w, "T3");
  auto status = w.ask({"status"});
  auto one = row_of(status, s1)["suspectedDuplicateOf"];
  auto three = row_of(status, s3)["suspectedDuplicateOf"];
  ASSERT_EQ(one.size(), 1u) << status;
  ASSERT_EQ(three.size(), 1u) << status;
  EXPECT_EQ(one[0]["task"], "T3");
  EXPECT_EQ(one[0]["session"], s3);
  EXPECT_EQ(three[0]["task"], first);
  EXPECT_EQ(three[0]["title"], crash);
  EXPECT_EQ(three[0]["held"], false);
  EXPECT_EQ(row_of(status, s2)["suspectedDuplicateOf"], json::array());
  auto pairs = status["meta"]["suspectedDuplicates"];
  ASSERT_EQ(pairs.size(), 1u) << pairs;
  EXPECT_EQ(pairs[0]["task"], "T3");
  EXPECT_EQ(pairs[0]["other"], first);
  EXPECT_EQ(pairs[0]["session"], s3);
  EXPECT_EQ(pairs[0]["otherSession"], s1);
  EXPECT_THAT(w.ao({"status"}).out,
              HasSubstr("T3 (" + s3 + ") looks like T1 (" + s1 + "): "));

  for (const auto& subject : {first, std::string{"T3"}, s1, s3}) {
    auto why = w.ao({"why", subject});
    ASSERT_EQ(why.status.code, 0) << why.err;
    EXPECT_THAT(why.out, HasSubstr("duplicate_suspected")) << subject;
    EXPECT_THAT(why.out, HasSubstr("T3 looks like T1")) << subject;
  }
  EXPECT_THAT(w.ao({"why", between}).out, Not(HasSubstr("looks like")));

  // A restart remembers, and does not say it again.
  w.kill_hub();
  w.start();
  EXPECT_EQ(w.ask({"status"})["meta"]["suspectedDuplicates"].size(), 1u);
  w.add_task(crash);
  w.await("duplicate_suspected", "task:T4");
  EXPECT_EQ(w.events("task:T3").size(), [&] {
    std::set<json> once;
    for (const auto& x : w.events("task:T3"))
      once.insert(x["kind"] == "duplicate_suspected" ? x["kind"] : x["seq"]);
    return once.size();
  }());

  // With one of the two it is over.
  ASSERT_EQ(w.ao({"task", "cancel", first}).status.code, 0);
  ASSERT_EQ(w.ao({"task", "cancel", "T4"}).status.code, 0);
  EXPECT_EQ(w.ask({"status"})["meta"]["suspectedDuplicates"], json::array());
}

TEST(Duplicates, AreHeldUntilAPersonReleasesThem) {
  world w{with(", duplicates: hold")};
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  auto first = w.add_task(crash);
  auto later = w.add_task(same_crash);
  EXPECT_EQ(w.ask({"task", "show", later})["state"], "blocked");
  auto session = w.ask({"spawn", later});
  EXPECT_EQ(session["status"], "queued");
  auto reason = session["runtime"]["reason"].dump();
  EXPECT_THAT(reason, HasSubstr("looks like " + first + " (" + crash + ")"));
  EXPECT_THAT(reason, HasSubstr("ao task retry " + later));
  EXPECT_THAT(w.ao({"status"}).out, HasSubstr("it waits"));
  auto running = spawn(w, first);
  w.await("agent_started", "session:" + running);
  auto retried = w.ao({"task", "retry", later});
  ASSERT_EQ(retried.status.code, 0) << retried.err;
  w.await("agent_started", "session:" + session["id"].get<std::string>());
  EXPECT_EQ(suspicions(w).size(), 1u);
}

TEST(Duplicates, AreHeldUntilTheOtherIsClosedAlsoAcrossARestart) {
  world w{with(", duplicates: hold, dispatch: auto")};
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  auto first = w.add_task(crash);
  w.await("agent_started", "session:app-1");
  auto later = w.add_task(same_crash);
  auto next = w.add_task("Translate the manual");
  // The one behind it is started, itself not.
  auto started = w.await("agent_started", "session:app-2");
  EXPECT_EQ(started["data"]["task"], next);
  w.kill_hub();
  w.start();
  EXPECT_EQ(w.ask({"task", "show", later})["state"], "blocked");
  EXPECT_EQ(suspicions(w).size(), 1u);
  ASSERT_EQ(w.ao({"task", "cancel", first}).status.code, 0);
  started = w.await("agent_started", "session:app-3");
  EXPECT_EQ(started["data"]["task"], later);
}

TEST(Duplicates, AreNobodysConcernWhereTheyAreOff) {
  world w{with(", duplicates: off, openChange: agent")};
  w.add_agent("rewriter", rewriter);
  w.start();
  w.add_task(crash);
  w.add_task(crash);
  for (const auto* task : {"T1", "T2"})
    spawn(w, task);
  // What they push is at the forge when the next task is added.
  for (const auto* session : {"app-1", "app-2"})
    w.await("agent_started", std::string{"session:"} + session);
  w.add_task(crash);
  EXPECT_THAT(suspicions(w), IsEmpty());
  EXPECT_EQ(w.ask({"status"})["meta"]["suspectedDuplicates"], json::array());
}

TEST(Duplicates, AreSuspectedWhereLiveAgentsChangeTheSameLines) {
  world w{with(", openChange: agent")};
  w.add_agent("rewriter", rewriter);
  w.add_agent("newcomer", newcomer);
  w.start();
  w.add_task("Translate the manual");
  w.add_task("Speed up queries");
  w.add_task("Colours of buttons");
  spawn(w, "T1");
  spawn(w, "T2", {"--agent", "newcomer"});
  spawn(w, "T3");
  auto e = w.await("duplicate_suspected", "task:T3");
  EXPECT_EQ(e["data"]["other"], "T1");
  EXPECT_EQ(e["data"]["session"], "app-3");
  EXPECT_EQ(e["data"]["otherSession"], "app-1");
  EXPECT_EQ(e["data"]["score"], 1.0);
  EXPECT_EQ(e["data"]["reason"],
            "both change the same lines in 1 of 1 place, in README");
  for (const auto* subject : {"T1", "T3", "app-1", "app-3"})
    EXPECT_THAT(w.ao({"why", subject}).out, HasSubstr("T3 looks like T1"));
  EXPECT_THAT(w.ao({"status"}).out,
              HasSubstr("T3 (app-3) looks like T1 (app-1): both change"));

  // After a restart a further one is compared with what was pushed before.
  w.kill_hub();
  w.start();
  w.add_task("Rename the importer");
  spawn(w, "T4");
  auto to = [&w](const char* other) {
    return w.await([&](const json& x) {
      return x["kind"] == "duplicate_suspected" && x["subject"] == "task:T4"
        && x["data"]["other"] == other;
    });
  };
  EXPECT_EQ(to("T1")["data"]["otherSession"], "app-1");
  EXPECT_EQ(to("T3")["data"]["otherSession"], "app-3");
  EXPECT_EQ(suspicions(w).size(), 3u);

  // Work that is given up is no one's duplicate.
  ASSERT_EQ(w.ao({"task", "cancel", "T1"}).status.code, 0);
  ASSERT_EQ(w.ao({"task", "cancel", "T3"}).status.code, 0);
  w.add_task("Remove the old cache");
  spawn(w, "T5");
  e = w.await("duplicate_suspected", "task:T5");
  EXPECT_EQ(e["data"]["other"], "T4");
  EXPECT_EQ(suspicions(w).size(), 4u);
}

TEST(Duplicates, AreSuspectedBeforeAnythingIsCommitted) {
  auto options = with("");
  options.settings += "hang: {after: 10s}\n";
  world w{options};
  w.add_agent("editor", editor);
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  w.add_task("Translate the manual");
  w.add_task("Speed up queries");
  w.add_task("Colours of buttons");
  spawn(w, "T1");
  spawn(w, "T2", {"--agent", "sleeper"});
  spawn(w, "T3");
  auto e = w.await("duplicate_suspected", "task:T3");
  EXPECT_EQ(e["data"]["other"], "T1");
  EXPECT_EQ(e["data"]["reason"],
            "both change the same lines in 1 of 1 place, in README");

  // The next hub is told again, of the one who lives on and of a new one.
  w.kill_hub();
  w.start();
  w.add_task("Rename the importer");
  spawn(w, "T4");
  for (const auto* other : {"T1", "T3"})
    w.await([&](const json& x) {
      return x["kind"] == "duplicate_suspected" && x["subject"] == "task:T4"
        && x["data"]["other"] == other;
    });
  EXPECT_EQ(suspicions(w).size(), 3u);
}

} // namespace
