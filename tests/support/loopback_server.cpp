#include "tests/support/loopback_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <sstream>
#include <stdexcept>

namespace ao {
namespace {

/// The longest request that is read.
constexpr std::size_t longest_request = 4u << 20;

std::string lower(std::string text) {
  for (auto& c : text)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string trimmed(const std::string& text) {
  auto first = text.find_first_not_of(" \t\r");
  auto last = text.find_last_not_of(" \t\r");
  return first == text.npos ? std::string{}
                            : text.substr(first, last - first + 1);
}

/// More bytes into `data`; false at the end of the connection.
bool read_more(int fd, std::string& data) {
  char buffer[16'384];
  auto n = ::recv(fd, buffer, sizeof(buffer), 0);
  if (n <= 0)
    return false;
  data.append(buffer, static_cast<std::size_t>(n));
  return data.size() < longest_request;
}

std::optional<loopback_request> read_request(int fd) {
  std::string data;
  while (data.find("\r\n\r\n") == data.npos)
    if (!read_more(fd, data))
      return std::nullopt;
  auto end = data.find("\r\n\r\n");
  std::istringstream head{data.substr(0, end)};
  loopback_request out;
  head >> out.method >> out.target;
  std::string line;
  std::getline(head, line);
  while (std::getline(head, line)) {
    auto colon = line.find(':');
    if (colon != line.npos)
      out.headers[lower(line.substr(0, colon))]
        = trimmed(line.substr(colon + 1));
  }
  auto length = out.headers.find("content-length");
  auto size = length == out.headers.end() ? 0ul : std::stoul(length->second);
  while (data.size() < end + 4 + size)
    if (!read_more(fd, data))
      return std::nullopt;
  out.body = data.substr(end + 4, size);
  return out;
}

void write_all(int fd, const std::string& data) {
  for (std::size_t at = 0; at < data.size();) {
    auto n = ::send(fd, data.data() + at, data.size() - at, MSG_NOSIGNAL);
    if (n <= 0)
      return;
    at += static_cast<std::size_t>(n);
  }
}

std::string bytes_of(const loopback_reply& reply) {
  auto out = "HTTP/1.1 " + std::to_string(reply.status) + " Said\r\n";
  for (const auto& [name, value] : reply.headers)
    out += name + ": " + value + "\r\n";
  if (reply.status != 204)
    out += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
  return out + "Connection: close\r\n\r\n"
    + (reply.status == 204 ? std::string{} : reply.body);
}

/// The peer sees a reset, not an end.
void cut(int fd) {
  linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

void wait_for_end(int fd) {
  std::string rest;
  while (read_more(fd, rest)) {
  }
}

} // namespace

loopback_server::loopback_server(handler handle) : handle_(std::move(handle)) {
  listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* raw = reinterpret_cast<sockaddr*>(&at);
  socklen_t size = sizeof(at);
  if (::bind(listener_.get(), raw, size) != 0
      || ::listen(listener_.get(), 512) != 0
      || ::getsockname(listener_.get(), raw, &size) != 0)
    throw std::runtime_error(errno_text("loopback_server"));
  port_ = ntohs(at.sin_port);
  acceptor_ = std::thread{[this] { accept_all(); }};
}

loopback_server::~loopback_server() {
  stopping_ = true;
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  {
    std::lock_guard<std::mutex> guard{mutex_};
    for (auto fd : open_)
      ::shutdown(fd, SHUT_RDWR);
  }
  for (auto& thread : threads_)
    thread.join();
}

std::string loopback_server::url() const {
  return "http://127.0.0.1:" + std::to_string(port_);
}

void loopback_server::accept_all() {
  while (!stopping_) {
    auto fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0)
      continue;
    std::lock_guard<std::mutex> guard{mutex_};
    open_.push_back(fd);
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void loopback_server::serve(int fd) {
  if (auto request = read_request(fd)) {
    auto reply = handle_(*request);
    if (reply.what == loopback_reply::kind::answer)
      write_all(fd, bytes_of(reply));
    else if (reply.what == loopback_reply::kind::reset)
      cut(fd);
    else
      wait_for_end(fd);
  }
  std::lock_guard<std::mutex> guard{mutex_};
  open_.erase(std::find(open_.begin(), open_.end(), fd));
  ::close(fd);
}

} // namespace ao
