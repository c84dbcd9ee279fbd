#include "tests/bench/rows.hpp"
#include "tests/bench/stage.hpp"
#include "tests/bench/store_bench.hpp"
#include "tests/support/claim_contest.hpp"

namespace ao::bench {

std::vector<figure> claim_figures() {
  stage s;
  store_bench_options options;
  // fsync is what it is about: beside the sources, not on a memory disk.
  options.directory = (s.in().root()).string();
  auto found = run_store_bench(options);
  std::vector<figure> out;
  for (const auto* kind : {"groups64", "mixed"})
    out.push_back({std::string{"store against a bare loop, "} + kind,
                   found[kind]["store"].get<double>(),
                   found[kind]["bare"].get<double>(), "claims/s", ">= 0.7"});
  auto single = found["single"]["store"].get<double>();
  out.push_back({"store in groups against one commit per claim",
                 found["groups64"]["store"].get<double>(), single, "claims/s",
                 ">= 10"});
  claim_contest contest;
  contest.tasks = 100;
  auto took = timed([&] { (void)hold(contest, s.in()); });
  out.push_back(
    {"64 clients, every answer durable",
     static_cast<double>(contest.clients * contest.tasks) * 1000 / took, single,
     "answers/s", ""});
  return out;
}

} // namespace ao::bench
