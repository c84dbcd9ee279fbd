#include "tests/bench/crowd.hpp"
#include "tests/bench/rows.hpp"
#include "tests/bench/stage.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace ao::bench {
namespace {

constexpr std::size_t sessions = 10'000;
constexpr int rounds = 21;

void check(bool good, const char* what) {
  if (!good)
    throw std::runtime_error{what};
}

/// The same bytes from one end of a Unix socket to the other and an answer
/// back, between two threads.
class bare_exchange {
public:
  bare_exchange() {
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_) == 0,
          "no pair of sockets");
    answering_ = std::thread{[this] {
      char request[512];
      char answer[512] = {};
      while (::read(ends_[1], request, sizeof request) > 0)
        if (::write(ends_[1], answer, sizeof answer) < 0)
          return;
    }};
  }

  ~bare_exchange() {
    ::shutdown(ends_[0], SHUT_RDWR);
    answering_.join();
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  void once() {
    char bytes[512] = {};
    check(::write(ends_[0], bytes, sizeof bytes) == sizeof bytes, "no write");
    check(::recv(ends_[0], bytes, sizeof bytes, MSG_WAITALL) == sizeof bytes,
          "no answer");
  }

private:
  int ends_[2] = {-1, -1};
  std::thread answering_;
};

/// Readers of the hub's stream of events.
class audience {
public:
  audience(const world& w, std::size_t size, std::uint64_t after) {
    for (std::size_t i = 0; i < size; ++i)
      readers_.emplace_back([this, api = w.api(), after] {
        (void)api.stream(
          "/api/v1/events?after=" + std::to_string(after),
          [this](const http::received_event& one) {
            if (one.event != "task_ready")
              return http::api_client::next::more;
            std::lock_guard guard{mutex_};
            ++heard_;
            news_.notify_one();
            return ended_ ? http::api_client::next::stop
                          : http::api_client::next::more;
          },
          world::patience);
      });
  }

  /// Waits until everybody has heard of one task more.
  void await_all() {
    std::unique_lock guard{mutex_};
    wanted_ += readers_.size();
    check(news_.wait_for(guard, world::patience,
                         [this] { return heard_ >= wanted_; }),
          "a reader has heard nothing");
  }

  /// The next task is the last one that anybody listens to.
  void last_one() {
    std::lock_guard guard{mutex_};
    ended_ = true;
  }

  ~audience() {
    for (auto& reader : readers_)
      reader.join();
  }

private:
  std::mutex mutex_;
  std::condition_variable news_;
  std::size_t heard_ = 0;
  std::size_t wanted_ = 0;
  bool ended_ = false;
  std::vector<std::thread> readers_;
};

/// A task is added; milliseconds until all of so many readers know.
double to_readers(world& w, std::size_t size) {
  auto api = w.api();
  std::vector<double> times;
  {
    audience all{w, size, w.last_event()};
    for (int i = 0; i <= rounds; ++i) {
      if (i == rounds)
        all.last_one();
      auto took = timed([&] {
        check(
          api.call("POST", "/api/v1/tasks", {{"title", "News"}}).has_value(),
          "no task");
        all.await_all();
      });
      // The first one finds them connecting.
      if (i > 0)
        times.push_back(took);
    }
  }
  return median(std::move(times));
}

} // namespace

std::vector<figure> reading_figures() {
  crowd many{sessions, crowd_kind::ended};
  many.start();
  auto api = many.in().api();
  std::vector<double> status;
  std::vector<double> json;
  std::vector<double> poll;
  std::vector<double> bare;
  auto last = many.in().last_event();
  bare_exchange raw;
  for (int i = 0; i < rounds; ++i) {
    std::string text;
    status.push_back(timed([&] {
      auto answer = api.call("GET", "/api/v1/status?include=terminated");
      check(answer && answer->body["data"].size() == sessions, "no status");
      text = std::move(answer->text);
    }));
    // What a client in C++ does with such an answer, and nothing else.
    json.push_back(timed([&] {
      auto copy = nlohmann::json::parse(text);
      check(copy.dump().size() > sessions, "no text");
    }));
    auto target = "/api/v1/events?after=" + std::to_string(last);
    poll.push_back(timed([&] {
      auto answer = api.call("GET", target);
      check(answer && answer->body["data"].empty(), "something has happened");
    }));
    bare.push_back(timed([&] { raw.once(); }));
  }
  many.stop();
  stage s;
  auto one = to_readers(s.in(), 1);
  auto hundred = to_readers(s.in(), 100);
  return {{"status of 10,000 sessions against its JSON alone", median(status),
           median(json), "ms", ""},
          {"a poll without news against bare sockets", median(poll),
           median(bare), "ms", ""},
          {"an event to 100 readers against one", hundred, one, "ms", ""}};
}

} // namespace ao::bench
