#pragma once

#include "tests/support/world.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <functional>

namespace ao {

/// Waits until `done` holds, for what no event tells: the files and processes
/// of others. Fails the test after `world::patience`.
inline void await_that(const std::function<bool()>& done) {
  constexpr useconds_t pause_us = 20'000;
  auto until = std::chrono::steady_clock::now() + world::patience;
  while (!done() && std::chrono::steady_clock::now() < until)
    ::usleep(pause_us);
  EXPECT_TRUE(done());
}

} // namespace ao
