#include "runtime/process/kernel_log.hpp"

#include "runtime/io/fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string>

namespace ao {

// Records are `priority,sequence,microseconds,flags;text` (the kernel's
// Documentation/ABI/testing/dev-kmsg); the text is mm/oom_kill.c's.
bool tells_of_memory_kill(std::string_view record, pid_t pid,
                          std::chrono::microseconds since) {
  auto text = record.find(';');
  auto at = record.find(',', record.find(',') + 1);
  if (text == std::string_view::npos || at == std::string_view::npos
      || at >= text)
    return false;
  std::int64_t when = 0;
  auto* from = record.data() + at + 1;
  if (std::from_chars(from, record.data() + text, when).ec != std::errc{}
      || when < since.count())
    return false;
  auto wanted = "Killed process " + std::to_string(pid) + " (";
  return record.substr(text + 1).find(wanted) != std::string_view::npos;
}

bool killed_for_memory(pid_t pid, std::chrono::microseconds since) {
  unique_fd log{::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  // A read brings one record; 8 KiB is the kernel's longest.
  std::array<char, 8192> record{};
  while (log) {
    auto got = ::read(log.get(), record.data(), record.size());
    if (got < 0 && errno == EPIPE)
      continue; // overwritten meanwhile; the next read goes on
    if (got <= 0)
      return false;
    if (tells_of_memory_kill({record.data(), static_cast<std::size_t>(got)},
                             pid, since))
      return true;
  }
  return false;
}

} // namespace ao
