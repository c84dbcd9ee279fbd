#include "actors/runner_parts.hpp"

#include <utility>

namespace ao::runner_parts {
namespace {

/// More tells no more: whoever changes so much shares lines with everybody.
constexpr std::size_t most_hunks = 1'000;

/// Whether anybody wants to know.
bool is_compared(const runner_state& st) {
  if (!st.spec || st.spec->role != session_role::worker
      || st.spec->task.empty())
    return false;
  const auto* project = st.context->project(st.spec->project);
  return project && project->duplicates != duplicate_policy::off;
}

void pass_on(self_pointer self) {
  const auto& st = self->state;
  if (st.told_work.empty())
    return;
  tell<uplink_actor>(st.context, "uplink"_name,
                     msg::work_seen{st.id, st.spec->project, st.told_work});
}

} // namespace

void tell_work(self_pointer self, bool read) {
  auto& st = self->state;
  if (!is_compared(st) || st.reading_work)
    return;
  if (!read)
    return pass_on(self);
  st.reading_work = true;
  // Beside the other jobs on the files: it writes nothing, and a worktree that
  // goes meanwhile is an error of git.
  run_job(
    self, st.context, step_deadline,
    [cache = cache_of(self), path = worktree_of(self),
     base = "refs/remotes/origin/" + st.spec->base]() {
      return cache->live_hunks(path, base);
    },
    [self](const std::vector<hunk>& hunks) {
      auto& st = self->state;
      st.reading_work = false;
      if (st.phase != runner_phase::alive || !is_compared(st))
        return;
      st.told_work = hunks;
      if (st.told_work.size() > most_hunks)
        st.told_work.resize(most_hunks);
      pass_on(self);
    },
    [self](const caf::error& why) {
      auto& st = self->state;
      st.reading_work = false;
      st.context->say(log_level::debug,
                      "work_not_read session=" + st.id.text + " reason=\""
                        + to_string(to_ao_error(why)) + "\"");
    });
}

} // namespace ao::runner_parts
