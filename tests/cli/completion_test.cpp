#include "cli/help/completion.hpp"
#include "cli/help/manual.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"
#include "tests/support/places.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

using namespace ao;
using namespace ao::cli;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

namespace {

std::vector<std::string> words_in(const std::string& text) {
  std::istringstream in{text};
  std::vector<std::string> out;
  for (std::string word; in >> word;)
    out.push_back(word);
  return out;
}

bool is_there(const std::string& program) {
  return find_program(program, std::getenv("PATH")).has_value();
}

/// A directory with the script of a shell, and a twin of `ao` that answers
/// what the hub would.
class Completion : public testing::Test {
protected:
  Completion() {
    char name[] = "/tmp/ao-completion-XXXXXX";
    directory_ = ::mkdtemp(name);
    std::ofstream{directory_ + "/ao"}
      << "#!/bin/sh\n[ \"$1\" = __complete ] && echo \"$2-1 $2-2\" | tr ' ' "
         "'\\n'\n";
    std::filesystem::permissions(directory_ + "/ao",
                                 std::filesystem::perms::owner_all);
  }
  ~Completion() override { std::filesystem::remove_all(directory_); }

  std::string script(const std::string& shell) {
    auto text = completion_script(shell, command_table());
    EXPECT_TRUE(text);
    auto file = directory_ + "/ao." + shell;
    std::ofstream{file} << text.value_or("");
    return file;
  }

  /// What a program prints; nothing else may go wrong.
  std::string run(std::vector<std::string> argv) {
    process_spec spec;
    spec.argv = std::move(argv);
    auto env = environment::inherited();
    env.set("PATH", directory_ + ":" + env.get("PATH"));
    env.set("HOME", directory_);
    spec.env = env.to_vector();
    spec.out = child_output::capture();
    spec.err = child_output::capture();
    auto end = ao::run(spec, std::chrono::seconds{30});
    EXPECT_TRUE(end) << to_string(end.error());
    if (!end)
      return {};
    EXPECT_EQ(end->err, "");
    return end->out;
  }

  /// What bash offers for the last of these words.
  std::vector<std::string> offered(const std::string& line) {
    auto words = words_in(line);
    if (line.back() == ' ')
      words.emplace_back();
    std::string list;
    for (const auto& word : words)
      list += "'" + word + "' ";
    return words_in(run({"bash", "--norc", "-c",
                         "source " + script("bash") + "; COMP_WORDS=(" + list
                           + "); COMP_CWORD=" + std::to_string(words.size() - 1)
                           + "; _ao; printf '%s\\n' \"${COMPREPLY[@]}\""}));
  }

  std::string directory_;
};

TEST_F(Completion, OffersEveryCommandThatIsShown) {
  std::set<std::string> shown;
  for (const auto& one : command_table())
    if (!one.hidden)
      shown.insert(one.name.substr(0, one.name.find(' ')));
  auto first = offered("ao ");
  EXPECT_THAT(first, IsSupersetOf(shown));
  EXPECT_THAT(first, Not(Contains("hook")));
  EXPECT_THAT(first, Not(Contains("__complete")));
  EXPECT_THAT(offered("ao stat"), ElementsAre("status"));
  for (const auto& one : command_table())
    if (auto blank = one.name.find(' ');
        !one.hidden && blank != std::string::npos) {
      EXPECT_THAT(offered("ao " + one.name.substr(0, blank) + " "),
                  Contains(one.name.substr(blank + 1)));
    }
}

TEST_F(Completion, OffersTheOptionsOfTheCommandAlone) {
  auto options = offered("ao spawn T1 --");
  EXPECT_THAT(options, IsSupersetOf({"--prompt", "--agent", "--json"}));
  EXPECT_THAT(options, Not(Contains("--cascade")));
  EXPECT_THAT(offered("ao task cancel --cas"), ElementsAre("--cascade"));
  EXPECT_THAT(offered("ao -p app task cancel --cas"), ElementsAre("--cascade"));
}

TEST_F(Completion, AsksTheHubForWhatItKnows) {
  EXPECT_THAT(offered("ao session kill "),
              ElementsAre("sessions-1", "sessions-2"));
  EXPECT_THAT(offered("ao spawn "), ElementsAre("tasks-1", "tasks-2"));
  EXPECT_THAT(offered("ao spawn T1 --agent "),
              ElementsAre("agents-1", "agents-2"));
  EXPECT_THAT(offered("ao status -p "),
              ElementsAre("projects-1", "projects-2"));
  EXPECT_THAT(offered("ao completion "), ElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(offered("ao spawn T1 --prompt "), IsEmpty());
}

TEST_F(Completion, SpeaksZsh) {
  auto file = script("zsh");
  if (!is_there("zsh"))
    GTEST_SKIP() << "there is no zsh here";
  auto twins = "compdef() { : }; compadd() { shift; print -l -- $@ }\n"
               "_describe() { print -l -- ${list%%:*} }; source "
    + file + "\n";
  auto offer = [&](const std::string& words, int current) {
    return words_in(run({"zsh", "-f", "-c",
                         twins + "words=(" + words + "); CURRENT="
                           + std::to_string(current) + "; _ao"}));
  };
  EXPECT_THAT(offer("ao ''", 2), IsSupersetOf({"start", "session", "task"}));
  EXPECT_THAT(offer("ao session ''", 3), IsSupersetOf({"ls", "kill"}));
  EXPECT_THAT(offer("ao session kill ''", 4),
              ElementsAre("sessions-1", "sessions-2"));
  EXPECT_THAT(offer("ao spawn --", 3), Contains("--agent"));
}

TEST_F(Completion, SpeaksFish) {
  auto file = script("fish");
  if (!is_there("fish"))
    GTEST_SKIP() << "there is no fish here";
  auto offer = [&](const std::string& line) {
    auto lines = run({"fish", "--no-config", "-c",
                      "source " + file + "; complete -C '" + line + "'"});
    std::vector<std::string> out;
    std::istringstream in{lines};
    for (std::string one; std::getline(in, one);)
      out.push_back(one.substr(0, one.find('\t')));
    return out;
  };
  EXPECT_THAT(offer("ao "), IsSupersetOf({"start", "session", "task"}));
  EXPECT_THAT(offer("ao session "), IsSupersetOf({"ls", "kill"}));
  EXPECT_THAT(offer("ao session "), Not(Contains("start")));
  EXPECT_THAT(offer("ao session kill "),
              ElementsAre("sessions-1", "sessions-2"));
  EXPECT_THAT(offer("ao spawn --ag"), ElementsAre("--agent"));
}

TEST_F(Completion, KnowsNoOtherShell) {
  auto refused = completion_script("tcsh", command_table());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::bad_input);
}

TEST_F(Completion, EveryCommandAndKeyHasItsPlaceInTheManual) {
  auto commands = command_manual(command_table(), "1.0");
  for (const auto& one : command_table()) {
    auto name = one.name;
    for (auto at = name.find('-'); at != name.npos; at = name.find('-', at + 2))
      name.insert(at, "\\");
    auto title = HasSubstr(".SS \\fBao " + name + "\\fR");
    if (one.hidden) {
      EXPECT_THAT(commands, Not(title));
    } else {
      EXPECT_THAT(commands, title);
    }
  }
  auto keys = config_manual(config_keys(), "1.0");
  for (const auto& row : config_keys().rows())
    if (row.type != key_type::ignored) {
      EXPECT_THAT(keys, HasSubstr("\\fB" + row.pattern + "\\fR\n"));
    }
  if (!is_there("groff"))
    GTEST_SKIP() << "there is no groff here";
  for (const auto& page : {commands, keys}) {
    auto file = directory_ + "/page";
    std::ofstream{file} << page;
    EXPECT_EQ(run({"groff", "-ww", "-man", "-z", file}), "");
    auto text = run({"groff", "-P-cbou", "-man", "-T", "utf8", file});
    EXPECT_NE(text.find("SEE ALSO"), text.npos);
  }
}

} // namespace
