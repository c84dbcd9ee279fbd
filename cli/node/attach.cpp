#include "cli/node/node.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"
#include "runtime/tmux/tmux.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace ao::node {
namespace {

namespace fs = std::filesystem;

constexpr milliseconds look_limit{5'000};

/// The socket of the server that has the session's terminal; empty when none
/// has.
result<std::string> server_of(const home& place, const std::string& session) {
  std::error_code problem;
  for (fs::directory_iterator i{place.run_dir(), problem}, end;
       !problem && i != end; i.increment(problem)) {
    auto name = i->path().filename().string();
    if (name.rfind("tmux-", 0) != 0 || i->path().extension() != ".sock")
      continue;
    process_spec spec;
    spec.argv
      = {"tmux", "-S", i->path().string(), "has-session", "-t", "=" + session};
    spec.env = environment::inherited().to_vector();
    auto looked = ao::run(spec, look_limit);
    if (!looked)
      return fail(looked.error());
    // A socket without a server is what a server leaves that has ended.
    if (looked->ok())
      return i->path().string();
  }
  return std::string{};
}

} // namespace

result<void> attach(const home& place, const std::string& session) {
  std::error_code ignored;
  if (!is_tmux_name(session)
      || !fs::exists(place.sessions() + "/" + session, ignored))
    return fail(ec::no_such_session,
                "this node has no session " + session
                  + "; ao session show says on which node it is");
  auto socket = server_of(place, session);
  if (!socket)
    return fail(socket.error());
  if (socket->empty())
    return fail(ec::session_closed, session + " has no terminal");
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0)
    return fail(ec::bad_input, "attach needs a terminal; by ssh: ssh -t");
  // Inside a user's own tmux the outer one is left alone: other socket.
  ::unsetenv("TMUX");
  auto target = "=" + session;
  ::execlp("tmux", "tmux", "-S", socket->c_str(), "attach", "-t",
           target.c_str(), static_cast<char*>(nullptr));
  return fail(errno == ENOENT ? ec::program_missing : ec::process_failed,
              std::string{"tmux: "} + std::strerror(errno));
}

} // namespace ao::node
