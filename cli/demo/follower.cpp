#include "cli/demo/follower.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace ao::cli::demo {

using nlohmann::json;

follower::~follower() {
  stop();
}

result<void> follower::start(const stage& where, std::uint64_t after) {
  stop();
  auto started = where.start_ao(
    {"events", "--follow", "--json", "--after", std::to_string(after)});
  if (!started)
    return fail(started.error());
  child_ = std::move(*started);
  return {};
}

void follower::stop() {
  if (!child_.pidfd)
    return;
  // Fails only when it has ended by itself.
  (void)send_signal(child_.pidfd.get(), SIGKILL);
  (void)reap(child_.pidfd.get());
  child_ = {};
  text_.clear();
}

bool follower::read(std::vector<json>& out) {
  char chunk[65536];
  auto n = ::read(child_.out.get(), chunk, sizeof chunk);
  if (n < 0)
    return errno == EINTR || errno == EAGAIN;
  text_.append(chunk, static_cast<std::size_t>(n));
  std::size_t from = 0;
  for (auto end = text_.find('\n'); end != std::string::npos;
       end = text_.find('\n', from)) {
    auto event = json::parse(text_.substr(from, end - from), nullptr, false);
    // At its end it prints what went wrong.
    if (event.is_object() && event.contains("seq"))
      out.push_back(std::move(event));
    from = end + 1;
  }
  text_.erase(0, from);
  return n > 0;
}

} // namespace ao::cli::demo
