#include "runtime/rules/dispatch.hpp"

#include <algorithm>
#include <cstdlib>
#include <tuple>

namespace ao {
namespace {

constexpr std::chrono::minutes pace_period{1};
/// Nobody tells when memory or disk are free again.
constexpr std::chrono::seconds capacity_pause{5};
constexpr std::chrono::seconds first_reschedule{30};
constexpr std::chrono::hours longest_reschedule{1};

/// `app-7` before `app-10`.
std::uint64_t number_at_end(const std::string& id) {
  auto digits = id.find_last_not_of("0123456789");
  auto from = digits == std::string::npos ? 0 : digits + 1;
  return std::strtoull(id.c_str() + from, nullptr, 10);
}

bool before(const dispatch_candidate& a, const dispatch_candidate& b) {
  auto rank = [](const dispatch_candidate& c) {
    return std::make_tuple(!c.reviewer, c.priority, c.since,
                           number_at_end(c.id), c.id);
  };
  return rank(a) < rank(b);
}

/// What the load leaves for the next start.
class budget {
public:
  budget(const dispatch_load& load, const dispatch_limits& limits,
         mono_time now)
      : load_(load), limits_(limits) {
    auto& starts = load_.starts;
    auto old = [now](mono_time t) { return now - t >= pace_period; };
    starts.erase(std::remove_if(starts.begin(), starts.end(), old),
                 starts.end());
    std::sort(starts.begin(), starts.end());
  }

  /// Why the next one has to wait; empty when it does not.
  /// It does not name what is free: each new number would be another row.
  std::string refusal(const dispatch_candidate& c) const {
    if (load_.free_memory < limits_.min_free_memory)
      return "free memory is below " + format_size(limits_.min_free_memory);
    if (load_.free_disk < limits_.min_free_disk)
      return "free disk is below " + format_size(limits_.min_free_disk);
    if (auto why = over_cap(c); !why.empty() && !unlocks(c))
      return why;
    if (load_.spawning >= limits_.parallel_spawns)
      return std::to_string(load_.spawning) + " sessions are being started";
    if (!c.restart && paced())
      return "at most " + std::to_string(limits_.spawns_per_minute)
        + " starts a minute";
    return {};
  }

  bool lacks_room() const {
    return load_.free_memory < limits_.min_free_memory
      || load_.free_disk < limits_.min_free_disk;
  }

  bool paced() const {
    return limits_.spawns_per_minute > 0
      && load_.starts.size() >= limits_.spawns_per_minute;
  }

  /// When the pace allows the next start.
  mono_time next_by_pace() const {
    auto last = load_.starts.size() - limits_.spawns_per_minute;
    return load_.starts[last] + pace_period;
  }

  /// When its group allows it to start; nothing = at once.
  std::optional<mono_time> turn_of(const dispatch_candidate& c,
                                   mono_time now) const {
    auto next = load_.next_of_group.find(c.group);
    if (c.group.empty() || next == load_.next_of_group.end()
        || next->second <= now)
      return std::nullopt;
    return next->second;
  }

  const std::map<std::string, mono_time>& next_of_group() const {
    return load_.next_of_group;
  }

  void take(const dispatch_candidate& c, mono_time now) {
    if (!c.group.empty())
      load_.next_of_group[c.group] = now + limits_.group_pause;
    load_.running += 1;
    load_.running_of_project[c.project] += 1;
    load_.running_of_agent[c.agent] += 1;
    load_.spawning += 1;
    load_.reviewers += c.reviewer ? 1 : 0;
    if (!c.restart)
      load_.starts.push_back(now);
  }

private:
  /// The cap that has no slot left; empty when each has.
  std::string over_cap(const dispatch_candidate& c) const {
    if (load_.running >= limits_.sessions)
      return all_taken(limits_.sessions, "");
    if (auto cap = limits_.sessions_of_project.find(c.project);
        is_full(cap, limits_.sessions_of_project, load_.running_of_project))
      return all_taken(cap->second, " of project " + c.project.text);
    if (auto cap = limits_.sessions_of_agent.find(c.agent);
        is_full(cap, limits_.sessions_of_agent, load_.running_of_agent))
      return all_taken(cap->second, " of agent " + c.agent);
    return {};
  }

  static std::string all_taken(std::uint32_t cap, const std::string& of) {
    return cap == 1
      ? "the only slot" + of + " is taken"
      : "all " + std::to_string(cap) + " slots" + of + " are taken";
  }

  /// Whether there is such a cap and as many run.
  template <class Caps>
  static bool is_full(typename Caps::const_iterator cap, const Caps& caps,
                      const Caps& running) {
    if (cap == caps.end())
      return false;
    auto now = running.find(cap->first);
    return cap->second <= (now == running.end() ? 0 : now->second);
  }

  /// Without it those that hold the slots might wait for ever.
  bool unlocks(const dispatch_candidate& c) const {
    return c.reviewer && load_.reviewers == 0 && load_.await_review > 0;
  }

  dispatch_load load_;
  const dispatch_limits& limits_;
};

} // namespace

milliseconds reschedule_delay(std::uint32_t failed) {
  if (failed == 0)
    return milliseconds{0};
  milliseconds delay = first_reschedule;
  for (; failed > 1 && delay < longest_reschedule; --failed)
    delay *= 2;
  return std::min<milliseconds>(delay, longest_reschedule);
}

milliseconds reschedule_wait(std::uint32_t failed, wall_time last_end,
                             wall_time now) {
  auto delay = reschedule_delay(failed);
  auto left = std::chrono::ceil<milliseconds>(last_end + delay - now);
  return std::clamp(left, milliseconds{0}, delay);
}

dispatch_plan plan_dispatch(std::vector<dispatch_candidate> candidates,
                            const dispatch_load& load,
                            const dispatch_limits& limits, mono_time now) {
  std::sort(candidates.begin(), candidates.end(), before);
  dispatch_plan plan;
  budget left{load, limits, now};
  auto again = [&plan](mono_time at) {
    plan.again_at = plan.again_at ? std::min(*plan.again_at, at) : at;
  };
  auto able_waits = false;
  for (auto& c : candidates) {
    if (!c.held_by.empty()) {
      plan.wait.push_back({c.id, c.held_by});
      continue;
    }
    if (c.not_before && *c.not_before > now) {
      again(*c.not_before);
      plan.wait.push_back({c.id, "backs off after a failure"});
      continue;
    }
    if (auto at = left.turn_of(c, now)) {
      again(*at);
      plan.wait.push_back(
        {c.id, c.group + " works again; one starts after the other"});
      continue;
    }
    auto why = left.refusal(c);
    if (why.empty()) {
      left.take(c, now);
      plan.start.push_back(c.id);
      continue;
    }
    able_waits = true;
    plan.wait.push_back({c.id, std::move(why)});
  }
  plan.next_of_group = left.next_of_group();
  if (able_waits && left.paced())
    again(left.next_by_pace());
  if (able_waits && left.lacks_room())
    again(now + capacity_pause);
  return plan;
}

} // namespace ao
