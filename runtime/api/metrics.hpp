#pragma once

#include "messages/settings.hpp"
#include "runtime/store/row_view.hpp"

#include <cstdint>
#include <string>

namespace ao::api {

/// What the process itself adds to the metrics.
struct process_facts {
  std::string version;
  wall_time started_at{};
  /// Names in the directory.
  std::uint64_t actors = 0;
};

/// `GET /metrics`: the text format of Prometheus 0.0.4. Every state of the
/// closed lists is there, also with 0, so that a graph has no holes.
std::string metrics_text(const row_view& rows, const settings& all,
                         const process_facts& process);

} // namespace ao::api
