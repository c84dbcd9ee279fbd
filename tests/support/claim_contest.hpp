#pragma once

#include "messages/ids.hpp"
#include "tests/support/world.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace ao {

/// What one client was told when it claimed one task.
struct claim_answer {
  std::size_t client = 0;
  std::string task;
  /// 201 or 409; another one is a failure of the contest.
  int status = 0;
  /// The session that was made, or the holder that stands in the way.
  std::string session;
  epoch_no epoch = 0;
  /// What went wrong, when `status` is neither.
  std::string trouble = {};
};

/// Many clients of one hub that all want every task.
struct claim_contest {
  std::size_t clients = 64;
  std::size_t tasks = 200;
};

/// Adds the tasks, lets every client claim each of them once, all clients at
/// the same time and each in an order of its own, and returns what they heard.
std::vector<claim_answer> hold(const claim_contest& contest, const world& w);

/// What the answers and the hub's own record say against "each task is granted
/// exactly once, and every other client was told by whom it is held"; empty
/// when nothing does.
std::vector<std::string> objections(const claim_contest& contest,
                                    const std::vector<claim_answer>& answers,
                                    const std::vector<nlohmann::json>& events);

} // namespace ao
