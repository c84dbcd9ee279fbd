#pragma once

#include "tests/support/agent_scripts.hpp"
#include "tests/support/node_host.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace ao::bench {

/// A hub that nodes join.
class hub_of_nodes {
public:
  explicit hub_of_nodes(const std::string& times, const std::string& stop_after,
                        const std::string& script = scripts::sleeper)
      : port_(free_port_pair()), world_(clustered(port_, times, stop_after)) {
    if (!world_.ao({"cluster", "init"}).ok())
      throw std::runtime_error("ao cluster init");
    world_.add_agent("busy", script);
    world_.start();
  }

  world& in() { return world_; }

  /// Where they join.
  unsigned port() const { return port_; }

  /// A node that has joined and does not run yet.
  std::unique_ptr<node_host> joined(const std::string& name) {
    auto out = std::make_unique<node_host>(world_, name);
    out->join(port_, {"--name", name});
    return out;
  }

private:
  unsigned port_;
  world world_;
};

/// The echo server, a process of its own: two systems of one process would
/// take each other for one.
class echo_process {
public:
  explicit echo_process(const world& w) {
    process_spec spec;
    spec.argv = {std::filesystem::read_symlink("/proc/self/exe").string(),
                 "--echo", w.home().string()};
    spec.env = w.variables().to_vector();
    // A pipe, which ends it when we close it or end.
    spec.in = child_input::bytes("");
    auto started = spawn(spec);
    if (!started)
      throw std::runtime_error(to_string(started.error()));
    child_ = std::move(*started);
    char line[16] = {};
    if (::read(child_.out.get(), line, sizeof line - 1) <= 0)
      throw std::runtime_error("the echo server does not start");
    port_ = static_cast<std::uint16_t>(std::atoi(line));
  }

  ~echo_process() {
    child_.in.reset();
    (void)reap(child_.pidfd.get());
  }

  std::uint16_t port() const { return port_; }
  pid_t pid() const { return child_.pid; }

private:
  child child_;
  std::uint16_t port_ = 0;
};

} // namespace ao::bench
