#include "runtime/process/reader_pool.hpp"

#include <pthread.h>

#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace ao {

struct reader_pool::impl {
  void run() {
    pthread_setname_np(pthread_self(), "ao-reader");
    std::unique_lock<std::mutex> guard{mutex};
    for (;;) {
      news.wait(guard, [this] { return ending || !waiting.empty(); });
      if (ending)
        return;
      auto work = std::move(waiting.front());
      waiting.pop_front();
      guard.unlock();
      work();
      work = nullptr;
      guard.lock();
    }
  }

  std::mutex mutex;
  std::condition_variable news;
  std::deque<std::function<void()>> waiting;
  bool ending = false;
  std::vector<std::thread> threads;
};

reader_pool::reader_pool(std::size_t threads)
    : impl_(std::make_unique<impl>()) {
  // Signals are for the main thread; new threads inherit this mask.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (std::size_t i = 0; i < threads; ++i)
    impl_->threads.emplace_back([this] { impl_->run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

reader_pool::~reader_pool() {
  {
    std::lock_guard<std::mutex> guard{impl_->mutex};
    impl_->ending = true;
  }
  impl_->news.notify_all();
  for (auto& thread : impl_->threads)
    thread.join();
}

void reader_pool::post(std::function<void()> work) {
  {
    std::lock_guard<std::mutex> guard{impl_->mutex};
    impl_->waiting.push_back(std::move(work));
  }
  impl_->news.notify_one();
}

} // namespace ao
