#pragma once

#include "tests/support/fake_gateway.hpp"
#include "tests/support/world.hpp"

#include <cstddef>
#include <string>

namespace ao {

/// A project whose base fails before anybody has begun, agents that change
/// something else, and a person behind a gateway.
class red_base {
public:
  red_base();

  /// Commits `state` to the checkout's base, which passes once it is `fine`.
  void set(const std::string& state);

  /// Starts the hub, and so many agents with a task each.
  void begin(std::size_t agents);

  /// Waits until so many sessions have failed for the same reason.
  void await_count(std::size_t sessions);

  world& in() { return w_; }
  const fake_gateway& gateway() const { return gateway_; }

private:
  fake_gateway gateway_;
  world w_;
};

} // namespace ao
