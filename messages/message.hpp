#pragma once

#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// When a message may be typed.
enum class message_mode : std::uint8_t {
  /// When the agent does not work on something else.
  turn = 0,
  /// At once, also while it works.
  now = 1,
  /// At once, after interrupting what it does.
  stop = 2,
};

std::string_view to_string(message_mode m);
std::optional<message_mode> message_mode_from(std::string_view text);

/// How far a message to an agent has come.
enum class message_state : std::uint8_t {
  /// Durable; nothing of it has reached the agent.
  queued = 0,
  /// The text is in the agent's pane, or it is the prompt of a run that is
  /// being started.
  written = 1,
  /// Enter was pressed; there is no proof that the agent has it.
  submitted = 2,
  /// There is proof: the agent started with it, or its terminal shows it.
  acknowledged = 3,
  /// The agent has completed its turn since.
  answered = 4,
  /// The deadline passed before anything was typed.
  expired = 5,
  /// It can never be delivered; the evidence says why.
  undeliverable = 6,
  /// A newer message of the same topic took its place before it was typed.
  superseded = 7,
  /// It may or may not have been typed; never tried again by itself.
  unknown = 8,
};

std::string_view to_string(message_state s);
std::optional<message_state> message_state_from(std::string_view text);

/// Why a message is believed to be in a state.
struct message_evidence {
  message_state state = message_state::queued;
  wall_time at{};
  /// Who saw it: the sender, `pane`, `echo`, `session`, `exit`, `tty`, …
  std::string source;
  std::string detail;
};

/// A row of `messages`: one text for one agent. Its one writer is the
/// session's MAILBOX.
struct message {
  message_id id;
  std::uint64_t version = 0;
  session_id session;
  /// 1, 2, … within its session: the order of delivery.
  std::uint64_t number = 0;
  /// The claim and run that it was last given to; 0 = none yet.
  epoch_no epoch = 0;
  run_no run = 0;
  message_mode mode = message_mode::turn;
  std::string text;
  /// Who sent it: `api`, `session/<id>`, `ci-watcher/<change>`, …
  std::string sender;
  /// Of several waiting messages of one topic the newest counts; empty = none.
  std::string topic;
  message_state state = message_state::queued;
  /// The node has been ordered to type it and has not said its last word.
  bool delivering = false;
  /// Nothing will happen to it any more.
  bool settled = false;
  /// Oldest first; the last one is of `state`.
  std::vector<message_evidence> evidence;
  wall_time created_at{};
  wall_time updated_at{};
  /// Nothing is typed after this moment.
  std::optional<wall_time> deadline;
};

/// What the MAILBOX is asked to deliver, and what the node says about it.
namespace msg {

/// API, CI WATCHER, … → MAILBOX. The same request id is the same message.
struct send_message {
  request_id request;
  session_id session;
  message_mode mode = message_mode::turn;
  std::string text;
  std::string topic;
  std::optional<wall_time> deadline;
  std::string sender = "api";
};

/// MAILBOX → SESSION: a message waits while `run` is over; start the next one
/// with it as prompt.
struct message_waits {
  message_id message;
  run_no run = 0;
};

/// MAILBOX → RUNNER: type this text into the pane of this run. Repeating it
/// types nothing twice: it has what is known reported again.
struct deliver_message {
  message_id message;
  session_id session;
  epoch_no epoch = 0;
  run_no run = 0;
  message_mode mode = message_mode::turn;
  std::string text;
};

/// RUNNER → MAILBOX: how far a delivery is.
struct message_report {
  message_id message;
  session_id session;
  run_no run = 0;
  /// `queued` = nothing was typed, or nothing that counts.
  message_state state = message_state::queued;
  /// The node has nothing more to do with this delivery.
  bool last = false;
  std::string source;
  std::string detail;
};

} // namespace msg
} // namespace ao
