#include "actors/runner_parts.hpp"

#include <algorithm>

namespace ao::runner_parts {
namespace {

/// A hang is noticed at most a third of the time too late.
constexpr int looks_per_limit = 3;

milliseconds pause_of(const msg::session_spec& spec) {
  return std::max(spec.hang_after / looks_per_limit, milliseconds{50});
}

/// Everybody with the same limit looks at the same moments, so that one look
/// of the TMUX serves all of them.
void look_later(self_pointer self) {
  const auto& spec = *self->state.spec;
  auto pause = pause_of(spec);
  auto into = self->clock().now().time_since_epoch() % pause;
  self->delayed_send(self, pause - into, msg::liveness_due{spec.run});
}

/// The agent has shown no sign of life for too long: its run is ended as hung.
void end_hung_run(self_pointer self) {
  auto& st = self->state;
  st.context.say(log_level::warn,
                 "agent_hung session=" + st.id.text
                   + " run=" + std::to_string(st.spec->run)
                   + " after=" + format_duration(st.spec->hang_after));
  st.hung = true;
  if (st.link)
    st.link->stop(stop_grace);
  self->delayed_send(self, 2 * stop_grace, msg::stop_overdue{st.spec->run});
}

void compare(self_pointer self, const life_signs& now) {
  auto& st = self->state;
  if (st.phase != runner_phase::alive || !st.spec || st.hung || st.stop)
    return;
  auto at = self->clock().now();
  if (now != st.signs) {
    st.signs = now;
    st.signs_changed = at;
  }
  if (at - st.signs_changed >= st.spec->hang_after)
    return end_hung_run(self);
  look_later(self);
}

/// What cannot be read is unknown, not dead.
auto unknown(self_pointer self) {
  return [self](const caf::error& why) {
    auto& st = self->state;
    st.context.say(log_level::debug,
                   "liveness_unknown session=" + st.id.text + " reason=\""
                     + to_string(to_ao_error(why)) + "\"");
    st.signs_changed = self->clock().now();
    if (st.phase == runner_phase::alive && st.spec)
      look_later(self);
  };
}

} // namespace

void watch_liveness(self_pointer self) {
  auto& st = self->state;
  if (!st.spec || st.spec->hang_after.count() <= 0)
    return;
  st.signs = {};
  st.hung = false;
  st.signs_changed = self->clock().now();
  look_later(self);
}

void look_for_life(self_pointer self, run_no run) {
  auto& st = self->state;
  if (st.phase != runner_phase::alive || !st.spec || st.spec->run != run
      || st.hung || st.stop)
    return;
  ask<tmux_actor>(self, st.context, "tmux"_name, registry_deadline,
                  msg::ask_activity{st.id})
    .then(
      [self](const msg::pane_activity& pane) {
        const auto& st = self->state;
        compare(self, {pane.last_output, st.context.spent->of(st.mark)});
      },
      unknown(self));
}

} // namespace ao::runner_parts
