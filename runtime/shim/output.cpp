#include "runtime/shim/output.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace ao {
namespace {

constexpr std::size_t tail_size = 64u << 10;

} // namespace

result<void> shim_output_file::open(const std::string& path,
                                    std::uint64_t cap) {
  file_.reset(
    ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  room_ = cap;
  if (!file_)
    return fail(ec::process_failed, errno_text("cannot open " + path));
  return {};
}

bool shim_output_file::take(int pipe) {
  char chunk[65536];
  auto n = read(pipe, chunk, sizeof chunk);
  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return true;
  if (n <= 0)
    return false;
  keep(chunk, static_cast<std::size_t>(n));
  return true;
}

void shim_output_file::take_rest(int pipe) {
  int waiting = 0;
  if (ioctl(pipe, FIONREAD, &waiting) != 0)
    return;
  char chunk[65536];
  while (waiting > 0) {
    auto most = std::min(sizeof chunk, static_cast<std::size_t>(waiting));
    auto n = read(pipe, chunk, most);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return;
    keep(chunk, static_cast<std::size_t>(n));
    waiting -= static_cast<int>(n);
  }
}

std::vector<std::string> shim_output_file::last_lines(std::size_t count) const {
  return last_lines_of(tail_, count);
}

void shim_output_file::keep(const char* bytes, std::size_t size) {
  tail_.append(bytes, size);
  if (tail_.size() > 2 * tail_size)
    tail_.erase(0, tail_.size() - tail_size);
  auto most = static_cast<std::size_t>(std::min<std::uint64_t>(room_, size));
  truncated_ = truncated_ || most < size;
  while (most > 0) {
    auto n = write(file_.get(), bytes, most);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      // A full disk costs the log, not the run.
      room_ = 0;
      truncated_ = true;
      return;
    }
    bytes += n;
    most -= static_cast<std::size_t>(n);
    room_ -= static_cast<std::uint64_t>(n);
  }
}

std::vector<std::string> last_lines_of(const std::string& text,
                                       std::size_t count) {
  std::vector<std::string> lines;
  std::string line;
  auto take = [&] {
    if (!line.empty() && line.back() == '\r')
      line.pop_back();
    lines.push_back(std::exchange(line, {}));
  };
  for (char c : text) {
    if (c == '\n')
      take();
    else
      line += c;
  }
  if (!line.empty())
    take();
  while (!lines.empty()
         && lines.back().find_first_not_of(' ') == std::string::npos)
    lines.pop_back();
  if (lines.size() > count)
    lines.erase(lines.begin(),
                lines.end() - static_cast<std::ptrdiff_t>(count));
  return lines;
}

} // namespace ao
