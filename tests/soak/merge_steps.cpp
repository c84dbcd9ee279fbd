// Kills the hub at each step of a merge, or at N of them, for each method: the
// change is merged once and nothing is left behind.
#include "tests/soak/soak.hpp"
#include "tests/support/mortal_merges.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>

namespace {

ao::soak::outcome kill_at_steps(int n) {
  ao::soak::outcome out;
  int deaths = 0;
  for (const auto* method : {"squash", "merge", "rebase"}) {
    ao::mortal_merges all{method};
    auto steps = all.count_steps();
    auto here = n > 0 ? std::min(n, steps) : steps;
    for (int i = 0; i < here; ++i) {
      if (!all.merge_and_kill_at(1 + i * steps / here).empty())
        ++deaths;
      std::cerr << "\rsoak_merge_steps: " << method << " " << i + 1 << "/"
                << here << std::flush;
    }
    std::cerr << std::endl;
    for (const auto& one : all.objections())
      out.objections.push_back(std::string{method} + ": " + one);
  }
  out.figures = {{"n", n}, {"deaths", deaths}};
  return out;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"The hub dies at each step of a merge"};
  int n = 0;
  app.add_option("--n", n, "Steps of each method; 0 = all");
  CLI11_PARSE(app, argc, argv);
  return ao::soak::run("merge_steps", [&] { return kill_at_steps(n); });
}
