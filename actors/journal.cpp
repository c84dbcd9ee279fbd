#include "actors/journal.hpp"

#include "actors/store_trouble.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/rules/journal.hpp"

#include <utility>

namespace ao {
namespace {

using self_pointer = journal_actor::stateful_pointer<journal_state>;

constexpr std::chrono::seconds retry_delay{2};

void work(self_pointer self);

/// The note is dealt with; the next one.
void finish(self_pointer self, std::uint64_t number) {
  self->state.context.notes->done(number);
  self->state.writing = false;
  work(self);
}

/// The note stays where it is and is taken again.
auto once_more(self_pointer self) {
  return [self](const caf::error& why) {
    auto& st = self->state;
    st.writing = false;
    st.context.say(log_level::warn,
                   "note_not_recorded reason=\"" + to_string(to_ao_error(why))
                     + "\"");
    try_again(self, st.context, why, retry_delay, look_atom::value);
  };
}

/// The session and the task that a child works for; null when there is none.
struct work_of_child {
  row_ptr<session> holder;
  row_ptr<task> subject;
};

work_of_child find_work(const row_view& rows, const std::string& child) {
  actor_name name{child};
  std::string role{role_of(name)};
  std::string key{key_of(name)};
  work_of_child out;
  if (role == "session" || role == "runner")
    out.holder = rows.find<session>(key);
  if (role == "task")
    out.subject = rows.find<task>(key);
  if (role == "ci-watcher")
    if (auto c = rows.find<change>(key))
      out.subject = rows.find<task>(c->task.text);
  if (out.holder)
    out.subject = rows.find<task>(out.holder->task.text);
  return out;
}

/// Has the REGISTRY park the task; a closed one stays as it is.
void park_task(self_pointer self, const supervisor_notes::numbered& one,
               const row_ptr<task>& subject) {
  if (!subject || is_closed(subject->state)
      || subject->state == task_state::parked)
    return finish(self, one.number);
  ask<registry_actor>(self, self->state.context, "registry"_name,
                      registry_deadline,
                      msg::park_task{{}, subject->id, why_parked(one.note)})
    .then(
      [self, n = one.number](const task&) { finish(self, n); },
      [self, n = one.number, again = once_more(self)](const caf::error& why) {
        // It has ended meanwhile.
        if (to_ao_error(why).code == ec::task_closed)
          return finish(self, n);
        again(why);
      });
}

/// The row has lost its writer: we are it for this once.
void park_session(self_pointer self, const supervisor_notes::numbered& one) {
  auto& st = self->state;
  auto found = find_work(*st.context.rows, one.note.child);
  auto own_writer = role_of(actor_name{one.note.child}) == "session";
  auto parked = own_writer && found.holder
    ? parked_by_supervisor(*found.holder, one.note)
    : std::nullopt;
  if (!parked)
    return park_task(self, one, found.subject);
  store_write write;
  write.guards = {guard{table::sessions, parked->id.text, guard::field::version,
                        found.holder->version}};
  write.rows = {*parked};
  ask<store_actor>(self, st.context, "store"_name, store_deadline,
                   std::move(write))
    .then([self, one, found](
            const store_written&) { park_task(self, one, found.subject); },
          once_more(self));
}

void record(self_pointer self, const supervisor_notes::numbered& one) {
  auto& st = self->state;
  st.writing = true;
  store_write write;
  write.events = {event_of(one.note)};
  ask<store_actor>(self, st.context, "store"_name, store_deadline,
                   std::move(write))
    .then(
      [self, one](const store_written&) {
        if (one.note.what == supervisor_note::verdict::given_up)
          park_session(self, one);
        else
          finish(self, one.number);
      },
      once_more(self));
}

void work(self_pointer self) {
  auto& st = self->state;
  if (st.writing)
    return;
  if (auto lost = st.context.notes->take_lost(); lost > 0)
    st.context.say(log_level::error,
                   "notes_lost count=" + std::to_string(lost));
  if (auto next = st.context.notes->front())
    record(self, *next);
}

} // namespace

journal_actor::behavior_type journal(self_pointer self, hub_context context) {
  harden(self, context);
  self->state.context = std::move(context);
  // What an earlier life has left.
  self->send(self, look_atom::value);
  return {
    [self](look_atom) { work(self); },
  };
}

} // namespace ao
