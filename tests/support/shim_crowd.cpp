#include "tests/support/shim_crowd.hpp"

#include "runtime/io/fd.hpp"
#include "runtime/shim/protocol.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <thread>

namespace ao {
namespace {

/// A listener takes in so many at once, and descriptors are not without end:
/// the names of the others are links to one of these.
constexpr std::size_t most_listeners = 64;
constexpr int backlog = 4096;

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(errno_text(what));
}

int listen_on(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw std::runtime_error(path + " is too long for a socket");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0
      || bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0
      || listen(fd, backlog) != 0)
    give_up("cannot listen on " + path);
  return fd;
}

} // namespace

struct shim_crowd::impl {
  void watch(int fd) {
    epoll_event what{};
    what.events = EPOLLIN;
    what.data.fd = fd;
    if (epoll_ctl(poll.get(), EPOLL_CTL_ADD, fd, &what) != 0)
      give_up("cannot watch a socket");
  }

  void accept_all(int listener) {
    for (;;) {
      int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0)
        return;
      (void)send(fd, hello.data(), hello.size(), MSG_NOSIGNAL);
      watch(fd);
      ++open;
    }
  }

  void hear(int peer) {
    char words[4096];
    if (recv(peer, words, sizeof words, 0) > 0)
      return; // an order: not obeyed
    close(peer);
    --open;
  }

  void run() {
    for (;;) {
      epoll_event ready[256];
      int count = epoll_wait(poll.get(), ready, 256, -1);
      for (int i = 0; i < count; ++i) {
        int fd = ready[i].data.fd;
        if (fd == wake.get())
          return;
        if (std::find(listeners.begin(), listeners.end(), fd)
            != listeners.end())
          accept_all(fd);
        else
          hear(fd);
      }
    }
  }

  unique_fd poll{epoll_create1(EPOLL_CLOEXEC)};
  unique_fd wake{eventfd(0, EFD_CLOEXEC)};
  std::vector<int> listeners;
  std::string hello;
  std::atomic<std::size_t> open{0};
  std::thread thread;
};

shim_crowd::shim_crowd(const std::string& directory,
                       const std::vector<std::string>& sessions)
    : impl_(std::make_unique<impl>()) {
  auto& it = *impl_;
  shim_hello words;
  words.session.text = "one-of-many";
  words.epoch = 1;
  words.run = 1;
  words.pid = words.shim_pid = ::getpid();
  words.state = shim_state::running;
  it.hello = to_json(words) + "\n";
  std::filesystem::create_directories(directory);
  it.watch(it.wake.get());
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    auto path = directory + "/" + sessions[i];
    if (i >= most_listeners) {
      std::filesystem::create_symlink(sessions[i % most_listeners], path);
      continue;
    }
    it.listeners.push_back(listen_on(path));
    it.watch(it.listeners.back());
  }
  it.thread = std::thread([&it] { it.run(); });
}

shim_crowd::~shim_crowd() {
  std::uint64_t one = 1;
  (void)::write(impl_->wake.get(), &one, sizeof one);
  impl_->thread.join();
  for (int fd : impl_->listeners)
    close(fd);
}

std::size_t shim_crowd::links() const {
  return impl_->open;
}

} // namespace ao
