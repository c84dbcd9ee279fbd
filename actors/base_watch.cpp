#include "actors/base_watch.hpp"

#include "actors/project_forge.hpp"
#include "actors/secrets.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/rules/change_texts.hpp"
#include "runtime/rules/incidents.hpp"

#include <utility>

namespace ao {
namespace {

using self_pointer = base_watch_actor::stateful_pointer<base_watch_state>;

constexpr std::chrono::seconds forge_deadline{60};
constexpr std::chrono::seconds escalation_deadline{15};
/// A base that a person repairs in the checkout is found so often.
constexpr std::chrono::minutes look_pause{1};
constexpr std::chrono::seconds retry_pause{5};

const project_settings* settings_of(self_pointer self) {
  return self->state.context.project(self->state.project);
}

/// Whether a commit has passed as a change's head or merged result.
bool has_passed(self_pointer self, const std::string& sha) {
  const auto& st = self->state;
  if (st.green.count(sha) > 0)
    return true;
  for (const auto& c : st.context.rows->changes_of(st.project))
    for (const auto& run : st.context.rows->ci_runs_of(c->id))
      if (run->sha == sha && run->state == ci_state::passed)
        return true;
  return false;
}

// -- the checks of a commit ---------------------------------------------------

void settle(self_pointer self, const std::string& sha,
            const result<msg::ci_finished>& end) {
  auto& st = self->state;
  if (end && end->state == ci_state::passed)
    st.green.insert(sha);
  auto found = st.asked.extract(sha);
  if (!found.empty())
    for (const auto& hear : found.mapped())
      hear(end);
}

/// @param again A check that fails once and then passes is no red base.
void run(self_pointer self, const std::string& sha, bool again) {
  auto& st = self->state;
  change_id key{st.project.text + (again ? "#base-again" : "#base")};
  ask<ci_runners_actor>(
    self, st.context, make_actor_name("ci-runners", st.project.text),
    ci_deadline(settings_of(self)), msg::run_ci{key, sha, false})
    .then(
      [self, sha, again](const msg::ci_finished& end) {
        if (end.state == ci_state::passed || again)
          settle(self, sha, end);
        else
          run(self, sha, true);
      },
      [self, sha](const caf::error& why) {
        settle(self, sha, fail(to_ao_error(why)));
      });
}

void check(self_pointer self, const std::string& sha,
           base_watch_state::verdict hear) {
  auto& waiting = self->state.asked[sha];
  waiting.push_back(std::move(hear));
  if (waiting.size() == 1)
    run(self, sha, false);
}

/// Has a look taken, unless one is due anyway.
void arm(self_pointer self, std::chrono::milliseconds pause) {
  if (!std::exchange(self->state.armed, true))
    self->delayed_send(self, pause, look_atom::value);
}

// -- a red base ---------------------------------------------------------------

std::string how_it_ended(const msg::ci_finished& end) {
  if (end.exit_code)
    return "exited " + std::to_string(*end.exit_code);
  return end.cause.empty() ? "failed" : "ended: " + end.cause;
}

void report(self_pointer self, const change_id& of, const session_id& session,
            const msg::ci_finished& end) {
  auto& st = self->state;
  auto secrets = secrets_of(st.context);
  msg::report_cause what;
  what.cause = incident_cause::base_red;
  what.project = st.project;
  what.session = session;
  what.change = of;
  what.sha = end.sha;
  for (const auto& line : end.log_tail)
    what.log_tail.push_back(secrets.redact(line));
  what.text = base_red_text(settings_of(self)->default_branch, end.sha,
                            end.command, how_it_ended(end), what.log_tail);
  ask<escalation_actor>(self, st.context, "escalation"_name,
                        escalation_deadline, std::move(what))
    .then([](const incident_id&) {},
          [self](const caf::error& why) {
            self->state.context.say(log_level::warn,
                                    "incident_not_told project="
                                      + self->state.project.text + " reason=\""
                                      + to_string(to_ao_error(why)) + "\"");
            arm(self, retry_pause);
          });
}

std::vector<row_ptr<change>> waiting_changes(self_pointer self) {
  std::vector<row_ptr<change>> out;
  const auto& st = self->state;
  for (auto& c : st.context.rows->changes_of(st.project))
    if (c->state == change_state::open && c->blame == ci_blame::base)
      out.push_back(std::move(c));
  return out;
}

bool is_reported(self_pointer self) {
  const auto& st = self->state;
  auto known = st.context.rows->incident_called(
    incident_key(st.project, {}, incident_cause::base_red));
  return known && known->state == incident_state::open;
}

void go_on(self_pointer self, const std::string& sha) {
  auto& st = self->state;
  auto why
    = settings_of(self)->default_branch + " is green at " + sha.substr(0, 12);
  ask<escalation_actor>(
    self, st.context, "escalation"_name, escalation_deadline,
    msg::report_recovered{incident_cause::base_red, st.project, {}, {}, why})
    .then([](std::uint64_t) {},
          [self](const caf::error&) {
            // Found again: it is open as long as it was not told.
            arm(self, retry_pause);
          });
  for (const auto& c : waiting_changes(self))
    tell<ci_watcher_actor>(st.context,
                           make_actor_name("ci-watcher", c->id.text),
                           msg::base_recovered{});
}

// -- looks --------------------------------------------------------------------

void look(self_pointer self);

void end_look(self_pointer self, std::chrono::milliseconds pause) {
  auto& st = self->state;
  st.looking = false;
  if (std::exchange(st.again, false))
    return look(self);
  arm(self, pause);
}

/// Checks the base as it is now, as long as somebody waits for it.
void look(self_pointer self) {
  auto& st = self->state;
  if (st.looking) {
    st.again = true;
    return;
  }
  const auto* project = settings_of(self);
  if (!project || !project->ci
      || (waiting_changes(self).empty() && !is_reported(self)))
    return;
  st.looking = true;
  auto failed = [self](const caf::error&) { end_look(self, retry_pause); };
  ask<forge_actor>(self, st.context, make_actor_name("forge", st.project.text),
                   forge_deadline, msg::follow_checkout{self->clock().now()})
    .then(
      [self](const std::string& sha) {
        if (has_passed(self, sha)) {
          go_on(self, sha);
          return end_look(self, look_pause);
        }
        check(self, sha, [self, sha](const result<msg::ci_finished>& end) {
          if (!end)
            return end_look(self, retry_pause);
          if (end->state == ci_state::passed)
            go_on(self, sha);
          else
            for (const auto& c : waiting_changes(self))
              report(self, c->id, c->session, *end);
          end_look(self, look_pause);
        });
      },
      failed);
}

caf::result<msg::base_judgement> judge(self_pointer self,
                                       const msg::judge_failure& order) {
  auto& st = self->state;
  auto promise = self->make_response_promise<msg::base_judgement>();
  ask<forge_actor>(self, st.context, make_actor_name("forge", st.project.text),
                   forge_deadline, msg::find_base{order.change, order.sha})
    .then(
      [self, promise, order](const msg::found_base& found) mutable {
        auto sha = found.sha;
        if (has_passed(self, sha)) {
          promise.deliver(msg::base_judgement{false});
          return;
        }
        check(self, sha,
              [self, promise, order,
               sha](const result<msg::ci_finished>& end) mutable {
                if (!end) {
                  promise.deliver(make_error(end.error()));
                  return;
                }
                auto red = end->state != ci_state::passed;
                if (red) {
                  report(self, order.change, order.session, *end);
                  arm(self, look_pause);
                }
                promise.deliver(msg::base_judgement{red});
              });
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

} // namespace

base_watch_actor::behavior_type
base_watch(self_pointer self, hub_context context, project_id project) {
  harden(self, context);
  self->state.context = std::move(context);
  self->state.project = std::move(project);
  look(self);
  return {
    [self](const msg::judge_failure& order) { return judge(self, order); },
    [self](const msg::base_moved&) { look(self); },
    [self](look_atom) {
      self->state.armed = false;
      look(self);
    },
  };
}

} // namespace ao
