#pragma once

#include "messages/orders.hpp"
#include "messages/settings.hpp"
#include "messages/task.hpp"
#include "runtime/agents/adapter.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/tree_limits.hpp"

#include <string>
#include <vector>

namespace ao {

/// Where one session's files and sockets are.
struct session_places {
  /// `sessions/<id>`.
  std::string directory;
  std::string worktree;
  std::string agent_socket;
  /// Directory of `ao`; goes to the front of PATH.
  std::string programs;
  /// The node's home where a hub elsewhere gives it a lease; else empty.
  std::string leased_home;
};

/// How one run of an agent starts: the adapter's whole answer.
struct agent_launch {
  std::vector<std::string> argv;
  environment env;
  /// The file with the prompt's exact bytes; also `AO_PROMPT_FILE`.
  std::string prompt_file;
  /// What `AO_DOSSIER` names; empty but for a mediator.
  std::string dossier_file;
  /// Its bytes are the agent's standard input.
  bool prompt_on_stdin = false;
  /// Its bytes are pasted once the agent lives.
  bool paste_prompt = false;
  /// Is to be made before the start.
  std::optional<launch_additions::overlay> configuration;
  /// What the run goes on with.
  conversation talk;
  /// Of its whole tree.
  tree_limits limits;
};

/// What a launch is planned from.
struct launch_request {
  agent_settings agent;
  project_settings project;
  msg::session_spec spec;
  session_places places;
  /// Of the agent, as `environment_for` makes it.
  environment env;
};

/// Longest prompt that travels as an argument (CONTRACT §6); the kernel's own
/// limit for one argument is 128 KiB.
constexpr std::size_t longest_prompt_argument = 100'000;

/// What the agent program gets of our environment, and what the configuration
/// adds: `agents.<name>.passEnv`, `env`, the adapter's own variables.
environment environment_for(const agent_settings& agent,
                            const environment& inherited);

/// Plans the start of a run: argument vector, environment, way of the prompt.
/// Of an agent that keeps a conversation, takes that up. Blocking: reads
/// transcripts and rules, and notes the conversation down.
/// Errors: `agent_not_ready` (no such program), `prompt_too_long`,
/// `bad_input` (a NUL in the prompt), `home_unusable`.
result<agent_launch> plan_launch(const launch_request& request);

/// Makes a session's configuration directory true: links and files.
/// Errors: `home_unusable`.
result<void> make_overlay(const launch_additions::overlay& overlay);

/// Whether `prompt` may be delivered to `agent`; checked before a session is
/// made. Errors: `prompt_too_long`, `bad_input`.
result<void> check_prompt(const agent_settings& agent,
                          const std::string& prompt);

/// The key that interrupts what the agent does (mode `stop` of messages).
std::string interrupt_key(const agent_settings& agent);

/// What the agent goes on with after that key; nothing where it ends all.
std::optional<kept_commands> kept_after_interrupt(const agent_settings& agent);

/// The prompt of a task: of one made by `spawn --prompt` exactly its body,
/// otherwise its title, then its body as one contiguous run.
std::string prompt_of(const task& t);

} // namespace ao
