#pragma once

#include "actors/hub_context.hpp"
#include "actors/write_turns.hpp"
#include "messages/interfaces/cluster.hpp"

#include <functional>
#include <memory>
#include <variant>

namespace ao {

namespace tls {
class door;
} // namespace tls

/// One request to the CLUSTER, with the way to answer it.
struct cluster_call {
  std::variant<msg::make_join_token, msg::join_cluster> what;
  /// With the text that is answered: the token, or JSON; see cluster.cpp.
  std::function<void(result<std::string>)> answer;
};

/// State of the CLUSTER.
struct cluster_state {
  static inline const char* name = "cluster";
  hub_context context;
  write_turns<cluster_call> turns;
  /// Open where `cluster.listen` is set.
  std::shared_ptr<tls::door> door;
};

/// Lets nodes in:
///
///   ao node token --> a token, of which a hash is kept
///   ao-node join  --> JOIN DOOR (TLS, no certificate) --> token good?
///       --> COMMIT: token used, node's row --> certificate, credential
///       --> no: refused by name, `node_refused` on record
///
/// With `cluster.listen` it opens that port, and fails to start where there is
/// no authority to prove anybody's identity with.
///
/// @param self The actor handle.
/// @param context The hub.
cluster_actor::behavior_type
cluster(cluster_actor::stateful_pointer<cluster_state> self,
        hub_context context);

/// What the door answers to a node's line; blocks. For the door's threads.
std::string answer_at_door(caf::actor_system& system,
                           const hub_context& context, const std::string& line,
                           const std::string& from);

} // namespace ao
