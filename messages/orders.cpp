#include "messages/orders.hpp"

namespace ao::msg {
namespace {

struct stop_word {
  stop_how how;
  std::string_view text;
};

constexpr stop_word stop_words[] = {
  {stop_how::end_agent, "end_agent"},
  {stop_how::save_and_end, "save_and_end"},
  {stop_how::remove, "remove"},
  {stop_how::remove_merged, "remove_merged"},
  {stop_how::discard, "discard"},
  {stop_how::park, "park"},
};

} // namespace

std::string_view to_string(stop_how x) {
  for (const auto& w : stop_words)
    if (w.how == x)
      return w.text;
  return "invalid";
}

std::optional<stop_how> stop_how_from(std::string_view text) {
  for (const auto& w : stop_words)
    if (w.text == text)
      return w.how;
  return std::nullopt;
}

std::string_view fact_name(const session_fact& f) {
  static constexpr std::string_view names[] = {
    "step_done", "agent_alive", "provision_failed", "agent_exited", "activity",
    "pushed",    "push_failed", "stopped",          "unknown_here", "ready",
    "node_lost", "node_back",   "work_found"};
  return names[f.index()];
}

} // namespace ao::msg
