#include "messages/orders.hpp"

namespace ao::msg {

std::string_view fact_name(const session_fact& f) {
  static constexpr std::string_view names[] = {
    "step_done", "agent_alive", "provision_failed", "agent_exited", "activity",
    "pushed",    "push_failed", "stopped",          "unknown_here", "ready"};
  return names[f.index()];
}

} // namespace ao::msg
