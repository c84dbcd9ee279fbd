#include "runtime/shim/await.hpp"

#include "runtime/io/fd.hpp"
#include "runtime/shim/protocol.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

namespace ao {
namespace {

/// Whether somebody accepts on the Unix socket at `path`.
bool answers(const std::string& path) {
  sockaddr_un where{};
  if (path.size() >= sizeof where.sun_path)
    return false;
  where.sun_family = AF_UNIX;
  std::memcpy(where.sun_path, path.c_str(), path.size() + 1);
  unique_fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  return fd.get() >= 0
    && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&where),
                 sizeof where)
    == 0;
}

} // namespace

result<bool> await_shim_socket(const std::string& socket,
                               const std::string& session_dir, run_no run,
                               milliseconds limit) {
  auto end = std::chrono::steady_clock::now() + limit;
  unique_fd watch{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  auto socket_dir = std::filesystem::path{socket}.parent_path().string();
  constexpr auto events = IN_CREATE | IN_MOVED_TO | IN_ATTRIB;
  if (watch.get() < 0
      || ::inotify_add_watch(watch.get(), socket_dir.c_str(), events) < 0
      || ::inotify_add_watch(watch.get(), session_dir.c_str(), events) < 0)
    return fail(ec::process_failed,
                "cannot watch " + session_dir + ": " + std::strerror(errno));
  for (;;) {
    std::error_code ignored;
    if (std::filesystem::exists(exit_path(session_dir, run), ignored))
      return false;
    if (answers(socket))
      return true;
    auto left = std::chrono::duration_cast<milliseconds>(
      end - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      return fail(ec::timed_out,
                  "no shim has answered on " + socket + " within "
                    + format_duration(limit));
    // A socket file appears at bind, a moment before listen: look again soon
    // even when no further event comes.
    pollfd what{watch.get(), POLLIN, 0};
    constexpr milliseconds::rep between_bind_and_listen = 20;
    auto wait = std::filesystem::exists(socket, ignored)
      ? std::min(left.count(), between_bind_and_listen)
      : left.count();
    ::poll(&what, 1, static_cast<int>(wait));
    std::array<char, 4096> drained{};
    while (::read(watch.get(), drained.data(), drained.size()) > 0)
      continue;
  }
}

} // namespace ao
