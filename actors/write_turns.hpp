#pragma once

#include "actors/store_trouble.hpp"
#include "messages/interfaces/store.hpp"

#include <list>
#include <optional>
#include <utility>

namespace ao {

/// The inputs of an actor that is the one writer of some rows: each is decided
/// on the rows that the one before has left.
///
///   line_up --> waiting --next_turn--> decide --> write_in_turn --> written
///      |                                               |--disk takes none-->
///      |                                               |    waits for it; who
///      |                                               |    has asked, hears
///      |                                               +--failed--> quit, and
///      |                                                    begin from rows
///      +--no writes at present--> who has asked, hears
///
/// @tparam Call An input with `answer`, a function of a `result`; without one
///         nobody repeats it, and it is kept until the disk takes writes.
template <class Call>
struct write_turns {
  std::list<Call> waiting;
  bool writing = false;
  /// Set while the disk takes no writes: the error of the last one.
  std::optional<error> stalled;

  /// Nothing is under way, and nothing waits.
  bool idle() const { return !writing && !stalled && waiting.empty(); }
};

/// Takes its place behind the others; who can ask again is not kept waiting
/// for the disk.
template <class Call>
void line_up(write_turns<Call>& turns, Call call) {
  if (turns.stalled && call.answer)
    call.answer(fail(*turns.stalled));
  else
    turns.waiting.push_back(std::move(call));
}

/// The same before all the others.
template <class Call>
void line_up_first(write_turns<Call>& turns, Call call) {
  if (turns.stalled && call.answer)
    call.answer(fail(*turns.stalled));
  else
    turns.waiting.push_front(std::move(call));
}

/// Whether the first of those that wait may be decided.
template <class Call>
bool has_turn(const write_turns<Call>& turns) {
  return !turns.writing && !turns.stalled && !turns.waiting.empty();
}

/// Takes out the first of those that wait. Needs `has_turn`.
template <class Call>
Call next_turn(write_turns<Call>& turns) {
  auto call = std::move(turns.waiting.front());
  turns.waiting.pop_front();
  return call;
}

namespace detail {

template <class Self, class Call, class Work>
void stall(Self* self, const hub_context& context, write_turns<Call>& turns,
           Call call, const caf::error& why, Work work) {
  turns.stalled = to_ao_error(why);
  if (!call.answer)
    turns.waiting.push_front(std::move(call));
  std::list<Call> kept;
  for (auto& other : std::exchange(turns.waiting, {})) {
    if (other.answer)
      other.answer(fail(*turns.stalled));
    else
      kept.push_back(std::move(other));
  }
  turns.waiting = std::move(kept);
  when_store_writes(self, context, [&turns, work] {
    turns.stalled.reset();
    work();
  });
}

} // namespace detail

/// Has the STORE write what was decided about `call`.
///
/// @param turns Of `self`'s state, as is `context`.
/// @param written Called with what the STORE says; it answers the call.
/// @param work Takes the next turns.
template <class Self, class Call, class Written, class Work>
void write_in_turn(Self* self, const hub_context& context,
                   write_turns<Call>& turns, store_write write, Call call,
                   Written written, Work work) {
  turns.writing = true;
  ask<store_actor>(self, context, "store"_name, store_deadline,
                   std::move(write))
    .then(
      [&turns, written, work](const store_written& said) {
        turns.writing = false;
        written(said);
        work();
      },
      [self, &context, &turns, call, work](const caf::error& why) {
        turns.writing = false;
        if (call.answer)
          call.answer(fail(to_ao_error(why)));
        if (store_is_down(context, why))
          detail::stall(self, context, turns, call, why, work);
        else
          self->quit(why);
      });
}

} // namespace ao
