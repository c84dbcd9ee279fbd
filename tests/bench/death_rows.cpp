#include "tests/bench/rows.hpp"
#include "tests/bench/stage.hpp"

#include <csignal>
#include <stdexcept>

namespace ao::bench {
namespace {

using nlohmann::json;

constexpr int rounds = 15;

/// Milliseconds from the signal to a process until its pidfd tells its end:
/// the least that anybody can know it in.
double raw_notice(const world& w) {
  process_spec spec;
  spec.argv = {"sleep", "600"};
  spec.env = w.variables().to_vector();
  auto started = spawn(spec);
  if (!started)
    throw std::runtime_error(to_string(started.error()));
  auto fd = started->pidfd.get();
  auto took = timed([fd] {
    (void)send_signal(fd, SIGKILL);
    (void)wait_ended(fd, world::patience);
  });
  (void)reap(fd);
  return took;
}

} // namespace

// The delay before a restart is a policy, so the stage sets it to 1 ms.
std::vector<figure> death_figures() {
  stage s;
  auto& w = s.in();
  auto task = w.add_task("Dies often");
  auto session = s.request(task);
  s.began(session);
  std::vector<double> noticed;
  std::vector<double> started;
  std::vector<double> raw_noticed;
  std::vector<double> raw_started;
  for (int run = 1; run <= rounds; ++run) {
    w.await([&](const json& e) {
      return e["kind"] == "agent_started" && e["data"]["run"] == run;
    });
    auto pid
      = w.ask({"session", "show", session})["runtime"]["pid"].get<pid_t>();
    auto before = w.last_event();
    auto from = wall_seconds();
    ::kill(pid, SIGKILL);
    w.await("agent_exited", "session:" + session, before);
    noticed.push_back((wall_seconds() - from) * 1000);
    started.push_back((s.began(session, run + 1) - from) * 1000);
    raw_noticed.push_back(raw_notice(w));
    raw_started.push_back(s.raw_spawn("raw-" + std::to_string(run)));
  }
  return {{"kill -9 -> the event is read, against a pidfd", median(noticed),
           median(raw_noticed), "ms", ""},
          {"kill -9 -> the next run's first instruction", median(started),
           median(raw_started), "ms", ""}};
}

} // namespace ao::bench
