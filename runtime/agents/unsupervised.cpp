#include "runtime/agents/unsupervised.hpp"

#include "runtime/agents/adapter.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <sstream>

namespace ao {
namespace {

/// Run what the first word behind their options names.
constexpr std::array<std::string_view, 8> interpreters{
  "node", "nodejs", "bun", "deno", "python", "python3", "sh", "bash"};

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

std::string_view next_word(std::string_view& words) {
  auto end = std::min(words.find('\0'), words.size());
  auto out = words.substr(0, end);
  words.remove_prefix(std::min(end + 1, words.size()));
  return out;
}

std::string known(std::string_view name) {
  for (const auto* adapter : all_adapters())
    // `agent` alone is too common a name to accuse anybody by.
    if (adapter->program == name && name != "agent")
      return std::string{name};
  return {};
}

} // namespace

std::string agent_program_of(std::string_view words) {
  auto first = base_name(next_word(words));
  if (std::find(interpreters.begin(), interpreters.end(), first)
      == interpreters.end())
    return known(first);
  while (!words.empty()) {
    auto word = next_word(words);
    if (!word.empty() && word[0] == '-') {
      // What follows is a text, no file.
      if (word == "-c" || word == "-e" || word == "--eval")
        return {};
      continue;
    }
    return known(base_name(word));
  }
  return {};
}

std::vector<unsupervised_agent>
unsupervised_in(const std::vector<watched_process>& tree, pid_t agent) {
  std::map<pid_t, const watched_process*> by_pid;
  for (const auto& m : tree)
    by_pid[m.process.pid] = &m;
  std::vector<unsupervised_agent> out;
  for (const auto& m : tree) {
    if (m.program.empty() || m.process.pid == agent)
      continue;
    auto above = by_pid.find(m.process.parent);
    if (above != by_pid.end() && above->second->program == m.program)
      continue;
    out.push_back({m.process, m.program});
  }
  return out;
}

std::vector<unsupervised_agent>
find_unsupervised(const std::vector<process_entry>& tree, pid_t agent) {
  std::vector<watched_process> members;
  for (const auto& e : tree) {
    std::ifstream in{"/proc/" + std::to_string(e.pid) + "/cmdline",
                     std::ios::binary};
    std::ostringstream words;
    words << in.rdbuf();
    auto now = process_of(e.pid);
    if (now && now->start_time == e.start_time && !now->ended())
      members.push_back({e, agent_program_of(words.str())});
  }
  return unsupervised_in(members, agent);
}

} // namespace ao
