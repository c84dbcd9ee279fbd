#include "runtime/home/readiness.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>

namespace ao {

int take_readiness_pipe() {
  const auto* text = std::getenv(readiness_variable);
  if (!text)
    return -1;
  char* end = nullptr;
  auto fd = std::strtol(text, &end, 10);
  auto valid = end != text && *end == '\0' && fd > 2 && fd < 1024;
  ::unsetenv(readiness_variable);
  if (!valid || ::fcntl(static_cast<int>(fd), F_SETFD, FD_CLOEXEC) != 0)
    return -1;
  return static_cast<int>(fd);
}

void report_readiness(int fd, const nlohmann::json& line) {
  if (fd < 0)
    return;
  auto text
    = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
    + "\n";
  // The starter may have given up: its closed pipe must not end the hub, so
  // SIGPIPE is held back while writing and taken if it came.
  sigset_t pipe_only;
  sigset_t before;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
  std::string_view rest = text;
  while (!rest.empty()) {
    auto n = ::write(fd, rest.data(), rest.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      if (errno == EPIPE) {
        timespec now{};
        while (::sigtimedwait(&pipe_only, nullptr, &now) == -1
               && errno == EINTR) {
        }
      }
      break;
    }
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(fd);
}

} // namespace ao
