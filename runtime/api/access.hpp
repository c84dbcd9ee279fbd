#pragma once

#include "messages/session.hpp"
#include "runtime/home/token.hpp"
#include "runtime/http/message.hpp"
#include "runtime/store/row_view.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ao::api {

/// Who asks: a session, as its token says, or the operator.
struct caller {
  std::optional<token_claims> session;

  bool is_operator() const { return !session; }
};

/// Finds the token in the environment of a peer, or of a process above it.
using peer_token = std::function<std::optional<std::string>(pid_t)>;

/// Who sent `what`. A bearer token always counts. Without one, on the
/// listener `hub`, a peer that stands below a process of one of our sessions
/// is that session, and anybody else the operator; on any other listener a
/// token is required. Whether the token is of the present run is not looked
/// at. Errors: `bad_token`.
result<caller> identify(const http::request& what, const home_secret& secret,
                        const peer_token& token_of_peer);

/// What protects the API on TCP.
struct tcp_guard {
  /// `host:port` of the configuration.
  std::string listen;
  /// The operator's, see `load_or_make_api_token`.
  std::string token;
};

/// Whether a request that came by TCP is the operator's. Its `Host` must be a
/// numeric address, `localhost` or the configured host, so that no page can
/// reach us by a name of its own; an `Origin`, which browsers send, must be of
/// that same host; and its bearer token the operator's. Errors: `not_allowed`
/// (Host, Origin), `bad_token`.
result<void> check_tcp(const http::request& what, const tcp_guard& guard);

/// Checks that a token is of the session's present claim and run.
/// Errors: `no_such_session`, `stale_epoch` (details epoch, current, run).
result<void> check_fresh(const token_claims& who, const row_view& rows);

/// How far a role reaches with one route (DESIGN §12).
enum class reach {
  /// Refused.
  none,
  /// Things of its own session: its row, its task, its change.
  own,
  /// Things of its project.
  project,
  /// Everything that the route shows or does.
  any,
};

/// What a session of `role` may do with `pattern` (`/sessions/{id}`, without
/// the `/api/v1`); a route that is not known is refused.
reach reach_of(session_role role, std::string_view method,
               std::string_view pattern);

/// What a request is about; empty where it is about nothing of that kind.
struct target {
  project_id project;
  session_id session;
  task_id task;
};

/// Whether `what` lies within the reach of a session.
bool within(reach r, const token_claims& who, const target& what);

/// The refusal, in words: `not_allowed`.
error refusal(const token_claims& who, std::string_view what);

} // namespace ao::api
