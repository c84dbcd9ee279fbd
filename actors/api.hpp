#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/api.hpp"
#include "runtime/api/access.hpp"
#include "runtime/http/respond.hpp"
#include "runtime/http/router.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace ao {

/// What the server hands over.
struct http_exchange {
  http::request what;
  http::respond_once respond;
};

/// What the API needs of the process that it runs in.
struct api_host {
  /// `POST /shutdown`: begins to stop the hub; must return at once. With
  /// `true` the agents are ended first.
  std::function<void(bool agents)> shutdown;

  /// When the hub started.
  wall_time started_at{};

  /// `0.1.0`, of this program.
  std::string version = "unknown";

  /// Sessions found alive at its start.
  std::uint64_t adopted = 0;

  /// Of the listener `tcp`, if there is one.
  api::tcp_guard tcp;

  /// Whether `POST /faults` plants exceptions (`AO_FAULTS=1`).
  bool faults = false;

  /// False with `--no-local-node`.
  bool local_node = true;
};

/// State of the API.
struct api_state {
  static inline const char* name = "api";
  hub_context context;
  api_host host;
  http::router routes;
};

/// The name of the API in the directory.
inline const actor_name api_name{"api"};

/// The server's handler: posts each request to the API, or answers
/// `shutting_down` while nobody holds its name. Never blocks.
/// @param names The names of the host; must outlive the server.
http::handler make_api_handler(const directory& names);

/// Everything below `/api/v1` (CONTRACT §4).
///
///   request --> who asks? --> may they? --> is it well-formed?
///     GET:    rows --> document
///     GET events: ring, else STORE --> page, or a stream of its own
///     POST:   REGISTRY, SESSION, FORGE --> document
///     any error on the way --> problem document
///
/// Keeps nothing between two requests; a restart loses none but those under
/// way, which are answered 500 and are safe to repeat.
///
/// @param self The actor handle.
/// @param context The hub.
/// @param host The process.
api_actor::behavior_type api_keeper(api_actor::stateful_pointer<api_state> self,
                                    hub_context context, api_host host);

} // namespace ao
