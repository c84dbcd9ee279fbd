#pragma once

#include "messages/change.hpp"
#include "messages/event.hpp"
#include "messages/incident.hpp"
#include "messages/session.hpp"
#include "messages/settings.hpp"
#include "messages/task.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ao {

/// Something that people are told and nobody needs to answer.
struct notice {
  /// What it is about: a change, or `all-complete`.
  std::string subject;
  ao::priority priority = ao::priority::info;
  project_id project;
  session_id session;
  std::string kind;
  std::string text;
};

/// Whether `notice_of` has anything to say of such events.
bool is_about_a_change(event_kind k);

/// `reactions.approved-and-green`: a change is ready, and nobody merges it by
/// itself. `reactions.pr-closed`: a change was closed without a merge. Nothing
/// for other events.
/// @param c The event's change, as it is now.
std::optional<notice> notice_of(const event& e, const settings& all,
                                const change& c);

/// What is at work, and what became of all the rest.
struct work_at_hand {
  /// Sessions that live or wait for a slot, and tasks that will get one by
  /// themselves.
  std::size_t active = 0;
  std::map<task_state, std::size_t> tasks;
  /// `T3 (parked): title` of those that are neither merged nor done, in order.
  std::vector<std::string> left;
};

/// Counts a session or a task in.
void count(work_at_hand& all, const session& s);
void count(work_at_hand& all, const task& t, dispatch_mode dispatch);

/// `reactions.all-complete`: there was work, and none is left that goes on by
/// itself.
notice all_complete(const settings& all, const work_at_hand& work);

/// Whether work may have come to its end with this event.
bool may_end_work(event_kind k);

} // namespace ao
