#include "tests/bench/rows.hpp"
#include "tests/bench/stage.hpp"

namespace ao::bench {
namespace {

using nlohmann::json;

constexpr int rounds = 9;

constexpr const char* commits = R"(
echo "$AO_SESSION" > "done-$AO_SESSION"
git add .
git commit --quiet --message "Work of $AO_SESSION"
)";

double time_of(const json& event) {
  auto at = parse_time(event["at"].get<std::string>());
  return at ? static_cast<double>(at->time_since_epoch().count()) : 0;
}

/// The same squash by hand: the merged tree, its commit, the base moved from
/// what it was, the branch removed.
double raw_merge(const world& w, const std::string& merged,
                 const std::string& head) {
  auto forge = w.forge();
  auto base = w.git(forge, {"rev-parse", merged + "^"});
  w.git(forge, {"update-ref", "refs/heads/raw", base});
  w.git(forge, {"update-ref", "refs/heads/raw-work", head});
  return timed([&] {
    auto tree = w.git(forge, {"merge-tree", "--write-tree", base, head});
    auto commit
      = w.git(forge, {"commit-tree", tree, "-p", base, "-m", "Squashed"});
    w.git(forge, {"update-ref", "refs/heads/raw", commit, base});
    w.git(forge, {"update-ref", "-d", "refs/heads/raw-work", head});
  });
}

} // namespace

// No second check: the base has not moved since the first one.
std::vector<figure> merge_figures() {
  stage s{", ci: {command: [\"true\"], timeout: 1m}", {}, commits};
  auto& w = s.in();
  std::vector<double> ours;
  std::vector<double> raw;
  for (int i = 0; i < rounds; ++i) {
    s.request(w.add_task("Task " + std::to_string(i)));
    auto change = "change:app#" + std::to_string(i + 1);
    auto green = w.await("ci_passed", change);
    auto merged = w.await("merged", change);
    ours.push_back(time_of(merged) - time_of(green));
    raw.push_back(raw_merge(w, w.git(w.forge(), {"rev-parse", "main"}),
                            green["data"]["sha"].get<std::string>()));
  }
  return {{"green -> merged, without a second check", median(ours), median(raw),
           "ms", "<= 3"}};
}

} // namespace ao::bench
