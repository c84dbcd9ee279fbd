#pragma once

#include "messages/change.hpp"
#include "messages/session.hpp"
#include "messages/task.hpp"
#include "runtime/rules/sessions.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace ao {

/// Reviews of changes: who reviews, what is asked, what is told. The review of
/// each head has a row, made by the CI WATCHER (runtime/rules/changes.hpp);
/// its reviewer is a session of its own.
///
///   head --> review asked --> session --verdict--> told
///              exits without a verdict: reminded once, then given up
///              cannot be started: once more, then given up
///   head moves, change ends --> the session is superseded

/// The key of the review of one head: `<change>/<sha>`.
std::string review_key(const change_id& change, const std::string& sha);

/// The subject of its reviewer's claim: `role/review/<change>/<sha12>`, with
/// `/2` behind it for the second session that was wanted for it.
std::string reviewer_subject(const change_review& r);

// -- the reviewer's session, for the review -----------------------------------

/// What a review without a verdict needs, as its session is.
struct reviewer_outlook {
  enum class need : std::uint8_t {
    /// It works, or will.
    nothing,
    /// It could not be started: another session.
    another,
    /// It has completed its turn without a verdict: tell it so.
    reminder,
    /// Nobody reviews it any more; `why` says it to people.
    given_up,
    /// It had been given up and works again.
    is_back,
  } what = need::nothing;
  std::string why = {};
};

/// Level-triggered: the same rows always need the same.
reviewer_outlook look_at_reviewer(const change_review& r, const session& s);

// -- the review, for the reviewer's session -----------------------------------

/// What the reviewer `s` is told when its change is `c` and the review of its
/// head `r` (each may be missing): to end, that it may leave, or nothing.
/// Level-triggered.
std::optional<session_input> word_to_reviewer(const session& s, const change* c,
                                              const change_review* r);

// -- texts --------------------------------------------------------------------

/// The prompt of a reviewer. What others wrote is fenced and named.
/// @param t The change's task, or null.
std::string review_prompt(const change& c, const change_review& r,
                          const task* t);

/// For a reviewer that ended its turn without a verdict.
std::string review_reminder(const change_review& r);

/// For the author: what is to be changed, and who says so.
std::string changes_requested_text(const change_review& r);

/// Who gave a verdict, for people: `reviewer app-4`, `the operator`.
std::string reviewer_name(std::string_view by);

/// Longest text of a review, in bytes: it must fit into a prompt.
constexpr std::size_t longest_review = 64 * 1024;

} // namespace ao
