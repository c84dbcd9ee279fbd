#pragma once

#include "messages/breaker.hpp"
#include "messages/change.hpp"
#include "messages/event.hpp"
#include "messages/ids.hpp"
#include "messages/incident.hpp"
#include "messages/message.hpp"
#include "messages/node.hpp"
#include "messages/session.hpp"
#include "messages/task.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace ao {

/// The tables of rows, one C++ type each. Append only: a value's index is
/// part of nothing durable, but its table name is (runtime/store/tables.cpp).
enum class table : std::uint8_t {
  tasks = 0,
  claims = 1,
  sessions = 2,
  changes = 3,
  ci = 4,
  counters = 5,
  messages = 6,
  reviews = 7,
  incidents = 8,
  notifications = 9,
  breakers = 10,
  nodes = 11,
  join_tokens = 12,
};

/// A whole row; writing one replaces the one of its key. Its `version` must
/// be one more than the stored row's (1 for a new one); the store checks it,
/// which makes every write a compare-and-swap by its owner.
using row = std::variant<task, claim, session, change, ci_run, counter, message,
                         change_review, incident, notification, breaker,
                         cluster_node, join_token>;

/// A row as readers hold it: it never changes, a newer one replaces it.
template <class T>
using row_ptr = std::shared_ptr<const T>;

/// A further condition on a row that this write does not touch.
struct guard {
  table in = table::claims;
  std::string key;
  /// `epoch` (of a held claim) or `version`.
  enum class field : std::uint8_t { version = 0, epoch = 1 } which
    = field::version;
  std::uint64_t equals = 0;
};

/// decide → COMMIT → do → tell. All of it or nothing.
struct store_write {
  /// Set for what answers a request: a repeat of the same id gets the stored
  /// answer instead of a second effect. Empty for a decision of our own.
  request_id request;
  /// The answer to keep for `request`, JSON text.
  std::string answer;
  std::vector<guard> guards;
  std::vector<row> rows;
  std::vector<event> events;
};

/// What a committed write became.
struct store_written {
  /// The seq of the first of its events; 0 when it had none.
  std::uint64_t first_seq = 0;
  /// True when `request` had been answered before: nothing was written and
  /// `answer` is the first answer.
  bool repeated = false;
  std::string answer;
};

} // namespace ao
