// Every session of a shell in README.md and docs/ is played, in the order of
// reading, by a stranger with a repository of their own. What needs more than
// that says so in the document.

#include "tests/support/documents.hpp"
#include "tests/support/places.hpp"
#include "tests/support/terminal_program.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

using namespace ao;
using testing::Contains;
namespace fs = std::filesystem;

namespace {

/// What a person ends, and how: when this is shown, they press these.
struct ended_by_hand {
  std::string command;
  typed_answers person;
};

const std::vector<ended_by_hand> by_hand{
  {"ao status --watch", {"app-1", {"\x03"}}},
  // tmux: prefix, detach.
  {"ao attach app-1",
   {"waiting",
    {"\x02"
     "d"}}},
};

bool begins_with(const std::string& line, const std::string& words) {
  return line.compare(0, words.size(), words) == 0;
}

/// The stranger: where they are, and what they have.
class stranger {
public:
  explicit stranger(const world& w) : w_{w}, where_{w.root()} {
    std::ofstream{agent()} << "#!/bin/sh\necho waiting\nread -r line\n"
                              "echo \"$line\" > \"$AO_SESSION\"\n"
                              "git add --all\n"
                              "git commit --quiet --message \"$line\"\n";
    fs::permissions(agent(), fs::perms::owner_all);
    std::ofstream{w.checkout() / "Makefile"} << "test:\n\t@true\n";
    w.git(w.checkout(), {"add", "Makefile"});
    w.git(w.checkout(), {"commit", "--quiet", "-m", "Makefile"});
    fs::create_directories(w.root() / "your");
    fs::create_directory_symlink(w.checkout(), w.root() / "your/repository");
  }

  void play(const std::string& text) {
    std::istringstream lines{text};
    std::string rest;
    for (std::string line; std::getline(lines, line);) {
      const ended_by_hand* hand = nullptr;
      for (const auto& one : by_hand)
        if (begins_with(line, one.command))
          hand = &one;
      auto judges = begins_with(line, "ao doctor");
      if (hand == nullptr && !judges) {
        rest += line + "\n";
        continue;
      }
      run_lines(std::exchange(rest, {}));
      if (judges)
        // What it finds wrong with this machine is not the document's.
        run_lines(line, {0, 1});
      else
        on_terminal(line, hand->person);
    }
    run_lines(rest);
  }

private:
  fs::path agent() const { return w_.root() / "agent.sh"; }

  /// Their own names in place of the document's.
  std::string with_own_names(std::string text) const {
    const std::string theirs = "/path/to/your/agent.sh";
    for (auto at = text.find(theirs); at != std::string::npos;
         at = text.find(theirs))
      text.replace(at, theirs.size(), agent().string());
    return text;
  }

  environment variables() const {
    auto env = w_.variables();
    auto bin = fs::path{program_path("ao")}.parent_path().string();
    return env.unset("AO_HOME")
      .set("PATH", bin + ":" + env.get("PATH"))
      .set("TERM", "xterm");
  }

  void run_lines(const std::string& text, const std::set<int>& codes = {0}) {
    if (text.find_first_not_of(" \n") == std::string::npos)
      return;
    auto stays = w_.root() / "where";
    process_spec spec;
    spec.argv = {"bash", "-e", "-c",
                 with_own_names(text) + "\npwd > '" + stays.string() + "'\n"};
    spec.env = variables().to_vector();
    spec.cwd = where_.string();
    auto end = run(spec, world::patience);
    ASSERT_TRUE(end) << text;
    EXPECT_THAT(codes, Contains(end->status.code.value_or(-1)))
      << text << "\n"
      << end->out << end->err;
    if (end->status.code == 0) {
      auto place = content_of(stays);
      where_ = place.substr(0, place.find('\n'));
    }
  }

  void on_terminal(const std::string& line, const typed_answers& person) {
    terminal_program p;
    p.argv = {"/bin/bash", "-c", with_own_names(line)};
    p.env = variables().to_vector();
    p.cwd = where_.string();
    auto end = run_on_terminal(p, person);
    EXPECT_TRUE(end.code == 0 || end.code == 130) << line << "\n" << end.screen;
  }

  const world& w_;
  fs::path where_;
};

TEST(Documents, AreTrueToAStranger) {
  world w;
  stranger person{w};
  std::size_t played = 0;
  for (const auto& document : documents())
    for (const auto& block : blocks_of(document)) {
      if (block.language != "sh" || !block.not_run.empty())
        continue;
      SCOPED_TRACE(document.string() + "\n" + block.text);
      person.play(block.text);
      ++played;
      if (HasFatalFailure())
        return;
    }
  EXPECT_GE(played, 8u);
  // Their hub is the one of ~/.ao, which the world does not know.
  ao_call theirs;
  theirs.env["AO_HOME"] = (w.user() / ".ao").string();
  EXPECT_EQ(w.ao({"stop", "--agents"}, theirs).status.code, 0);
}

TEST(Documents, SayOfEachSessionWhetherItIsRun) {
  std::set<std::string> not_run;
  for (const auto& document : documents())
    for (const auto& block : blocks_of(document)) {
      if (!block.not_run.empty())
        not_run.insert(document.filename().string() + ": " + block.not_run);
      auto is_session = block.language == "sh" || block.language == "console";
      EXPECT_TRUE(is_session || !block.not_run.empty()
                  || !begins_with(block.text, "ao "))
        << document << "\n"
        << block.text;
    }
  EXPECT_THAT(
    not_run,
    testing::ElementsAre(
      "README.md: ./dev bare runs it, as it installs packages",
      "README.md: it needs a gateway; tests/e2e/setup_openclaw_test.cpp has "
      "one",
      "README.md: it needs another host; tests/e2e/cluster_test.cpp has a node",
      "api.md: it needs `api.listen`; tests/e2e/tcp_test.cpp asks by TCP",
      "operations.md: it needs a user's systemd",
      "operations.md: it needs another host; tests/e2e/cluster_test.cpp has a "
      "node",
      "operations.md: it needs two sessions; tests/e2e/takeover_test.cpp takes "
      "over"));
}

} // namespace
