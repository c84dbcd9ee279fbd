#include "runtime/home/home.hpp"
#include "runtime/home/lock.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/places.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

#include <fstream>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

namespace {

/// Expects that `ao` refuses on stderr alone, with this exit code and word.
void expect_refused(const finished& end, int code, const std::string& word,
                    const std::string& hint = {}) {
  EXPECT_EQ(end.status.code, code) << end.err;
  EXPECT_THAT(end.out, IsEmpty());
  EXPECT_THAT(end.err, HasSubstr(word));
  EXPECT_THAT(end.err, HasSubstr(hint));
}

/// A directory whose only programs are links to these.
fs::path programs_of(const world& w, const std::vector<std::string>& names) {
  auto out = w.root() / "programs";
  fs::create_directory(out);
  for (const auto& name : names) {
    auto found = find_program(name, w.variables().get("PATH"));
    EXPECT_TRUE(found) << name;
    fs::create_symlink(*found, out / name);
  }
  return out;
}

bool is_running(const world& w) {
  auto holder = find_lock_holder(locate_home(w.home().string()));
  return holder && *holder;
}

TEST(Start, NamesTheProgramThatIsMissing) {
  for (const auto& [missing, present] :
       {std::pair{"git", "tmux"}, std::pair{"tmux", "git"}}) {
    world w;
    w.add_agent("sleeper", scripts::sleeper);
    w.write_config();
    ao_call how;
    how.env["PATH"] = programs_of(w, {present, "sh", "sleep"}).string();
    auto end = w.ao({"start"}, how);
    expect_refused(end, 1, "program_missing",
                   std::string{missing} + " is not on PATH");
    EXPECT_FALSE(is_running(w));
  }
}

TEST(Start, WantsARepositoryOrAConfiguration) {
  world w;
  ao_call how;
  how.cwd = w.user();
  expect_refused(w.ao({"start"}, how), 3, "no_repository", "git repository");
  EXPECT_FALSE(is_running(w));
  w.add_agent("sleeper", scripts::sleeper);
  w.write_config();
  fs::remove_all(w.checkout() / ".git");
  expect_refused(w.ao({"start"}), 3, "no_repository",
                 "has no commit on branch main");
  EXPECT_FALSE(is_running(w));
}

TEST(Start, NeedsNoConfigurationInARepository) {
  world w;
  auto started = w.ask({"start"});
  EXPECT_EQ(started["alreadyRunning"], false);
  auto config = w.ask({"status"});
  EXPECT_EQ(config["data"], json::array());
  EXPECT_EQ(w.git(w.forge(), {"rev-parse", "main"}),
            w.git(w.checkout(), {"rev-parse", "main"}));
}

TEST(Start, RefusesAHomeThatCannotBeUsed) {
  world w;
  w.add_agent("sleeper", scripts::sleeper);
  w.write_config();
  std::ofstream{w.root() / "file"} << "no directory\n";
  for (const auto& place : {w.root() / "file", w.root() / "file/home"}) {
    ao_call how;
    how.env["AO_HOME"] = place.string();
    expect_refused(w.ao({"start"}, how), 1, "home_unusable", place.string());
  }
  EXPECT_EQ(content_of(w.root() / "file"), "no directory\n");
}

TEST(Start, RefusesAHomeWithoutWritePermission) {
  world w;
  w.add_agent("sleeper", scripts::sleeper);
  w.write_config();
  auto shut = w.root() / "shut";
  fs::create_directory(shut);
  fs::permissions(shut, fs::perms::owner_read | fs::perms::owner_exec);
  // Modes do not bind root: it becomes somebody to whom they do.
  process_spec spec;
  if (::geteuid() == 0) {
    constexpr uid_t nobody = 65534;
    ASSERT_EQ(::chown(shut.c_str(), nobody, nobody), 0);
    ASSERT_EQ(::chmod(w.root().c_str(), 0755), 0);
    spec.argv = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
  }
  spec.argv.insert(spec.argv.end(), {program_path("ao"), "start"});
  spec.env = w.variables()
               .set("AO_HOME", shut.string())
               .set("AO_CONFIG_PATH", (w.checkout() / "ao.yaml").string())
               .to_vector();
  spec.cwd = "/";
  auto end = run(spec, world::patience);
  ASSERT_TRUE(end) << to_string(end.error());
  expect_refused(*end, 1, "home_unusable", shut.string());
  fs::permissions(shut, fs::perms::owner_all);
  EXPECT_TRUE(fs::is_empty(shut));
}

TEST(Start, SaysWhereAConfigurationIsWrong) {
  world w;
  auto file = (w.checkout() / "ao.yaml").string();
  std::ofstream{file} << "projects:\n  app: {path: ., defaultBrunch: main}\n";
  auto end = w.ao({"start"});
  EXPECT_EQ(end.status.code, 2) << end.err;
  EXPECT_THAT(end.err, HasSubstr(file + ":2:18: projects.app.defaultBrunch: "));
  EXPECT_THAT(end.err, HasSubstr("did you mean \"defaultBranch\"?"));
  EXPECT_FALSE(is_running(w));
}

TEST(Hub, IsOnlyOncePerHome) {
  world w;
  w.add_agent("sleeper", scripts::sleeper);
  auto pid = w.start();
  expect_refused(w.ao({"hub"}), 4, "hub_already_running", std::to_string(pid));
  auto again = w.ask({"start"});
  EXPECT_EQ(again["alreadyRunning"], true);
  EXPECT_EQ(again["pid"], pid);
  EXPECT_EQ(w.ask({"status"})["meta"]["hub"]["pid"], pid);
}

TEST(Hub, IsStartedByNobodyButStart) {
  world w;
  w.add_agent("sleeper", scripts::sleeper);
  w.write_config();
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"status"},
                                             {"spawn", "T1"},
                                             {"task", "add", "Title"},
                                             {"session", "show", "app-1"},
                                             {"events"},
                                             {"why", "T1"},
                                             {"pr", "ls"}})
    expect_refused(w.ao(words), 5, "hub_not_running", "ao start");
  EXPECT_FALSE(fs::exists(w.home()));
  // As a problem document too.
  auto end = w.ao({"status", "--json"});
  EXPECT_EQ(end.status.code, 5);
  auto problem = json::parse(end.out, nullptr, false);
  ASSERT_TRUE(problem.is_object()) << end.out;
  EXPECT_EQ(problem["error"], "hub_not_running");
  EXPECT_THAT(end.err, HasSubstr("ao start"));
  // Stopping what does not run is no failure.
  EXPECT_EQ(w.ao({"stop"}).status.code, 0);
}

/// Input that a running hub refuses; nothing may have happened afterwards.
class BadInput : public testing::Test {
protected:
  BadInput() {
    w.add_agent("sleeper", scripts::sleeper);
    w.start();
    task = w.add_task("A task");
    before = w.last_event();
  }

  void expect_nothing_changed() {
    EXPECT_EQ(w.last_event(), before);
    EXPECT_EQ(w.ask({"task", "ls"})["data"].size(), 1u);
    EXPECT_EQ(w.ask({"session", "ls", "--include-terminated"})["data"],
              json::array());
  }

  world w;
  std::string task;
  std::uint64_t before = 0;
};

TEST_F(BadInput, NamesWhatIsNotThere) {
  expect_refused(w.ao({"spawn", "T99"}), 3, "no_such_task", "T99");
  expect_refused(w.ao({"spawn", "app/none"}), 3, "no_such_task", "app/none");
  expect_refused(w.ao({"spawn", "t1"}), 3, "no_such_task", "t1");
  expect_refused(w.ao({"task", "show", "T99"}), 3, "no_such_task", "T99");
  expect_refused(w.ao({"task", "cancel", "T99"}), 3, "no_such_task", "T99");
  expect_refused(w.ao({"why", "app-9"}), 3, "no_such_", "app-9");
  expect_refused(w.ao({"session", "show", "app-9"}), 3, "no_such_session",
                 "app-9");
  expect_refused(w.ao({"session", "kill", "app-9"}), 3, "no_such_session",
                 "app-9");
  expect_refused(w.ao({"attach", "app-9"}), 3, "no_such_session", "app-9");
  expect_refused(w.ao({"pr", "show", "app#9"}), 3, "no_such_change", "app#9");
  expect_refused(w.ao({"spawn", "--prompt", "x", "-p", "nix"}), 3,
                 "no_such_project", "expected app");
  expect_refused(w.ao({"task", "add", "x", "-p", "nix"}), 3, "no_such_project",
                 "expected app");
  expect_refused(w.ao({"task", "add", "x", "--needs", "T99"}), 3,
                 "no_such_task", "T99");
  expect_nothing_changed();
}

TEST_F(BadInput, SaysHowACommandIsUsed) {
  expect_refused(w.ao({"spawn", task, "T2"}), 2, "bad_input",
                 "ao spawn --help");
  expect_refused(w.ao({"spawn"}), 2, "bad_input", "--prompt");
  expect_refused(w.ao({"spawn", ""}), 2, "bad_input");
  expect_refused(w.ao({"spawn", task, "--prompt", "x"}), 2, "bad_input",
                 "exclude");
  expect_refused(w.ao({"spawn", "--prompt", ""}), 2, "bad_input", "empty");
  expect_refused(w.ao({"spawn", task, "--agent", "nix"}), 2, "bad_input",
                 "sleeper");
  expect_refused(w.ao({"spawn", task, "--node", "mars"}), 2, "bad_input",
                 "local");
  expect_refused(w.ao({"spawn", task, "--timeout", "soon"}), 2, "bad_input",
                 "--timeout");
  expect_refused(w.ao({"task", "add", "x", "--priority", "10"}), 2, "bad_input",
                 "--priority");
  expect_refused(w.ao({"task", "add", "x", "--priority", "-1"}), 2, "bad_input",
                 "--priority");
  expect_refused(w.ao({"task", "ls", "--state", "asleep"}), 2, "bad_input",
                 "asleep");
  expect_refused(w.ao({"nonsense"}), 2, "bad_input", "ao --help");
  expect_refused(w.ao({"status", "--nonsense"}), 2, "bad_input",
                 "ao status --help");
  expect_nothing_changed();
}

TEST_F(BadInput, TakesNoBytesThatAreNotText) {
  auto nul = w.root() / "nul";
  auto latin = w.root() / "latin";
  std::ofstream{nul, std::ios::binary} << "before" << '\0' << "behind";
  std::ofstream{latin, std::ios::binary} << "caf\xe9";
  for (const auto& file : {nul.string(), latin.string()}) {
    expect_refused(w.ao({"spawn", "--prompt-file", file}), 2, "bad_input",
                   file);
    expect_refused(w.ao({"task", "add", "x", "--body-file", file}), 2,
                   "bad_input", file);
  }
  ao_call how;
  how.input = std::string{"a\0b", 3};
  expect_refused(w.ao({"spawn", "--prompt-file", "-"}, how), 2, "bad_input",
                 "NUL");
  expect_refused(w.ao({"spawn", "--prompt", "caf\xe9"}), 2, "bad_input",
                 "UTF-8");
  expect_refused(w.ao({"task", "add", "caf\xe9"}), 2, "bad_input", "UTF-8");
  expect_refused(w.ao({"task", "add", "two\nlines"}), 2, "bad_input",
                 "one line");
  expect_refused(w.ao({"task", "add", "x", "--body", "\xc0\x80"}), 2,
                 "bad_input", "UTF-8");
  expect_refused(w.ao({"spawn", "--prompt-file", "/no/such/file"}), 2,
                 "bad_input", "/no/such/file");
  expect_nothing_changed();
}

TEST_F(BadInput, TakesNoPromptThatDoesNotFit) {
  auto file = (w.root() / "long").string();
  std::ofstream{file} << std::string(200'000, 'x');
  expect_refused(w.ao({"spawn", "--prompt-file", file}), 2, "prompt_too_long",
                 "agents.sleeper.prompt");
  std::ofstream{file} << std::string(2u << 20, 'x');
  expect_refused(w.ao({"spawn", "--prompt-file", file}), 1, "too_large");
  expect_nothing_changed();
}

} // namespace
