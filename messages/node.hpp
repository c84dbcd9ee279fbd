#pragma once

#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// Whether the hub hears of a node.
enum class node_link : std::uint8_t {
  /// It has a certificate and has never connected.
  joining = 0,
  alive = 1,
  /// Silent for `cluster.suspectAfter`.
  suspect = 2,
  /// Silent for `cluster.lostAfter`.
  lost = 3,
  /// It has said that it ends.
  left = 4,
};

std::string_view to_string(node_link x);
std::optional<node_link> node_link_from(std::string_view text);

/// What a person wants of a node.
enum class node_order : std::uint8_t {
  /// It takes work.
  open = 0,
  /// Nothing new is placed on it.
  cordoned = 1,
  /// The same, and its sessions are to end there.
  draining = 2,
  /// It is never heard again.
  revoked = 3,
};

std::string_view to_string(node_order x);
std::optional<node_order> node_order_from(std::string_view text);

/// A row of `nodes`: one node that has joined. The embedded one has none. Its
/// one writer is its NODE PROXY; it is born in the CLUSTER's commit that uses
/// up its token.
struct cluster_node {
  node_name name;
  std::uint64_t version = 0;
  node_link link = node_link::joining;
  node_order order = node_order::open;
  /// `k=v`, sorted.
  std::vector<std::string> labels;
  /// Sessions at once.
  std::uint32_t slots = 0;
  /// Grows with each start of `ao-node`; the highest that has connected.
  std::uint64_t incarnation = 0;
  /// Of its present certificate, in hexadecimal.
  std::string serial;
  wall_time certified_until{};
  /// Of its program.
  std::string program;
  std::uint32_t cores = 0;
  std::uint64_t memory = 0;
  /// Agents that could start there, and projects whose repository is there.
  std::vector<std::string> agents;
  std::vector<std::string> projects;
  /// Why `link` or `order` is what it is.
  std::string why;
  wall_time joined_at{};
  wall_time updated_at{};
  /// When a drain stops what is left there; absent = never.
  std::optional<wall_time> drain_until;
  /// When a drain was over.
  std::optional<wall_time> drained_at;
  /// When it was last heard, as of the last change of this row.
  std::optional<wall_time> heard_at;
};

/// The word for people: `revoked`, then what is wrong with the link, then what
/// is ordered, then `alive`.
std::string_view state_of(const cluster_node& n);

/// A row of `join_tokens`. Of the token itself only a hash is kept.
struct join_token {
  /// The public part of the token.
  std::string id;
  std::uint64_t version = 0;
  /// SHA-256 of the secret part, in hexadecimal.
  std::string hash;
  /// Empty: the joining node, or else the hub, chooses.
  node_name name;
  std::vector<std::string> labels;
  wall_time created_at{};
  wall_time expires_at{};
  std::optional<wall_time> used_at;
  /// The node that it made.
  node_name used_by;
};

} // namespace ao
