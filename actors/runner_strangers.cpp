#include "actors/finding_report.hpp"
#include "actors/runner_parts.hpp"
#include "runtime/agents/unsupervised.hpp"

#include <algorithm>

namespace ao::runner_parts {
namespace {

/// More are not told of one session: whoever starts so many is told of.
constexpr std::size_t most_strangers = 20;

void tell_stranger(self_pointer self, const unsupervised_agent& found) {
  auto& st = self->state;
  auto parts = found.program + " runs as process "
    + std::to_string(found.process.pid)
    + " below it, and was not started by ao: nobody supervises it";
  st.context->say(log_level::warn,
                  "foreign_found session=" + st.id.text + " parts=\"" + parts
                    + "\"");
  auto report = report_of_finding(event_kind::foreign_found, st.id,
                                  st.context->node, parts);
  ask<uplink_actor>(self, st.context, "uplink"_name, registry_deadline, report)
    .then([](std::uint64_t) {},
          [self, pid = found.process.pid](const caf::error& why) {
            auto& st = self->state;
            st.context->say(log_level::warn,
                            "finding_not_told reason=\""
                              + to_string(to_ao_error(why)) + "\"");
            // It is found again by the next look.
            st.strangers.erase(
              std::remove(st.strangers.begin(), st.strangers.end(), pid),
              st.strangers.end());
          });
}

void take_strangers(self_pointer self,
                    const std::vector<unsupervised_agent>& found) {
  auto& st = self->state;
  for (const auto& one : found) {
    auto pid = one.process.pid;
    if (st.strangers.size() >= most_strangers
        || std::find(st.strangers.begin(), st.strangers.end(), pid)
          != st.strangers.end())
      continue;
    st.strangers.push_back(pid);
    tell_stranger(self, one);
  }
}

} // namespace

void look_for_strangers(self_pointer self) {
  const auto& st = self->state;
  // What a program of the user's own starts is what it is for.
  const auto* agent = st.context->agent(st.spec->agent);
  if (!st.alive || agent == nullptr || find_adapter(agent->adapter) == nullptr)
    return;
  run_job(
    self, st.context, step_deadline,
    [tree = st.context->spent->members(st.mark),
     agent = st.alive->agent_pid]() -> result<std::vector<unsupervised_agent>> {
      return find_unsupervised(tree, agent);
    },
    [self](const std::vector<unsupervised_agent>& found) {
      take_strangers(self, found);
    },
    [self](const caf::error& why) {
      self->state.context->say(log_level::debug,
                               "strangers_unknown session="
                                 + self->state.id.text + " reason=\""
                                 + to_string(to_ao_error(why)) + "\"");
    });
}

} // namespace ao::runner_parts
