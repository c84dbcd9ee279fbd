#include "cli/commands/program.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

extern char** environ;

namespace ao::cli {

result<program_end> run_program(const std::vector<std::string>& argv,
                                program_output output) {
  std::vector<char*> raw;
  for (const auto& one : argv)
    raw.push_back(const_cast<char*>(one.c_str()));
  raw.push_back(nullptr);
  int pipe[2] = {-1, -1};
  auto captured = output == program_output::captured;
  if (captured && ::pipe2(pipe, O_CLOEXEC) != 0)
    return fail(ec::process_failed, argv[0] + ": " + std::strerror(errno));
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(
    &actions, captured ? pipe[1] : STDERR_FILENO, STDOUT_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  pid_t pid = 0;
  auto bad
    = ::posix_spawnp(&pid, raw[0], &actions, nullptr, raw.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (captured)
    ::close(pipe[1]);
  program_end out;
  if (captured && bad == 0) {
    char chunk[4096];
    ssize_t n = 0;
    while ((n = ::read(pipe[0], chunk, sizeof chunk)) > 0
           || (n < 0 && errno == EINTR))
      if (n > 0)
        out.text.append(chunk, static_cast<std::size_t>(n));
  }
  if (captured)
    ::close(pipe[0]);
  if (bad == ENOENT)
    return fail(ec::program_missing, argv[0] + " is not on PATH");
  if (bad != 0)
    return fail(ec::process_failed, argv[0] + ": " + std::strerror(bad));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR)
      return fail(ec::process_failed, argv[0] + ": " + std::strerror(errno));
  out.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return out;
}

} // namespace ao::cli
