#include "runtime/process/process_table.hpp"

#include "runtime/process/process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <set>
#include <utility>

namespace ao {
namespace {

using clock = std::chrono::steady_clock;

/// Reads a file of /proc (their size says 0); nullopt when it cannot be read.
std::optional<std::string> slurp(const std::string& path) {
  unique_fd fd{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd)
    return std::nullopt;
  std::string bytes;
  char chunk[16384];
  for (;;) {
    auto n = read(fd.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return std::nullopt;
    if (n == 0)
      return bytes;
    bytes.append(chunk, static_cast<std::size_t>(n));
  }
}

std::string proc_path(pid_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

/// The name in parentheses may hold anything, so fields count from its end:
/// state ppid pgrp session tty … starttime is the 20th after it.
std::optional<process_entry> parse_stat(const std::string& text) {
  auto close = text.rfind(')');
  if (close == std::string::npos || close + 2 >= text.size())
    return std::nullopt;
  process_entry entry;
  entry.pid = static_cast<pid_t>(std::strtol(text.c_str(), nullptr, 10));
  const char* at = text.c_str() + close + 2;
  entry.state = *at++;
  std::uint64_t fields[20] = {};
  for (int i = 1; i < 20; ++i) {
    char* end = nullptr;
    // Some fields may be negative (tty group -1): read as signed, keep bits.
    fields[i] = i == 19
      ? std::strtoull(at, &end, 10)
      : static_cast<std::uint64_t>(std::strtoll(at, &end, 10));
    if (end == at)
      return std::nullopt;
    at = end;
  }
  entry.parent = static_cast<pid_t>(fields[1]);
  entry.group = static_cast<pid_t>(fields[2]);
  entry.session = static_cast<pid_t>(fields[3]);
  entry.start_time = fields[19];
  // utime stime cutime cstime
  for (int i = 11; i <= 14; ++i)
    entry.cpu_time += fields[i];
  return entry;
}

bool same_process(const process_entry& a) {
  auto now = process_of(a.pid);
  return now && !now->ended() && now->start_time == a.start_time;
}

/// A process under sentence, held by a descriptor that names no other.
struct target {
  process_entry entry;
  unique_fd pidfd;
  bool killed = false;
};

bool is_known(const std::vector<target>& targets, const process_entry& e) {
  return std::any_of(targets.begin(), targets.end(), [&](const target& t) {
    return t.entry.pid == e.pid && t.entry.start_time == e.start_time;
  });
}

void forget_ended(std::vector<target>& targets) {
  auto ended = [](const target& t) {
    return wait_ended(t.pidfd.get(), milliseconds{0});
  };
  targets.erase(std::remove_if(targets.begin(), targets.end(), ended),
                targets.end());
}

/// Stops all that carry the mark, until a look finds nobody new. The kernel
/// lets no fork pass once SIGSTOP is pending, so nobody slips through between
/// two looks, not even a child with a clean environment.
/// What was seen once stays a target even if its parent dies and it is
/// thereby no longer found.
result<void> freeze(std::vector<target>& targets, std::string_view mark,
                    pid_t below, std::size_t& seen) {
  for (bool grown = true; grown;) {
    grown = false;
    auto found = find_marked(mark, below);
    if (!found)
      return fail(found.error());
    for (const auto& entry : *found) {
      if (is_known(targets, entry))
        continue;
      auto pidfd = open_pidfd(entry.pid);
      // Looked at again after the descriptor is held: a pid may be reused
      // between reading /proc and opening it.
      if (!pidfd || !same_process(entry))
        continue;
      if (auto ok = send_signal(pidfd->get(), SIGSTOP); !ok)
        return fail(ok.error());
      targets.push_back({entry, std::move(*pidfd)});
      ++seen;
      grown = true;
    }
  }
  return {};
}

std::string pids_of(const std::vector<target>& targets) {
  std::string text;
  for (const auto& t : targets)
    text += (text.empty() ? "" : ", ") + std::to_string(t.entry.pid);
  return text;
}

} // namespace

std::optional<process_entry> process_of(pid_t pid) {
  auto text = slurp(proc_path(pid, "stat"));
  if (!text)
    return std::nullopt;
  auto entry = parse_stat(*text);
  struct stat st;
  if (!entry || stat(proc_path(pid, "").c_str(), &st) != 0)
    return std::nullopt;
  entry->uid = st.st_uid;
  return entry;
}

result<std::vector<process_entry>> all_processes() {
  std::unique_ptr<DIR, int (*)(DIR*)> dir{opendir("/proc"), closedir};
  if (!dir)
    return fail(ec::process_failed, errno_text("cannot read /proc"));
  std::vector<process_entry> all;
  while (auto* item = readdir(dir.get())) {
    auto pid = static_cast<pid_t>(std::strtol(item->d_name, nullptr, 10));
    if (pid <= 0)
      continue;
    if (auto entry = process_of(pid))
      all.push_back(*entry);
  }
  return all;
}

std::string boot_mark() {
  auto id = slurp("/proc/sys/kernel/random/boot_id").value_or("");
  auto first = process_of(1);
  return id.substr(0, id.find('\n')) + "/"
    + std::to_string(first ? first->start_time : 0);
}

std::optional<std::string> environ_value(pid_t pid, std::string_view name) {
  auto text = slurp(proc_path(pid, "environ"));
  if (!text)
    return std::nullopt;
  std::string_view rest{*text};
  while (!rest.empty()) {
    auto entry = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
    if (entry.size() > name.size() && entry[name.size()] == '='
        && entry.substr(0, name.size()) == name)
      return std::string{entry.substr(name.size() + 1)};
  }
  return std::nullopt;
}

result<std::vector<process_entry>> find_marked(std::string_view mark,
                                               pid_t below) {
  auto all = all_processes();
  if (!all)
    return fail(all.error());
  std::set<pid_t> found;
  for (const auto& e : *all)
    if (!mark.empty() && e.uid == getuid() && !e.ended()
        && environ_value(e.pid, mark_variable) == mark)
      found.insert(e.pid);
  // A child of a marked process may have been given a clean environment; it
  // is one of ours all the same. Parents may come after children: repeat.
  for (bool grown = true; grown;) {
    grown = false;
    for (const auto& e : *all)
      if (e.pid != below
          && (found.count(e.parent) || (below > 0 && e.parent == below)))
        grown = found.insert(e.pid).second || grown;
  }
  std::vector<process_entry> marked;
  for (const auto& e : *all)
    if (found.count(e.pid) && !e.ended() && e.pid != getpid())
      marked.push_back(e);
  return marked;
}

result<std::vector<unique_fd>> signal_marked(std::string_view mark, int signal,
                                             pid_t below) {
  std::vector<target> targets;
  std::size_t seen = 0;
  if (auto ok = freeze(targets, mark, below, seen); !ok)
    return fail(ok.error());
  forget_ended(targets);
  std::vector<unique_fd> pidfds;
  for (auto& t : targets) {
    auto ok = send_signal(t.pidfd.get(), signal);
    if (ok)
      ok = send_signal(t.pidfd.get(), SIGCONT);
    if (!ok)
      return fail(ok.error());
    pidfds.push_back(std::move(t.pidfd));
  }
  return pidfds;
}

result<end_report> end_marked(std::string_view mark, milliseconds grace,
                              pid_t below) {
  std::vector<target> targets;
  end_report report;
  auto term_until = clock::now() + grace;
  auto give_up = term_until + std::chrono::seconds(10);
  for (;;) {
    if (auto ok = freeze(targets, mark, below, report.signalled); !ok)
      return fail(ok.error());
    forget_ended(targets);
    if (targets.empty())
      return report;
    bool killing = clock::now() >= term_until;
    if (killing && clock::now() >= give_up)
      return fail(ec::timed_out,
                  "processes " + pids_of(targets) + " survive SIGKILL");
    for (auto& t : targets) {
      auto ok = send_signal(t.pidfd.get(), killing ? SIGKILL : SIGTERM);
      if (ok)
        ok = send_signal(t.pidfd.get(), SIGCONT);
      if (!ok)
        return fail(ok.error());
      if (killing && !std::exchange(t.killed, true))
        ++report.killed;
    }
    auto until = killing ? clock::now() + std::chrono::seconds(1) : term_until;
    for (auto& t : targets) {
      auto left = std::chrono::ceil<milliseconds>(until - clock::now());
      wait_ended(t.pidfd.get(), std::max(left, milliseconds{0}));
    }
  }
}

} // namespace ao
