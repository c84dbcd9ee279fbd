#include "tests/bench/link_calls.hpp"
#include "tests/bench/node_crew.hpp"
#include "tests/bench/rows.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>

namespace ao::bench {

std::vector<row> all_rows() {
  return {
    {"spawn", "request -> the agent's first instruction", spawn_figures},
    {"spawns", "many at once -> the last one's first instruction",
     concurrent_spawn_figures},
    {"claims", "durable claims of 64 clients", claim_figures},
    {"command", "wall time of the command line", command_figures},
    {"reading", "status, an unchanged poll, news to many", reading_figures},
    {"deaths", "kill -9 of an agent -> noticed -> the next run", death_figures},
    {"supervisor", "an actor's end -> its successor", supervisor_figures},
    {"restart", "start of a hub that knows 10,000 sessions", restart_figures},
    {"adoption", "the same, when their agents live", adoption_figures},
    {"memory", "memory of one of 10,000 sessions", memory_figures},
    {"idle", "processor time of a hub with nothing to do", idle_figures},
    {"ci", "red checks -> the agent works on them", ci_figures},
    {"merge", "green -> on the base", merge_figures},
    {"escalation", "red checks -> decided -> at a person's gateway",
     escalation_figures},
    {"agents", "a probe, a message, an idle agent, a talkative one",
     agent_figures},
    {"nodes", "a node is lost, 20 join, 1,000 beat, one calls, one is read",
     node_figures},
  };
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

namespace {

nlohmann::json to_json(const figure& f) {
  return {{"name", f.name}, {"ours", f.ours},
          {"raw", f.raw},   {"unit", f.unit},
          {"aim", f.aim},   {"ratio", f.raw > 0 ? f.ours / f.raw : 0}};
}

void print(const figure& f) {
  std::printf("%-52s %10.2f %10.2f %-9s %7.2f  %s\n", f.name.c_str(), f.ours,
              f.raw, f.unit.c_str(), f.raw > 0 ? f.ours / f.raw : 0,
              f.aim.c_str());
  std::fflush(stdout);
}

int run(const std::vector<std::string>& wanted, const std::string& file) {
  auto rows = all_rows();
  for (const auto& name : wanted)
    if (std::none_of(rows.begin(), rows.end(),
                     [&](const row& r) { return r.name == name; })) {
      std::cerr << "ao_bench: no row is called " << name << "\n";
      return 2;
    }
  auto results = nlohmann::json::object();
  std::printf("%-52s %10s %10s %-9s %7s  %s\n", "", "ours", "raw", "", "ratio",
              "aim");
  for (const auto& r : rows) {
    if (!wanted.empty()
        && std::find(wanted.begin(), wanted.end(), r.name) == wanted.end())
      continue;
    std::printf("%s\n", r.what.c_str());
    for (const auto& f : r.measure()) {
      print(f);
      results[r.name].push_back(to_json(f));
    }
  }
  if (!file.empty())
    std::ofstream{file} << results.dump(2) << "\n";
  return 0;
}

} // namespace
} // namespace ao::bench

int main(int argc, char** argv) {
  CLI::App app{"Measures ao against the raw cost of what it does"};
  std::vector<std::string> wanted;
  std::string file;
  app.add_option("rows", wanted, "Only these rows");
  app.add_option("--json", file, "Also write the figures to this file");
  std::string echo;
  std::string crew;
  // For rows, which start this program for them.
  app.add_option("--echo", echo)->group("");
  app.add_option("--crew", crew)->group("");
  CLI11_PARSE(app, argc, argv);
  if (!echo.empty())
    return ao::bench::serve_echo(echo);
  if (!crew.empty())
    return ao::bench::serve_crew(crew);
  try {
    return ao::bench::run(wanted, file);
  } catch (const std::exception& why) {
    // Caught, so that the worlds are taken down.
    std::cerr << "ao_bench: " << why.what() << "\n";
    return 1;
  }
}
