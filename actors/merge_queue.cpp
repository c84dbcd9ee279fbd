#include "actors/merge_queue.hpp"

#include "messages/interfaces.hpp"
#include "runtime/actor/harden.hpp"

#include <algorithm>
#include <utility>

namespace ao {
namespace {

using self_pointer = merge_queue_actor::stateful_pointer<merge_queue_state>;

constexpr std::chrono::minutes git_deadline{5};
constexpr std::chrono::hours check_deadline{3};

void wake(self_pointer self) {
  self->send(self, look_atom::value);
}

/// The front item is over: tells everyone who waits, goes on with the next.
void finish(self_pointer self, msg::merge_outcome outcome) {
  auto& st = self->state;
  auto done = std::move(st.items.front());
  st.items.pop_front();
  st.busy = false;
  outcome.change = done.change;
  outcome.head_sha = done.head_sha;
  for (auto& asker : done.askers)
    asker.deliver(outcome);
  if (!st.items.empty())
    wake(self);
}

/// The front item cannot be decided now: its askers hear why and ask again.
void fail_front(self_pointer self, const caf::error& why) {
  auto& st = self->state;
  auto done = std::move(st.items.front());
  st.items.pop_front();
  st.busy = false;
  for (auto& asker : done.askers)
    asker.deliver(why);
  if (!st.items.empty())
    wake(self);
}

auto failing(self_pointer self) {
  return [self](const caf::error& why) { fail_front(self, why); };
}

actor_name forge_name(self_pointer self) {
  return make_actor_name("forge", self->state.project.text);
}

void merge(self_pointer self, const change& c);

void land(self_pointer self, const change& c,
          const msg::prepared_merge& ready) {
  ask<forge_actor>(self, self->state.context, forge_name(self), git_deadline,
                   msg::land_merge{c, ready.base_sha, ready.commit})
    .then(
      [self](const msg::landed_merge& landed) {
        msg::merge_outcome outcome;
        outcome.what = msg::merge_outcome::kind::merged;
        outcome.merged_sha = landed.merged_sha;
        finish(self, std::move(outcome));
      },
      [self, c](const caf::error& why) {
        if (to_ao_error(why).code == ec::ref_moved)
          merge(self, c); // the base moved meanwhile: on the new one
        else
          fail_front(self, why);
      });
}

void check(self_pointer self, const change& c,
           const msg::prepared_merge& ready) {
  ask<ci_watcher_actor>(self, self->state.context,
                        make_actor_name("ci-watcher", c.id.text),
                        check_deadline, msg::check_merge{c.id, ready.commit})
    .then(
      [self, c, ready](const msg::merge_verdict& verdict) {
        if (verdict.passed)
          return land(self, c, ready);
        msg::merge_outcome outcome;
        outcome.what = msg::merge_outcome::kind::red;
        finish(self, std::move(outcome));
      },
      failing(self));
}

void take_prepared(self_pointer self, const change& c,
                   const msg::prepared_merge& ready) {
  if (ready.landed) {
    msg::merge_outcome outcome;
    outcome.what = msg::merge_outcome::kind::merged;
    outcome.merged_sha = ready.commit;
    return finish(self, std::move(outcome));
  }
  const auto* project = self->state.context.project(self->state.project);
  if (!project->ci || ready.same_tree_as_head)
    return land(self, c, ready);
  check(self, c, ready);
}

/// Computes the merge on the base as it is now.
void merge(self_pointer self, const change& c) {
  ask<forge_actor>(self, self->state.context, forge_name(self), git_deadline,
                   msg::prepare_merge{c})
    .then(
      [self, c](const msg::prepared_merge& ready) {
        take_prepared(self, c, ready);
      },
      [self](const caf::error& why) {
        auto problem = to_ao_error(why);
        if (problem.code != ec::merge_conflict)
          return fail_front(self, why);
        msg::merge_outcome outcome;
        outcome.what = msg::merge_outcome::kind::conflict;
        for (const auto& [name, value] : problem.details)
          if (name == "file")
            outcome.files.push_back(value);
        finish(self, std::move(outcome));
      });
}

/// Begins with the front item.
void begin(self_pointer self) {
  auto& st = self->state;
  if (st.busy || st.items.empty())
    return;
  st.busy = true;
  const auto& item = st.items.front();
  ask<ci_watcher_actor>(self, st.context,
                        make_actor_name("ci-watcher", item.change.text),
                        registry_deadline, msg::begin_merge{item.change})
    .then(
      [self](const change& now) {
        // It may have left the queue meanwhile: its review, or its checks.
        if (now.merge == merge_state::merging
            && now.head_sha == self->state.items.front().head_sha)
          return merge(self, now);
        msg::merge_outcome outcome;
        outcome.what = msg::merge_outcome::kind::stale;
        finish(self, std::move(outcome));
      },
      failing(self));
}

} // namespace

merge_queue_actor::behavior_type
merge_queue(self_pointer self, hub_context context, project_id project) {
  harden(self, context);
  self->state.context = std::move(context);
  self->state.project = std::move(project);
  return {
    [self](
      const msg::enqueue_change& asked) -> caf::result<msg::merge_outcome> {
      auto& st = self->state;
      auto promise = self->make_response_promise<msg::merge_outcome>();
      auto known = std::find_if(
        st.items.begin(), st.items.end(), [&](const auto& item) {
          return item.change == asked.change && item.head_sha == asked.head_sha;
        });
      if (known != st.items.end()) {
        known->askers.push_back(promise);
        return promise;
      }
      st.items.push_back({asked.change, asked.head_sha, {promise}});
      wake(self);
      return promise;
    },
    [self](look_atom) { begin(self); },
  };
}

} // namespace ao
