#pragma once

#include "actors/ci_watcher.hpp"
#include "actors/store_trouble.hpp"
#include "messages/interfaces.hpp"
#include "messages/json.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/log/log.hpp"
#include "runtime/log/redactor.hpp"

#include <chrono>
#include <functional>
#include <string>

/// What the files of the CI WATCHER share; nobody else includes this.
namespace ao::ci_watcher_parts {

using self_pointer = ci_watcher_actor::stateful_pointer<ci_watcher_state>;

/// After a neighbour did not answer, everything due is done again.
constexpr std::chrono::seconds retry_delay{2};

/// Has the rule decide about an input when it is its turn; `done` runs once
/// that is durable.
void submit(self_pointer self, change_input input,
            std::function<void()> done = {});

/// Takes the inputs that wait, while none is being written.
void work(self_pointer self);

void say(self_pointer self, log_level level, const std::string& verb,
         const caf::error& why);

/// Has a look taken after a while: one for all that want it.
inline void look_later(self_pointer self) {
  self->state.alarm.after(self, retry_delay);
}

/// The same, or when the disk takes writes again, where that was why.
inline void look_again(self_pointer self, const caf::error& why) {
  if (store_is_down(self->state.context, why))
    when_store_writes(self, self->state.context,
                      [self] { self->send(self, look_atom::value); });
  else
    look_later(self);
}

/// A neighbour did not do what was asked: says so and does it later.
inline auto try_later(self_pointer self, const char* what) {
  return [self, what](const caf::error& why) {
    say(self, log_level::warn, what, why);
    look_later(self);
  };
}

/// What no agent may read.
redactor secrets_of(self_pointer self);

// -- ci_watcher_review --------------------------------------------------------

/// Asks the FORGE where the work of `order.sha` begins.
void ask_for_base(self_pointer self, const find_review_base& order);

/// Asks the REGISTRY for the session of a review.
void ask_for_reviewer(self_pointer self, const open_reviewer& order);

/// Sends the reviewer its reminder.
void remind(self_pointer self, const remind_reviewer& order);

/// Tells the change to the sessions that review it.
void tell_reviewers(self_pointer self);

/// Reads how the sessions that review it are from their rows.
void look_at_reviewers(self_pointer self);

/// Has the rule decide about a verdict; answers with what became of it, a
/// repeat with the first answer.
caf::result<msg::review_submitted> take_review(self_pointer self,
                                               const msg::submit_review& order);

/// What is kept to answer a repeat of a verdict's request.
std::string answer_of(const change_step& step);

} // namespace ao::ci_watcher_parts
