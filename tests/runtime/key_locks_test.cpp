#include "runtime/process/key_locks.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <optional>
#include <thread>
#include <vector>

using namespace ao;

namespace {

TEST(KeyLocks, LetOneInAtATime) {
  key_locks locks;
  int inside = 0;
  int most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) {
        auto held = locks.take("session/app-1");
        // Guarded by nothing but the key.
        ++inside;
        most = std::max(most, inside);
        --inside;
      }
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(most, 1);
}

TEST(KeyLocks, DoNotKnowOtherKeys) {
  key_locks locks;
  auto one = locks.take("a");
  auto two = locks.take("b");
}

TEST(KeyLocks, AreFreeAgainAfterwards) {
  key_locks locks;
  std::optional<key_locks::hold> held{locks.take("a")};
  std::atomic<bool> entered{false};
  auto other = std::async(std::launch::async, [&] {
    auto mine = locks.take("a");
    entered = true;
  });
  EXPECT_FALSE(entered);
  held.reset();
  other.get();
  EXPECT_TRUE(entered);
}

} // namespace
