#pragma once

#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace ao::bench {

/// One line of the table: our way against the raw cost in the same run.
struct figure {
  std::string name;
  /// Ours and the raw cost, in `unit`.
  double ours = 0;
  double raw = 0;
  std::string unit = "ms";
  /// What the ratio ours/raw is compared with, as text: `<= 1.5`; empty where
  /// no aim is set.
  std::string aim;
};

/// A group of figures that are measured together.
struct row {
  std::string name;
  std::string what;
  std::function<std::vector<figure>()> measure;
};

/// All rows, in the order in which they are run.
std::vector<row> all_rows();

std::vector<figure> spawn_figures();
std::vector<figure> concurrent_spawn_figures();
std::vector<figure> claim_figures();
std::vector<figure> command_figures();
std::vector<figure> reading_figures();
std::vector<figure> death_figures();
std::vector<figure> supervisor_figures();
std::vector<figure> restart_figures();
std::vector<figure> adoption_figures();
std::vector<figure> memory_figures();
std::vector<figure> idle_figures();
std::vector<figure> ci_figures();
std::vector<figure> merge_figures();
std::vector<figure> escalation_figures();
std::vector<figure> agent_figures();
std::vector<figure> node_figures();
/// A part of them: 1,000 scripted nodes.
std::vector<figure> crowded_hub_figures();

/// The middle one; the list is not empty.
double median(std::vector<double> values);

/// Milliseconds that `work` takes.
template <class Work>
double timed(Work work) {
  auto from = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(
           std::chrono::steady_clock::now() - from)
    .count();
}

} // namespace ao::bench
