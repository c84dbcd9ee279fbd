#pragma once

#include "actors/job.hpp"
#include "actors/runner.hpp"
#include "messages/error.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <memory>
#include <string>

/// What the files of the RUNNER share; nobody else includes this.
namespace ao::runner_parts {

using self_pointer = runner_actor::stateful_pointer<runner_state>;

/// Between TERM and KILL when a run is ended.
constexpr std::chrono::seconds stop_grace{10};

/// Whether what was ordered has to wait in this phase.
bool orders_wait(const runner_state& state);

/// Queues a fact of the present run for the hub; sent in order, each until
/// the hub has it.
void report(self_pointer self, msg::session_fact what);

/// The same for a run that may be over by now.
void report_of(self_pointer self, epoch_no epoch, run_no run,
               msg::session_fact what);

/// Sends the oldest report, unless one is on its way.
void send_reports(self_pointer self);

/// Enters a phase; orders that waited for it are taken, until one of them leads
/// to a phase in which the rest has to wait again.
void enter(self_pointer self, runner_phase phase);

/// Begins a saga, its undoing, the end of a run or a stop: whatever step of an
/// earlier one is still under way, nothing follows it.
inline void begin_course(self_pointer self) {
  ++self->state.course;
}

template <class Next, class Value>
auto on_course(self_pointer self, Next next, void (Next::*)(Value) const) {
  return [self, next, course = self->state.course](Value value) {
    if (self->state.course == course)
      next(value);
  };
}

/// `next`, a lambda of one parameter, as the continuation of a step of the
/// present course: it does nothing when another course has begun meanwhile.
template <class Next>
auto on_course(self_pointer self, Next next) {
  return on_course(self, next, &Next::operator());
}

std::shared_ptr<repository_cache> cache_of(self_pointer self);
session_dir files_of(self_pointer self);
std::string worktree_of(self_pointer self);

/// A job on the files or the worktree of the session; one at a time, whichever
/// life of the RUNNER has begun it.
template <class Work, class OnValue, class OnError>
void run_on_files(self_pointer self, Work work, OnValue on_value,
                  OnError on_error) {
  auto& st = self->state;
  run_job_alone(self, st.context, st.context->locks, "session/" + st.id.text,
                step_deadline, std::move(work), std::move(on_value),
                std::move(on_error));
}

// -- runner_saga --------------------------------------------------------------

/// Makes the run of `spec` live, step by step. Steps that are true already
/// are skipped, so a saga that was cut off is begun again from its start.
void provision(self_pointer self);

/// Undoes what this order made, newest first, then reports.
void give_up(self_pointer self, error why);

// -- runner_run ---------------------------------------------------------------

/// Connects to the shim of the present run; its words come as `shim_word`.
void dial(self_pointer self);

/// The shim is gone without a word: its exit file, else a crash.
void read_end(self_pointer self);

/// The run is over: ends what it left, looks at the worktree and reports.
void run_over(self_pointer self, exit_info how);

/// Ends everything that carries the mark of the run, then its pane; then does
/// what the stop order wants of the rest.
void end_run(self_pointer self);

/// What the shim says.
void hear(self_pointer self, const msg::shim_word& word);

// -- runner_liveness ----------------------------------------------------------

/// Looks for signs of life of the run that lives: output in its pane,
/// processor time of its processes. An agent without any for `hang_after` is
/// ended and its run counts as hung; of one with some the hub is told what its
/// work changes by now. One that is watched already goes on under the new
/// limit.
/// @param hang_after Zero = never.
void watch_liveness(self_pointer self, milliseconds hang_after);

/// Ends the run that lives, and has its end told as a hang, also by whoever
/// reads its files after us.
void end_as_hung(self_pointer self);

/// The next look is due.
void look_for_life(self_pointer self, const msg::liveness_due& due);

// -- runner_work --------------------------------------------------------------

/// Tells the hub of each agent program below the run that was not started by
/// `ao`; by the processes that the last look has found.
void look_for_strangers(self_pointer self);

/// Tells OVERLAPS what the work of the run that lives changes.
/// @param read Whether it may have changed; else the same is told again, as
///        OVERLAPS may have been started anew.
void tell_work(self_pointer self, bool read);

// -- runner_transcript --------------------------------------------------------

/// Follows the transcript of the run that lives, where its agent keeps one.
void follow_transcript(self_pointer self);

/// Whether its agent keeps a transcript.
bool keeps_transcript(self_pointer self);

/// Looks whether there is a dialog in the pane, or none any more.
void look_at_screen(self_pointer self);

/// Tells of a dialog or a login screen at the bottom of the pane, with its
/// text, and of its end.
void take_screen(self_pointer self, const std::vector<std::string>& rows);

/// Its run is over: reads what is left of the transcript, then lets it be.
void finish_transcript(self_pointer self);

/// Takes in what the transcript says.
void take_transcript(self_pointer self, const msg::transcript_seen& word);

// -- runner_mail --------------------------------------------------------------

/// Types a message into the run that it is for, or reports what is known of
/// an earlier try.
result<session_id> deliver(self_pointer self,
                           const msg::deliver_message& order);

/// The transcript has these texts, oldest first.
void hear_texts(self_pointer self, const std::vector<std::string>& texts);

/// The agent has completed its turn: what it had heard is answered.
void complete_turn(self_pointer self);

/// The run is over and all that it heard is known.
void end_deliveries(self_pointer self, const std::string& why);

/// The next look at the pane is due.
void go_on_typing(self_pointer self, const message_id& id);

} // namespace ao::runner_parts
