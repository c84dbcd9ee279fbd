#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>

namespace ao::bench {

/// What to measure, and where the databases may lie (a real disk, since fsync
/// is what it is about).
struct store_bench_options {
  std::string directory;
  /// Durable writes of each run.
  std::size_t writes = 16'384;
  /// Runs of each contender; the median counts.
  int rounds = 5;
};

/// Durable writes/s of `store` in groups of 64 and in groups of mixed sizes,
/// each against a bare SQLite loop that has the row texts ready and replays
/// the recorded group sizes; and against the store with one commit per write.
/// A write is a claim as the registry grants it: task, claim, event, request.
///
/// `{groups64: {store, bare, ratio}, mixed: {…}, single: {store, gain}}`
nlohmann::json run_store_bench(const store_bench_options& options);

} // namespace ao::bench
