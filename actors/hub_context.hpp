#pragma once

#include "runtime/actor/ask.hpp"
#include "runtime/actor/notes.hpp"
#include "runtime/agents/readiness.hpp"
#include "runtime/cluster/board.hpp"
#include "runtime/config/live_settings.hpp"
#include "runtime/home/home.hpp"
#include "runtime/home/token.hpp"
#include "runtime/process/key_locks.hpp"
#include "runtime/store/row_view.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace ao {

class io_loop;
class reader_pool;

/// What the actors of a hub share, beside names and log; passed by value.
struct hub_context : actor_context {
  /// Where everything lives.
  std::shared_ptr<const home> place;

  /// The rows as last committed; written by the STORE alone.
  row_view* rows = nullptr;

  /// The configuration that counts; replaced as a whole by the CONFIG.
  live_settings config;

  /// Signs the tokens of sessions.
  std::shared_ptr<const home_secret> secret;

  /// The thread that waits for sockets and processes.
  io_loop* loop = nullptr;

  /// The threads that read small files; null where nothing is threaded.
  reader_pool* readers = nullptr;

  /// Directory of `ao`, `ao-hub` and `ao-shim`.
  std::string programs;

  /// Keep jobs of an actor apart from those that its predecessor has left.
  std::shared_ptr<key_locks> locks = std::make_shared<key_locks>();

  /// Says whether an agent can start; asked before anything is made for it.
  std::shared_ptr<agent_readiness_desk> desk
    = std::make_shared<agent_readiness_desk>();

  /// False with `--no-local-node`.
  bool local_node = true;

  /// Which nodes are there, and whose leases hold.
  std::shared_ptr<node_board> nodes = std::make_shared<node_board>();

  /// From the supervisors to the JOURNAL.
  std::shared_ptr<supervisor_notes> notes
    = std::make_shared<supervisor_notes>();

  /// The wall clock, for rows and events.
  std::function<wall_time()> now = wall_now;

  /// The project called `id`, null when the configuration has none.
  const project_settings* project(const project_id& id) const {
    const auto& all = *config;
    auto i = all.projects.find(id);
    return i == all.projects.end() ? nullptr : &i->second;
  }

  /// The agent called `name`, null when the configuration has none.
  const agent_settings* agent(const std::string& name) const {
    const auto& all = *config;
    auto i = all.agents.find(name);
    return i == all.agents.end() ? nullptr : &i->second;
  }
};

/// Deadlines nest (DESIGN §5): CLI 30 s > API 20 s > registry 10 s > store
/// 5 s.
constexpr std::chrono::seconds api_deadline{20};
constexpr std::chrono::seconds registry_deadline{10};
constexpr std::chrono::seconds store_deadline{5};

/// How long one git or tmux step of a node may take.
constexpr std::chrono::minutes step_deadline{10};

} // namespace ao
