#include "tests/bench/crowd.hpp"
#include "tests/bench/process_cost.hpp"
#include "tests/bench/rows.hpp"

namespace ao::bench {
namespace {

constexpr std::size_t sessions = 10'000;
constexpr int rounds = 5;

/// Starts and stops the hub of a crowd, each time after its rows were read.
std::vector<figure> measure(crowd& many) {
  std::vector<double> start;
  std::vector<double> scan;
  std::vector<double> parse;
  for (int i = 0; i < rounds; ++i) {
    scan.push_back(many.scan());
    parse.push_back(many.scan_and_parse());
    start.push_back(many.start());
    many.stop();
  }
  return {{"start, against reading the rows", median(start), median(scan), "ms",
           "<= 3"},
          {"  against reading and parsing them", median(start), median(parse),
           "ms", ""},
          {"  start without any rows", many.empty_start(), 0, "ms", ""}};
}

} // namespace

std::vector<figure> restart_figures() {
  crowd many{sessions, crowd_kind::ended};
  return measure(many);
}

std::vector<figure> adoption_figures() {
  crowd many{sessions, crowd_kind::alive};
  return measure(many);
}

std::vector<figure> memory_figures() {
  crowd many{sessions, crowd_kind::alive};
  many.start();
  many.await_links();
  auto hub = hub_pid(many.in());
  await_rest(hub);
  auto grown = static_cast<double>(resident_bytes(hub) - many.empty_hub());
  constexpr double kib = 1024;
  // The rows alone, as any program would hold their texts.
  auto file = static_cast<double>(
    std::filesystem::file_size(many.in().home() / "ao.db"));
  many.stop();
  return {{"an idle session with its change, against its rows on disk",
           grown / kib / static_cast<double>(sessions),
           file / kib / static_cast<double>(sessions), "KiB", "ours <= 16"}};
}

} // namespace ao::bench
