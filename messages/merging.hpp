#pragma once

#include "messages/change.hpp"
#include "messages/ids.hpp"

#include <string>

namespace ao::msg {

/// MERGE QUEUE → FORGE: compute the merge of the change's head into its base
/// as that is now; moves nothing.
struct prepare_merge {
  change of;
};

struct prepared_merge {
  /// The base that the result stands on.
  std::string base_sha;
  std::string commit;
  /// The result has the very files that were tested on the head.
  bool same_tree_as_head = false;
  /// The commit is on the base already (we come back from a crash).
  bool landed = false;
};

/// MERGE QUEUE → FORGE: move the base by compare-and-swap. Errors: ref_moved.
struct land_merge {
  change of;
  std::string base_sha;
  std::string commit;
};

struct landed_merge {
  std::string merged_sha;
};

} // namespace ao::msg
