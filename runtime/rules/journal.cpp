#include "runtime/rules/journal.hpp"

#include "messages/actor_name.hpp"
#include "runtime/rules/event_data.hpp"

namespace ao {
namespace {

event_kind kind_of(supervisor_note::verdict what) {
  switch (what) {
  case supervisor_note::verdict::restarted:
    return event_kind::child_restarted;
  case supervisor_note::verdict::given_up:
    return event_kind::child_given_up;
  case supervisor_note::verdict::abandoned:
    return event_kind::child_abandoned;
  }
  return event_kind::child_abandoned;
}

/// The member of an event's data, and of its subject, that a child's key is.
std::string_view member_of(std::string_view role) {
  if (role == "session" || role == "runner" || role == "mailbox")
    return "session";
  if (role == "task")
    return "task";
  if (role == "ci-watcher")
    return "change";
  return {};
}

} // namespace

event event_of(const supervisor_note& note) {
  actor_name child{note.child};
  std::string member{member_of(role_of(child))};
  std::string key{key_of(child)};
  event_data data;
  data.with("supervisor", note.supervisor)
    .with("child", note.child)
    .with("reason", to_string(note.reason));
  if (!member.empty())
    data.with(member.c_str(), key);
  if (note.what == supervisor_note::verdict::restarted)
    data.with_value("restarts", note.restarts)
      .with_value("delayMs", note.delay.count());
  auto subject = member.empty() ? std::string{"hub"} : member + ":" + key;
  return make_event(kind_of(note.what), note.at, subject,
                    "supervisor/" + note.supervisor, 0, data);
}

std::optional<session> parked_by_supervisor(const session& row,
                                            const supervisor_note& note) {
  if (is_terminal(row) || row.runtime == runtime_state::parked)
    return std::nullopt;
  auto out = row;
  out.version += 1;
  out.runtime = runtime_state::parked;
  out.resume = resume_reason::none;
  out.reason = why_parked(note);
  out.since = out.updated_at = note.at;
  return out;
}

std::string why_parked(const supervisor_note& note) {
  return note.child + " was given up: " + to_string(note.reason);
}

} // namespace ao
