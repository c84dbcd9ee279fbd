#pragma once

#include "actors/session.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/log/log.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <utility>

/// What the files of the SESSION share; nobody else includes this.
namespace ao::session_parts {

using self_pointer = session_actor::stateful_pointer<session_actor_state>;

/// After a neighbour did not answer, everything due is done again; each time
/// after twice as long, as it may be that there is too much to do.
constexpr std::chrono::seconds retry_delay{2};
constexpr int most_doublings = 3;

/// Has the rule decide about an input when it is its turn; `answer` is told
/// the row once that is durable, or why it is refused.
void submit(self_pointer self, session_input input,
            std::function<void(result<session>)> answer = {});

/// Takes the next turns.
void work(self_pointer self);

const session& row_of(self_pointer self);

/// What the rule would say to an input now.
session_step try_out(self_pointer self, const session_input& input);

/// Its claim, unless that was given back.
row_ptr<claim> own_claim(self_pointer self);

/// Asks the FORGE where the branch of the session is now.
template <class Then, class Fail>
void find_head_of(self_pointer self, Then then, Fail fail) {
  const auto& row = row_of(self);
  ask<forge_actor>(self, *self->state.context,
                   make_actor_name("forge", row.project.text),
                   registry_deadline, msg::find_head{row.branch})
    .then([then](const msg::found_head& found) mutable { then(found.sha); },
          [fail](const caf::error& why) mutable { fail(why); });
}

/// Has a look taken after this, unless one is due before.
inline void look_later(self_pointer self, milliseconds delay) {
  self->state.alarm.after(self, delay);
}

/// A neighbour did not take an order: says so and does what is due later.
inline auto try_later(self_pointer self, const char* what) {
  return [self, what](const caf::error& why) {
    auto& st = self->state;
    st.context->say(log_level::warn,
                    std::string{what} + " session=" + row_of(self).id.text
                      + " reason=\"" + to_string(to_ao_error(why)) + "\"");
    look_later(self, retry_delay * (1 << st.refusals));
    st.refusals = std::min(st.refusals + 1, most_doublings);
  };
}

// -- session_review: of a reviewer's session ----------------------------------

/// What its agent is to review.
void add_review(self_pointer self, msg::session_spec& spec);

/// Does what the rows of change and review say about it now.
void heed_review(self_pointer self);

/// Tells its row to the CI WATCHER, heeds the review, and gives its claim back
/// once it has ended.
void tell_review(self_pointer self);

/// A role's claim has no TASK that would give it back.
void release_role(self_pointer self);

// -- session_takeover: of a session that takes a change over ------------------

/// Where its agent begins, and what it has to know of what was done before.
void add_takeover(self_pointer self, msg::session_spec& spec);

/// Who has taken its branch over since; empty when it has it still.
session_id heir_of(self_pointer self);

/// Tells its row to the CI WATCHER until that knows whose its change is now.
void tell_change(self_pointer self);

// -- session_mediation: of a mediator's session -------------------------------

/// What its agent is to mediate.
void add_dossier(self_pointer self, msg::session_spec& spec);

/// Does what the incident's row says about it now.
void heed_mediation(self_pointer self);

/// Tells its row to the INCIDENT, heeds it, and gives its claim back once it
/// has ended.
void tell_mediation(self_pointer self);

// -- session_regrant: it goes on under a new grant of its claim ---------------

/// Has its claim granted anew when it is its turn, and goes on under that; one
/// at a time.
void want_grant(self_pointer self, wanted_grant wanted);

/// Whether a new grant is waited for, so that nothing else is decided; asks for
/// it when it is its turn.
bool hold_for_grant(self_pointer self);

/// A grant that was made and then cut off is found by its claim: goes on under
/// it, or has what works without one parked first.
void finish_regrant(self_pointer self);

/// Has the claim granted anew for the node that has the original.
void take_work_back(self_pointer self);

// -- session_return: a node that was lost is back -----------------------------

/// What the node has there of what the session has left. Answers its seq once
/// what follows is durable.
caf::result<std::uint64_t> take_found_work(self_pointer self,
                                           const msg::session_report& told);

/// Asks what has to be known beside the worktrees.
void compare_works(self_pointer self);

/// Orders a node to park what it has of a run that has lost. Done once: a node
/// that does not hear it hears it at its next hello.
void disown(self_pointer self, const disown_run& what);

/// A stop has put the work of a run under a ref, as its task went elsewhere:
/// puts that on record, then calls `then`, or `otherwise` where that fails. Of
/// anything else it calls `then`.
void note_parted(self_pointer self, const msg::session_report& told,
                 std::function<void()> then,
                 std::function<void(const caf::error&)> otherwise);

// -- session_trouble: what ESCALATION has to know
// ------------------------------

/// Tells the BREAKERS that a run has failed of this class.
void report_failure(self_pointer self, const std::string& failure,
                    const std::string& why);

/// Tells ESCALATION what a person or a mediator has to look at, or the BREAKERS
/// that a login is lost.
void report_trouble(self_pointer self, const raise_incident& what);

/// The same for what may be known: of a login it is no new failure.
void repeat_trouble(self_pointer self, const raise_incident& what);

/// Tells ESCALATION that this trouble is over.
void report_relief(self_pointer self, const raise_incident& what);

} // namespace ao::session_parts
