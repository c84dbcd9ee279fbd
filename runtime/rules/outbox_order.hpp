#pragma once

#include "runtime/rules/outbox.hpp"

/// Which notifications of a channel are sent next, alone or as one.
namespace ao {

/// So many attempts in a row without anybody there are an absence.
constexpr std::uint32_t absent_from = 3;

/// Whether it may have left already.
bool was_tried(const notification& n);

/// Those to be sent now: of each case the first, the urgent first, as many as
/// there is room for.
std::vector<notification>
next_to_send(const outbox_state& s, const outbox_policy& policy, wall_time now);

/// Those to be told by a digest now, in the order in which they were written;
/// empty when there are too few.
std::vector<notification> next_to_collect(const outbox_state& s,
                                          const outbox_policy& policy,
                                          wall_time now);

} // namespace ao
