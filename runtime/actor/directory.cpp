#include "runtime/actor/directory.hpp"

#include <algorithm>
#include <utility>

namespace ao {

directory::ticket directory::set(const actor_name& name,
                                 caf::strong_actor_ptr handle) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto& e = entries_[name];
  e.number = ++last_;
  // The old handle is released after the lock: it may be the last one.
  e.handle.swap(handle);
  return e.number;
}

bool directory::erase(const actor_name& name, ticket entry) {
  caf::strong_actor_ptr last;
  std::lock_guard<std::mutex> guard{mutex_};
  auto i = entries_.find(name);
  if (i == entries_.end() || i->second.number != entry)
    return false;
  last.swap(i->second.handle);
  entries_.erase(i);
  return true;
}

caf::strong_actor_ptr directory::find(const actor_name& name) const {
  std::lock_guard<std::mutex> guard{mutex_};
  auto i = entries_.find(name);
  return i == entries_.end() ? nullptr : i->second.handle;
}

std::vector<actor_name> directory::names(std::string_view role) const {
  std::vector<actor_name> out;
  {
    std::lock_guard<std::mutex> guard{mutex_};
    for (auto& [name, e] : entries_)
      if (role_of(name) == role)
        out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<actor_name> directory::all() const {
  std::vector<actor_name> out;
  {
    std::lock_guard<std::mutex> guard{mutex_};
    out.reserve(entries_.size());
    for (auto& [name, e] : entries_)
      out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::size_t directory::size() const {
  std::lock_guard<std::mutex> guard{mutex_};
  return entries_.size();
}

} // namespace ao
