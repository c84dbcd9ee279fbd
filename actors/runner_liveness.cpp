#include "actors/runner_parts.hpp"
#include "runtime/agents/rules_text.hpp"

#include <algorithm>
#include <sstream>

namespace ao::runner_parts {
namespace {

/// A hang is noticed at most a third of the time too late.
constexpr int looks_per_limit = 3;
/// Two agents that do the same work are noticed about so late.
constexpr milliseconds longest_pause{60'000};

milliseconds pause_of(const run_spec& spec) {
  if (spec.hang_after.count() <= 0)
    return longest_pause;
  return std::clamp(spec.hang_after / looks_per_limit, milliseconds{50},
                    longest_pause);
}

/// A program that has not begun its conversation may show a dialog or ask for
/// its login; that is looked for more often.
constexpr milliseconds first_pause{3'000};
/// An agent that may not do everything unasked stops in the middle of its turn
/// to ask; its transcript says nothing of that.
constexpr milliseconds asking_pause{5'000};
/// While a person is asked; messages wait for the answer.
constexpr milliseconds dialog_pause{1'000};

bool awaits_first_word(self_pointer self) {
  const auto& told = self->state.transcript.told;
  return keeps_transcript(self) && (!told || told->conversation.empty());
}

/// Whether it may have to ask a person while it works.
bool may_ask(self_pointer self) {
  const auto& st = self->state;
  const auto* project = st.context->project(st.spec->project);
  return keeps_transcript(self) && project
    && config_for(*project, st.spec->role).permissions
    != agent_permissions::permissionless;
}

/// Whether its screen may say more than its transcript.
bool screen_counts(self_pointer self, bool acted) {
  const auto& st = self->state;
  if (!st.transcript.screen.empty())
    return true;
  if (!keeps_transcript(self))
    return false;
  // What waits for an answer may still draw and use its processor.
  return awaits_first_word(self) || may_ask(self) || !acted;
}

std::vector<std::string> rows_of(const msg::seen_pane& pane) {
  std::vector<std::string> out;
  std::istringstream in{pane.screen};
  for (std::string row; std::getline(in, row);)
    out.push_back(row);
  return out;
}

/// Everybody with the same limit looks at the same moments, so that one look
/// of the TMUX serves all of them. An earlier look takes the place of a later.
void look_later(self_pointer self) {
  const auto& spec = *self->state.spec;
  auto pause = pause_of(spec);
  if (!self->state.transcript.screen.empty())
    pause = std::min(pause, dialog_pause);
  else if (awaits_first_word(self))
    pause = std::min(pause, first_pause);
  else if (may_ask(self))
    pause = std::min(pause, asking_pause);
  auto now = self->clock().now();
  auto wait = pause - now.time_since_epoch() % pause;
  auto& next = self->state.next_look;
  if (next && *next <= now + wait)
    return;
  next = now + wait;
  self->delayed_send(self, wait, msg::liveness_due{spec.run});
}

/// The agent has shown no sign of life for too long: its run is ended as hung.
void end_hung_run(self_pointer self) {
  auto& st = self->state;
  st.context->say(log_level::warn,
                  "agent_hung session=" + st.id.text
                    + " run=" + std::to_string(st.spec->run)
                    + " after=" + format_duration(st.spec->hang_after));
  end_as_hung(self);
}

void compare(self_pointer self, const life_signs& now) {
  auto& st = self->state;
  if (st.phase != runner_phase::alive || !st.spec || st.hung || st.stop)
    return;
  auto at = self->clock().now();
  bool acted = now != st.signs;
  // Who has nothing to do, or asks a person, shows no life.
  auto rests = st.transcript.activity == activity_state::idle
    || st.transcript.activity == activity_state::waiting_input
    || !st.transcript.screen.empty();
  if (acted || rests) {
    st.signs = now;
    st.signs_changed = at;
  }
  auto limit = st.spec->hang_after;
  if (limit.count() > 0 && at - st.signs_changed >= limit)
    return end_hung_run(self);
  if (screen_counts(self, acted))
    look_at_screen(self);
  tell_work(self, acted);
  if (acted)
    look_for_strangers(self);
  look_later(self);
}

/// What cannot be read is unknown, not dead.
auto unknown(self_pointer self) {
  return [self](const caf::error& why) {
    auto& st = self->state;
    st.context->say(log_level::debug,
                    "liveness_unknown session=" + st.id.text + " reason=\""
                      + to_string(to_ao_error(why)) + "\"");
    st.signs_changed = self->clock().now();
    if (st.phase == runner_phase::alive && st.spec)
      look_later(self);
  };
}

/// The mark is there: ends the run.
void stop_hung_run(self_pointer self, run_no run) {
  auto& st = self->state;
  if (st.phase != runner_phase::alive || !st.spec || st.spec->run != run)
    return;
  if (st.link)
    st.link->stop(stop_grace);
  self->delayed_send(self, 2 * stop_grace, msg::stop_overdue{run});
}

} // namespace

void look_at_screen(self_pointer self) {
  auto& st = self->state;
  ask<tmux_actor>(self, st.context, "tmux"_name, registry_deadline,
                  msg::look_at_pane{st.id, st.spec->run})
    .then(
      [self, run = st.spec->run](const msg::seen_pane& pane) {
        auto& st = self->state;
        if (st.phase != runner_phase::alive || !st.spec || st.spec->run != run)
          return;
        take_screen(self, rows_of(pane));
        look_later(self);
      },
      [self](const caf::error& why) {
        self->state.context->say(log_level::debug,
                                 "screen_unknown session=" + self->state.id.text
                                   + " reason=\"" + to_string(to_ao_error(why))
                                   + "\"");
      });
}

void end_as_hung(self_pointer self) {
  auto& st = self->state;
  st.hung = true;
  auto run = st.spec->run;
  // First the mark: the hub may end before the agent does.
  run_on_files(
    self,
    [files = files_of(self), run]() -> result<bool> {
      if (auto ok = files.mark_hung(run); !ok)
        return fail(ok.error());
      return true;
    },
    [self, run](bool) { stop_hung_run(self, run); },
    [self, run](const caf::error&) { stop_hung_run(self, run); });
}

void watch_liveness(self_pointer self, milliseconds hang_after) {
  auto& st = self->state;
  if (!st.spec)
    return;
  st.spec->hang_after = hang_after;
  if (st.watched_run == st.spec->run)
    return;
  st.watched_run = st.spec->run;
  st.signs = {};
  st.told_work.clear();
  st.strangers.clear();
  st.hung = false;
  st.next_look.reset();
  st.signs_changed = self->clock().now();
  look_later(self);
}

void look_for_life(self_pointer self, const msg::liveness_due& due) {
  auto& st = self->state;
  if (st.phase != runner_phase::alive || !st.spec || st.spec->run != due.run
      || st.hung || st.stop)
    return;
  if (due.called)
    return look_at_screen(self);
  // An earlier one has taken its place.
  if (st.next_look && self->clock().now() < *st.next_look)
    return;
  st.next_look.reset();
  ask<tmux_actor>(self, st.context, "tmux"_name, registry_deadline,
                  msg::ask_activity{st.id})
    .then(
      [self](const msg::pane_activity& pane) {
        const auto& st = self->state;
        compare(self, {pane.last_output, st.context->spent->of(st.mark)});
      },
      unknown(self));
}

} // namespace ao::runner_parts
