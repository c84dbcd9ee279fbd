#include "runtime/agents/readiness.hpp"
#include "runtime/process/process_table.hpp"
#include "tests/bench/process_cost.hpp"
#include "tests/bench/rows.hpp"
#include "tests/bench/stage.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace ao::bench {
namespace {

constexpr int rounds = 15;
constexpr int crowd = 50;
/// Bytes that each of the crowd prints in a second.
constexpr int bytes_per_second = 100'000;

finished run_or_throw(const world& w, std::vector<std::string> argv) {
  process_spec spec;
  spec.argv = std::move(argv);
  spec.env = w.variables().to_vector();
  auto end = run(spec, world::patience);
  if (!end || !end->ok())
    throw std::runtime_error(spec.argv[0] + ": "
                             + (end ? end->err : to_string(end.error())));
  return std::move(*end);
}

/// Processor time of the shims and terminal servers whose command line names a
/// place; not what the agents themselves spend.
double spent_below(const std::string& place) {
  auto all = all_processes();
  if (!all)
    throw std::runtime_error(to_string(all.error()));
  double out = 0;
  for (const auto& p : *all) {
    std::ifstream in{"/proc/" + std::to_string(p.pid) + "/cmdline"};
    std::ostringstream all_words;
    all_words << in.rdbuf();
    auto words = all_words.str();
    std::filesystem::path program{words.substr(0, words.find('\0'))};
    auto counts = program.filename() == "ao-shim"
      || program.filename() == "tmux" || program.filename() == "tmux: server";
    if (counts && words.find(place) != std::string::npos)
      out += cpu_seconds(p.pid);
  }
  return out;
}

double spent_by_ao(const world& w) {
  return spent_below(w.home().string()) + cpu_seconds(hub_pid(w));
}

figure probe_figure() {
  world w;
  agent_settings agent;
  agent.name = agent.adapter = "command";
  agent.command = agent.probe = {"/bin/true"};
  agent_readiness_desk desk;
  std::vector<double> ours;
  std::vector<double> raw;
  for (int i = 0; i < rounds; ++i) {
    ours.push_back(timed([&] {
      if (!desk
             .ask(agent, w.variables(), w.checkout().string(),
                  agent_readiness_desk::answers::fresh)
             .ready)
        throw std::runtime_error("true is not ready");
    }));
    raw.push_back(timed([&] { run_or_throw(w, {"/bin/true"}); }));
  }
  return {"a login's probe, against its program", median(ours), median(raw),
          "ms", ""};
}

/// Reads lines for ever and writes down when it had each; its terminal echoes.
const char* const reader = R"(
n=0
while IFS= read -r line; do
  n=$((n + 1))
  bash -c 'echo $EPOCHREALTIME > "$0.part" && mv "$0.part" "$0"' \
    "$HOME/$AO_SESSION.read.$n"
done
)";

std::vector<figure> message_figures() {
  stage s{{}, {}, reader};
  auto& w = s.in();
  auto id = s.request(w.add_task("Task"));
  s.began(id);
  s.raw_start("raw-reader");
  std::vector<double> ours;
  std::vector<double> raw;
  for (int i = 1; i <= rounds; ++i) {
    auto n = std::to_string(i);
    auto from = wall_seconds();
    auto sent = w.api().call("POST", "/api/v1/sessions/" + id + "/messages",
                             nlohmann::json{{"text", "message " + n}});
    if (!sent)
      throw std::runtime_error(to_string(sent.error()));
    ours.push_back((s.stamp(w.user() / (id + ".read." + n)) - from) * 1000);
    from = wall_seconds();
    run_or_throw(w,
                 {"tmux", "-S", (w.root() / "raw.sock").string(), "send-keys",
                  "-t", "raw-reader", "-l", "message " + n});
    run_or_throw(w,
                 {"tmux", "-S", (w.root() / "raw.sock").string(), "send-keys",
                  "-t", "raw-reader", "Enter"});
    raw.push_back((s.stamp(w.user() / ("raw-reader.read." + n)) - from) * 1000);
  }
  return {{"a message -> read by the agent, against send-keys", median(ours),
           median(raw), "ms", ""}};
}

std::vector<std::string> begin_crowd(stage& s) {
  std::vector<std::string> ids;
  for (int i = 0; i < crowd; ++i)
    ids.push_back(s.request(s.in().add_task("Task " + std::to_string(i))));
  for (const auto& id : ids)
    s.began(id);
  await_rest(hub_pid(s.in()));
  return ids;
}

// What is measured is how much happens while time passes, hence the sleep.
figure idle_agent_figure() {
  stage s;
  begin_crowd(s);
  auto before = spent_by_ao(s.in());
  auto took
    = timed([] { std::this_thread::sleep_for(std::chrono::seconds{20}); });
  constexpr double percent = 100;
  return {"an idle agent: its share of hub, shim and terminal",
          percent * (spent_by_ao(s.in()) - before) / (took / 1000) / crowd, 0,
          "% core", ""};
}

/// Prints the bytes of a second, each second, when told; says when it is done.
const char* const printer = R"(
while [ ! -e "$HOME/go" ]; do sleep 0.1; done
i=0
while [ $i -lt 10 ]; do
  cat "$HOME/bytes"
  sleep 1
  i=$((i + 1))
done
bash -c 'echo $EPOCHREALTIME > "$0.part" && mv "$0.part" "$0"' \
  "$HOME/$AO_SESSION.printed"
exec sleep 600
)";

figure output_figure() {
  stage s{{}, {}, printer};
  auto& w = s.in();
  std::string line(99, 'x');
  line += '\n';
  std::ofstream bytes{w.user() / "bytes"};
  for (int i = 0; i < bytes_per_second; i += static_cast<int>(line.size()))
    bytes << line;
  bytes.close();
  auto ids = begin_crowd(s);
  auto before = spent_by_ao(w);
  std::ofstream{w.user() / "go"} << "go";
  for (const auto& id : ids)
    s.stamp(w.user() / (id + ".printed"));
  auto ours = spent_by_ao(w) - before;
  for (int i = 0; i < crowd; ++i)
    s.raw_start("raw-" + std::to_string(i));
  for (int i = 0; i < crowd; ++i)
    s.stamp(w.user() / ("raw-" + std::to_string(i) + ".printed"));
  auto raw = spent_below((w.root() / "raw.sock").string());
  return {"50 agents print 100 kB a second, against cat in tmux", ours, raw,
          "s of CPU", ""};
}

} // namespace

std::vector<figure> agent_figures() {
  auto out = message_figures();
  out.insert(out.begin(), probe_figure());
  out.push_back(idle_agent_figure());
  out.push_back(output_figure());
  return out;
}

} // namespace ao::bench
