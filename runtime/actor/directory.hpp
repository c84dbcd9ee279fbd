#pragma once

#include "messages/actor_name.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ao {

/// The names of one host: which handle is `session/app-7` at present.
///
/// Only supervisors write it: set before the child's first message, erased at
/// its end. Everybody else resolves a name at each try and keeps no handle.
/// Thread-safe.
class directory {
public:
  /// Grows with each entry of this directory, so that the late end of an old
  /// holder of a name cannot erase the entry of a newer one.
  using ticket = std::uint64_t;

  /// Makes `handle` the holder of `name`, whoever held it before.
  /// @returns what `erase` wants.
  ticket set(const actor_name& name, caf::strong_actor_ptr handle);

  /// Removes the entry that `set` made under this ticket.
  /// @returns false when the name is free or has a newer holder.
  bool erase(const actor_name& name, ticket entry);

  /// The present holder, null when there is none.
  caf::strong_actor_ptr find(const actor_name& name) const;

  /// The present holder as `Interface`; an invalid handle when there is none.
  /// The interface is not checked: names and roles go together.
  template <class Interface>
  Interface find(const actor_name& name) const {
    return caf::actor_cast<Interface>(find(name));
  }

  /// The names of one role at present, sorted.
  std::vector<actor_name> names(std::string_view role) const;

  /// All names at present, sorted.
  std::vector<actor_name> all() const;

  std::size_t size() const;

private:
  struct entry {
    ticket number = 0;
    caf::strong_actor_ptr handle;
  };

  mutable std::mutex mutex_;
  std::unordered_map<actor_name, entry> entries_;
  ticket last_ = 0;
};

} // namespace ao
