#include "cli/demo/nodes.hpp"

#include "cli/commands/common.hpp"
#include "cli/demo/residents.hpp"
#include "runtime/home/files.hpp"
#include "runtime/io/fd.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <csignal>

namespace ao::cli::demo {
namespace {

constexpr milliseconds join_limit{30'000};
/// A node's program has its own, which is shorter.
constexpr milliseconds stop_limit{20'000};
constexpr int most_tries = 100;

/// A socket at a port of loopback; 0 = any. None when it is in use.
unique_fd bound_to(std::uint16_t port) {
  unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(port);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0)
    fd.reset();
  return fd;
}

std::uint16_t port_of(const unique_fd& fd) {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size);
  return ntohs(at.sin_port);
}

result<void> check(const std::string& what, const result<finished>& end) {
  if (!end)
    return fail(end.error());
  if (!end->ok())
    return fail(ec::process_failed, what + ": " + end->err);
  return {};
}

} // namespace

result<std::uint16_t> free_port_pair() {
  for (int tries = 0; tries < most_tries; ++tries) {
    auto first = bound_to(0);
    auto port = port_of(first);
    if (port != 0 && port < 65'535
        && bound_to(static_cast<std::uint16_t>(port + 1)))
      return port;
  }
  return fail(ec::process_failed, "no two ports of loopback are free");
}

result<void> nodes::add(const std::string& name, std::uint16_t door) {
  auto token = where_.ask_ao({"node", "token", "--name", name});
  if (!token)
    return fail(token.error());
  if (token->code != 0)
    return fail(ec::process_failed, "ao node token: " + token->err);
  if (auto ok = make_directories(where_.node_home(name)); !ok)
    return ok;
  auto joined = where_.run_node(name,
                                {"join", "127.0.0.1:" + std::to_string(door),
                                 text_at(token->body, "token")},
                                join_limit);
  if (auto ok = check("ao-node join", joined); !ok)
    return ok;
  auto started = where_.start_node(name, {"run"});
  if (!started)
    return fail(started.error());
  running_.insert_or_assign(name, std::move(*started));
  return {};
}

result<child*> nodes::find(const std::string& name) {
  auto found = running_.find(name);
  if (found == running_.end())
    return fail(ec::no_such_node, name + " does not run");
  return &found->second;
}

result<void> nodes::cut(const std::string& name) {
  auto one = find(name);
  return one ? send_signal((*one)->pidfd.get(), SIGSTOP)
             : result<void>{fail(one.error())};
}

result<void> nodes::restore(const std::string& name) {
  auto one = find(name);
  return one ? send_signal((*one)->pidfd.get(), SIGCONT)
             : result<void>{fail(one.error())};
}

result<void> nodes::kill(const std::string& name) {
  auto one = find(name);
  if (!one)
    return fail(one.error());
  if (auto sent = send_signal((*one)->pidfd.get(), SIGKILL); !sent)
    return sent;
  auto ended = reap((*one)->pidfd.get());
  running_.erase(name);
  if (!ended)
    return fail(ended.error());
  return end_residents(locate_home(where_.node_home(name)), milliseconds{0});
}

result<void> nodes::end() {
  auto all = std::exchange(running_, {});
  for (const auto& [name, one] : all)
    for (auto signal : {SIGTERM, SIGCONT})
      if (auto sent = send_signal(one.pidfd.get(), signal); !sent)
        return sent;
  for (const auto& [name, one] : all) {
    if (!wait_ended(one.pidfd.get(), stop_limit))
      return fail(ec::timed_out, "ao-node of " + name + " does not end");
    if (auto ended = reap(one.pidfd.get()); !ended)
      return fail(ended.error());
  }
  return {};
}

} // namespace ao::cli::demo
