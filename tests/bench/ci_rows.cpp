#include "runtime/home/files.hpp"
#include "tests/bench/rows.hpp"
#include "tests/bench/stage.hpp"

#include <unistd.h>

#include <stdexcept>

namespace ao::bench {
namespace {

using nlohmann::json;

/// Each failure is one self-heal, of which there are five.
constexpr int rounds = 5;

/// One commit for each run: the checks of each are red.
constexpr const char* commits = R"(
echo "$AO_RUN" > attempt
git add attempt
git commit --quiet --message "Attempt $AO_RUN"
)";

/// Fails, and leaves the time of that under the number of the attempt.
constexpr const char* check = R"(#!/bin/bash
set -eu
[ -e attempt ] || exit 0
file=$HOME/checked.$(cat attempt)
echo "$EPOCHREALTIME" > "$file.part"
mv "$file.part" "$file"
exit 1
)";

} // namespace

// From the last instruction of the check: its report, the message in the
// store, and the agent that is started with it.
std::vector<figure> ci_figures() {
  // Beside the world, whose root is not known yet.
  auto program = (std::filesystem::temp_directory_path()
                  / ("ao-bench-check-" + std::to_string(::getpid())))
                   .string();
  if (auto made = write_file_durably(program, check, 0700); !made)
    throw std::runtime_error(to_string(made.error()));
  stage s{", ci: {command: [" + program + "], timeout: 1m}", {}, commits};
  auto& w = s.in();
  auto session = s.request(w.add_task("Never green"));
  std::vector<double> ours;
  std::vector<double> raw;
  for (int run = 1; run <= rounds; ++run) {
    auto next = s.began(session, run + 1);
    auto red = s.stamp(w.user() / ("checked." + std::to_string(run)));
    ours.push_back((next - red) * 1000);
    raw.push_back(s.raw_start("raw-" + std::to_string(run)));
  }
  w.ao({"session", "kill", session});
  std::filesystem::remove(program);
  return {{"CI red -> the agent begins with the report", median(ours),
           median(raw), "ms", "<= 5"}};
}

} // namespace ao::bench
