#include "messages/member_json.hpp"

namespace ao {

using member_json::read_members;
using member_json::write_members;

#define AO_ROW(type)                                                           \
  void to_json(json& out, const type& x) {                                     \
    write_members(out, x);                                                     \
  }                                                                            \
  void from_json(const json& in, type& x) {                                    \
    read_members(in, x);                                                       \
  }

AO_ROW(suspicion)
AO_ROW(task)
AO_ROW(claim)
AO_ROW(counter)
AO_ROW(exit_info)
AO_ROW(worktree_facts)
AO_ROW(left_work)
AO_ROW(session)
AO_ROW(change)
AO_ROW(ci_run)
AO_ROW(change_review)
AO_ROW(message_evidence)
AO_ROW(message)
AO_ROW(incident_attempt)
AO_ROW(incident)
AO_ROW(notification)
AO_ROW(breaker)
AO_ROW(cluster_node)
AO_ROW(join_token)

#undef AO_ROW

} // namespace ao
