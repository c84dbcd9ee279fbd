#include "runtime/agents/unsupervised.hpp"

#include <gtest/gtest.h>

using namespace ao;

namespace {

std::string words(std::initializer_list<std::string_view> all) {
  std::string out;
  for (auto one : all)
    out.append(one).push_back('\0');
  return out;
}

watched_process member(pid_t pid, pid_t parent, std::string program = {}) {
  watched_process out;
  out.process.pid = pid;
  out.process.parent = parent;
  out.program = std::move(program);
  return out;
}

std::vector<pid_t> found(const std::vector<watched_process>& tree,
                         pid_t agent) {
  std::vector<pid_t> out;
  for (const auto& one : unsupervised_in(tree, agent))
    out.push_back(one.process.pid);
  return out;
}

} // namespace

TEST(AgentProgram, IsKnownByItsNameAndByItsInterpreter) {
  EXPECT_EQ(agent_program_of(words({"claude"})), "claude");
  EXPECT_EQ(agent_program_of(words({"/usr/bin/codex", "exec"})), "codex");
  EXPECT_EQ(agent_program_of(words({"node", "/usr/bin/codex", "exec"})),
            "codex");
  EXPECT_EQ(agent_program_of(
              words({"/usr/bin/node", "--no-warnings", "/usr/lib/gemini"})),
            "gemini");
  EXPECT_EQ(agent_program_of("claude"), "claude") << "without its end";
}

TEST(AgentProgram, IsNoneWhereItIsOnlyMentioned) {
  EXPECT_EQ(agent_program_of(words({"vim", "codex"})), "");
  EXPECT_EQ(agent_program_of(words({"grep", "-r", "claude"})), "");
  EXPECT_EQ(agent_program_of(words({"sh", "-c", "claude --version"})), "");
  EXPECT_EQ(agent_program_of(words({"node", "server.js", "codex"})), "");
  EXPECT_EQ(agent_program_of(words({"/usr/bin/claude-notes"})), "");
  EXPECT_EQ(agent_program_of(words({"agent"})), "");
  for (auto junk : {"", "node", "node\0", "\0\0", "/"})
    EXPECT_EQ(agent_program_of(junk), "") << junk;
}

TEST(Unsupervised, IsWhatAnotherProgramHasStarted) {
  // The run, its wrapper's child, a shell, and another agent below that.
  std::vector<watched_process> tree{
    member(10, 1, "codex"), member(11, 10, "codex"), member(12, 11),
    member(13, 12, "claude"), member(14, 13, "claude")};
  EXPECT_EQ(found(tree, 10), std::vector<pid_t>{13});
}

TEST(Unsupervised, IsOneOfTheSameKindBehindAShell) {
  std::vector<watched_process> tree{member(10, 1, "claude"), member(11, 10),
                                    member(12, 11, "claude")};
  EXPECT_EQ(found(tree, 10), std::vector<pid_t>{12});
}

TEST(Unsupervised, IsFoundThoughItWasForkedAway) {
  std::vector<watched_process> tree{member(10, 1, "claude"),
                                    member(12, 2, "codex")};
  EXPECT_EQ(found(tree, 10), std::vector<pid_t>{12});
  EXPECT_TRUE(found({}, 10).empty());
}
