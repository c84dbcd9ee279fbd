// Kills the hub N times at random moments while a backlog is merged, and the
// checks now and then: each change is merged once, the base is green at each
// commit, and the repositories are sound.
#include "tests/soak/soak.hpp"
#include "tests/support/merge_backlog.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace {

constexpr std::size_t at_once = 6;

ao::soak::outcome survive(int n) {
  ao::merge_backlog all;
  int checks = 0;
  for (int i = 0; i < n; ++i) {
    all.keep_busy(at_once);
    all.pass_a_moment();
    if (i % 4 == 1 && all.kill_some_checks())
      ++checks;
    if (i % 5 == 2)
      all.move_base();
    all.kill_the_hub();
    std::cerr << "\rsoak_merges: " << i + 1 << "/" << n << std::flush;
  }
  std::cerr << std::endl;
  auto against = all.objections();
  return {against, {{"n", n}, {"changes", all.tasks()}, {"checks", checks}}};
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"The hub dies N times while it merges"};
  int n = 100;
  app.add_option("--n", n, "Deaths");
  CLI11_PARSE(app, argc, argv);
  return ao::soak::run("merges", [&] { return survive(n); });
}
