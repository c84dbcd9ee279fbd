#pragma once

#include "messages/message.hpp"
#include "runtime/rules/typing.hpp"

#include <list>
#include <memory>

namespace ao {

/// A message on its way into the pane.
struct runner_delivery {
  msg::deliver_message order;
  typing_state typing;
};

/// The RUNNER's part in the messages to its agent: at most one delivery at a
/// time, and what the hub does not know of it yet.
struct runner_mail {
  std::unique_ptr<runner_delivery> delivery;
  /// A text of which nobody knows how far it came may stand in the input line
  /// of this run.
  run_no uncertain_run = 0;

  /// Reports that the hub has not taken yet, oldest first.
  std::list<msg::message_report> reports;
  bool reporting = false;
};

} // namespace ao
