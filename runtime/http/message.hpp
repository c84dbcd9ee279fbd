#pragma once

#include <nlohmann/json.hpp>
#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ao::http {

/// Who is on the other end of a Unix socket, as the kernel says
/// (SO_PEERCRED).
struct peer_identity {
  uid_t uid = 0;
  pid_t pid = 0;
};

/// One request, decoded; a plain value that may travel between threads.
struct request {
  /// `GET`, `POST`, in capitals.
  std::string method;
  /// The request target as it arrived, for logs.
  std::string target;
  /// The path's segments, percent-decoded: `/tasks/app%2Fx` is
  /// {"tasks", "app/x"}. Never "." or "..", never a NUL.
  std::vector<std::string> path;
  /// The query, percent-decoded; of a repeated name the last one.
  std::map<std::string, std::string> query;
  /// What the route's `{name}` segments matched; filled by the router.
  std::map<std::string, std::string> params;
  /// All headers, names in lower case.
  std::map<std::string, std::string> headers;
  std::string body;
  /// Of a Unix socket only.
  std::optional<peer_identity> peer;
  /// The name of the listener it came in by, e.g. `hub` or `tcp`.
  std::string listener;

  /// The header called `name` (lower case), empty when absent.
  std::string_view header(std::string_view name) const;

  /// The `Idempotency-Key` header, empty when absent.
  std::string_view request_id() const { return header("idempotency-key"); }

  /// The token of `Authorization: Bearer <token>`, empty when absent.
  std::string_view bearer() const;

  /// The query's `name`, or `otherwise`.
  std::string query_or(const std::string& name, std::string otherwise) const;

  /// Whether the client wants Server-Sent Events.
  bool wants_events() const;
};

/// One answer.
struct response {
  int status = 200;
  std::string body = {};
  std::string content_type = "application/json";
  /// Further headers, e.g. {"Allow", "GET"}.
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// A JSON answer.
response json_response(int status, const nlohmann::json& body);

/// Percent-encodes everything but the unreserved characters of RFC 3986, so
/// that a task's key (`app/github:owner/repo#42`) is one path segment.
std::string percent_encode(std::string_view text);

/// The reverse; none when a `%` is not followed by two hex digits.
std::optional<std::string> percent_decode(std::string_view text);

/// Splits a request target into `path` and `query` of `out`; false when it is
/// not an absolute path, is badly encoded, has a `.` or `..` segment or
/// contains a NUL. Empty segments are dropped.
bool parse_target(std::string_view target, request& out);

} // namespace ao::http
