#include "runtime/rules/reconcile.hpp"

#include "runtime/rules/event_data.hpp"
#include "runtime/rules/sessions.hpp"

namespace ao {
namespace {

std::string counted(std::uint64_t n, const std::string& what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

std::string text_of(const work_score& x) {
  switch (x.rank) {
  case work_rank::nothing:
    break;
  case work_rank::uncommitted:
    return counted(x.amount, "changed file");
  case work_rank::commits:
    return counted(x.amount, "commit");
  case work_rank::delivered:
    return "a delivered head";
  }
  return "nothing";
}

} // namespace

held_as standing_of(const node_name& node, epoch_no epoch, run_no run,
                    const session* row) {
  if (row == nullptr)
    return held_as::lost;
  auto here = row->node == node;
  if (here && row->epoch == epoch)
    return run > row->run ? held_as::lost : held_as::own;
  const auto& left = row->left;
  auto known = left && left->node == node && left->epoch <= epoch
    && epoch < row->epoch && !is_terminal(*row);
  // Once it was given back, and did not come there, it is nobody's any more.
  if (!known || (!here && left->state == left_state::back))
    return held_as::lost;
  return held_as::left;
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

bool is_reconciled(const session& s) {
  return s.left && !is_terminal(s)
    && (s.left->state == left_state::compared
        || s.left->state == left_state::returns);
}

work_score score_of(const std::optional<worktree_facts>& worktree,
                    const std::string& begun_at, bool delivered) {
  if (delivered)
    return {work_rank::delivered, 0};
  if (!worktree)
    return {};
  if (worktree->ahead > 0 && worktree->head_sha != begun_at)
    return {work_rank::commits, worktree->ahead};
  if (worktree->dirty)
    return {work_rank::uncommitted, worktree->status_lines.size()};
  return {};
}

std::optional<return_verdict> judge_return(const return_facts& facts) {
  auto stays = [](std::string why) {
    return return_verdict{false, std::move(why)};
  };
  auto by_score = facts.policy == reconcile_policy::best_score;
  if (facts.policy == reconcile_policy::keep_replacement)
    return stays("keep_replacement");
  if (facts.went_back)
    return stays("it has gone back once before");
  if (!facts.closed.empty())
    return stays("the node is " + facts.closed);
  if (!facts.original)
    return stays("nothing is left there");
  if (facts.delivered)
    return stays("the replacement has delivered");
  if (by_score && facts.original->rank == work_rank::nothing)
    return stays("best_score: nothing there");
  if (!facts.replacement)
    return std::nullopt;
  if (!by_score)
    return return_verdict{true,
                          "keep_original: the replacement has delivered "
                          "nothing"};
  return return_verdict{!(*facts.original < *facts.replacement),
                        "best_score: " + text_of(*facts.original) + " there, "
                          + text_of(*facts.replacement)
                          + " of the replacement"};
}

bool is_parked_ref(std::string_view ref) {
  constexpr std::string_view front = "refs/ao/parked/";
  return ref.compare(0, front.size(), front) == 0;
}

std::string parked_ref_in(const std::vector<std::string>& refs) {
  std::string out;
  for (const auto& ref : refs)
    if (is_parked_ref(ref))
      out = ref;
  return out;
}

event disowned_event(const session_id& id, epoch_no epoch,
                     const node_name& node, const std::string& ref,
                     const session* row, wall_time now) {
  event_data data;
  data.with("session", id).with("node", node).with("ref", ref);
  auto went = "the hub does not know " + id.text;
  if (row != nullptr) {
    data.with("project", row->project).with("task", row->task);
    went = id.text + " went on under epoch " + std::to_string(row->epoch);
    if (row->epoch == epoch)
      went = id.text + " goes on elsewhere";
    if (is_reconciled(*row) && row->epoch == epoch)
      went = id.text + " goes back to " + row->left->node.text;
  }
  data.with("reason", went + "; its work here is kept as " + ref);
  return make_event(event_kind::session_disowned, now, subject_of(id),
                    "node/" + node.text, epoch, data);
}

std::string disowned_key(const session_id& id, epoch_no epoch,
                         const std::string& ref) {
  return "disowned/" + id.text + "/" + std::to_string(epoch) + "/" + ref;
}

} // namespace ao
