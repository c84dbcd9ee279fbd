#pragma once

#include "messages/error.hpp"
#include "messages/orders.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/rules/transcript.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ao {

/// The conversation that an agent program keeps, as far as a run needs it.
struct conversation {
  /// What the program resumes it by; empty = none yet.
  std::string id;
  /// Its file; empty while there is none.
  std::string transcript;
  /// The prompt of the run to start has come in before.
  bool heard_prompt = false;

  bool begun() const { return !transcript.empty(); }
};

/// What the node has written down of it: `conversation.json` in the session's
/// directory.
struct conversation_note {
  std::string adapter;
  std::string id;
  std::string transcript;
  /// Bytes of the transcript when its present prompt was first given.
  std::uint64_t prompt_from = 0;
  /// Bytes of it before the present run.
  std::uint64_t run_from = 0;
};

/// Where an agent program whose adapter `calls` writes a line when it waits for
/// a person.
std::string calls_file(const std::string& session_dir);

/// Errors: `home_unusable`.
result<void> write_conversation(const std::string& session_dir,
                                const conversation_note& note);

/// Nothing when there is none, or it cannot be read: then it is looked for.
std::optional<conversation_note>
read_conversation(const std::string& session_dir);

/// Where a program's transcripts are.
struct transcript_place {
  transcript_kind kind = transcript_kind::none;
  /// Of the program: `$CODEX_HOME/sessions`, `$CLAUDE_CONFIG_DIR/projects`.
  std::string directory;
  /// The agent's; names its conversations.
  std::string worktree;
  /// Known before it begins (claude-code); else empty.
  std::string id;
};

/// By the environment that the program is started with.
transcript_place
place_of_transcript(transcript_kind kind, const environment& env,
                    const std::string& worktree, const std::string& id);

/// The directories that must be watched for a transcript to begin there, those
/// that exist, outermost first.
std::vector<std::string> directories_of(const transcript_place& place);

/// The file of the conversation that began last there; nothing when there is
/// none. Looks at what is recent only.
std::optional<std::string> find_transcript(const transcript_place& place);

/// What is to be resumed by the run of `spec`, and the note that is to be kept
/// of it. Blocking.
/// @param env What the program is started with.
result<conversation>
take_up_conversation(transcript_kind kind, const msg::session_spec& spec,
                     const environment& env, const std::string& adapter,
                     const std::string& session_dir,
                     const std::string& worktree);

} // namespace ao
