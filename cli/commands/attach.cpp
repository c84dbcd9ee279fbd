#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "cli/commands/remote_terminal.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ao::cli {

outcome run_attach(invocation& what) {
  auto id = what.args.text("session");
  auto answer = what.api().call("GET", item_path("sessions", id));
  if (!answer)
    return fail(answer.error());
  auto socket = text_at(answer->body, "tmux.socket");
  auto name = text_at(answer->body, "tmux.session");
  if (socket.empty() || name.empty())
    return fail(ec::session_closed, id + " has no terminal");
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0)
    return fail(ec::bad_input, "attach needs a terminal; try ao logs " + id);
  // Its socket is a file of another host; one of the same name here would be
  // somebody else's.
  if (auto node = text_at(answer->body, "node");
      !node.empty() && node != "local")
    return look_through_hub(what.api(), id, node);
  // Inside a user's own tmux the outer one is left alone: other socket.
  ::unsetenv("TMUX");
  auto target = "=" + name;
  ::execlp("tmux", "tmux", "-S", socket.c_str(), "attach", "-t", target.c_str(),
           static_cast<char*>(nullptr));
  return fail(errno == ENOENT ? ec::program_missing : ec::process_failed,
              std::string{"tmux: "} + std::strerror(errno));
}

} // namespace ao::cli
