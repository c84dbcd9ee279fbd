#include "runtime/rules/reconcile.hpp"

#include "runtime/rules/sessions.hpp"

namespace ao {

bool has_lost(const node_name& node, epoch_no epoch, run_no run,
              const session* row) {
  if (row == nullptr || row->node != node || row->epoch != epoch)
    return true;
  return run > row->run;
}

bool holds_node(const session& s) {
  if (s.role == session_role::manual || s.run == 0)
    return false;
  if (is_terminal(s))
    return !s.cleaned
      && (s.runtime == runtime_state::alive
          || s.runtime == runtime_state::starting
          || s.runtime == runtime_state::provisioning);
  return s.runtime != runtime_state::parked || parked_by_hub(s);
}

bool is_parked_ref(std::string_view ref) {
  constexpr std::string_view front = "refs/ao/parked/";
  return ref.compare(0, front.size(), front) == 0;
}

} // namespace ao
