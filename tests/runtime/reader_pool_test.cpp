#include "runtime/process/reader_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>
#include <thread>

using namespace ao;

TEST(ReaderPool, DoesEverythingWithAsManyThreadsAsItHas) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::promise<void> all;
  std::atomic<int> left{1'000};
  reader_pool pool{3};
  for (int i = 0; i < 1'000; ++i)
    pool.post([&] {
      {
        std::lock_guard<std::mutex> guard{mutex};
        threads.insert(std::this_thread::get_id());
      }
      if (--left == 0)
        all.set_value();
    });
  all.get_future().wait();
  EXPECT_LE(threads.size(), 3u);
  EXPECT_EQ(threads.count(std::this_thread::get_id()), 0u);
}

TEST(ReaderPool, WaitsAtItsEndForWhatIsUnderWayOnly) {
  std::promise<void> begun;
  std::promise<void> released;
  auto release = released.get_future().share();
  auto dropped = std::make_shared<int>(0);
  std::weak_ptr<int> watched = dropped;
  std::thread opener;
  {
    reader_pool pool{1};
    pool.post([&] {
      begun.set_value();
      release.wait();
    });
    pool.post([dropped] { ++*dropped; });
    dropped.reset();
    begun.get_future().wait();
    opener = std::thread{[&] { released.set_value(); }};
  }
  opener.join();
  EXPECT_TRUE(watched.expired());
}
