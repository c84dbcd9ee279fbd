#pragma once

#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// Why an incident was opened (DESIGN §10).
enum class incident_cause : std::uint8_t {
  ci_failed = 0,
  changes_requested = 1,
  conflict = 2,
  /// The agent lives and gets nowhere.
  stuck = 3,
  /// The agent died more often than its restart policy allows.
  crash_loop = 4,
  needs_input = 5,
  auth = 6,
  duplicate = 7,
  budget = 8,
  node_lost = 9,
  child_given_up = 10,
  /// The base branch itself fails; no task is blamed.
  base_red = 11,
};

std::string_view to_string(incident_cause c);
std::optional<incident_cause> incident_cause_from(std::string_view text);

/// Who works on an incident at present.
enum class incident_tier : std::uint8_t {
  /// The agent itself is told what failed.
  self_heal = 1,
  /// Another agent returns a verdict.
  mediation = 2,
  /// A person is asked.
  human = 3,
};

std::string_view to_string(incident_tier t);
std::optional<incident_tier> incident_tier_from(std::string_view text);

enum class incident_state : std::uint8_t {
  open = 0,
  resolved = 1,
  abandoned = 2,
};

std::string_view to_string(incident_state s);
std::optional<incident_state> incident_state_from(std::string_view text);

/// One try of one tier to end an incident.
struct incident_attempt {
  incident_tier tier = incident_tier::self_heal;
  /// 1, 2, … within its tier.
  std::uint32_t number = 0;
  /// The head that had failed; empty when the cause has none.
  std::string sha;
  /// The mediator; empty at the other tiers.
  session_id session;
  /// What came of it: empty while it goes on, else `red`, `green`, `overdue`,
  /// `silent`, `invalid`, or the mediator's verdict.
  std::string verdict;
  /// What the verdict said, or why it does not count.
  std::string detail;
  /// What had failed, at most 40 lines.
  std::vector<std::string> log_tail;
  wall_time at{};
  std::optional<wall_time> ended_at;
};

/// A row of `incidents`: one (task, cause). Its one writer is its INCIDENT;
/// it is opened again, with its counters, when the cause comes back.
struct incident {
  incident_id id;
  std::uint64_t version = 0;
  project_id project;
  /// Empty when no task is to blame.
  task_id task;
  session_id session;
  change_id change;
  incident_cause cause = incident_cause::ci_failed;
  /// What names it: there is one incident of each; see `incident_key`.
  std::string fingerprint;
  incident_tier tier = incident_tier::self_heal;
  incident_state state = incident_state::open;
  /// What was seen last, and what is said of it to agents: the head, or the run
  /// of a cause that has none.
  std::string sha;
  std::string text;
  std::vector<std::string> log_tail;
  /// Self-heals, which never go back, and how many there may be.
  std::uint32_t attempts = 0;
  std::uint32_t max_attempts = 0;
  /// Mediations, with the present one.
  std::uint32_t rounds = 0;
  /// Mediators of this round that gave no verdict that counts.
  std::uint32_t misses = 0;
  /// Oldest first, at most 32.
  std::vector<incident_attempt> history;
  /// The mediator of this round; empty = none has been opened.
  session_id mediator;
  /// Its last run that ended without a verdict; 0 = none.
  run_no mediator_run = 0;
  /// Of a person; empty = nobody is asked at present.
  std::string question;
  std::vector<std::string> options;
  /// Lets who reads the question answer it; of this question alone.
  std::string code;
  /// How often a person was asked this question: 1, 2, ….
  std::uint32_t raised = 0;
  wall_time asked_at{};
  /// A person has seen the question: it is not asked again.
  std::optional<wall_time> acked_at;
  /// Of the last question that was answered.
  std::string answer;
  std::string answered_by;
  std::optional<wall_time> answered_at;
  /// How many notifications were written for it.
  std::uint64_t notifications = 0;
  /// When the present try ends without a verdict, or the question is asked
  /// again.
  std::optional<wall_time> deadline;
  /// The sessions that it stopped beside `session`.
  std::vector<session_id> others;
  wall_time opened_at{};
  /// When it was opened last.
  wall_time since{};
  wall_time updated_at{};
  std::optional<wall_time> closed_at;
  /// Nothing that its end leads to is left to be done.
  bool settled = false;
  /// Who or what closed it: `recovery`, `api`, `session/<id>`, `incident/<id>`.
  std::string closed_by;
  std::string why;
};

/// How many sessions it stopped; a lost node may have had none.
inline std::size_t count_of(const incident& i) {
  auto first
    = i.cause == incident_cause::node_lost && i.session.empty() ? 0 : 1;
  return static_cast<std::size_t>(first) + i.others.size();
}

/// How urgent a notification is.
enum class priority : std::uint8_t { urgent, action, warning, info };

std::string_view to_string(priority x);
std::optional<priority> priority_from(std::string_view text);

/// How far a notification has come.
enum class notification_state : std::uint8_t {
  pending = 0,
  /// The other side has taken it; whether a person sees it is not known.
  accepted = 1,
  /// There is proof that it has reached a person.
  delivered = 2,
  /// It can never be delivered; `last_error` says why.
  dead = 3,
};

std::string_view to_string(notification_state s);
std::optional<notification_state> notification_state_from(std::string_view t);

/// Why the last attempt at a notification has failed.
enum class send_failure : std::uint8_t {
  none = 0,
  /// It may go through later: no answer, 408, 5xx, ….
  passing = 1,
  /// The other side wants a pause, of everything (429).
  throttled = 2,
  /// The channel itself is wrong, and nothing goes through: token, address.
  unusable = 3,
  /// This text is not taken, and never will be.
  refused = 4,
};

std::string_view to_string(send_failure x);
std::optional<send_failure> send_failure_from(std::string_view text);

/// A row of `notifications`: one text for one channel. Written in the commit
/// of what it tells; from then on its one writer is the channel's OUTBOX.
struct notification {
  /// `<channel>/<case>/<seq>`; also its place in the outbox.
  std::string id;
  std::uint64_t version = 0;
  /// A notifier of the configuration.
  std::string channel;
  /// The incident, or what else it is about (`app-7`).
  std::string subject;
  /// 1, 2, … of its subject: the order of delivery.
  std::uint64_t number = 0;
  ao::priority priority = ao::priority::info;
  project_id project;
  session_id session;
  /// The event that it tells (`incident_asked`).
  std::string kind;
  /// Frozen: every attempt sends these bytes.
  std::string text;
  std::vector<std::string> options;
  /// `ao-<case>-<seq>-<hash>`.
  std::string key;
  notification_state state = notification_state::pending;
  std::uint32_t attempts = 0;
  std::string last_error;
  send_failure failure = send_failure::none;
  /// What was learned of the channel, or of this text, that shapes how it is
  /// sent: words apart by blanks, see `runtime/rules/send_form.hpp`. Together
  /// with the key it fixes the bytes.
  std::string form;
  /// The notification that tells this one, too; empty = it is sent itself.
  std::string digest;
  /// What the other side calls it.
  std::string remote;
  std::optional<wall_time> next_at;
  wall_time created_at{};
  wall_time updated_at{};
};

} // namespace ao
