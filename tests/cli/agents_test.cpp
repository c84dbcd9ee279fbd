// `ao agents` asks the programs themselves, without a hub.

#include "runtime/home/files.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <fstream>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

namespace {

json row_of(const json& all, const std::string& name) {
  for (const auto& row : all["data"])
    if (row["name"] == name)
      return row;
  ADD_FAILURE() << "no " << name << " in " << all;
  return {};
}

} // namespace

TEST(AgentsCommand, TellsWhichAgentsCouldStart) {
  world w;
  fs::create_directory(w.root() / "bin");
  ASSERT_TRUE(write_file_durably((w.root() / "bin/codex").string(),
                                 "#!/bin/sh\ncase $1 in\n"
                                 "--version) echo 'codex-cli 0.171.0' ;;\n"
                                 "*) echo 'Not logged in' >&2; exit 1 ;;\n"
                                 "esac\n",
                                 0755));
  w.set_variable("PATH", (w.root() / "bin").string() + ":/usr/bin:/bin");
  w.add_agent("mine", "exit 0\n", ", account: team");
  w.write_config();
  auto all = w.ask({"agents"});
  auto codex = row_of(all, "codex");
  EXPECT_EQ(codex["adapter"], "codex");
  EXPECT_EQ(codex["program"], (w.root() / "bin/codex").string());
  EXPECT_EQ(codex["version"], "0.171.0");
  EXPECT_EQ(codex["tested"], "0.169.0 - 0.171.0");
  EXPECT_TRUE(codex["warning"].is_null());
  EXPECT_EQ(codex["ready"], false);
  EXPECT_THAT(codex["reason"].get<std::string>(), HasSubstr("Not logged in"));
  auto aider = row_of(all, "aider");
  EXPECT_EQ(aider["ready"], false);
  EXPECT_TRUE(aider["version"].is_null());
  auto mine = row_of(all, "mine");
  EXPECT_EQ(mine["adapter"], "command");
  EXPECT_EQ(mine["ready"], true);
  EXPECT_EQ(mine["account"], "team");
  auto shown = w.ao({"agents"});
  EXPECT_EQ(shown.status.code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("codex"));
  EXPECT_THAT(shown.err, Not(HasSubstr("codex")));
}

TEST(AgentsCommand, WarnsOfVersionsThatWereNotTested) {
  world w;
  fs::create_directory(w.root() / "bin");
  for (const char* name : {"codex", "aider"})
    ASSERT_TRUE(write_file_durably((w.root() / "bin" / name).string(),
                                   "#!/bin/sh\necho 9.9.1\n", 0755));
  w.set_variable("PATH", (w.root() / "bin").string() + ":/usr/bin:/bin");
  w.write_config();
  auto all = w.ask({"agents"});
  EXPECT_EQ(row_of(all, "codex")["warning"],
            "codex 9.9.1 is outside of what ao was tested with "
            "(0.169.0 - 0.171.0)");
  EXPECT_THAT(row_of(all, "aider")["warning"].dump(), HasSubstr("untested"));
  // What is not there is not warned of.
  w.set_variable("PATH", "/nowhere");
  EXPECT_TRUE(row_of(w.ask({"agents"}), "codex")["warning"].is_null());
  w.set_variable("PATH", (w.root() / "bin").string() + ":/usr/bin:/bin");
  auto shown = w.ao({"agents"});
  EXPECT_THAT(shown.out, HasSubstr("untested"));
  EXPECT_THAT(shown.err, HasSubstr("warning: codex 9.9.1 is outside"));
}

TEST(AgentsCommand, MakesNothingForAnAgentThatIsNotReady) {
  world w;
  auto flag = w.user() / "ready";
  w.add_agent("mine", "exec sleep 1000\n",
              ", probe: [/bin/sh, -c, 'test -e " + flag.string()
                + " || { echo log in first >&2; exit 1; }']");
  w.start();
  auto task = w.add_task("Work");
  auto refused = w.ao({"spawn", task, "--json"});
  EXPECT_EQ(refused.status.code, 6);
  auto problem = json::parse(refused.out);
  EXPECT_EQ(problem["error"], "agent_not_ready");
  EXPECT_THAT(refused.err, HasSubstr("log in first"));
  EXPECT_EQ(w.ask({"task", "show", task})["state"], "ready");
  EXPECT_TRUE(w.ask({"session", "ls", "--include-terminated"})["data"].empty());
  w.touch("ready");
  auto started = w.ao({"spawn", task});
  EXPECT_EQ(started.status.code, 0) << started.err;
}
