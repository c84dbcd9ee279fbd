#pragma once

#include "messages/session.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// Who writes the transcript; each has lines of JSON of its own.
enum class transcript_kind : std::uint8_t { none, codex, claude_code };

/// What the lines of a transcript have said so far.
struct transcript_state {
  transcript_kind kind = transcript_kind::none;
  /// What the program resumes the conversation by.
  std::string conversation;
  /// `active` from a turn's begin to its end; `unknown` before the first.
  activity_state activity = activity_state::unknown;
  /// What the agent asks, while it waits for an answer.
  std::string question;
  /// How the last turn failed: `auth`, `rate_limited`, `overloaded`, `quota`,
  /// `context_exhausted`, `network`, `tool`; empty when it did not.
  std::string failure;
  /// The program's own words about that.
  std::string problem;
  /// The agent's last words, whole.
  std::string last_words;
  /// Of the whole conversation.
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
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
