#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"
#include "runtime/process/pty.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace ao {
namespace {

/// Owns what posix_spawn wants to have initialised and destroyed.
struct spawn_plan {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;

  spawn_plan() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  ~spawn_plan() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  spawn_plan(const spawn_plan&) = delete;
  spawn_plan& operator=(const spawn_plan&) = delete;
};

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (const auto& s : strings)
    out.push_back(const_cast<char*>(s.c_str()));
  out.push_back(nullptr);
  return out;
}

bool has_nul(const std::vector<std::string>& strings) {
  return std::any_of(strings.begin(), strings.end(), [](const auto& s) {
    return s.find('\0') != std::string::npos;
  });
}

std::string path_in(const std::vector<std::string>& env) {
  for (const auto& entry : env)
    if (entry.compare(0, 5, "PATH=") == 0)
      return entry.substr(5);
  return "/usr/local/bin:/usr/bin:/bin";
}

/// A descriptor of ours that is to become 0, 1 or 2 of the child is first
/// copied above them, so that one dup2 cannot overwrite the next one's source.
result<int> lift(int fd, std::vector<unique_fd>& keep) {
  if (fd > 2)
    return fd;
  unique_fd copy{fcntl(fd, F_DUPFD_CLOEXEC, 3)};
  if (!copy)
    return fail(ec::process_failed,
                errno_text("cannot pass descriptor " + std::to_string(fd)));
  keep.push_back(std::move(copy));
  return keep.back().get();
}

/// Puts the child's stdin in place; `ours` gets the write end of a pipe.
result<void> plan_input(spawn_plan& plan, const child_input& in,
                        unique_fd& ours, std::vector<unique_fd>& keep) {
  switch (in.what) {
  case child_input::kind::null:
  case child_input::kind::file: {
    auto path = in.what == child_input::kind::null ? "/dev/null" : in.text;
    unique_fd fd{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!fd)
      return fail(ec::process_failed, errno_text("cannot open " + path));
    auto from = lift(fd.get(), keep);
    if (!from)
      return fail(from.error());
    posix_spawn_file_actions_adddup2(&plan.files, *from, 0);
    keep.push_back(std::move(fd));
    return {};
  }
  case child_input::kind::bytes: {
    auto ends = make_pipe();
    if (!ends)
      return fail(ends.error());
    posix_spawn_file_actions_adddup2(&plan.files, ends->read.get(), 0);
    keep.push_back(std::move(ends->read));
    ours = std::move(ends->write);
    return {};
  }
  case child_input::kind::descriptor: {
    auto from = lift(in.descriptor, keep);
    if (!from)
      return fail(from.error());
    posix_spawn_file_actions_adddup2(&plan.files, *from, 0);
    return {};
  }
  }
  return fail(ec::internal, "unknown kind of input");
}

/// Puts the child's stdout or stderr (`target`) in place; `ours` gets the read
/// end of a pipe.
result<void> plan_output(spawn_plan& plan, const child_output& out, int target,
                         unique_fd& ours, std::vector<unique_fd>& keep) {
  auto dup = [&](int fd) -> result<void> {
    auto from = lift(fd, keep);
    if (!from)
      return fail(from.error());
    posix_spawn_file_actions_adddup2(&plan.files, *from, target);
    return {};
  };
  switch (out.what) {
  case child_output::kind::null:
  case child_output::kind::file: {
    bool null = out.what == child_output::kind::null;
    auto path = null ? "/dev/null" : out.path;
    unique_fd fd{open(path.c_str(),
                      O_WRONLY | O_CLOEXEC | (null ? 0 : O_CREAT | O_APPEND),
                      0600)};
    if (!fd)
      return fail(ec::process_failed, errno_text("cannot open " + path));
    auto ok = dup(fd.get());
    keep.push_back(std::move(fd));
    return ok;
  }
  case child_output::kind::capture: {
    auto ends = make_pipe();
    if (!ends)
      return fail(ends.error());
    auto ok = dup(ends->write.get());
    keep.push_back(std::move(ends->write));
    ours = std::move(ends->read);
    return ok;
  }
  case child_output::kind::inherit:
    return dup(target);
  case child_output::kind::descriptor:
    return dup(out.descriptor);
  case child_output::kind::as_stdout:
    if (target != 2)
      return fail(ec::bad_input, "stdout cannot go where stdout goes");
    posix_spawn_file_actions_adddup2(&plan.files, 1, 2);
    return {};
  }
  return fail(ec::internal, "unknown kind of output");
}

/// Puts stdin, stdout and stderr of the child in place.
result<void> plan_streams(spawn_plan& plan, const process_spec& spec,
                          child& made, std::vector<unique_fd>& keep) {
  if (auto ok = plan_input(plan, spec.in, made.in, keep); !ok)
    return ok;
  if (auto ok = plan_output(plan, spec.out, 1, made.out, keep); !ok)
    return ok;
  return plan_output(plan, spec.err, 2, made.err, keep);
}

/// The same, all three of a terminal. Opened by the child, which leads a
/// session of its own by then, it becomes that session's.
void plan_terminal(spawn_plan& plan, const std::string& tty) {
  posix_spawn_file_actions_addopen(&plan.files, 0, tty.c_str(), O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&plan.files, 0, 1);
  posix_spawn_file_actions_adddup2(&plan.files, 0, 2);
}

void plan_attributes(spawn_plan& plan, const process_spec& spec) {
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&plan.attributes, &none);
  posix_spawnattr_setsigdefault(&plan.attributes, &all);
  if (spec.group == process_spec::grouping::own_group) {
    flags |= POSIX_SPAWN_SETPGROUP;
    posix_spawnattr_setpgroup(&plan.attributes, 0);
  } else if (spec.group == process_spec::grouping::own_session) {
    flags |= POSIX_SPAWN_SETSID;
  }
  posix_spawnattr_setflags(&plan.attributes, flags);
}

bool is_directory(const std::string& path) {
  struct stat st;
  return stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

/// posix_spawn says only a number; this finds what it was about.
error spawn_error(const process_spec& spec, const std::string& program,
                  int number) {
  std::string why = std::strerror(number);
  if (!spec.cwd.empty() && !is_directory(spec.cwd))
    return {ec::process_failed,
            "cannot start " + program + " in " + spec.cwd
              + ": not a directory that can be entered"};
  if (number == ENOENT && access(program.c_str(), F_OK) == 0)
    why = "its interpreter is missing";
  return {ec::process_failed, "cannot start " + program + ": " + why};
}

/// @param terminal Empty = none.
result<child> start(const process_spec& spec, const std::string& terminal) {
  if (spec.argv.empty() || spec.argv.front().empty())
    return fail(ec::bad_input, "no program to start");
  if (has_nul(spec.argv) || has_nul(spec.env)
      || spec.cwd.find('\0') != std::string::npos)
    return fail(ec::bad_input,
                "a NUL in the arguments of " + spec.argv.front());
  // Looked up here and not by posix_spawnp, which would search *our* PATH. A
  // path with a slash is the kernel's to judge, relative to the child's cwd.
  auto program = spec.argv.front();
  if (program.find('/') == std::string::npos) {
    auto found = find_program(program, path_in(spec.env));
    if (!found)
      return fail(found.error());
    program = *found;
  }

  spawn_plan plan;
  child made;
  std::vector<unique_fd> keep;
  if (!terminal.empty())
    plan_terminal(plan, terminal);
  else if (auto ok = plan_streams(plan, spec, made, keep); !ok)
    return fail(ok.error());
  if (spec.foreground_of >= 0) {
    auto tty = lift(spec.foreground_of, keep);
    if (!tty)
      return fail(tty.error());
    posix_spawn_file_actions_addtcsetpgrp_np(&plan.files, *tty);
  }
  if (!spec.cwd.empty())
    posix_spawn_file_actions_addchdir_np(&plan.files, spec.cwd.c_str());
  posix_spawn_file_actions_addclosefrom_np(&plan.files, 3);
  plan_attributes(plan, spec);

  auto argv = pointers_to(spec.argv);
  auto env = pointers_to(spec.env);
  int number = posix_spawn(&made.pid, program.c_str(), &plan.files,
                           &plan.attributes, argv.data(), env.data());
  if (number != 0) {
    auto why = spawn_error(spec, program, number);
    if (number == ENOENT && access(program.c_str(), F_OK) != 0
        && program.front() == '/')
      why.code = ec::program_missing;
    return fail(std::move(why));
  }
  auto pidfd = open_pidfd(made.pid);
  if (!pidfd) {
    // Without a pidfd nobody could wait for it: take it back.
    kill(made.pid, SIGKILL);
    waitid(P_PID, static_cast<id_t>(made.pid), nullptr, WEXITED);
    return fail(pidfd.error());
  }
  made.pidfd = std::move(*pidfd);
  return made;
}

} // namespace

result<child> spawn(const process_spec& spec) {
  return start(spec, {});
}

result<child> spawn_on_terminal(const process_spec& spec,
                                const std::string& tty) {
  auto own = spec;
  own.group = process_spec::grouping::own_session;
  return start(own, tty);
}

} // namespace ao
