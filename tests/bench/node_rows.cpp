#include "tests/bench/hub_of_nodes.hpp"
#include "tests/bench/link_calls.hpp"
#include "tests/bench/rows.hpp"
#include "tests/bench/stage.hpp"

#include <csignal>
#include <memory>
#include <stdexcept>

namespace ao::bench {
namespace {

using nlohmann::json;

constexpr int link_rounds = 10;
constexpr int cut_rounds = 3;
constexpr int crew_size = 20;
constexpr int output_rounds = 5;
constexpr milliseconds lost_after{3'000};

/// Milliseconds until a process that is killed is told by its pidfd.
double raw_notice(const world& w) {
  process_spec spec;
  spec.argv = {"sleep", "600"};
  spec.env = w.variables().to_vector();
  auto started = spawn(spec);
  if (!started)
    throw std::runtime_error(to_string(started.error()));
  auto took = timed([&] {
    (void)send_signal(started->pidfd.get(), SIGKILL);
    (void)wait_ended(started->pidfd.get(), world::patience);
  });
  (void)reap(started->pidfd.get());
  return took;
}

std::vector<figure> loss_figures() {
  hub_of_nodes hub{"heartbeat: 200ms, suspectAfter: 1s, lostAfter: "
                     + format_duration(lost_after) + ", lease: 5s",
                   "3s"};
  auto& w = hub.in();
  auto n = hub.joined("n1");
  n->start();
  auto seen = w.await("node_joined", "node:n1")["seq"].get<std::uint64_t>();
  auto next = [&](const char* kind) {
    seen = w.await(kind, "node:n1", seen)["seq"].get<std::uint64_t>();
  };
  std::vector<double> closed;
  std::vector<double> raw;
  for (int i = 0; i < link_rounds; ++i) {
    closed.push_back(timed([&] {
      ::kill(n->pid(), SIGKILL);
      next("node_suspect");
    }));
    n->kill();
    n->start();
    next("node_returned");
    raw.push_back(raw_notice(w));
  }
  std::vector<double> silent;
  for (int i = 0; i < cut_rounds; ++i) {
    n->freeze();
    silent.push_back(timed([&] { next("node_lost"); }));
    n->thaw();
    next("node_returned");
  }
  return {{"kill -9 of ao-node -> the event is read", median(closed),
           median(raw), "ms", ""},
          {"silent cut -> lost, against cluster.lostAfter", median(silent),
           static_cast<double>(lost_after.count()), "ms", "<= 1.2"}};
}

std::vector<figure> join_figures() {
  hub_of_nodes hub{"suspectAfter: 20s, lostAfter: 100s, lease: 110s", "105s"};
  auto& w = hub.in();
  std::vector<std::unique_ptr<node_host>> crew;
  auto joining = timed([&] {
    for (int i = 1; i <= crew_size; ++i)
      crew.push_back(hub.joined("n" + std::to_string(i)));
  });
  auto connecting = timed([&] {
    for (auto& n : crew)
      n->start();
    for (int i = 1; i <= crew_size; ++i)
      w.await("node_joined", "node:n" + std::to_string(i));
  });
  auto raw = timed([&] {
    for (auto& n : crew)
      (void)n->call({"--version"});
  });
  return {
    {"20 nodes: token, key, certificate, one by one", joining, raw, "ms", ""},
    {"20 ao-node started -> all have joined", connecting, raw, "ms", ""}};
}

std::vector<figure> call_figures() {
  hub_of_nodes hub{"suspectAfter: 20s, lostAfter: 100s, lease: 110s", "105s"};
  auto& w = hub.in();
  auto n = hub.joined("probe");
  echo_process raw{w};
  auto took = time_calls(n->home().string(), raw.port());
  return {{"hello, its row durable, against an echo", took.hello, took.echo.p50,
           "ms", ""},
          {"call through the link, p50, against an echo", took.calls.p50,
           took.echo.p50, "ms", "<= 1.5"},
          {"call through the link, p99, against an echo", took.calls.p99,
           took.echo.p99, "ms", "<= 1.5"}};
}

/// Reads all that a session shows; its bytes.
std::size_t read_all(const world& w, const std::string& session) {
  auto text
    = w.ask({"logs", session})["data"].at(0).at("text").get<std::string>();
  return text.size();
}

std::vector<figure> output_figures() {
  constexpr std::size_t least = 600'000;
  hub_of_nodes hub{"suspectAfter: 20s, lostAfter: 100s, lease: 110s", "105s",
                   "seq -f '%0150.0f' 4000\ntouch \"$HOME/$AO_SESSION\"\n"
                     + scripts::sleeper};
  auto& w = hub.in();
  auto n = hub.joined("n1");
  n->start();
  w.await("node_joined", "node:n1");
  w.ask({"spawn", w.add_task("Far"), "--node", "n1"});
  w.ask({"spawn", w.add_task("Near"), "--node", "local"});
  for (const auto* session : {"app-1", "app-2"}) {
    w.await_file(session);
    // The terminal may be behind.
    while (read_all(w, session) < least) {
    }
  }
  std::vector<double> far;
  std::vector<double> near;
  for (int i = 0; i < output_rounds; ++i) {
    far.push_back(timed([&] { (void)read_all(w, "app-1"); }));
    near.push_back(timed([&] { (void)read_all(w, "app-2"); }));
  }
  return {{"ao logs, 600 kB of a node, against the hub's own", median(far),
           median(near), "ms", "<= 1.5"}};
}

} // namespace

std::vector<figure> node_figures() {
  std::vector<figure> out;
  for (const auto& some :
       {loss_figures(), join_figures(), crowded_hub_figures(), call_figures(),
        output_figures()})
    out.insert(out.end(), some.begin(), some.end());
  return out;
}

} // namespace ao::bench
