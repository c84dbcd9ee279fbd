// Rounds of `ao batch-spawn`, sixteen at once on one repository: every task is
// merged, no worktree fails and nothing is left behind.
#include "tests/soak/soak.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/batch_run.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace {

ao::soak::outcome run(std::size_t tasks, std::size_t round) {
  ao::world w;
  w.add_agent("diligent", ao::scripts::diligent);
  w.start();
  std::vector<std::string> against;
  std::size_t rounds = 0;
  for (std::size_t done = 0; done < tasks && against.empty(); ++rounds) {
    auto now = std::min(round, tasks - done);
    against = ao::run_batch(w, now);
    done += now;
    if (against.empty())
      against = ao::leftovers(w);
  }
  auto commits = w.git(w.forge(), {"rev-list", "--count", "main"});
  if (against.empty() && commits != std::to_string(tasks + 1))
    against.push_back(commits + " commits");
  return {against, {{"n", tasks}, {"rounds", rounds}, {"commits", commits}}};
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"N tasks by ao batch-spawn, in rounds"};
  std::size_t tasks = 200;
  std::size_t round = 20;
  app.add_option("--n", tasks, "Tasks");
  app.add_option("--round", round, "Tasks of one call");
  CLI11_PARSE(app, argc, argv);
  return ao::soak::run(
    "batch", [&] { return run(tasks, std::max<std::size_t>(round, 1)); });
}
