#pragma once

#include "messages/error.hpp"
#include "runtime/home/home.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What `ao-node` can do.
namespace ao::node {

/// `join <host:port> <token> [--name N] [--label k=v]…`
struct join_words {
  std::string door;
  std::string token;
  std::string name;
  std::vector<std::string> labels;
};

/// Makes a key, has the hub certify it, and keeps both; nothing is kept of a
/// refused try but the key. The node's name. A home that has joined does it
/// again under its name, with all that it has, where its hub wants that: when
/// its certificate counts no more. Errors: those of the hub; `wrong_state` when
/// the home belongs to another hub; when the node runs.
result<std::string> join(const home& place, const join_words& words);

/// `run [--slots N]`
struct run_words {
  std::uint32_t slots = 4;
};

/// The worker in the foreground, until it is told to end; the exit code.
int run(const home& place, const run_words& words);

/// `attach <session>`: becomes a tmux client of the session's terminal, so that
/// detaching ends nothing. Returns only with an error: `no_such_session`,
/// `session_closed` (it has no terminal), `bad_input` (we have none),
/// `program_missing`.
result<void> attach(const home& place, const std::string& session);

/// `$AO_HOME`, else `~/.ao-node`.
std::string home_path();

} // namespace ao::node
