#include "runtime/node/leftovers.hpp"

#include "runtime/io/fd.hpp"
#include "runtime/process/process.hpp"

#include <csignal>

namespace ao {
namespace {

/// Enough for the command line of a shim: two paths.
constexpr std::size_t command_line_limit = 16 * 1024;
/// A shim without an agent writes its last words and leaves.
constexpr milliseconds farewell{3000};

} // namespace

bool is_shim_of(pid_t pid, std::string_view dir) {
  if (pid <= 1)
    return false;
  auto line = read_whole_file("/proc/" + std::to_string(pid) + "/cmdline",
                              command_line_limit);
  if (!line)
    return false;
  auto wanted = '\0' + std::string{dir} + '\0';
  return line->find("ao-shim") != std::string::npos
    && line->find(wanted) != std::string::npos;
}

result<end_report> end_leftovers(const std::string& mark, pid_t shim_pid,
                                 const std::string& dir, milliseconds grace) {
  auto ended = end_marked(mark, grace);
  if (!ended || shim_pid <= 1)
    return ended;
  auto shim = open_pidfd(shim_pid);
  // The pidfd names whoever has the number now; that is looked at after.
  if (!shim || !is_shim_of(shim_pid, dir) || wait_ended(shim->get(), farewell))
    return ended;
  if (auto ok = send_signal(shim->get(), SIGKILL); !ok)
    return fail(ok.error());
  ++ended->killed;
  return ended;
}

} // namespace ao
