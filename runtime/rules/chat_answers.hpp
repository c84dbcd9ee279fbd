#pragma once

#include "messages/incident.hpp"
#include "messages/store.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What is said in a chat, and which answer to a question it is.
namespace ao {

/// The longest answer of a person, in bytes.
constexpr std::size_t longest_answer = 16'384;

/// A chat, or one topic of it.
struct chat_place {
  std::int64_t chat = 0;
  /// 0 = the chat as a whole.
  std::int64_t topic = 0;
};

/// `42`, `-100123` or `-100123:topic:7`; nothing for anything else, as the name
/// of a channel.
std::optional<chat_place> chat_place_from(std::string_view text);

/// One thing that has happened in a chat.
struct chat_update {
  enum class kind : std::uint8_t {
    /// Nothing that could be an answer.
    other = 0,
    /// A button was pressed: `text` is what it carries.
    press = 1,
    /// Somebody has written.
    message = 2,
  } what
    = kind::other;
  /// Grows from one to the next; 0 = the update cannot be read.
  std::int64_t id = 0;
  chat_place where;
  /// Of a press, to be answered by.
  std::string query;
  /// The message; of a press the one with the button.
  std::int64_t message = 0;
  /// Empty for what is no text, as a picture.
  std::string text;
  /// The message that it replies to; 0 = none.
  std::int64_t reply_to = 0;
  /// That one is our own, and what it says.
  bool reply_to_us = false;
  std::string replied_text;
};

/// Whether it has happened at this place.
bool is_at(const chat_update& u, const chat_place& place);

/// What an update asks for.
struct chat_decision {
  enum class kind : std::uint8_t {
    /// Talk.
    ignore = 0,
    answer = 1,
    /// Meant as an answer, but none.
    refuse = 2,
  } what
    = kind::ignore;
  incident_id incident;
  std::string text;
  std::string code;
  /// One line for the person.
  std::string why;
};

/// Reads an update of the right place:
///
///   a pressed button                 its option
///   a reply to a question            its text, with that question's code; of
///                                    a digest of several the case comes first
///   `[answer] inc-7 text code C`     the text
///
/// A text that is an option but for its capitals is that option. What names no
/// case and replies to nothing of ours is talk. Whether the code is right and
/// the question open is the INCIDENT's to say.
/// @param told All notifications of the chat.
chat_decision decide_chat(const chat_update& u,
                          const std::vector<row_ptr<notification>>& told);

} // namespace ao
