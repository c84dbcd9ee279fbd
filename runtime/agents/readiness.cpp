#include "runtime/agents/readiness.hpp"

namespace ao {

agent_readiness
agent_readiness_desk::ask(const agent_settings& agent, const environment& env,
                          const std::string& directory, answers wanted) {
  std::shared_ptr<entry> mine;
  {
    std::lock_guard<std::mutex> guard{mutex_};
    auto& at = entries_[agent.name];
    if (!at)
      at = std::make_shared<entry>();
    mine = at;
  }
  auto asked = std::chrono::steady_clock::now();
  std::lock_guard<std::mutex> guard{mine->busy};
  // A refusal is for those who asked before it was found: what it names may be
  // repaired by now.
  auto until = !mine->answer.ready ? mine->at
    : wanted == answers::fresh     ? mine->asked
                                   : mine->at + holds;
  if (!mine->known || asked > until) {
    mine->asked = std::chrono::steady_clock::now();
    mine->answer = probe_agent(agent, env, directory);
    mine->at = std::chrono::steady_clock::now();
    mine->known = true;
  }
  return mine->answer;
}

bool can_tell(const agent_settings& agent) {
  return !agent.probe.empty() || find_adapter(agent.adapter) != nullptr;
}

error not_ready(const agent_settings& agent, const agent_readiness& answer) {
  error out{ec::agent_not_ready,
            "agent " + agent.name + " is not ready: " + answer.reason};
  if (!answer.failure.empty())
    out.details.emplace_back("failure", answer.failure);
  return out;
}

bool is_login_lost(const error& why) {
  return why.code == ec::agent_not_ready && detail_of(why, "failure") == "auth";
}

} // namespace ao
