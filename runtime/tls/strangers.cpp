#include "runtime/tls/strangers.hpp"

#include <sys/socket.h>

#include <algorithm>

namespace ao::tls {

strangers::strangers(std::size_t most, milliseconds limit)
    : most_(most), limit_(limit) {}

void strangers::admit(int fd, mono_time now) {
  std::lock_guard<std::mutex> guard{mutex_};
  if (all_.size() >= most_) {
    ::shutdown(all_.front().fd, SHUT_RDWR);
    all_.erase(all_.begin());
  }
  all_.push_back({fd, now});
}

void strangers::dismiss(int fd) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto at = std::find_if(all_.begin(), all_.end(),
                         [fd](const stranger& x) { return x.fd == fd; });
  if (at != all_.end())
    all_.erase(at);
}

void strangers::sweep(mono_time now) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto young
    = std::find_if(all_.begin(), all_.end(), [this, now](const stranger& x) {
        return now - x.since < limit_;
      });
  for (auto i = all_.begin(); i != young; ++i)
    ::shutdown(i->fd, SHUT_RDWR);
  all_.erase(all_.begin(), young);
}

std::size_t strangers::count() const {
  std::lock_guard<std::mutex> guard{mutex_};
  return all_.size();
}

} // namespace ao::tls
