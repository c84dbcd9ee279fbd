#pragma once

#include "messages/event.hpp"
#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ao {

/// What became of one task within a range of time, by the events alone.
struct task_summary {
  task_id task;
  project_id project;
  std::string title;
  session_id session;
  change_id change;
  std::string agent;
  std::string merged_sha;
  /// Its state at the end of the range, and why.
  std::string state;
  std::string why;
  /// From ready to the start of its session.
  milliseconds queued{0};
  /// The time of all runs of its agent.
  milliseconds worked{0};
  /// The time of all checks, of heads and of merged results.
  milliseconds in_ci{0};
  /// From an opened or moved head to its review.
  milliseconds in_review{0};
  std::uint32_t runs = 0;
  /// By `AO_RESUME_REASON`: `crash`, `hang`, `message`, …
  std::map<std::string, std::uint32_t> restarts;
  std::uint32_t ci_failures = 0;
  std::uint32_t conflicts = 0;
  std::uint32_t sent_back = 0;
  std::uint32_t refused_duplicates = 0;
};

/// Adds up the events of a range of time, in the order of the record.
class summary {
public:
  /// @param from Earlier events only say how things stood at the beginning.
  /// @param until Later ones are left out.
  summary(wall_time from, wall_time until);

  /// Takes one event; malformed data counts as none.
  void take(const event& e);

  /// What is known of every task that something happened to within the range,
  /// in the order of their numbers. Whatever is still going on counts up to
  /// the end of the range.
  std::vector<task_summary> tasks() const;

  /// How often each kind of event came within the range.
  std::uint64_t count(event_kind kind) const;

private:
  /// Something that has begun and is not over.
  using begun = std::optional<wall_time>;

  struct entry {
    task_summary said;
    begun ready;
    begun run;
    begun review;
    /// Checks under way, by SHA.
    std::map<std::string, wall_time> checks;
    bool touched = false;
  };

  bool within(wall_time at) const { return at >= from_ && at <= until_; }
  /// The part of `since..at` within the range.
  milliseconds part(wall_time since, wall_time at) const;
  void end(begun& since, wall_time at, milliseconds& sum) const;

  wall_time from_;
  wall_time until_;
  std::map<std::uint64_t, entry> entries_;
  std::map<event_kind, std::uint64_t> counts_;
};

} // namespace ao
