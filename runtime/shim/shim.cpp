#include "runtime/shim/shim.hpp"

#include "runtime/home/files.hpp"
#include "runtime/process/kernel_log.hpp"
#include "runtime/process/limited_tree.hpp"
#include "runtime/process/process.hpp"
#include "runtime/process/process_table.hpp"
#include "runtime/shim/lease_watch.hpp"
#include "runtime/shim/output.hpp"
#include "runtime/shim/pane.hpp"
#include "runtime/shim/peers.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <optional>

namespace ao {
namespace {

using clock = std::chrono::steady_clock;

/// After KILL: what then still lives hangs in the kernel, and is named.
constexpr milliseconds kill_patience{10'000};
/// Seconds that a run waits for the end of the one before it.
constexpr unsigned predecessor_patience = 15;
/// For telling the end to peers that read slowly.
constexpr milliseconds farewell{1000};

/// One run of one agent; see `run_shim`.
class shim {
public:
  shim(std::string dir, launch_spec launch, unique_fd lock)
      : dir_(std::move(dir)),
        launch_(std::move(launch)),
        lock_(std::move(lock)),
        tree_(launch_.limits, "ao-" + launch_.mark) {
    report_.session = launch_.session;
    report_.epoch = launch_.epoch;
    report_.run = launch_.run;
  }

  result<void> prepare();
  result<void> live();

private:
  result<void> start();
  result<child> start_agent();
  result<void> serve_once();
  result<void> take_signals();
  result<void> reap_all();
  void agent_ended(const siginfo_t& info);
  void obey(const shim_order& order);
  void begin_end(exit_cause cause, milliseconds grace);
  void look_at_lease();
  result<void> sweep();
  result<void> check_clock();
  int poll_timeout() const;
  result<void> finish();
  void collect_last_lines();
  void remark(const std::string& what);
  void ask_for_memory();
  std::string hello() const;

  std::string dir_;
  launch_spec launch_;
  unique_fd lock_;
  shim_peers peers_;
  shim_pane pane_;
  lease_watch lease_;
  shim_output_file output_;
  unique_fd output_pipe_;
  unique_fd signals_;
  limited_tree tree_;
  /// When the agent was started, since the boot.
  std::chrono::microseconds started_{0};
  pid_t agent_ = 0;
  bool agent_lives_ = false;
  shim_state state_ = shim_state::starting;
  exit_report report_;
  /// Whether the cause is ours and not to be replaced by how the agent ended.
  bool cause_is_set_ = false;
  bool pane_is_gone_ = false;
  bool tree_is_gone_ = false;
  std::optional<clock::time_point> timeout_at_;
  /// Set once the end has begun: from then on KILL instead of TERM.
  std::optional<clock::time_point> kill_at_;
  bool kill_swept_ = false;
  /// Those that got a signal and have not ended yet.
  std::vector<unique_fd> sentenced_;
};

result<void> shim::prepare() {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
    return fail(ec::process_failed, errno_text("cannot become subreaper"));
  sigset_t ours;
  sigemptyset(&ours);
  // The tty's signals are blocked so that we may write and tcsetpgrp from the
  // background, which is where we are while the agent has the tty.
  for (int s : {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGTTIN,
                SIGTTOU, SIGPIPE})
    sigaddset(&ours, s);
  sigprocmask(SIG_BLOCK, &ours, nullptr);
  for (int s : {SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE})
    sigdelset(&ours, s);
  signals_.reset(signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_)
    return fail(ec::process_failed, errno_text("cannot make a signalfd"));
  auto lease = lease_watch::of(launch_.node_home, launch_.project);
  if (!lease)
    return fail(lease.error());
  lease_ = std::move(*lease);
  return peers_.listen(launch_.socket);
}

result<void> shim::live() {
  if (auto ok = start(); !ok) {
    report_.cause = exit_cause::start_failed;
    report_.detail = ok.error().context;
    cause_is_set_ = true;
    tree_is_gone_ = true;
  }
  while (!tree_is_gone_)
    if (auto ok = serve_once(); !ok)
      return ok;
  return finish();
}

result<void> shim::start() {
  if (launch_.limits.any())
    tree_.prepare();
  started_ = std::chrono::duration_cast<std::chrono::microseconds>(
    clock::now().time_since_epoch());
  result<child> made = fail(ec::internal, "not started");
  auto pid = tree_.start([&]() -> result<pid_t> {
    made = start_agent();
    return made ? result<pid_t>{made->pid} : fail(made.error());
  });
  for (const auto& what : tree_.missing())
    remark("not limited: " + what);
  if (!made)
    return fail(made.error());
  if (!pid)
    remark(pid.error().context);
  agent_ = report_.pid = made->pid;
  agent_lives_ = true;
  output_pipe_ = std::move(made->out);
  if (output_pipe_)
    if (auto ok = set_nonblocking(output_pipe_.get()); !ok)
      return ok;
  if (launch_.timeout.count() > 0)
    timeout_at_ = clock::now() + launch_.timeout;
  state_ = shim_state::running;
  return {};
}

result<child> shim::start_agent() {
  process_spec spec;
  spec.argv = launch_.argv;
  spec.cwd = launch_.cwd;
  launch_.env.insert_or_assign(std::string{mark_variable}, launch_.mark);
  bool on_tty = launch_.out == shim_output::tty;
  const char* term = std::getenv("TERM");
  if (on_tty && term != nullptr)
    launch_.env.insert_or_assign("TERM", term);
  for (const auto& [name, value] : launch_.env)
    spec.env.push_back(name + "=" + value);
  switch (launch_.in) {
  case shim_stdin::null:
    break;
  case shim_stdin::tty:
    spec.in = child_input::of(STDIN_FILENO);
    break;
  case shim_stdin::file:
    spec.in = child_input::file(launch_.in_path);
    break;
  }
  if (on_tty) {
    spec.out = spec.err = child_output::inherit();
    if (pane_.present())
      spec.foreground_of = STDIN_FILENO;
  } else {
    if (auto ok = output_.open(launch_.out_path, launch_.out_cap); !ok)
      return fail(ok.error());
    spec.out = child_output::capture();
    spec.err = child_output::as_stdout();
    spec.group = process_spec::grouping::own_session;
  }
  return spawn(spec);
}

result<void> shim::serve_once() {
  std::vector<pollfd> fds{{signals_.get(), POLLIN, 0}};
  auto add = [&](const unique_fd& fd) {
    if (fd)
      fds.push_back({fd.get(), POLLIN, 0});
  };
  add(output_pipe_);
  add(lease_.timer());
  for (const auto& fd : sentenced_)
    add(fd);
  peers_.add_to(fds);
  int n = poll(fds.data(), fds.size(), poll_timeout());
  if (n < 0 && errno != EINTR)
    return fail(ec::process_failed, errno_text("cannot poll"));
  auto ready = [&](int wanted) {
    return std::any_of(fds.begin(), fds.end(), [&](const pollfd& e) {
      return e.fd == wanted && e.revents != 0;
    });
  };
  if (n > 0) {
    if (output_pipe_ && ready(output_pipe_.get())
        && !output_.take(output_pipe_.get()))
      output_pipe_.reset();
    if (lease_.timer() && ready(lease_.timer().get()))
      look_at_lease();
    // Orders before signals: a stop that came before the agent's end is why
    // it ended.
    for (const auto& order : peers_.serve(fds, hello()))
      obey(order);
    if (auto ok = take_signals(); !ok)
      return ok;
    sentenced_.erase(std::remove_if(sentenced_.begin(), sentenced_.end(),
                                    [](const unique_fd& fd) {
                                      return wait_ended(fd.get(),
                                                        milliseconds{0});
                                    }),
                     sentenced_.end());
  }
  return check_clock();
}

result<void> shim::take_signals() {
  signalfd_siginfo info;
  bool children = false;
  while (read(signals_.get(), &info, sizeof info) == sizeof info) {
    switch (info.ssi_signo) {
    case SIGCHLD:
      children = true;
      break;
    case SIGHUP:
      pane_is_gone_ = pane_.present();
      begin_end(exit_cause::hangup, launch_.grace);
      break;
    default:
      begin_end(exit_cause::stopped, launch_.grace);
    }
  }
  // After the others: who asked for the end is known before it is reported.
  return children ? reap_all() : result<void>{};
}

result<void> shim::reap_all() {
  for (;;) {
    siginfo_t info{};
    // Children stopped by Ctrl-Z have no shell that would continue them.
    if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG) != 0)
      return errno == ECHILD || errno == EINTR
        ? result<void>{}
        : fail(ec::process_failed, errno_text("cannot wait"));
    if (info.si_pid == 0)
      return {};
    if (info.si_code == CLD_STOPPED) {
      if (info.si_pid == agent_ && info.si_status == SIGTSTP)
        kill(-agent_, SIGCONT);
    } else if (info.si_pid == agent_) {
      agent_ended(info);
    }
  }
}

void shim::agent_ended(const siginfo_t& info) {
  agent_lives_ = false;
  bool by_itself = info.si_code == CLD_EXITED;
  (by_itself ? report_.code : report_.signal) = info.si_status;
  begin_end(by_itself ? exit_cause::exited : exit_cause::signalled,
            launch_.grace);
}

void shim::obey(const shim_order& order) {
  bool kill = order.what == shim_order::kind::kill;
  begin_end(exit_cause::stopped, kill ? milliseconds{0} : order.grace);
}

/// The first cause stays; a later order may only make the end come sooner.
void shim::begin_end(exit_cause cause, milliseconds grace) {
  auto at = clock::now() + grace;
  if (!cause_is_set_)
    report_.cause = cause;
  cause_is_set_ = true;
  if (kill_at_) {
    kill_at_ = std::min(*kill_at_, at);
    return;
  }
  kill_at_ = at;
  state_ = shim_state::stopping;
}

/// As the node itself would have ended it: at once, and not as one that was
/// told to stop, so that it goes on where the hub wants it.
void shim::look_at_lease() {
  auto ending = kill_at_ && *kill_at_ <= clock::now();
  if (!lease_.is_over() || ending)
    return;
  remark("the lease of its node is over, whose process is dead");
  begin_end(exit_cause::signalled, milliseconds{0});
}

/// Signals whoever is there; nobody = the tree is gone.
result<void> shim::sweep() {
  bool killing = clock::now() >= *kill_at_;
  auto left
    = signal_marked(launch_.mark, killing ? SIGKILL : SIGTERM, getpid());
  if (!left)
    return fail(left.error());
  sentenced_ = std::move(*left);
  kill_swept_ = killing;
  tree_is_gone_ = sentenced_.empty();
  return {};
}

result<void> shim::check_clock() {
  auto now = clock::now();
  if (timeout_at_ && now >= *timeout_at_) {
    timeout_at_.reset();
    begin_end(exit_cause::timed_out, launch_.grace);
  }
  if (!kill_at_)
    return {};
  if (kill_swept_ && !sentenced_.empty() && now >= *kill_at_ + kill_patience) {
    report_.detail
      = std::to_string(sentenced_.size()) + " processes survive SIGKILL";
    tree_is_gone_ = true;
    return {};
  }
  if (sentenced_.empty() || (now >= *kill_at_ && !kill_swept_))
    return sweep();
  return {};
}

int shim::poll_timeout() const {
  std::optional<clock::time_point> next = timeout_at_;
  if (kill_at_) {
    auto at = kill_swept_ ? *kill_at_ + kill_patience : *kill_at_;
    next = next ? std::min(*next, at) : at;
  }
  if (!next)
    return -1;
  auto left = std::chrono::ceil<milliseconds>(*next - clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

result<void> shim::finish() {
  if (auto ok = reap_all(); !ok)
    return ok;
  report_.unread = pane_.unread();
  pane_.reclaim();
  if (output_pipe_)
    output_.take_rest(output_pipe_.get());
  report_.output_truncated = output_.truncated();
  collect_last_lines();
  ask_for_memory();
  report_.at = wall_now();
  state_ = shim_state::exited;
  auto written
    = write_file_durably(exit_path(dir_, launch_.run), to_json(report_) + "\n");
  // Whoever hears of the end finds place for the next run: socket and lock go
  // first.
  peers_.stop_listening(hello());
  lock_.reset();
  peers_.tell_all(exited_event(report_));
  peers_.flush(farewell);
  return written;
}

void shim::remark(const std::string& what) {
  report_.detail += (report_.detail.empty() ? "" : "; ") + what;
}

/// Whether the kernel has ended something of ours: by the word of the group,
/// or, where the agent itself was killed, by the kernel's log.
void shim::ask_for_memory() {
  auto killed
    = report_.cause == exit_cause::signalled && report_.signal == SIGKILL;
  report_.out_of_memory = tree_.was_short_of_memory()
    || (killed && killed_for_memory(agent_, started_));
  if (report_.out_of_memory)
    remark("the kernel has killed one of its processes for want of memory"
           + (launch_.limits.memory
                ? ", the limit is " + format_size(*launch_.limits.memory)
                : std::string{}));
}

void shim::collect_last_lines() {
  if (launch_.out == shim_output::file) {
    report_.last_lines = output_.last_lines(launch_.capture_lines);
    return;
  }
  if (pane_is_gone_ || launch_.capture_lines == 0)
    return;
  auto text = pane_.capture(launch_.capture_lines);
  if (!text)
    return remark(text.error().context);
  report_.last_lines = last_lines_of(*text, launch_.capture_lines);
  if (auto ok = write_file_durably(pane_path(dir_, launch_.run), *text); !ok)
    remark(ok.error().context);
}

std::string shim::hello() const {
  shim_hello h;
  h.session = launch_.session;
  h.epoch = launch_.epoch;
  h.run = launch_.run;
  h.pid = agent_;
  h.shim_pid = getpid();
  h.state = state_;
  return to_json(h);
}

/// The pane closes with us and takes stderr along; a copy stays in the
/// session's directory.
shim_exit complain(const std::string& dir, shim_exit code,
                   const std::string& text) {
  auto line = format_time(wall_now()) + " " + text + "\n";
  std::cerr << "ao-shim: " << text << std::endl;
  unique_fd log{open((dir + "/shim.err").c_str(),
                     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
  if (log && write(log.get(), line.data(), line.size()) < 0)
    std::cerr << "ao-shim: " << errno_text("cannot write shim.err")
              << std::endl;
  return code;
}

/// The lock that says which run of a session has its shim; it is released by
/// the end of the process at the latest. A run waits for the one before it,
/// which may be writing its last lines. An empty answer: this very run has one.
result<unique_fd> lock_session(const std::string& dir, run_no run) {
  auto path = lock_path(dir);
  unique_fd lock{open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!lock)
    return fail(ec::process_failed, errno_text("cannot open " + path));
  auto own = std::to_string(run);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    auto holder = read_whole_file(path, 64);
    if (!holder || *holder == own)
      return unique_fd{};
    // Without SA_RESTART the alarm ends the wait.
    struct sigaction nothing {};
    nothing.sa_handler = [](int) {};
    sigaction(SIGALRM, &nothing, nullptr);
    alarm(predecessor_patience);
    bool locked = flock(lock.get(), LOCK_EX) == 0;
    alarm(0);
    if (!locked)
      return fail(ec::timed_out, "run " + *holder + " does not end");
  }
  if (ftruncate(lock.get(), 0) != 0
      || pwrite(lock.get(), own.data(), own.size(), 0) < 0)
    return fail(ec::process_failed, errno_text("cannot write " + path));
  return lock;
}

} // namespace

shim_exit run_shim(const std::string& dir) {
  auto launch = read_launch(dir);
  if (!launch)
    return complain(dir, shim_exit::failed, to_string(launch.error()));
  auto run
    = "run " + std::to_string(launch->run) + " of " + launch->session.text;
  auto lock = lock_session(dir, launch->run);
  if (!lock)
    return complain(dir, shim_exit::failed, to_string(lock.error()));
  if (!*lock)
    return complain(dir, shim_exit::already_ran, run + " has its ao-shim");
  if (access(exit_path(dir, launch->run).c_str(), F_OK) == 0)
    return complain(dir, shim_exit::already_ran, run + " is over");
  if (shim_peers::somebody_listens(launch->socket))
    return complain(dir, shim_exit::already_ran,
                    "somebody answers on " + launch->socket);
  shim life{dir, std::move(*launch), std::move(*lock)};
  if (auto ok = life.prepare(); !ok)
    return complain(dir, shim_exit::failed, to_string(ok.error()));
  if (auto ok = life.live(); !ok)
    return complain(dir, shim_exit::failed, to_string(ok.error()));
  return shim_exit::done;
}

} // namespace ao
