#pragma once

#include "messages/settings.hpp"
#include "messages/time.hpp"
#include "runtime/rules/chat_answers.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// How a chat is listened to.
namespace ao {

/// One notifier whose chat may answer.
struct chat_ear {
  std::string notifier;
  chat_place place;
};

/// A bot that is listened to, once for all of its chats: whoever asks for its
/// updates takes them from everybody else.
struct chat_bot {
  /// The first of its notifiers, after which it is named.
  std::string id;
  std::vector<chat_ear> ears;
};

/// The bots of these notifiers, by name. A notifier whose `to` is the name of
/// a channel has no ear.
std::vector<chat_bot>
chat_bots(const std::map<std::string, notifier_settings>& notifiers);

/// The bot's own number, which begins its token and is no secret; empty when
/// the token has none.
std::string bot_number(const std::string& token);

/// Why updates were not got.
struct poll_failure {
  /// Of HTTP; 0 = no answer.
  int status = 0;
  /// One line, without the token.
  std::string why;
  std::optional<milliseconds> retry_after;
};

/// How long the chat is left alone then.
struct poll_rest {
  milliseconds pause{0};
  /// It will not pass by itself: a person is to be told.
  bool alert = false;
};

///   401, 403, 404   wrong token: 10 minutes, a person is told
///   409             somebody else listens: the same
///   429             as long as asked for
///   all others      1 s doubling to 5 min
///
/// @param attempt Failures in a row, 1, 2, ….
/// @param dice 0 to 1, drawn for this pause.
poll_rest rest_after(const poll_failure& failure, std::uint32_t attempt,
                     double dice);

/// How many updates are asked for at once.
constexpr std::uint32_t most_updates = 50;

/// Whether an update is one of those up to `last` that were heard before a
/// restart, and whose end the other side has not been told. Numbers further
/// below are new: after a quiet week they begin anywhere.
bool was_heard(const chat_update& u, std::uint64_t last);

} // namespace ao
