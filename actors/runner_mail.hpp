#pragma once

#include "messages/message.hpp"
#include "runtime/rules/typing.hpp"

#include <list>
#include <memory>
#include <string>
#include <vector>

namespace ao {

/// A message on its way into the pane.
struct runner_delivery {
  msg::deliver_message order;
  typing_state typing;
  /// The agent has heard it and completed its turn since.
  bool answered = false;
};

/// The RUNNER's part in the messages to its agent: at most one delivery at a
/// time, and what the hub does not know of it yet.
struct runner_mail {
  std::unique_ptr<runner_delivery> delivery;
  /// A text of which nobody knows how far it came may stand in the input line
  /// of this run.
  run_no uncertain_run = 0;

  /// Of the present run: texts that were heard and are of no message so far.
  std::vector<std::string> heard;
  /// Messages that its agent has heard in the turn under way.
  std::vector<msg::deliver_message> to_answer;

  /// Reports that the hub has not taken yet, oldest first.
  std::list<msg::message_report> reports;
  bool reporting = false;
};

} // namespace ao
