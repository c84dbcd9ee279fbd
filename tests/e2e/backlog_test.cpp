#include "tests/support/agent_scripts.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <fstream>

using namespace ao;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

namespace {

/// Writes one file named after the issue, commits, exits 0.
constexpr const char* diligent = R"(
echo "by $AO_SESSION" > "$AO_ISSUE_ID.txt"
git add --all
git commit --quiet --message "Work of $AO_SESSION"
)";

constexpr const char* backlog = "# What is to be done\n"
                                "- [ ] PARSER: Write the parser\n"
                                "needs: lexer\n"
                                "priority: 1\n"
                                "\n"
                                "It reads `tokens`:\n"
                                "```\n"
                                "- [ ] no item\n"
                                "```\n"
                                "## lexer: Write the lexer\n"
                                "labels: core, easy\n"
                                "- [x] SCAFFOLD: Set up the project\n"
                                "- [ ] Write the manual\n"
                                "  needs: PARSER, SCAFFOLD\n";

world_options with_backlog(const std::string& path = "backlog.md",
                           const std::string& more = {}) {
  world_options out;
  out.project = ", tracker: {plugin: file, path: " + path + "}" + more;
  return out;
}

void write(const fs::path& file, const std::string& text) {
  std::ofstream{file} << text;
}

json tasks(const world& w) {
  return w.ask({"task", "ls"})["data"];
}

std::vector<std::string> refs(const json& rows, const char* member = "issue") {
  std::vector<std::string> out;
  for (const auto& row : rows)
    out.push_back(row.value(member, ""));
  return out;
}

TEST(Backlog, IsReadAtTheStart) {
  world w{with_backlog()};
  w.add_agent("sleeper", scripts::sleeper);
  write(w.checkout() / "backlog.md", backlog);
  w.start();
  auto all = tasks(w);
  ASSERT_EQ(all.size(), 3u) << all;
  EXPECT_EQ(all[0]["id"], "T1");
  EXPECT_EQ(all[0]["key"], "app/file:backlog.md#PARSER");
  EXPECT_EQ(all[0]["ref"], "PARSER");
  EXPECT_EQ(all[0]["title"], "Write the parser");
  EXPECT_EQ(all[0]["body"], "It reads `tokens`:\n```\n- [ ] no item\n```");
  EXPECT_EQ(all[0]["priority"], 1);
  EXPECT_EQ(all[0]["needs"], json({"T2"}));
  EXPECT_EQ(all[0]["state"], "blocked");
  EXPECT_EQ(all[0]["why"], "waits for T2");
  EXPECT_EQ(all[1]["labels"], json({"core", "easy"}));
  EXPECT_EQ(all[1]["state"], "ready");
  EXPECT_EQ(all[2]["ref"], "write-the-manual");
  EXPECT_EQ(all[2]["needs"], json({"T1"}));
  // Another start, and an import, add nothing and change nothing.
  ASSERT_EQ(w.ao({"stop"}).status.code, 0);
  w.start();
  EXPECT_EQ(tasks(w), all);
  auto again = w.ask({"task", "import"});
  EXPECT_EQ(again["data"]["added"], json::array());
  EXPECT_THAT(refs(again["data"]["skipped"]),
              ElementsAre("PARSER", "lexer", "write-the-manual"));
  EXPECT_EQ(again["data"]["skipped"][0]["changed"], false);
  EXPECT_EQ(tasks(w), all);
  EXPECT_EQ(content_of(w.checkout() / "backlog.md"), backlog);
}

TEST(Backlog, AddsWhatIsNewAndKeepsWhatIsKnown) {
  world w{with_backlog()};
  w.add_agent("sleeper", scripts::sleeper);
  write(w.checkout() / "backlog.md", "- [ ] A: One\n");
  w.start();
  write(w.checkout() / "backlog.md",
        "- [ ] A: One, but better\n- [ ] B: Two\nneeds: A, T1\n");
  auto end = w.ao({"task", "import"});
  EXPECT_EQ(end.status.code, 0) << end.err;
  EXPECT_THAT(end.out, HasSubstr("Added: 1\n"));
  EXPECT_THAT(end.out, HasSubstr("Skipped: 1\n"));
  EXPECT_THAT(end.out, HasSubstr("is not taken over"));
  EXPECT_THAT(end.out, testing::EndsWith("\nTASK=T2\n"));
  EXPECT_EQ(w.ask({"task", "show", "T1"})["title"], "One");
  EXPECT_EQ(w.ask({"task", "show", "B"})["needs"], json({"T1"}));
}

TEST(Backlog, IsImportedFromAnyFileAndFromStandardInput) {
  world w;
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  write(w.checkout() / "more.json",
        R"([{"id": "J1", "title": "One", "needs": ["J2"], "body": " a\nb "},
            {"id": "J2", "title": "Two", "priority": 0}])");
  auto from_json = w.ask({"task", "import", "more.json"});
  EXPECT_THAT(refs(from_json["data"]["added"]), ElementsAre("J1", "J2"));
  EXPECT_EQ(from_json["meta"]["source"], "more.json");
  auto first = w.ask({"task", "show", "app/file:more.json#J1"});
  EXPECT_EQ(first["needs"], json({"T2"}));
  EXPECT_EQ(first["body"], " a\nb ");
  // By its absolute path it is the same file.
  auto same = w.ask({"task", "import", (w.checkout() / "more.json").string()});
  EXPECT_EQ(same["data"]["added"], json::array());
  ao_call piped;
  piped.input = "## Piped: Three\nneeds: J1\n";
  auto from_pipe = w.ask({"task", "import", "-"}, piped);
  EXPECT_EQ(from_pipe["data"]["added"][0]["task"], "T3");
  EXPECT_EQ(w.ask({"task", "show", "Piped"})["needs"], json({"T1"}));
  write(w.root() / "outside.md", "- [ ] O: Four\n");
  w.ask({"task", "import", (w.root() / "outside.md").string()});
  EXPECT_EQ(w.ask({"task", "show", "O"})["key"],
            "app/file:" + (w.root() / "outside.md").string() + "#O");
}

TEST(Backlog, WithACycleIsRefusedAsAWhole) {
  world w;
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  write(w.checkout() / "b.md",
        "- [ ] free: No needs\n"
        "- [ ] a: One\nneeds: b\n"
        "- [ ] b: Two\nneeds: c\n"
        "- [ ] c: Three\nneeds: a\n");
  auto end = w.ao({"task", "import", "b.md"});
  EXPECT_EQ(end.status.code, 4);
  EXPECT_THAT(end.err, HasSubstr("dependency_cycle"));
  EXPECT_THAT(end.err, HasSubstr("a -> b -> c -> a"));
  EXPECT_EQ(tasks(w), json::array());
  EXPECT_EQ(w.ao({"task", "import", "b.md", "--json"}).status.code, 4);
}

TEST(Backlog, ThatIsWrongIsRefusedAsAWhole) {
  world w;
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  auto refused = [&](const std::string& text, int code) {
    write(w.checkout() / "b.md", text);
    auto end = w.ao({"task", "import", "b.md"});
    EXPECT_EQ(end.status.code, code) << text << end.err;
    EXPECT_EQ(tasks(w), json::array());
    return end.err;
  };
  EXPECT_THAT(refused("- [ ] A: x\n- [ ] B: y\npriority: 77\n", 2),
              HasSubstr("b.md:3: the priority \"77\""));
  EXPECT_THAT(refused("- [ ] A: x\n## A: y\n", 2), HasSubstr("b.md:2: "));
  EXPECT_THAT(refused("- [ ] A: x\nneeds: nobody\n", 3),
              HasSubstr("A needs nobody"));
  EXPECT_THAT(refused("- [ ] A: x\nagent: nobody\n", 2),
              HasSubstr("no agent is called nobody"));
  EXPECT_THAT(refused({"- [ ] A: x\n\0", 12}, 2), HasSubstr("b.md:2: a NUL"));
  EXPECT_THAT(refused("- [ ] A: \xFF\n", 2), HasSubstr("not UTF-8"));
  EXPECT_THAT(refused(std::string((1 << 20) + 1, ' '), 1),
              HasSubstr("larger than"));
  EXPECT_THAT(refused(std::string(800'000, '\n'), 1),
              HasSubstr("more than 1 MiB"));
  auto end = w.ao({"task", "import", "."});
  EXPECT_EQ(end.status.code, 2);
  EXPECT_THAT(end.err, HasSubstr("directory"));
  EXPECT_EQ(w.ao({"task", "import", "nowhere.md"}).status.code, 2);
  // No backlog is configured.
  end = w.ao({"task", "import"});
  EXPECT_EQ(end.status.code, 2);
  EXPECT_THAT(end.err, HasSubstr("project app has no backlog"));
}

TEST(Backlog, ThatIsWrongDoesNotStopTheHub) {
  world w{with_backlog()};
  w.add_agent("sleeper", scripts::sleeper);
  write(w.checkout() / "backlog.md", "- [ ] A: x\npriority: soon\n");
  w.write_config();
  auto start = w.ao({"start"});
  EXPECT_EQ(start.status.code, 0) << start.err;
  EXPECT_THAT(start.err,
              HasSubstr("the backlog of app was not taken in\n"
                        "backlog.md:2: the priority \"soon\""));
  auto said = w.await("backlog_refused", "hub");
  EXPECT_EQ(said["data"]["project"], "app");
  EXPECT_THAT(said["data"]["why"].dump(), HasSubstr("backlog.md:2: "));
  EXPECT_THAT(content_of(w.home() / "logs/hub.log"),
              HasSubstr("backlog_refused project=app"));
  auto end = w.ao({"task", "import"});
  EXPECT_EQ(end.status.code, 2);
  EXPECT_THAT(end.err, HasSubstr("backlog.md:2: the priority \"soon\""));
  // Who names a task of it hears why nobody knows it.
  end = w.ao({"spawn", "A"});
  EXPECT_EQ(end.status.code, 3);
  EXPECT_THAT(end.err, HasSubstr("no task is called A"));
  EXPECT_THAT(end.err, HasSubstr("backlog.md:2: the priority \"soon\""));
  EXPECT_EQ(tasks(w), json::array());
}

TEST(Backlog, IsReadWhenSomebodyNamesAnUnknownTask) {
  world w{with_backlog("docs/todo.md")};
  w.add_agent("sleeper", scripts::sleeper);
  fs::create_directory(w.checkout() / "docs");
  w.start();
  write(w.checkout() / "docs/todo.md", "- [ ] A: One\n");
  auto spawned = w.ask({"spawn", "A"});
  EXPECT_EQ(spawned["issue"], "A");
  EXPECT_EQ(spawned["task"], "T1");
  write(w.checkout() / "docs/todo.md",
        "- [ ] A: One\n- [ ] B: Two\n- [ ] C: Three\n- [ ] D: Four\n");
  auto added = w.ask({"task", "add", "Five", "--needs", "B"});
  EXPECT_EQ(added["needs"], json({"T2"}));
  EXPECT_EQ(tasks(w).size(), 5u);
  fs::remove(w.checkout() / "docs/todo.md");
  auto end = w.ao({"spawn", "app/E"});
  EXPECT_EQ(end.status.code, 3);
  EXPECT_THAT(end.err, HasSubstr("there is no such file"));
  // What is known needs no file.
  EXPECT_EQ(w.ao({"spawn", "app/C"}).status.code, 0);
}

TEST(Backlog, IsWorkedByPriorityAndNeedsWithinTheCaps) {
  auto options
    = with_backlog("backlog.md", ", dispatch: auto, limits: {sessions: 1}");
  world w{options};
  // The third gives its slot away only when the first is merged.
  w.add_agent("diligent",
              "[ \"$AO_ISSUE_ID\" != third ] || " + scripts::waits_for("merged")
                + diligent);
  write(w.checkout() / "backlog.md",
        "- [ ] last: Last\npriority: 9\n"
        "- [ ] second: Second\nneeds: first\n"
        "priority: 0\n"
        "- [ ] third: Third\n"
        "- [ ] fifth: Fifth\nneeds: last\n"
        "priority: 0\n"
        "- [ ] first: First\npriority: 1\n");
  w.start();
  std::vector<std::string> order;
  std::uint64_t after = 0;
  for (int i = 0; i < 5; ++i) {
    auto started = w.await(
      [](const json& e) { return e.value("kind", "") == "task_claimed"; },
      after);
    after = started.value("seq", after);
    order.push_back(
      w.ask({"task", "show", started["data"].value("task", "")})["ref"]);
    if (i == 0) {
      w.await("merged", "change:app#1");
      w.touch("merged");
    }
  }
  // The second is ready only when the first is merged; until then the only
  // slot of the project goes to the next in line.
  EXPECT_EQ(order.front(), "first");
  auto at = [&order](const std::string& ref) {
    return std::find(order.begin(), order.end(), ref) - order.begin();
  };
  EXPECT_LT(at("third"), at("last"));
  EXPECT_LT(at("second"), at("last"));
  EXPECT_EQ(order.back(), "fifth");
  for (int i = 1; i <= 5; ++i)
    w.await("merged", "change:app#" + std::to_string(i));
  // Never two at once.
  int running = 0;
  for (const auto& e : w.events()) {
    running += e["kind"] == "agent_started" ? 1 : 0;
    running -= e["kind"] == "agent_exited" ? 1 : 0;
    EXPECT_LE(running, 1);
  }
}

TEST(Needs, OfACancelledTaskKeepDependentsBlockedUntilItIsRetried) {
  world w;
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  auto first = w.add_task("First");
  auto second = w.add_task("Second", "", {"--needs", first});
  auto queued = w.ask({"spawn", second});
  EXPECT_EQ(queued["status"], "queued");
  EXPECT_EQ(queued["runtime"]["reason"], "waits for T1");
  ASSERT_EQ(w.ao({"task", "cancel", first}).status.code, 0);
  auto why = "waits for T1 (cancelled)";
  w.await([&](const json& e) {
    return e.value("kind", "") == "task_blocked"
      && e["data"].value("why", "") == why;
  });
  EXPECT_EQ(w.ask({"task", "show", second})["why"], why);
  EXPECT_THAT(w.ao({"why", second}).out, HasSubstr(why));
  w.await([&](const json& e) {
    return e.value("subject", "") == "session:app-1"
      && e["data"].value("reason", "") == why;
  });
  EXPECT_EQ(w.ask({"session", "show", "app-1"})["runtime"]["reason"], why);
  ASSERT_EQ(w.ao({"task", "retry", first}).status.code, 0);
  w.await("task_retried", "task:" + first);
  EXPECT_EQ(w.ask({"task", "show", first})["state"], "ready");
}

TEST(Needs, AreCancelledInACascade) {
  world w;
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  auto first = w.add_task("First");
  auto second = w.add_task("Second", "", {"--needs", first});
  auto third = w.add_task("Third", "", {"--needs", second});
  auto other = w.add_task("Other");
  ASSERT_EQ(w.ao({"spawn", first}).status.code, 0);
  ASSERT_EQ(w.ao({"spawn", third}).status.code, 0);
  auto end = w.ao({"task", "cancel", first, "--cascade"});
  EXPECT_EQ(end.status.code, 0) << end.err;
  for (const auto& task : {first, second, third})
    EXPECT_EQ(w.ask({"task", "show", task})["state"], "cancelled") << task;
  EXPECT_THAT(w.ask({"task", "show", third})["why"].dump(), HasSubstr(first));
  EXPECT_EQ(w.ask({"task", "show", other})["state"], "ready");
  // Their sessions end with them.
  w.await("session_killed", "session:app-1");
  w.await("session_killed", "session:app-2");
}

} // namespace
