#pragma once

#include "messages/event.hpp"
#include "messages/message.hpp"
#include "messages/session.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ao {

/// The hub's side of the messages to one session.
struct mailbox_state {
  /// The session as it last told.
  session receiver;
  /// Those that are not settled, oldest first.
  std::vector<message> letters;
  /// The highest number given.
  std::uint64_t last_number = 0;

  // What is kept in memory only.

  /// When the node was last asked about the letter it delivers.
  wall_time asked_at{};
  /// The node could not type: nothing is ordered before this moment or before
  /// the session has changed.
  wall_time pause_until{};
};

// -- inputs -------------------------------------------------------------------

/// The MAILBOX has (re)started from its rows: the node is asked again.
struct mailbox_recovered {};
/// A new message; the caller has looked that its id is new. Only `id`, `mode`,
/// `text`, `sender`, `topic` and `deadline` count.
struct message_posted {
  message draft;
};
/// The session's present row.
struct receiver_told {
  session now;
  /// Its SESSION has just started, and is asked again for what is due.
  bool started = false;
};
/// What the node says about a delivery.
struct delivery_told {
  message_id id;
  run_no run = 0;
  message_state state = message_state::queued;
  /// The node has nothing more to do with it.
  bool last = false;
  std::string source;
  std::string detail;
};
/// A moment that `next_look` named has come.
struct mail_due {};
/// Somebody has set the wall clock: what is to happen at a moment happens as
/// soon as before.
struct clock_set {
  milliseconds by{0};
};

using mailbox_input
  = std::variant<mailbox_recovered, message_posted, receiver_told,
                 delivery_told, mail_due, clock_set>;

// -- effects ------------------------------------------------------------------

/// Order the RUNNER to type this letter; repeating it types nothing twice.
struct deliver_letter {
  message letter;
};
/// Ask the SESSION to start the run after `run`, with this letter as prompt.
struct start_with_letter {
  message_id id;
  run_no run = 0;
};

using mailbox_effect = std::variant<deliver_letter, start_with_letter>;

/// What an input leads to.
struct mailbox_step {
  mailbox_state next;
  /// Rows to commit; versions are already one more.
  std::vector<message> rows;
  std::vector<event> events;
  /// To be done after the commit, in this order.
  std::vector<mailbox_effect> effects;
  /// Why the input was dropped; empty when it was not.
  std::string dropped;
  /// Set when the one who asked is to be refused.
  std::optional<error> refused;
};

/// The machine of one mailbox: one letter at a time, oldest first, each typed
/// at most once into one run.
///
///   queued --agent lives--> (node) written --> submitted --> acknowledged
///          --agent exited-> written: prompt of the next run
///                             --it lives--> acknowledged
///   acknowledged --exit 0--> answered
///   queued --deadline--> expired; --newer of its topic--> superseded
///   typed --run over before Enter, or never read--> queued (and says so)
///         --run over, one of a topic, no sign of it--> queued, heard again
///   typed --nobody knows how far--> unknown, for a person to see
///   any --session ended--> undeliverable, or what it was, settled
///
/// @param now The wall clock: deadlines of messages are wall times. One that
///        was set back while there was no hub makes none longer than it was.
mailbox_step next_mail(const mailbox_state& state, const mailbox_input& input,
                       wall_time now);

/// When the machine wants to look again by `mail_due`; nothing = not before
/// something happens.
std::optional<wall_time> next_look(const mailbox_state& state);

/// Whether more can happen to it.
inline bool is_open(const message& m) {
  return !m.settled;
}

} // namespace ao
