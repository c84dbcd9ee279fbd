#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// The `form` of a notification: what shapes how it is sent, as words apart
/// by blanks. A word may carry a value: `again=2`. Words that begin with `.`
/// are of that one notification, all others were learned of its channel and
/// hold for the next ones, too.
namespace ao {

namespace form {

/// The gateway takes no session key from us.
inline constexpr std::string_view no_session_key = "no-session-key";
/// The gateway does not tell how its runs end.
inline constexpr std::string_view no_completion = "no-completion";
/// The session of the key was busy or has changed: the gateway chooses one.
inline constexpr std::string_view fresh_session = ".fresh-session";
/// It may have left already.
inline constexpr std::string_view begun = ".begun";
/// How often it was sent anew under another key.
inline constexpr std::string_view again = ".again";
/// How many parts of a long text have arrived.
inline constexpr std::string_view parts = ".parts";

} // namespace form

/// Whether `text` has the word.
bool has_word(std::string_view text, std::string_view word);

/// The number that the word carries, 0 when there is none.
std::uint32_t count_in(std::string_view text, std::string_view word);

/// `text` with the word, once; with its number where one is given.
std::string with_word(std::string_view text, std::string_view word);
std::string with_count(std::string_view text, std::string_view word,
                       std::uint32_t n);

/// The words that hold for the whole channel.
std::string of_channel(std::string_view text);

} // namespace ao
