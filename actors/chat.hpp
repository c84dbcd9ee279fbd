#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/escalation.hpp"
#include "runtime/notify/http_call.hpp"
#include "runtime/rules/chat_polls.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace ao {

/// Sends a request and waits; `notify::perform`, but in tests.
using http_performer = std::function<notify::http_reply(
  const notify::http_call&, const notify::stop_flag&)>;

/// State of the CHAT.
struct chat_state {
  static inline const char* name = "chat";

  chat_state();
  /// A poll that is under way ends at once.
  ~chat_state();

  hub_context context;
  chat_bot bot;
  http_performer perform;
  notify::stop_flag stop;
  std::mt19937 dice;

  /// The number of the last update that was dealt with, as committed.
  counter heard;
  /// Set until the other side was told which updates it may forget.
  std::optional<std::int64_t> confirm;
  /// Nothing was got yet since the start.
  bool first = true;
  /// How many updates are asked for at once; fewer after an answer that was
  /// too long to be read.
  std::uint32_t most = most_updates;
  mono_time polled_at{};

  /// Updates still to be dealt with, of those got last.
  std::deque<chat_update> waiting;
  /// The last of them that was dealt with.
  std::int64_t done = 0;
  /// Something was handed on or refused since the last commit.
  bool worth_a_commit = false;
  /// Tries to hand on the first of them.
  std::uint32_t tries = 0;

  /// What people are told with the next poll.
  std::vector<notify::http_call> tellings;

  /// Polls in a row that have failed.
  std::uint32_t failures = 0;
  /// Reasons of which a person was told; until something is got.
  std::set<std::string> alerted;
  /// Chats whose words were ignored, so that each is logged once.
  std::set<std::int64_t> strangers;
};

/// Listens to one bot and hands answers to those who asked:
///
///   poll --updates--> rule, one by one --answer--> INCIDENT --> what to tell
///     |                   |                          +--unheard--> again
///     |                   +--refuse--> what to tell
///     |                   +--all done--> COMMIT the last number --> poll,
///     |                                  which first tells people
///     +--failed--> pause --> poll
///
/// The request id of an answer is made of its update: one that comes again
/// after a crash is the same request. Telegram is told to forget an update by
/// the poll after its commit, and by no later one.
///
/// @param self The actor handle.
/// @param context The hub.
/// @param id Of a bot, see `chat_bots`.
/// @param perform Blocks; called by a thread of its own.
chat_actor::behavior_type chat(chat_actor::stateful_pointer<chat_state> self,
                               hub_context context, std::string id,
                               http_performer perform);

} // namespace ao
