#include "runtime/io/loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <pthread.h>
#include <signal.h>

#include <thread>

namespace ao {

struct io_loop::impl {
  // One thread runs it: asio may leave out its internal locks' contention.
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work
    = boost::asio::make_work_guard(context);
  std::thread thread;
};

io_loop::io_loop() : impl_(std::make_unique<impl>()) {
  // Signals are for the main thread; the new thread inherits this mask.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  impl_->thread = std::thread([this] {
    pthread_setname_np(pthread_self(), "ao-io");
    impl_->context.run();
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

io_loop::~io_loop() {
  stop();
}

void io_loop::post(std::function<void()> task) {
  boost::asio::post(impl_->context, std::move(task));
}

boost::asio::io_context& io_loop::context() {
  return impl_->context;
}

bool io_loop::on_loop_thread() const {
  return impl_->thread.get_id() == std::this_thread::get_id();
}

void io_loop::stop() {
  impl_->work.reset();
  impl_->context.stop();
  if (impl_->thread.joinable())
    impl_->thread.join();
}

} // namespace ao
