#pragma once

#include "messages/node.hpp"
#include "messages/wire.hpp"
#include "runtime/rules/membership.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace ao {

/// What of the nodes is in no row: whether each is connected, and until when
/// its lease holds. Each NODE PROXY writes its own entry; who places sessions,
/// judges pushes or shows nodes reads. Gone with the process, as leases are.
/// Thread-safe.
class node_board {
public:
  struct entry {
    membership now;
    /// A call reaches it.
    bool connected = false;
    std::optional<wall_time> heard_at;
    /// Why nothing is placed on it although it is there; empty = nothing.
    std::string closed;
    /// What is there already goes on there all the same.
    bool closed_for_new_only = false;
    /// What it has told of its agent programs and its memory.
    std::optional<msg::node_facts> facts;
  };

  void put(const node_name& node, entry x) {
    std::lock_guard<std::mutex> guard{mutex_};
    entries_[node] = std::move(x);
  }

  std::optional<entry> find(const node_name& node) const {
    std::lock_guard<std::mutex> guard{mutex_};
    auto i = entries_.find(node);
    return i == entries_.end() ? std::nullopt : std::optional<entry>{i->second};
  }

  /// Whether claims of sessions there count now. Those of the embedded node
  /// (`local`, or no name) always do: it shares the hub's life.
  bool lease_holds(const node_name& node, mono_time now) const {
    if (node.empty() || node.text == "local")
      return true;
    auto known = find(node);
    return known && ao::lease_holds(known->now, now);
  }

private:
  mutable std::mutex mutex_;
  std::map<node_name, entry> entries_;
};

} // namespace ao
