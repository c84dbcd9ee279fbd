#pragma once

#include "messages/json.hpp"
#include "messages/orders.hpp"

#include <string>

namespace ao {

/// What a node tells of something that it has found, once for the same words.
/// @param kind `ghost_found` or `foreign_found`.
/// @param session Whose it is, or whose name it bears.
/// @param parts What was found, one line.
inline msg::node_report
report_of_finding(event_kind kind, const session_id& session,
                  const node_name& node, const std::string& parts) {
  msg::node_report out;
  out.kind = kind;
  out.subject = subject_of(session);
  out.once = true;
  out.data = dump(
    json{{"session", session.text}, {"node", node.text}, {"parts", parts}});
  return out;
}

} // namespace ao
