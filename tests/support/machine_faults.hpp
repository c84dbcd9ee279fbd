#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace ao {

/// What the preloaded library (`tests/support/preload/`) reads at each call of
/// a program that was started with it; a file that both map.
struct fault_page {
  /// Added to the wall clock.
  std::int64_t clock_seconds;
  /// The error of everything that changes a file below the home; 0 = none.
  std::int32_t write_error;
  /// The error of every sync of a file below the home; 0 = none.
  std::int32_t sync_error;
  /// Syncs that have failed so.
  std::int32_t failed_syncs;
  /// At which of its steps the hub is killed; 0 = never, and none is counted.
  std::int32_t kill_at;
  /// Steps that the hub has made since they are counted.
  std::int32_t steps;
  /// The step at which it was killed, as text.
  char killed_at[96];
};

/// A machine whose wall clock can be set and whose disk can fail, for all
/// programs that have its variables. The monotonic clock and reading stay.
class machine_faults {
public:
  /// @param file Where to keep the page; made here.
  /// @param home What the disk's faults are about.
  machine_faults(const std::filesystem::path& file,
                 const std::filesystem::path& home);
  ~machine_faults();
  machine_faults(const machine_faults&) = delete;
  machine_faults& operator=(const machine_faults&) = delete;

  /// For the environment of the programs.
  const std::map<std::string, std::string>& variables() const {
    return variables_;
  }

  /// Sets the wall clock off by so much; not added to earlier steps.
  void set_clock(std::chrono::seconds off);

  /// Lets everything that changes a file below the home fail with this errno,
  /// or, with 0, succeed again.
  void fail_writes(int error);

  /// The same for fsync and fdatasync.
  void fail_syncs(int error);

  /// Syncs that have failed so far.
  int failed_syncs() const;

  /// Kills the hub at its `step`-th step from now, once. A step is what the
  /// world can tell: a child is started, has been started, has ended; a file is
  /// synced, has been synced. Between two of them the hub changes nothing.
  void kill_hub_at(int step);

  /// Counts steps and kills nothing.
  void count_steps();

  /// Ends counting; how many steps there were, none when the hub was killed.
  std::optional<int> stop_counting();

  /// The step of the kill: `before git update-ref`.
  std::string killed_at() const;

private:
  std::map<std::string, std::string> variables_;
  fault_page* page_ = nullptr;
};

} // namespace ao
