#include "cli/demo/residents.hpp"

#include "runtime/home/files.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"
#include "runtime/process/process_table.hpp"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <set>

namespace ao::cli::demo {
namespace {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;

/// The NUL-separated words of `/proc/<pid>/<name>`; none when it is gone.
std::vector<std::string> words_of(pid_t pid, const char* name) {
  auto text = read_whole_file("/proc/" + std::to_string(pid) + "/" + name,
                              std::size_t{4} << 20);
  std::vector<std::string> out;
  if (!text)
    return out;
  for (std::size_t from = 0; from < text->size();) {
    auto end = std::min(text->find('\0', from), text->size());
    out.push_back(text->substr(from, end - from));
    from = end + 1;
  }
  return out;
}

/// Recognises what belongs to a home.
class belonging {
public:
  explicit belonging(const home& where) {
    add(where);
    std::error_code problem;
    for (fs::directory_iterator at{where.root() + "/nodes", problem}, end;
         !problem && at != end; at.increment(problem))
      add(locate_home(at->path().string()));
  }

  bool holds(pid_t pid) const {
    auto variables = words_of(pid, "environ");
    if (std::any_of(variables.begin(), variables.end(),
                    [this](const auto& one) { return is_ours(one); }))
      return true;
    auto argv = words_of(pid, "cmdline");
    return !argv.empty() && is_our_program(argv[0])
      && std::any_of(argv.begin() + 1, argv.end(),
                     [this](const auto& one) { return is_inside(one); });
  }

private:
  void add(const home& where) {
    roots_.push_back(where.root());
    roots_.push_back(where.run_dir());
    read_marks(where.sessions());
    read_marks(where.ci());
  }

  /// The marks of all that was ever launched here.
  void read_marks(const std::string& directory) {
    std::error_code problem;
    for (fs::recursive_directory_iterator at{directory, problem}, end;
         !problem && at != end; at.increment(problem)) {
      if (at->path().filename() == "tree")
        at.disable_recursion_pending();
      if (at->path().filename() != "launch.json")
        continue;
      auto text = read_file(at->path().string());
      auto launch = text ? nlohmann::json::parse(*text, nullptr, false)
                         : nlohmann::json{};
      if (launch.is_object() && launch.contains("mark")
          && launch["mark"].is_string())
        marks_.insert(std::string{mark_variable} + "="
                      + launch["mark"].get<std::string>());
    }
  }

  bool is_inside(std::string_view path) const {
    return std::any_of(
      roots_.begin(), roots_.end(), [&](const std::string& root) {
        return path == root || path.substr(0, root.size() + 1) == root + "/";
      });
  }

  bool is_ours(const std::string& variable) const {
    if (marks_.count(variable) > 0)
      return true;
    auto equals = variable.find('=');
    return variable.rfind("AO_", 0) == 0 && equals != std::string::npos
      && is_inside(std::string_view{variable}.substr(equals + 1));
  }

  /// tmux calls itself `tmux: server` at times.
  static bool is_our_program(const std::string& path) {
    auto name = path.substr(path.rfind('/') + 1);
    return name == "ao" || name.rfind("ao-", 0) == 0
      || name.rfind("tmux", 0) == 0;
  }

  std::vector<std::string> roots_;
  std::set<std::string> marks_;
};

std::string command_of(pid_t pid) {
  std::string out;
  for (const auto& word : words_of(pid, "cmdline"))
    out += (out.empty() ? "" : " ") + word;
  return out.substr(0, 120);
}

std::string names_of(const std::vector<resident>& who) {
  std::string out;
  for (const auto& one : who)
    out += (out.empty() ? "" : ", ") + std::to_string(one.pid) + " ("
      + one.command + ")";
  return out;
}

} // namespace

result<std::vector<resident>> residents_of(const home& where) {
  auto self = process_of(::getpid());
  auto all = all_processes();
  if (!all)
    return fail(all.error());
  belonging of{where};
  std::set<pid_t> found;
  auto may_be = [&](const process_entry& one) {
    return one.pid != ::getpid() && one.uid == ::geteuid() && !one.ended()
      && (!self || one.start_time >= self->start_time);
  };
  for (const auto& one : *all)
    if (may_be(one) && of.holds(one.pid))
      found.insert(one.pid);
  for (auto grown = true; grown;) {
    grown = false;
    for (const auto& one : *all)
      if (may_be(one) && found.count(one.parent) > 0)
        grown = found.insert(one.pid).second || grown;
  }
  std::vector<resident> out;
  for (auto pid : found)
    out.push_back({pid, command_of(pid)});
  return out;
}

result<std::vector<std::string>> panes_of(const home& where) {
  std::vector<std::string> out;
  std::error_code problem;
  for (fs::directory_iterator at{where.run_dir(), problem}, end;
       !problem && at != end; at.increment(problem)) {
    auto name = at->path().filename().string();
    if (name.rfind("tmux-", 0) != 0)
      continue;
    process_spec spec;
    spec.argv = {"tmux", "-S", at->path().string(), "list-panes",
                 "-a",   "-F", "#{session_name}"};
    spec.env = environment::inherited().to_vector();
    auto end_of = run(spec, milliseconds{5'000});
    if (!end_of)
      return fail(end_of.error());
    // A socket without a server is what a server leaves that has ended.
    if (!end_of->ok())
      continue;
    for (std::size_t from = 0; from < end_of->out.size();) {
      auto line = std::min(end_of->out.find('\n', from), end_of->out.size());
      out.push_back(end_of->out.substr(from, line - from));
      from = line + 1;
    }
  }
  return out;
}

result<void> end_residents(const home& where, milliseconds grace) {
  auto killing_from = clock::now() + grace;
  auto give_up = killing_from + std::chrono::seconds{10};
  for (;;) {
    auto who = residents_of(where);
    if (!who)
      return fail(who.error());
    if (who->empty())
      return {};
    auto now = clock::now();
    if (now >= give_up)
      return fail(ec::timed_out, "still there: " + names_of(*who));
    auto killing = now >= killing_from;
    std::vector<unique_fd> ending;
    for (const auto& one : *who) {
      auto pidfd = open_pidfd(one.pid);
      if (!pidfd)
        continue;
      // A failure shows itself: the process is found again.
      (void)send_signal(pidfd->get(), killing ? SIGKILL : SIGTERM);
      ending.push_back(std::move(*pidfd));
    }
    auto until = killing ? now + std::chrono::seconds{1} : killing_from;
    for (const auto& one : ending)
      wait_ended(one.get(),
                 std::max(std::chrono::ceil<milliseconds>(until - clock::now()),
                          milliseconds{0}));
  }
}

} // namespace ao::cli::demo
