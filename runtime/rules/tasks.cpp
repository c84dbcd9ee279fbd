#include "runtime/rules/tasks.hpp"

namespace ao {
namespace {

task_wish move_to(const task& t, task_state to, std::string why,
                  const change_id& change = {}) {
  if (t.state != to && !may_move(t.state, to))
    return {};
  return move_task{t.id, t.epoch, to, std::move(why), change};
}

bool unfinished(const task& t) {
  return t.state == task_state::blocked || t.state == task_state::claimed
    || t.state == task_state::in_review;
}

} // namespace

task_wish next_task(const task& t, const session* holder, const change* c) {
  auto holds = holder != nullptr && !t.session.empty()
    && holder->id == t.session && holder->epoch == t.epoch;
  // A change outlives epochs of its session: moves and restores keep it. One
  // that is taken over names its new session a moment later.
  auto ours = c != nullptr && c->task == t.id && !t.session.empty()
    && (c->session == t.session || c->id == t.change);
  if (is_closed(t.state))
    return {};
  if (ours && c->state == change_state::merged)
    return move_to(t, task_state::merged, c->id.text + " is merged", c->id);
  if (!unfinished(t) || !holds)
    return {};
  const auto& s = *holder;
  switch (s.end) {
  case session_end::open:
    break;
  case session_end::merged:
    return move_to(t, task_state::merged, s.end_reason, s.change);
  case session_end::done:
    return move_to(t, task_state::done, s.end_reason);
  case session_end::killed:
    return move_to(t, task_state::parked,
                   s.id.text + " was killed"
                     + (s.end_reason.empty() ? "" : ": " + s.end_reason));
  case session_end::errored:
    return release_claim{t.id.text, t.epoch,
                         s.id.text + " could not start: " + s.end_reason,
                         false};
  }
  if (s.runtime == runtime_state::parked && !parked_by_hub(s))
    return move_to(t, task_state::parked, s.id.text + " " + s.reason);
  if (ours && c->state == change_state::open && t.state != task_state::blocked
      && (t.state != task_state::in_review || t.change != c->id))
    return move_to(t, task_state::in_review, "", c->id);
  if (ours && c->state == change_state::closed
      && t.state == task_state::in_review && t.change == c->id)
    return move_to(t, task_state::claimed,
                   c->id.text + " was closed without a merge");
  return {};
}

std::optional<session_input> word_to_holder(const task& t, const session& s) {
  if (is_terminal(s) || s.task != t.id || s.epoch > t.epoch)
    return std::nullopt;
  auto state = t.id.text + " is " + std::string{to_string(t.state)};
  if (t.epoch > s.epoch) {
    // Its own new grant is on its way to it; another's ends it.
    if (t.session == s.id || t.session.empty())
      return std::nullopt;
    return end_session{session_end::killed,
                       t.id.text + " went to " + t.session.text};
  }
  switch (t.state) {
  case task_state::merged:
    return end_session{session_end::merged, state};
  case task_state::done:
    return end_session{session_end::done, state};
  case task_state::cancelled:
  case task_state::failed:
    return end_session{session_end::killed, state};
  case task_state::parked:
    if (s.runtime == runtime_state::parked && !parked_by_hub(s))
      return std::nullopt;
    return park_session{state, false};
  default:
    break;
  }
  // Without its claim it must not work on; a lost one waits for a new grant.
  if (t.session != s.id && s.runtime != runtime_state::lost
      && s.runtime != runtime_state::parked)
    return park_session{"the claim on " + t.id.text + " was given back", false};
  return std::nullopt;
}

bool task_view::tell(row_ptr<task> row) {
  if (!row || row->id != task_->id || row->version <= task_->version)
    return false;
  task_ = std::move(row);
  return true;
}

bool task_view::tell(row_ptr<session> row) {
  if (!row || row->task != task_->id)
    return false;
  if (session_) {
    auto known = session_->id == row->id ? row->version <= session_->version
                                         : row->epoch < session_->epoch;
    if (known)
      return false;
  }
  session_ = std::move(row);
  return true;
}

bool task_view::tell(row_ptr<change> row) {
  if (!row || row->task != task_->id)
    return false;
  if (change_) {
    auto known = change_->id == row->id ? row->version <= change_->version
                                        : row->number < change_->number;
    if (known)
      return false;
  }
  change_ = std::move(row);
  return true;
}

task_wish task_view::wish() const {
  return next_task(*task_, session_.get(), change_.get());
}

} // namespace ao
