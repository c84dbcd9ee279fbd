#pragma once

#include "messages/orders.hpp"
#include "messages/settings.hpp"
#include "runtime/agents/conversation.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/rules/typing.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ao {

/// What a run of an agent program is to be started with.
struct launch_wish {
  const agent_settings& agent;
  const agent_config& config;
  /// Where the agent works; its program is to trust it.
  std::string worktree;
  /// What the program is told beside the prompt; empty = nothing.
  std::string rules;
  /// The first words of the run.
  std::string prompt;
  conversation talk;
  /// The session's directory: files of ours for the program may be below it.
  std::string directory;
};

/// What a launch needs beside its arguments.
struct launch_additions {
  std::vector<std::string> argv;
  environment env;
  /// Is to be there as a configuration directory of the session: links to
  /// everything in `from` but what `own` names, which are files of ours.
  struct overlay {
    std::string path;
    std::string from;
    std::vector<std::string> leave_out;
    /// Name and bytes.
    std::vector<std::pair<std::string, std::string>> own;
  };
  std::optional<overlay> configuration;
};

/// Whether an agent program can start now.
struct agent_readiness {
  bool ready = false;
  /// Why not, with what to do about it.
  std::string reason;
  /// `auth` where it is the login that is not as it should be; empty for any
  /// other reason.
  std::string failure = {};
};

/// What is known of one agent program. A program of which no more is known has
/// its line of data and no functions.
struct agent_adapter {
  /// As configured: `codex`.
  std::string_view name;
  /// Its program on PATH.
  std::string_view program;
  /// The versions that it was tried with, as `first - last`; empty = none.
  std::string_view tested;
  /// Variables of the hub's environment that the program gets.
  std::vector<std::string> variables;
  /// Variables that are set for it.
  std::vector<std::pair<std::string_view, std::string_view>> settings;
  /// Come first.
  std::vector<std::string> arguments;
  /// Answer `config.permissions`, in the order of the enum.
  std::vector<std::string> permissions[4];
  /// Stand before the model; empty = there is no such option.
  std::string_view model_option;
  /// Stand before the prompt.
  std::vector<std::string> before_prompt;
  /// Interrupts what the agent does.
  std::string_view interrupt_key = "Escape";
  /// What it goes on with after that; its sign is empty where it ends all.
  kept_commands kept;
  /// Goes on with a conversation of its own; others begin anew.
  bool resumes = false;
  /// Where its transcript is and how it reads.
  transcript_kind transcript = transcript_kind::none;
  /// Its hooks write a line to `calls_file` when it waits for a person.
  bool calls = false;

  /// Gives the session a configuration of its own where that is needed; null
  /// = never. Comes first: it decides where the conversations are.
  /// @param directory The session's.
  void (*configure)(const std::string& directory, launch_additions&) = nullptr;

  /// Adds what data does not say; null = nothing.
  result<void> (*add)(const launch_wish&, launch_additions&) = nullptr;

  /// The last look before a launch, in its environment and directory; null =
  /// nothing but its program is known of it. Blocking.
  agent_readiness (*probe)(const std::string& program, const environment&,
                           const std::string& directory)
    = nullptr;
};

/// The adapter of that name; null for `command` and unknown names.
const agent_adapter* find_adapter(std::string_view name);

/// All but `command`.
const std::vector<const agent_adapter*>& all_adapters();

/// What a launch has before its conversation is known: the environment, and a
/// configuration of the session.
/// @param env Of the launch so far.
launch_additions begin_launch(const agent_adapter& adapter,
                              const std::string& directory, environment env);

/// Adds the argument vector. The first argument is the program as configured,
/// not yet looked up.
result<void> add_arguments(const agent_adapter& adapter,
                           const launch_wish& wish, launch_additions& out);

// The adapters in depth, each in its file below adapters/.
const agent_adapter& codex_adapter();
const agent_adapter& claude_code_adapter();

} // namespace ao
