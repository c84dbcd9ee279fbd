#include "runtime/cluster/membership_file.hpp"
#include "runtime/home/files.hpp"
#include "runtime/tls/channel.hpp"
#include "tests/bench/hub_of_nodes.hpp"
#include "tests/bench/node_crew.hpp"
#include "tests/bench/process_cost.hpp"
#include "tests/bench/rows.hpp"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <thread>

namespace ao::bench {
namespace {

using nlohmann::json;

constexpr int nodes = 1'000;
/// Each with a link of its own.
constexpr int processes = 250;
constexpr int per_process = nodes / processes;
constexpr std::chrono::seconds watched{20};
constexpr std::chrono::minutes patience{3};

template <class T>
T checked(result<T> x) {
  if (!x)
    throw std::runtime_error(to_string(x.error()));
  return std::move(*x);
}

/// Milliseconds of what keys and signatures of one join cost without a hub.
double raw_join() {
  constexpr int rounds = 50;
  auto authority = checked(tls::make_authority(wall_now()));
  return timed([&] {
           for (int i = 0; i < rounds; ++i) {
             auto request
               = checked(tls::make_request(checked(tls::make_key()), "n"));
             (void)checked(
               tls::sign_request(authority, request, "n", wall_now()));
           }
         })
    / rounds;
}

/// What `ao node token` and `ao-node join` do, without their processes.
void join(const world& w, unsigned port, const std::string& root, int number) {
  auto place = checked(open_home(crew_home(root, number)));
  auto made
    = checked(w.api().call("POST", "/api/v1/nodes/tokens",
                           json{{"name", "s" + std::to_string(number)}}))
        .body;
  auto files = tls::node_files(place);
  auto key = checked(tls::make_key());
  auto heard = checked(tls::ask_door(
    "127.0.0.1", static_cast<std::uint16_t>(port), made["caFingerprint"],
    json{{"protocol", 1},
         {"token", made["token"]},
         {"request", checked(tls::make_request(key, "node"))}}
      .dump()));
  auto answer = json::parse(heard.line);
  node_membership us;
  us.name = node_name{answer.at("name").get<std::string>()};
  us.link = answer.at("link").get<std::string>();
  us.credential = answer.at("credential").get<std::string>();
  auto ok = write_file_durably(files.key, key)
    && write_file_durably(files.authority, heard.authority)
    && write_file_durably(files.certificate,
                          answer.at("certificate").get<std::string>())
    && write_membership(place, us);
  if (!ok)
    throw std::runtime_error("a node's files cannot be written");
}

/// One process with several scripted nodes; ended with this.
class crew_process {
public:
  crew_process(const world& w, const std::string& root, int first,
               std::uint16_t echo) {
    process_spec spec;
    spec.argv
      = {std::filesystem::read_symlink("/proc/self/exe").string(), "--crew",
         root + " " + std::to_string(first) + " " + std::to_string(per_process)
           + " " + std::to_string(echo)};
    spec.env = w.variables().to_vector();
    spec.in = child_input::bytes("");
    child_ = checked(spawn(spec));
  }

  ~crew_process() {
    dismiss();
    (void)reap(child_.pidfd.get());
  }

  crew_process(const crew_process&) = delete;
  crew_process& operator=(const crew_process&) = delete;

  void await_ready() const {
    char line[16] = {};
    if (::read(child_.out.get(), line, sizeof line) <= 0)
      throw std::runtime_error("a crew does not start");
  }

  void go() const {
    [[maybe_unused]] auto n = ::write(child_.in.get(), "\n", 1);
  }

  /// It ends by itself then.
  void dismiss() { child_.in.reset(); }

private:
  child child_;
};

/// Waits until every node was heard after this time.
void await_all(const world& w, const std::string& since) {
  auto until = std::chrono::steady_clock::now() + patience;
  std::ptrdiff_t there = 0;
  while (std::chrono::steady_clock::now() < until) {
    auto all = w.api().call("GET", "/api/v1/nodes");
    there = 0;
    if (all)
      there = std::count_if(all->body["data"].begin(), all->body["data"].end(),
                            [&since](const json& n) {
                              const auto& heard = n["lastHeartbeatAt"];
                              return n["name"] != "local" && heard.is_string()
                                && heard.get<std::string>() > since;
                            });
    if (there == nodes)
      return;
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  throw std::runtime_error("only " + std::to_string(there) + " of "
                           + std::to_string(nodes) + " nodes are there");
}

} // namespace

// What is measured is how much happens while time passes, hence the sleep.
std::vector<figure> crowded_hub_figures() {
  hub_of_nodes hub{"suspectAfter: 20s, lostAfter: 100s, lease: 110s", "105s"};
  auto& w = hub.in();
  auto root = (w.root() / "crew").string();
  std::filesystem::create_directory(root);
  auto own_cost = raw_join();
  auto joining = timed([&] {
    for (int i = 1; i <= nodes; ++i)
      join(w, hub.port(), root, i);
  });
  echo_process echo{w};
  auto small = resident_bytes(hub_pid(w));
  std::vector<std::unique_ptr<crew_process>> crews;
  for (int i = 0; i < processes; ++i) {
    crews.push_back(std::make_unique<crew_process>(w, root, 1 + i * per_process,
                                                   echo.port()));
    crews.back()->await_ready();
  }
  auto arriving = timed([&] {
    auto began = format_time(wall_now());
    for (const auto& c : crews)
      c->go();
    await_all(w, began);
  });
  auto pid = hub_pid(w);
  auto ours = cpu_seconds(pid);
  auto raw = cpu_seconds(echo.pid());
  auto took = timed([] { std::this_thread::sleep_for(watched); }) / 1000;
  constexpr double percent = 100;
  ours = percent * (cpu_seconds(pid) - ours) / took;
  raw = percent * (cpu_seconds(echo.pid()) - raw) / took;
  constexpr double kilobyte = 1024;
  auto grown = static_cast<double>(resident_bytes(pid) - small) / kilobyte;
  auto bare = static_cast<double>(resident_bytes(echo.pid())) / kilobyte;
  auto returning = timed([&] {
    w.kill_hub();
    w.start();
    await_all(w, format_time(wall_now()));
  });
  return {{"1,000 joins, each, against its keys and signatures",
           joining / nodes, own_cost, "ms", ""},
          {"1,000 first hellos at once, against one by one's join", arriving,
           joining, "ms", ""},
          {"hub at 1,000 nodes, 1 beat/s each, against an echo", ours, raw,
           "% core", ""},
          {"memory of a node at the hub, against at the echo", grown / nodes,
           bare / nodes, "kB", ""},
          {"kill -9 of the hub -> started -> all 1,000 are back", returning,
           arriving, "ms", ""}};
}

} // namespace ao::bench
