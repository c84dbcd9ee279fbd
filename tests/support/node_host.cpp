#include "tests/support/node_host.hpp"

#include "runtime/home/files.hpp"
#include "runtime/io/fd.hpp"
#include "runtime/process/process_table.hpp"
#include "tests/support/places.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <thread>

namespace ao {
namespace {

unique_fd bound_to(unsigned port) {
  unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0)
    fd.reset();
  return fd;
}

unsigned port_of(const unique_fd& fd) {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size);
  return ntohs(at.sin_port);
}

} // namespace

unsigned free_port_pair() {
  for (int tries = 0; tries < 100; ++tries) {
    auto first = bound_to(0);
    auto port = port_of(first);
    if (port < 65'000 && bound_to(port + 1))
      return port;
  }
  throw std::runtime_error("no two ports are free");
}

void await_open(const world& w, const std::string& node) {
  auto until = std::chrono::steady_clock::now() + world::patience;
  // Nothing happens that could be waited for.
  for (;;) {
    auto shown = w.api().call("GET", "/api/v1/nodes/" + node);
    ASSERT_TRUE(shown) << to_string(shown.error());
    if (shown->body["why"] != "yet to tell which agents can start there")
      return;
    ASSERT_LT(std::chrono::steady_clock::now(), until) << shown->body;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
}

world_options clustered(unsigned port, const std::string& times,
                        const std::string& stop_after,
                        const std::string& disconnect) {
  world_options o;
  o.settings += "cluster: {listen: \"127.0.0.1:" + std::to_string(port) + "\", "
    + times + "}\n";
  o.project
    = ", disconnect: {stopOnClientAfter: " + stop_after + disconnect + "}";
  return o;
}

node_host::node_host(const world& w, const std::string& name,
                     std::vector<std::string> within)
    : world_(w), home_(w.root() / name), within_(std::move(within)) {}

std::filesystem::path node_host::worktree(const std::string& session) const {
  return home_ / "worktrees" / session;
}

void node_host::set_variable(const std::string& name,
                             const std::string& value) {
  variables_[name] = value;
}

environment node_host::variables() const {
  auto env = world_.variables();
  for (const auto& [name, value] : variables_)
    env.set(name, value);
  return env.set("AO_HOME", home_.string());
}

finished node_host::call(std::vector<std::string> words) const {
  words.insert(words.begin(), program_path("ao-node"));
  words.insert(words.begin(), within_.begin(), within_.end());
  process_spec spec;
  spec.argv = std::move(words);
  spec.env = variables().to_vector();
  auto end = run(spec, world::patience);
  if (!end)
    throw std::runtime_error(to_string(end.error()));
  return std::move(*end);
}

void node_host::join(unsigned port, std::vector<std::string> token_words,
                     std::vector<std::string> join_words,
                     const std::string& hub) const {
  token_words.insert(token_words.begin(), {"node", "token"});
  auto token = world_.ask(std::move(token_words));
  join_words.insert(
    join_words.begin(),
    {"join", hub + ":" + std::to_string(port), token.value("token", "")});
  auto end = call(std::move(join_words));
  EXPECT_EQ(end.status.code, 0) << end.err;
}

void node_host::start(std::vector<std::string> words) {
  words.insert(words.begin(), {program_path("ao-node"), "run"});
  words.insert(words.begin(), within_.begin(), within_.end());
  process_spec spec;
  spec.argv = std::move(words);
  spec.env = variables().to_vector();
  spec.out = child_output::file((home_ / "run.log").string());
  spec.err = child_output::as_stdout();
  spec.group = process_spec::grouping::own_session;
  auto started = spawn(spec);
  if (!started)
    throw std::runtime_error(to_string(started.error()));
  child_ = std::move(*started);
}

void node_host::kill() {
  ::kill(child_.pid, SIGKILL);
  EXPECT_TRUE(wait_ended(child_.pidfd.get(), world::patience));
  (void)reap(child_.pidfd.get());
}

void node_host::stop() {
  ::kill(child_.pid, SIGTERM);
  EXPECT_TRUE(wait_ended(child_.pidfd.get(), world::patience));
  (void)reap(child_.pidfd.get());
}

void node_host::freeze() const {
  ::kill(child_.pid, SIGSTOP);
}

void node_host::thaw() const {
  ::kill(child_.pid, SIGCONT);
}

std::string node_host::log() const {
  std::string out;
  for (const auto* file : {"run.log", "logs/node.log"})
    if (auto text = read_file((home_ / file).string()))
      out += *text;
  return out;
}

} // namespace ao
