// Rounds of `ao batch-spawn`, sixteen at once on one repository: every task is
// merged, no worktree fails and nothing is left behind.
#include "tests/support/batch_run.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <iostream>

namespace {

int run(std::size_t tasks, std::size_t round) {
  using clock = std::chrono::steady_clock;
  ao::world w;
  w.add_agent("diligent", ao::batch_agent);
  w.start();
  auto begun = clock::now();
  std::vector<std::string> against;
  std::size_t rounds = 0;
  for (std::size_t done = 0; done < tasks && against.empty(); ++rounds) {
    auto now = std::min(round, tasks - done);
    against = ao::run_batch(w, now);
    done += now;
    if (against.empty())
      against = ao::leftovers(w);
  }
  std::chrono::duration<double> took = clock::now() - begun;
  auto commits = w.git(w.forge(), {"rev-list", "--count", "main"});
  if (against.empty() && commits != std::to_string(tasks + 1))
    against.push_back(commits + " commits");
  nlohmann::json out = {{"soak", "batch"},         {"n", tasks},
                        {"rounds", rounds},        {"commits", commits},
                        {"seconds", took.count()}, {"ok", against.empty()},
                        {"objections", against}};
  std::cout << out.dump() << std::endl;
  return against.empty() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"N tasks by ao batch-spawn, in rounds"};
  std::size_t tasks = 200;
  std::size_t round = 20;
  app.add_option("--n", tasks, "Tasks");
  app.add_option("--round", round, "Tasks of one call");
  CLI11_PARSE(app, argc, argv);
  // Caught, so that the world is taken down.
  try {
    return run(tasks, std::max<std::size_t>(round, 1));
  } catch (const std::exception& why) {
    std::cerr << "soak_batch: " << why.what() << std::endl;
    return 1;
  }
}
