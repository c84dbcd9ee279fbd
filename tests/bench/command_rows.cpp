#include "tests/bench/rows.hpp"
#include "tests/bench/stage.hpp"
#include "tests/support/places.hpp"

namespace ao::bench {
namespace {

constexpr int rounds = 31;

double wall_time(const world& w, std::vector<std::string> argv) {
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i)
    times.push_back(timed([&] {
      process_spec spec;
      spec.argv = argv;
      spec.env = w.variables().to_vector();
      spec.cwd = w.checkout().string();
      (void)run(spec, world::patience);
    }));
  return median(times);
}

} // namespace

std::vector<figure> command_figures() {
  stage s;
  auto& w = s.in();
  auto ours = wall_time(w, {program_path("ao"), "status", "--json"});
  std::vector<figure> out{{"ao status --json against true", ours,
                           wall_time(w, {"true"}), "ms", "<= 8"}};
  if (find_program("node", w.variables().get("PATH")))
    out.push_back({"ao status --json against node -e 0", ours,
                   wall_time(w, {"node", "-e", "0"}), "ms", ""});
  return out;
}

} // namespace ao::bench
