#include "tests/support/terminal_program.hpp"

#include "runtime/io/fd.hpp"
#include "tests/support/world.hpp"

#include <gtest/gtest.h>

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ao {
namespace {

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (auto& word : words)
    out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

/// Reads and types until the program closes its terminal; the whole screen.
std::string converse(int terminal, const typed_answers& person) {
  std::string screen;
  auto next = person.answers.begin();
  std::size_t read_to = 0;
  for (;;) {
    pollfd ready{terminal, POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(world::patience.count())) != 1) {
      ADD_FAILURE() << "nothing happens after: " << screen;
      return screen;
    }
    char buffer[4096];
    auto n = ::read(terminal, buffer, sizeof buffer);
    if (n <= 0)
      return screen;
    screen.append(buffer, static_cast<std::size_t>(n));
    auto found = screen.find(person.question, read_to);
    if (found == screen.npos || next == person.answers.end())
      continue;
    read_to = found + person.question.size();
    EXPECT_EQ(::write(terminal, next->data(), next->size()),
              static_cast<ssize_t>(next->size()));
    ++next;
  }
}

} // namespace

terminal_end run_on_terminal(const terminal_program& what,
                             const typed_answers& person) {
  auto words = what.argv;
  auto variables = what.env;
  auto argv = pointers(words);
  auto envp = pointers(variables);
  int terminal = -1;
  auto pid = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (pid == 0) {
    if (what.cwd.empty() || ::chdir(what.cwd.c_str()) == 0)
      ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  EXPECT_GT(pid, 0);
  unique_fd fd{terminal};
  terminal_end end;
  end.screen = converse(fd.get(), person);
  fd.reset();
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  if (WIFEXITED(status))
    end.code = WEXITSTATUS(status);
  return end;
}

} // namespace ao
