#pragma once

#include "runtime/agents/probe.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace ao {

/// Answers whether agents are ready, so that many who ask at once about the
/// same one are answered by one probe.
class agent_readiness_desk {
public:
  /// How long a good answer holds: a probe is of the moment, so that is only
  /// for those who ask together.
  static constexpr std::chrono::seconds holds{2};

  enum class answers {
    /// A good one of the last moment will do.
    recent,
    /// Only what is found from now on counts: something has just failed.
    fresh,
  };

  /// As `probe_agent`. Blocking; any thread.
  agent_readiness ask(const agent_settings& agent, const environment& env,
                      const std::string& directory,
                      answers wanted = answers::recent);

private:
  struct entry {
    std::mutex busy;
    /// When it was asked and answered last.
    std::chrono::steady_clock::time_point asked{};
    std::chrono::steady_clock::time_point at{};
    bool known = false;
    agent_readiness answer;
  };

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<entry>> entries_;
};

/// Whether there is more to ask about this agent than whether its program is
/// there, which its launch finds out.
bool can_tell(const agent_settings& agent);

/// `agent_not_ready` with the reason; a login that is lost is a detail of it.
error not_ready(const agent_settings& agent, const agent_readiness& answer);

/// Whether an error says that the login of an agent is lost.
bool is_login_lost(const error& why);

} // namespace ao
