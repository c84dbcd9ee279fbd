#include "runtime/rules/placement.hpp"

#include <algorithm>
#include <set>

namespace ao {
namespace {

bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::string mebibytes(std::uint64_t bytes) {
  return std::to_string(bytes / 1024 / 1024) + " MiB";
}

/// Why the session cannot start there, to be read after the node's name; empty
/// = it can.
std::string unfit(const placement_wish& wish, const placement_node& n) {
  if (!n.closed.empty())
    return " is " + n.closed;
  for (const auto& label : wish.labels)
    if (!has(n.labels, label))
      return " has not " + label;
  if (n.agents && !has(*n.agents, wish.agent))
    return " cannot start " + wish.agent;
  if (auto why = n.unready.find(wish.agent); why != n.unready.end())
    return ": " + wish.agent + " " + why->second;
  auto floor = std::max(least_memory, wish.memory.value_or(0));
  if (n.memory && *n.memory < floor)
    return " has too little memory (" + mebibytes(*n.memory)
      + " available, at least " + mebibytes(floor) + " needed)";
  if (n.used >= n.slots)
    return " has no free slot (" + std::to_string(n.used) + " of "
      + std::to_string(n.slots) + " used)";
  return {};
}

/// Whether `a` is the better place. Compares shares without dividing.
bool better(const placement_wish& wish, const placement_node& a,
            const placement_node& b) {
  auto free_a = static_cast<std::uint64_t>(a.slots - a.used) * b.slots;
  auto free_b = static_cast<std::uint64_t>(b.slots - b.used) * a.slots;
  if (free_a != free_b)
    return free_a > free_b;
  auto there_a = has(a.projects, wish.project);
  auto there_b = has(b.projects, wish.project);
  if (there_a != there_b)
    return there_a;
  return a.name < b.name;
}

std::string reason(const placement_wish& wish, const placement_node& n) {
  if (!wish.pinned.empty())
    return n.name.text + " was asked for";
  auto out = std::to_string(n.slots - n.used) + " of " + std::to_string(n.slots)
    + " slots are free";
  if (has(n.projects, wish.project))
    out += ", its repository is there";
  for (const auto& label : wish.labels)
    out += ", has " + label;
  return out;
}

} // namespace

placement place(const placement_wish& wish,
                const std::vector<placement_node>& nodes) {
  const placement_node* best = nullptr;
  std::string why;
  for (const auto& n : nodes) {
    if (!wish.pinned.empty() && n.name != wish.pinned)
      continue;
    auto not_there = unfit(wish, n);
    if (!not_there.empty())
      why += (why.empty() ? "" : "; ") + n.name.text + not_there;
    else if (best == nullptr || better(wish, n, *best))
      best = &n;
  }
  if (best != nullptr)
    return {best->name, reason(wish, *best)};
  if (why.empty())
    why = wish.pinned.empty() ? "there is no node"
                              : "no node is called " + wish.pinned.text;
  return {{}, "waits for a node: " + why};
}

std::vector<std::string> wanted_labels(const std::vector<std::string>& labels) {
  constexpr std::string_view front = "node:";
  std::vector<std::string> out;
  for (const auto& label : labels)
    if (label.compare(0, front.size(), front) == 0
        && label.find('=') != std::string::npos)
      out.push_back(label.substr(front.size()));
  return out;
}

quarantine note_failure(quarantine q, const task_id& task, mono_time now) {
  q.failures.push_back({task, now});
  q.failures.erase(std::remove_if(q.failures.begin(), q.failures.end(),
                                  [now](const auto& f) {
                                    return now - f.at > quarantine_window;
                                  }),
                   q.failures.end());
  std::set<task_id> tasks;
  for (const auto& f : q.failures)
    tasks.insert(f.task);
  if (tasks.size() < quarantine_tasks || in_quarantine(q, now))
    return q;
  constexpr std::uint32_t most_doublings = 10;
  milliseconds length
    = quarantine_first * (1u << std::min(q.times, most_doublings));
  q.until = now + std::min<milliseconds>(length, quarantine_longest);
  q.times += 1;
  q.failures.clear();
  return q;
}

quarantine note_success(quarantine q) {
  if (!q.until)
    return {};
  // One that works again begins anew; the time that is set runs out.
  q.failures.clear();
  q.times = 0;
  return q;
}

bool in_quarantine(const quarantine& q, mono_time now) {
  return q.until && now < *q.until;
}

} // namespace ao
