#pragma once

#include "messages/error.hpp"
#include "messages/ids.hpp"
#include "runtime/home/home.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ao {

/// `hub.json` in a node's home: which hub it belongs to, as what.
struct node_membership {
  node_name name;
  /// `host:port` of the hub's link.
  std::string link;
  std::string credential;
};

result<void> write_membership(const home& place, const node_membership& x);

/// Errors: `node_not_joined`, when there is none.
result<node_membership> read_membership(const home& place);

/// Counts this start of the node; durable before it returns, so that no two
/// lives have one number.
result<std::uint64_t> next_incarnation(const home& place);

/// The hub has seen a node of this name in its `seen`th life: the next start
/// here is a later one.
result<void> raise_incarnation(const home& place, std::uint64_t seen);

/// What the hub has told last, so that a node without its hub can adopt what
/// lives there.
result<void> keep_settings(const home& place, const std::string& settings);
result<std::optional<std::string>> kept_settings(const home& place);

} // namespace ao
