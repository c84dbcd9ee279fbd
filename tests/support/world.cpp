#include "tests/support/world.hpp"

#include "messages/json.hpp"
#include "runtime/home/files.hpp"
#include "runtime/home/home.hpp"
#include "runtime/home/lock.hpp"
#include "runtime/io/fd.hpp"
#include "runtime/process/process_table.hpp"
#include "tests/support/places.hpp"

#include <gtest/gtest.h>

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

namespace ao {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Something without which no test can go on.
[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error{what};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

/// Whether a process was started for the world of this user's home. (tmux and
/// the shims get HOME, but no TMPDIR.)
bool lives_in(pid_t pid, const std::string& user) {
  return environ_value(pid, "HOME") == user;
}

/// Ends every process of the world so that none of them has a last word while
/// others end: all are stopped first, and the youngest go first, as the end of
/// a terminal sets those in it going again.
void cut_off_residents(const std::string& user) {
  auto all = all_processes();
  if (!all)
    give_up(to_string(all.error()));
  std::sort(all->begin(), all->end(), [](const auto& a, const auto& b) {
    return a.start_time != b.start_time ? a.start_time > b.start_time
                                        : a.pid > b.pid;
  });
  std::vector<unique_fd> residents;
  for (const auto& one : *all)
    if (auto fd = open_pidfd(one.pid);
        fd && !one.ended() && lives_in(one.pid, user))
      residents.push_back(std::move(*fd));
  for (int signal : {SIGSTOP, SIGKILL})
    for (const auto& fd : residents)
      if (auto sent = send_signal(fd.get(), signal); !sent)
        give_up(to_string(sent.error()));
}

/// Ends every process of the world, the youngest first: a tmux server that
/// goes would wake the shims in its panes, also stopped ones, to speak.
void end_residents(const std::string& user) {
  for (bool anybody = true; anybody;) {
    anybody = false;
    auto all = all_processes();
    if (!all)
      give_up(to_string(all.error()));
    std::sort(all->begin(), all->end(), [](const auto& a, const auto& b) {
      return a.start_time > b.start_time;
    });
    for (const auto& one : *all) {
      if (one.ended() || !lives_in(one.pid, user))
        continue;
      auto fd = open_pidfd(one.pid);
      // The number may have gone to another process meanwhile.
      if (!fd || !lives_in(one.pid, user))
        continue;
      anybody = true;
      if (auto sent = send_signal(fd->get(), SIGKILL); !sent)
        give_up(to_string(sent.error()));
      if (!wait_ended(fd->get(), world::patience))
        give_up("process " + std::to_string(one.pid) + " does not end");
    }
  }
}

/// In front of a command: runs it as `nobody`.
std::vector<std::string> as_nobody() {
  return {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"};
}

/// Gives a directory and all in it to `nobody`.
void give_to_nobody(const fs::path& root) {
  auto give = [](const fs::path& p) {
    if (::lchown(p.c_str(), 65534, 65534) != 0)
      give_up(p.string() + " cannot be given away");
  };
  give(root);
  for (const auto& one : fs::recursive_directory_iterator{root})
    give(one.path());
}

std::string last_lines(const fs::path& file, std::size_t count) {
  std::ifstream in{file};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  std::string out;
  for (auto i = lines.size() > count ? lines.size() - count : 0;
       i < lines.size(); ++i)
    out += lines[i] + "\n";
  return out;
}

} // namespace

std::string why_not_unprivileged() {
  if (::geteuid() != 0)
    return {};
  process_spec spec;
  spec.argv = as_nobody();
  spec.argv.insert(spec.argv.end(), {program_path("ao"), "--version"});
  auto env = environment::inherited();
  spec.env = env.to_vector();
  auto found = find_program(spec.argv[0], env.get("PATH"));
  if (!found)
    return found.error().context;
  spec.argv[0] = *found;
  auto end = run(spec, world::patience);
  if (!end)
    return to_string(end.error());
  return end->ok() ? std::string{}
                   : "nobody cannot run ao: " + end->err.substr(0, 200);
}

void expect_ends(pid_t pid) {
  auto fd = open_pidfd(pid);
  if (!fd)
    return;
  EXPECT_TRUE(wait_ended(fd->get(), world::patience))
    << "process " << pid << " lives on";
}

void await_file(const fs::path& file, bool there) {
  auto until = std::chrono::steady_clock::now() + world::patience;
  unique_fd watch{inotify_init1(IN_CLOEXEC)};
  ASSERT_GE(inotify_add_watch(watch.get(), file.parent_path().c_str(),
                              IN_CREATE | IN_DELETE | IN_MOVE),
            0)
    << file;
  while (fs::exists(file) != there) {
    auto left = std::chrono::duration_cast<milliseconds>(
      until - std::chrono::steady_clock::now());
    ASSERT_GT(left.count(), 0)
      << file << (there ? " did not come" : " did not go") << " in time";
    pollfd news{watch.get(), POLLIN, 0};
    char events[4096];
    if (poll(&news, 1, static_cast<int>(left.count())) > 0) {
      ASSERT_GT(read(watch.get(), events, sizeof events), 0);
    }
  }
}

std::string content_of(const fs::path& file) {
  auto bytes = read_file(file.string());
  EXPECT_TRUE(bytes) << to_string(bytes.error());
  return bytes.value_or("");
}

world::world(world_options options) : options_(std::move(options)) {
  auto name = (fs::temp_directory_path() / "ao-e2e-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    give_up("no temporary directory");
  root_ = fs::canonical(name);
  for (const auto* part : {"user", "tmp", "app", "agents"})
    fs::create_directory(root_ / part);
  if (options_.disk > 0)
    disk_.emplace(home(), options_.disk);
  std::ofstream{user() / ".gitconfig"}
    << "[user]\n\tname = Ann\n\temail = ann@example.org\n";
  git(checkout(), {"init", "--quiet", "--initial-branch=main", "."});
  std::ofstream{checkout() / "README"} << "A test's project.\n";
  git(checkout(), {"add", "README"});
  git(checkout(), {"commit", "--quiet", "-m", "First"});
}

world::~world() {
  try {
    // Where nothing was started, all is still root's.
    if (options_.unprivileged && ::geteuid() == 0)
      give_to_nobody(root_);
    auto stopped = ao({"stop"});
    EXPECT_EQ(stopped.status.code, 0) << stopped.err;
    end_residents(user().string());
  } catch (const std::exception& why) {
    ADD_FAILURE() << why.what();
  }
  if (testing::Test::HasFailure())
    std::cerr << "--- the end of " << root_.string() << "'s hub.log\n"
              << last_lines(home() / "logs/hub.log", 40) << "---\n";
  disk_.reset();
  std::error_code left;
  fs::remove_all(root_, left);
  EXPECT_FALSE(left) << left.message();
}

void world::lose_power() {
  cut_off_residents(user().string());
  end_residents(user().string());
  fs::remove_all(home() / "run");
  for (const auto& session : fs::directory_iterator{home() / "sessions"}) {
    auto file = session.path() / "launch.json";
    auto launch = json::parse(content_of(file));
    launch.at("boot") = "the one before";
    std::ofstream{file} << launch;
  }
}

fs::path world::worktree(const std::string& session) const {
  return home() / "worktrees" / session;
}

std::string world::hub_socket() const {
  return locate_home(home().string()).hub_socket();
}

void world::add_agent(const std::string& name, const std::string& script,
                      const std::string& members) {
  auto file = (root_ / "agents" / name).string();
  auto made = write_file_durably(file, "#!/bin/sh\nset -eu\n" + script, 0755);
  if (!made)
    give_up(to_string(made.error()));
  auto adapter = members.find("adapter:") == std::string::npos
    ? std::string{"adapter: command, "}
    : std::string{};
  agents_.emplace_back(
    name, "{" + adapter + "command: [" + file + "]" + members + "}");
}

void world::write_config() {
  std::ofstream out{checkout() / "ao.yaml"};
  if (!agents_.empty())
    out << "defaults: {agent: " << agents_.front().first << "}\n";
  out << options_.settings;
  if (!agents_.empty())
    out << "agents:\n";
  for (const auto& [name, entry] : agents_)
    out << "  " << name << ": " << entry << "\n";
  out << "projects:\n  app: {path: " << checkout().string()
      << ", defaultBranch: main, sessionPrefix: app" << options_.project
      << "}\n";
}

void world::set_variable(const std::string& name, const std::string& value) {
  variables_[name] = value;
}

environment world::variables() const {
  auto env = environment::inherited();
  for (const auto& [name, value] : variables_)
    env.set(name, value);
  return env.set("HOME", user().string())
    .set("TMPDIR", (root_ / "tmp").string())
    .set("AO_HOME", home().string())
    .set("NO_COLOR", "1")
    .set("LANG", "C.UTF-8")
    .unset("XDG_RUNTIME_DIR")
    .unset("XDG_CONFIG_HOME");
}

namespace {

process_spec spec_of(environment env, std::vector<std::string> argv,
                     const ao_call& how, const fs::path& cwd) {
  process_spec spec;
  spec.argv = std::move(argv);
  for (const auto& [name, value] : how.env)
    if (value.empty())
      env.unset(name);
    else
      env.set(name, value);
  spec.env = env.to_vector();
  // The record of a long test is large.
  spec.out = child_output::capture(std::size_t{1} << 30);
  spec.cwd = (how.cwd.empty() ? cwd : how.cwd).string();
  if (!how.input.empty())
    spec.in = child_input::bytes(how.input);
  return spec;
}

} // namespace

std::vector<std::string> world::called(std::vector<std::string> words) const {
  words.insert(words.begin(), program_path("ao"));
  if (options_.unprivileged && ::geteuid() == 0) {
    auto drop = as_nobody();
    words.insert(words.begin(), drop.begin(), drop.end());
  }
  words.insert(words.begin(), options_.within.begin(), options_.within.end());
  return words;
}

finished world::ao(std::vector<std::string> words, const ao_call& how) const {
  auto end = run(
    spec_of(variables(), called(std::move(words)), how, checkout()), patience);
  if (!end)
    give_up(to_string(end.error()));
  return std::move(*end);
}

child world::start_ao(std::vector<std::string> words,
                      const ao_call& how) const {
  auto started
    = spawn(spec_of(variables(), called(std::move(words)), how, checkout()));
  if (!started)
    give_up(to_string(started.error()));
  return std::move(*started);
}

json world::ask(std::vector<std::string> words, const ao_call& how) const {
  auto called = words.front();
  words.emplace_back("--json");
  auto end = ao(std::move(words), how);
  EXPECT_EQ(end.status.code, 0) << "ao " << called << ": " << end.err;
  auto out = json::parse(end.out, nullptr, false);
  EXPECT_FALSE(out.is_discarded()) << "ao " << called << ": " << end.out;
  return out.is_discarded() ? json() : out;
}

pid_t world::start(const std::map<std::string, std::string>& env,
                   std::vector<std::string> words) {
  write_config();
  if (options_.unprivileged && ::geteuid() == 0)
    give_to_nobody(root_);
  ao_call how;
  how.env = env;
  words.insert(words.begin(), "start");
  auto facts = ask(std::move(words), how);
  if (!facts.is_object() || !facts["pid"].is_number())
    give_up("the hub has not started: " + facts.dump());
  return facts["pid"].get<pid_t>();
}

std::string world::add_task(const std::string& title, const std::string& body,
                            std::vector<std::string> more) const {
  std::vector<std::string> words = {"task", "add", "--body", body};
  words.insert(words.end(), more.begin(), more.end());
  words.insert(words.end(), {"--json", "--", title});
  auto end = ao(words);
  EXPECT_EQ(end.status.code, 0) << end.err;
  auto row = json::parse(end.out, nullptr, false);
  return row.is_object() ? row.value("id", "") : "";
}

void world::kill_hub() {
  auto holder = find_lock_holder(locate_home(home().string()));
  if (!holder || !*holder)
    give_up("no hub to kill");
  auto fd = open_pidfd((*holder)->pid);
  if (!fd)
    return;
  EXPECT_TRUE(send_signal(fd->get(), SIGKILL));
  EXPECT_TRUE(wait_ended(fd->get(), patience));
}

http::api_client world::api() const {
  return http::api_client{hub_socket()};
}

json world::await(const predicate& wanted, std::uint64_t after) const {
  json found;
  auto listen = [&](milliseconds allowed) {
    return api().stream(
      "/api/v1/events?after=" + std::to_string(after),
      [&](const http::received_event& one) {
        auto event = json::parse(one.data, nullptr, false);
        if (!event.is_object() || !wanted(event)) {
          after = std::max(after, one.id);
          return http::api_client::next::more;
        }
        found = std::move(event);
        return http::api_client::next::stop;
      },
      allowed);
  };
  auto until = std::chrono::steady_clock::now() + patience;
  auto heard = listen(patience);
  // A hub whose API is being started anew ends the stream and refuses others.
  while (!heard && heard.error().code != ec::hub_not_running) {
    ::usleep(10'000);
    auto left = std::chrono::duration_cast<milliseconds>(
      until - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      break;
    heard = listen(left);
  }
  EXPECT_TRUE(heard) << "waiting for an event: " << to_string(heard.error());
  return found;
}

json world::await(const std::string& kind, const std::string& subject,
                  std::uint64_t after) const {
  auto found = await(
    [&](const json& e) {
      return e.value("kind", "") == kind && e.value("subject", "") == subject;
    },
    after);
  EXPECT_TRUE(found.is_object()) << "no " << kind << " of " << subject;
  return found;
}

std::vector<json> world::events(const std::string& subject) const {
  std::vector<std::string> words = {"events", "--json"};
  if (!subject.empty())
    words.insert(words.end(), {"--subject", subject});
  auto end = ao(words);
  EXPECT_EQ(end.status.code, 0) << end.err;
  std::vector<json> out;
  for (const auto& line : lines_of(end.out)) {
    auto event = json::parse(line, nullptr, false);
    EXPECT_TRUE(event.is_object()) << line;
    out.push_back(std::move(event));
  }
  return out;
}

std::uint64_t world::last_event() const {
  auto all = events();
  return all.empty() ? 0 : all.back().value("seq", std::uint64_t{0});
}

finished world::try_git(const fs::path& dir, std::vector<std::string> words,
                        const std::map<std::string, std::string>& env) const {
  words.insert(words.begin(), "git");
  ao_call how;
  how.env = env;
  auto end = run(spec_of(variables(), std::move(words), how, dir), patience);
  if (!end)
    give_up(to_string(end.error()));
  return std::move(*end);
}

std::string world::git(const fs::path& dir,
                       std::vector<std::string> words) const {
  auto called = words.front();
  auto end = try_git(dir, std::move(words));
  EXPECT_TRUE(end.ok()) << "git " << called << ": " << end.err;
  if (!end.out.empty() && end.out.back() == '\n')
    end.out.pop_back();
  return end.out;
}

void world::touch(const std::string& file) const {
  std::ofstream{user() / file} << "";
}

void world::await_file(const std::string& file) const {
  ao::await_file(user() / file);
}

std::vector<std::string> world::panes() const {
  std::vector<std::string> out;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator{home() / "run", none}) {
    auto name = entry.path().filename().string();
    if (name.rfind("tmux-", 0) != 0 || entry.path().extension() != ".sock")
      continue;
    auto end = run(spec_of(variables(),
                           {"tmux", "-S", entry.path().string(),
                            "list-sessions", "-F", "#{session_name}"},
                           {}, root_),
                   patience);
    // A server that has ended has no sessions.
    if (end && end->ok())
      for (auto& line : lines_of(end->out))
        out.push_back(std::move(line));
  }
  return out;
}

void world::at_pane(const std::string& session, const std::string& command,
                    const std::vector<std::string>& words) const {
  auto pane = ask({"session", "show", session})["tmux"];
  std::vector<std::string> argv{
    "tmux",  "-S", pane["socket"].get<std::string>(),
    command, "-t", pane["pane"].get<std::string>()};
  argv.insert(argv.end(), words.begin(), words.end());
  auto end = run(spec_of(variables(), argv, {}, root_), patience);
  EXPECT_TRUE(end && end->ok()) << command;
}

std::map<std::string, std::string>
world::environment_of(const std::string& session) const {
  auto launch = json::parse(
    content_of(home() / "sessions" / session / "launch.json"), nullptr, false);
  std::map<std::string, std::string> out;
  EXPECT_TRUE(launch.is_object() && launch["env"].is_object());
  if (launch.is_object() && launch["env"].is_object())
    for (const auto& [name, value] : launch["env"].items())
      out[name] = value.get<std::string>();
  return out;
}

} // namespace ao
