#pragma once

#include "messages/session.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// Who writes the transcript; each has lines of JSON of its own.
enum class transcript_kind : std::uint8_t { none, codex, claude_code };

/// What the lines of a transcript have said so far; the activity is `active`
/// from a turn's begin to its end and `unknown` before the first, the last
/// words are whole.
struct transcript_state : conversation_state {
  transcript_kind kind = transcript_kind::none;
  /// Texts that have come in from outside since the caller took them out,
  /// oldest first.
  std::vector<std::string> heard;
  /// The last answer that was counted (claude-code writes one in parts).
  std::string counted;
};

/// Takes in one line, without its end. Lines that are unknown or broken say
/// nothing.
void take_line(transcript_state& state, std::string_view line);

/// Whether a text that was heard is the one that was sent: programs drop
/// spaces at its ends and change the ends of its lines.
bool is_same_text(std::string_view heard, std::string_view sent);

/// Nothing of the run that wrote it is left: no turn is under way.
void close_transcript(transcript_state& state);

// By program; for transcript.cpp alone.
void take_codex_line(transcript_state& state, std::string_view line);
void take_claude_line(transcript_state& state, std::string_view line);

/// The class of a failure by the status of HTTP and the program's words.
std::string failure_of(int status, std::string_view words);

} // namespace ao
