#pragma once

#include "messages/error.hpp"
#include "messages/event.hpp"
#include "messages/incident.hpp"
#include "messages/settings.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace ao {

/// How patiently one channel sends.
struct outbox_policy {
  /// Pause before the first repetition; doubles up to `retry_max_delay`.
  milliseconds retry_delay = std::chrono::seconds{1};
  milliseconds retry_max_delay = std::chrono::minutes{5};
  /// Share of the pause that is random, 0 to 1.
  double jitter = 0.25;
  /// Attempts under way at once, of different cases.
  std::size_t parallel = 3;
  /// Only what is urgent is sent then.
  std::optional<ao::quiet_hours> quiet_hours;
  /// Of the clock by which those are meant.
  std::chrono::minutes utc_offset{0};
  /// What is not urgent is collected for so long; 0 = is not.
  milliseconds digest{0};
};

/// What came of one attempt, as the channel has read it.
struct send_outcome {
  enum class kind : std::uint8_t {
    /// The other side has it; whether a person sees it is not known.
    accepted = 0,
    /// There is proof that it has reached a person.
    delivered = 1,
    /// As `send_failure`.
    passing = 2,
    throttled = 3,
    unusable = 4,
    refused = 5,
    /// Not taken like this; at once again in the new `form`.
    reshape = 6,
  } what
    = kind::passing;
  /// Of `passing`: nobody is there, whatever is sent.
  bool absent = false;
  /// One line for people; of a success what is odd about it.
  std::string error;
  /// What the other side calls it.
  std::string remote;
  /// How long the other side wants to be left alone.
  std::optional<milliseconds> retry_after;
  /// The notification's form from now on.
  std::string form;
};

/// One channel. Only `open` follows from the rows as they are.
struct outbox_state {
  std::string channel;
  /// Those still to be sent, by id.
  std::map<std::string, notification> open;

  // What is kept in memory only.

  /// Ids of the attempts under way.
  std::set<std::string> sending;
  /// Reasons of which a person was told; until something goes through.
  std::set<std::string> alerted;
  /// Nothing is sent before this moment.
  std::optional<wall_time> hold_until;
  /// The same, as the other side has asked for it: whatever goes through
  /// meanwhile, and whoever wants it sooner.
  std::optional<wall_time> paused_until;
  /// Attempts since the last success that found the channel unusable.
  std::uint32_t strikes = 0;
  wall_time struck_at{};
  /// Attempts since the last success that found nobody there.
  std::uint32_t absences = 0;
  /// Somebody is there again after an absence: what has piled up is sent as
  /// one.
  bool returned = false;
  /// Since when those that are open wait, by the clock as it is set now.
  std::map<std::string, wall_time> since;
  /// Ids of those that a person wants sent now.
  std::set<std::string> hurried;
  /// The number of the last digest.
  std::uint64_t digests = 0;
  /// What was learned of the channel: the form of what is sent first.
  std::string learned;
};

// -- inputs -------------------------------------------------------------------

/// The OUTBOX has (re)started: all rows of its channel.
struct outbox_recovered {
  std::vector<notification> rows;
};
/// Rows that others have written. Level-triggered.
struct notifications_seen {
  std::vector<notification> rows;
};
/// A row that is to be written by this OUTBOX: a test. It learns anew how the
/// channel is to be spoken to, and is tried soon even at a channel that is
/// left alone.
struct notification_wanted {
  notification row;
};
/// A person wants it tried now: a dead one again, one that waits sooner.
/// Refused: `wrong_state` (it was taken).
struct retry_wanted {
  notification row;
};
struct send_ended {
  std::string id;
  send_outcome what;
  /// 0 to 1, drawn for this pause.
  double dice = 0;
};
/// A moment that `next_look` named has come.
struct outbox_due {};
/// Somebody has set the wall clock: what waits, waits as long as before.
struct outbox_clock_set {
  milliseconds by{0};
};

using outbox_input
  = std::variant<outbox_recovered, notifications_seen, notification_wanted,
                 retry_wanted, send_ended, outbox_due, outbox_clock_set>;

/// What an input leads to.
struct outbox_step {
  outbox_state next;
  /// Rows to commit; versions are already one more.
  std::vector<notification> rows;
  std::vector<event> events;
  /// To be sent after the commit; each is answered by `send_ended`.
  std::vector<notification> sends;
  /// What a person is to be told, as the channel cannot.
  std::vector<std::string> alerts;
  /// Why the input was dropped; empty when it was not.
  std::string dropped;
  /// Set when the one who asked is to be refused.
  std::optional<error> refused;
};

/// The machine of one channel. At least once: a row is sent until there is a
/// word on it. Those of one case in the order of their numbers, each after the
/// one before is settled; cases do not delay each other.
///
///   pending --taken--> accepted | delivered
///           --no answer, 408, 5xx--> pending, after 1 s doubling to 5 min;
///               when nobody is there three times, one attempt at a time
///               shows, and afterwards all that was never tried is one digest
///           --429--> pending; the whole channel rests as long as asked for
///           --channel unusable--> pending; the whole channel rests 20 s,
///               from the third time on 10 min, then one attempt shows
///           --text refused--> dead; a person is told once per reason
///   dead --retry--> pending, under a new key
///
/// What is not urgent waits in quiet hours, and while it is collected; what has
/// waited is sent as one digest. The notifications of a digest are settled with
/// it; when its text is refused, they are sent by themselves.
///
/// A channel that is unusable (wrong token, wrong address) keeps everything
/// pending: the next configuration sends it. At most three attempts a minute
/// are made there, also over restarts.
outbox_step next_outbox(const outbox_state& state, const outbox_input& input,
                        const outbox_policy& policy, wall_time now);

/// When the machine wants to look again by `outbox_due`; nothing = not before
/// something happens.
std::optional<wall_time> next_look(const outbox_state& state,
                                   const outbox_policy& policy, wall_time now);

/// The pause after the n-th attempt (1, 2, …) that has failed for now.
milliseconds retry_pause(const outbox_policy& policy, std::uint32_t attempt,
                         double dice);

/// Rests of a channel that is unusable: after the first two attempts, after a
/// restart or when a person wants it tried, and otherwise; and the longest that
/// is granted to one that asks for a pause.
constexpr std::chrono::seconds first_rest{20};
constexpr std::chrono::minutes restless_rest{1};
constexpr std::chrono::minutes long_rest{10};
constexpr std::chrono::hours longest_rest{24};

/// A notification that nobody but a person at the command line has caused.
/// @param number Of its tests, 1, 2, …
notification test_notification(const std::string& channel, std::uint64_t number,
                               priority p, const std::string& text,
                               wall_time now);

/// Whether it is such a one.
bool is_test(const notification& n);

/// The case of test number `n`; `test-1`.
std::string test_case(std::uint64_t n);

} // namespace ao
