#include "runtime/shim/peers.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>

namespace ao {
namespace {

constexpr std::size_t max_peers = 32;
/// An order is short.
constexpr std::size_t max_order = 4096;
/// Beyond this a peer does not read, and is hung up on.
constexpr std::size_t max_unread = 2 * shim_line_limit;

std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return std::nullopt;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

/// The user's own processes and root may give orders.
bool may_talk(int fd) {
  ucred who{};
  socklen_t size = sizeof who;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0
    && (who.uid == geteuid() || who.uid == 0);
}

const pollfd* entry_of(const std::vector<pollfd>& fds, int fd) {
  for (const auto& entry : fds)
    if (entry.fd == fd && entry.revents != 0)
      return &entry;
  return nullptr;
}

} // namespace

bool shim_peers::somebody_listens(const std::string& path) {
  auto address = address_of(path);
  unique_fd fd{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!address || !fd)
    return false;
  // EAGAIN: the queue of a listener that lives is full.
  return connect(fd.get(), reinterpret_cast<sockaddr*>(&*address),
                 sizeof *address)
    == 0
    || errno == EAGAIN;
}

result<void> shim_peers::listen(const std::string& path) {
  auto address = address_of(path);
  if (!address)
    return fail(ec::bad_input,
                "the socket path " + path + " has "
                  + std::to_string(path.size()) + " bytes, at most "
                  + std::to_string(sizeof(sockaddr_un::sun_path) - 1)
                  + " are possible");
  unique_fd fd{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!fd)
    return fail(ec::process_failed, errno_text("cannot make a socket"));
  struct stat st;
  if (lstat(path.c_str(), &st) == 0 && S_ISSOCK(st.st_mode))
    unlink(path.c_str());
  auto mask = umask(0177);
  int bound
    = bind(fd.get(), reinterpret_cast<sockaddr*>(&*address), sizeof *address);
  umask(mask);
  if (bound != 0 || ::listen(fd.get(), 16) != 0)
    return fail(ec::process_failed, errno_text("cannot listen on " + path));
  path_ = path;
  listener_ = std::move(fd);
  return {};
}

void shim_peers::add_to(std::vector<pollfd>& fds) const {
  if (listener_)
    fds.push_back({listener_.get(), POLLIN, 0});
  for (const auto& p : peers_) {
    auto events = static_cast<short>(p.out.empty() ? POLLIN : POLLIN | POLLOUT);
    fds.push_back({p.fd.get(), events, 0});
  }
}

std::vector<shim_order> shim_peers::serve(const std::vector<pollfd>& fds,
                                          const std::string& hello) {
  std::vector<shim_order> orders;
  for (auto& p : peers_)
    if (const auto* entry = entry_of(fds, p.fd.get())) {
      if (entry->revents & (POLLIN | POLLHUP | POLLERR))
        read_some(p, orders);
      if (entry->revents & POLLOUT)
        write_some(p);
    }
  drop_gone();
  if (entry_of(fds, listener_.get()))
    accept_some(hello);
  return orders;
}

void shim_peers::tell_all(const std::string& line) {
  for (auto& p : peers_) {
    p.out += line + "\n";
    write_some(p);
  }
  drop_gone();
}

void shim_peers::flush(milliseconds deadline) {
  auto until = std::chrono::steady_clock::now() + deadline;
  for (;;) {
    std::vector<pollfd> fds;
    for (const auto& p : peers_)
      if (!p.out.empty())
        fds.push_back({p.fd.get(), POLLOUT, 0});
    auto left = std::chrono::ceil<milliseconds>(
      until - std::chrono::steady_clock::now());
    if (fds.empty() || left.count() <= 0)
      return;
    if (poll(fds.data(), fds.size(), static_cast<int>(left.count())) <= 0)
      continue;
    for (auto& p : peers_)
      if (entry_of(fds, p.fd.get()))
        write_some(p);
    drop_gone();
  }
}

void shim_peers::stop_listening(const std::string& hello) {
  accept_some(hello);
  unlink(path_.c_str());
  listener_.reset();
}

void shim_peers::accept_some(const std::string& hello) {
  for (;;) {
    unique_fd fd{
      accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!fd)
      return;
    if (!may_talk(fd.get()))
      continue;
    // The eldest has had its time; a newcomer may be a restarted node.
    if (peers_.size() >= max_peers)
      peers_.pop_front();
    peers_.emplace_back();
    peers_.back().fd = std::move(fd);
    peers_.back().out = hello + "\n";
    write_some(peers_.back());
    drop_gone();
  }
}

void shim_peers::read_some(peer& p, std::vector<shim_order>& orders) {
  char chunk[4096];
  auto n = recv(p.fd.get(), chunk, sizeof chunk, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0) {
    p.gone = true;
    return;
  }
  p.in.append(chunk, static_cast<std::size_t>(n));
  for (auto end = p.in.find('\n'); end != std::string::npos;
       end = p.in.find('\n')) {
    auto order = parse_order(std::string_view{p.in}.substr(0, end));
    p.in.erase(0, end + 1);
    // Whoever speaks junk is not of ours; it may do us no harm by leaving.
    if (!order) {
      p.gone = true;
      return;
    }
    orders.push_back(*order);
  }
  p.gone = p.in.size() > max_order;
}

void shim_peers::write_some(peer& p) {
  auto n = send(p.fd.get(), p.out.data(), p.out.size(), MSG_NOSIGNAL);
  if (n >= 0)
    p.out.erase(0, static_cast<std::size_t>(n));
  else if (errno != EAGAIN && errno != EINTR)
    p.gone = true;
  p.gone = p.gone || p.out.size() > max_unread;
}

void shim_peers::drop_gone() {
  peers_.remove_if([](const peer& p) { return p.gone; });
}

} // namespace ao
