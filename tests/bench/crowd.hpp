#pragma once

#include "tests/support/shim_crowd.hpp"
#include "tests/support/world.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ao::bench {

/// What the sessions of a crowd are.
enum class crowd_kind {
  /// Over and cleaned up: rows alone.
  ended,
  /// With agents that live and a change that waits for its review: rows, the
  /// node's files and shims that answer.
  alive,
};

/// A world whose database holds many sessions, as many tasks, claims and
/// changes with their checks, and the events of all of them. Its hub does not
/// run yet.
class crowd {
public:
  crowd(std::size_t sessions, crowd_kind kind);

  world& in() { return world_; }

  std::size_t size() const { return size_; }

  /// Starts the hub; milliseconds until the API has answered.
  double start();

  /// Ends the hub; the shims live on.
  void stop();

  /// Waits until the hub is linked with every shim.
  void await_links() const;

  /// Milliseconds to read all rows of its database: texts only, then what
  /// they say too.
  double scan() const;
  double scan_and_parse() const;

  /// Milliseconds of a start before there was anybody.
  double empty_start() const { return empty_start_; }

  /// What the hub needs for itself, before there was anybody, in bytes.
  std::uint64_t empty_hub() const { return empty_hub_; }

private:
  void await_api() const;
  void write_rows(crowd_kind kind);
  void write_files();

  std::size_t size_;
  world world_;
  child hub_;
  double empty_start_ = 0;
  std::uint64_t empty_hub_ = 0;
  std::unique_ptr<shim_crowd> shims_;
};

} // namespace ao::bench
