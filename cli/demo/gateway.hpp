#pragma once

#include "messages/error.hpp"
#include "runtime/http/message.hpp"
#include "runtime/io/fd.hpp"

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace ao {
class io_loop;
}
namespace ao::http {
class server;
}

namespace ao::cli::demo {

/// An OpenClaw gateway on loopback that hands what it gets to the demo instead
/// of a person's phone: `POST /hooks/agent` with its token, each key once.
class gateway {
public:
  /// Listens on a free port of 127.0.0.1. Errors: `bad_input` when there is
  /// none.
  static result<std::unique_ptr<gateway>> open();

  /// Closes it.
  ~gateway();
  gateway(const gateway&) = delete;
  gateway& operator=(const gateway&) = delete;

  /// What a notifier's `url` and `token` are to be.
  const std::string& url() const { return url_; }
  const std::string& token() const { return token_; }

  /// Readable when messages have come that nobody has taken.
  int fd() const { return news_.get(); }

  /// The messages since the last call, in their order.
  std::vector<std::string> take();

private:
  gateway();

  http::response answer(const http::request& asked);
  http::response run(const http::request& asked);

  std::string url_;
  std::string token_;
  unique_fd news_;
  std::mutex mutex_;
  std::vector<std::string> messages_;
  /// What has been run already.
  std::set<std::string> keys_;
  std::unique_ptr<io_loop> loop_;
  /// Last, so that it ends first.
  std::unique_ptr<http::server> server_;
};

} // namespace ao::cli::demo
