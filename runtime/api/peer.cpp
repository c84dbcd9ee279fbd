#include "runtime/api/peer.hpp"

#include "runtime/process/process_table.hpp"

namespace ao::api {

std::optional<std::string> token_of_process(pid_t pid,
                                            const std::string& agent_socket) {
  // A chain of parents is finite, but pids are reused while we climb.
  constexpr int tallest = 128;
  for (int step = 0; step < tallest && pid > 1; ++step) {
    if (auto socket = environ_value(pid, "AO_SOCKET");
        socket && *socket == agent_socket)
      if (auto token = environ_value(pid, "AO_TOKEN"))
        return token;
    auto entry = process_of(pid);
    if (!entry)
      return std::nullopt;
    pid = entry->parent;
  }
  return std::nullopt;
}

} // namespace ao::api
