#pragma once

#include "messages/time.hpp"
#include "runtime/io/stop_signal.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ao::notify {

/// The most that is read of an answer where nothing else is said.
constexpr std::size_t longest_reply = 256u << 10;

/// One HTTP request to somebody else's server.
struct http_call {
  std::string method = "POST";
  /// `https:`, or `http:` on loopback.
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  /// For everything, from the connection to the last byte.
  milliseconds timeout = std::chrono::seconds{20};
  /// Bytes of the answer's body that are read.
  std::size_t longest = longest_reply;
};

/// What came of it: an answer, or why there is none.
struct http_reply {
  /// 0 = no answer.
  int status = 0;
  std::string body;
  /// Names in lower case.
  std::map<std::string, std::string> headers;
  /// Why there is no answer; never quotes the request.
  std::string failure;
};

/// Ends requests that are under way, from any thread.
using stop_flag = std::shared_ptr<stop_signal>;

/// Whether secrets may be sent there: `https:`, or `http:` on loopback.
bool is_safe_url(const std::string& url);

/// Sends the request and waits for the answer; blocks. Certificates are
/// verified, redirects not followed (their answer is the answer), nothing of
/// `.netrc` or cookies is used. A body that is too long is cut.
/// @param stop May be null; ends the request at once.
http_reply perform(const http_call& call, const stop_flag& stop);

} // namespace ao::notify
