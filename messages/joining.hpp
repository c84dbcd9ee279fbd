#pragma once

#include "messages/error.hpp"
#include "messages/node.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ao::msg {

/// API → CLUSTER: a token that one node may join with.
struct make_join_token {
  request_id request;
  /// Empty: the node, or the hub, chooses.
  node_name name;
  /// `k=v`.
  std::vector<std::string> labels;
  milliseconds ttl = std::chrono::minutes{15};
  std::string actor = "api";
};

struct join_token_made {
  /// The whole token; nobody can tell it a second time.
  std::string token;
  wall_time expires_at{};
  std::string fingerprint;
};

/// JOIN DOOR → CLUSTER: somebody shows a token and wants a certificate.
struct join_cluster {
  std::string token;
  /// What the node calls itself; empty: the hub chooses.
  node_name name;
  /// Added to those of the token.
  std::vector<std::string> labels;
  /// PEM, signed by the node's own key.
  std::string request;
  /// Where it comes from, for the record.
  std::string from;
};

struct joined_cluster {
  node_name name;
  /// PEM.
  std::string certificate;
  /// What the node says in its hello.
  std::string credential;
  /// `host:port` of the link; without a host, as the door's.
  std::string link;
  /// The highest life of a node of this name that has connected.
  std::uint64_t life = 0;
  wall_time expires_at{};
};

/// API → NODE PROXY.
struct order_node {
  node_name node;
  node_order to = node_order::open;
  /// Of a drain: what is left then is stopped, and goes elsewhere; absent =
  /// nothing is.
  std::optional<milliseconds> deadline;
  std::string actor = "api";
};

} // namespace ao::msg
