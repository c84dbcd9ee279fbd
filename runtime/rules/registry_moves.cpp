#include "runtime/rules/registry.hpp"

#include <algorithm>
#include <iterator>

namespace ao {
namespace {

/// What the holder may do, one line per state.
struct moves_from {
  task_state from;
  std::vector<task_state> to;
};

const std::vector<moves_from>& move_table() {
  using s = task_state;
  static const std::vector<moves_from> table{
    {s::blocked, {s::failed, s::cancelled, s::parked}},
    {s::ready, {}},
    {s::claimed,
     {s::in_review, s::merged, s::done, s::failed, s::cancelled, s::parked}},
    {s::in_review,
     {s::claimed, s::merged, s::done, s::failed, s::cancelled, s::parked}},
    {s::merged, {}},
    {s::done, {}},
    {s::failed, {}},
    {s::cancelled, {}},
    // Merged by a hand at the forge after its session had given up.
    {s::parked, {s::merged}},
  };
  return table;
}

/// Adds what `more` writes and locks to `d`; the answer stays.
void append(registry_decision& d, registry_decision more) {
  auto move_all = [](auto& to, auto& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()),
              std::make_move_iterator(from.end()));
  };
  move_all(d.subjects, more.subjects);
  move_all(d.write.guards, more.write.guards);
  move_all(d.write.rows, more.write.rows);
  move_all(d.write.events, more.write.events);
}

std::string states(task_state from, task_state to) {
  return std::string{to_string(from)} + " to " + std::string{to_string(to)};
}

} // namespace

bool may_move(task_state from, task_state to) {
  for (const auto& line : move_table())
    if (line.from == from)
      for (auto state : line.to)
        if (state == to)
          return true;
  return false;
}

result<registry_decision>
registry_book::put_to(const task& t, task_state to, const std::string& why,
                      const change_id& change, wall_time now) {
  registry_decision d;
  if (auto ok = lock(d, t.id.text); !ok)
    return fail(ok.error());
  auto next = t;
  next.version += 1;
  next.state = to;
  next.why = why;
  next.updated_at = now;
  if (!change.empty())
    next.change = change;
  auto ends = is_closed(to) || to == task_state::parked;
  if (is_closed(to))
    next.closed_at = now;
  if (is_closed(to))
    d.write.events.push_back(note(event_kind::task_closed, next, now));
  else if (to == task_state::parked)
    d.write.events.push_back(note(event_kind::task_parked, next, now));
  else if (to == task_state::in_review)
    d.write.events.push_back(note(event_kind::task_in_review, next, now));
  d.write.rows.emplace_back(next);
  if (ends && held(t.id.text)) {
    auto c = withdrawn(t.id.text, now);
    d.write.events.push_back(
      note(event_kind::claim_released, c, &next, now, why));
    d.write.rows.emplace_back(std::move(c));
  }
  d.answer = task_changed{std::move(next)};
  return d;
}

result<registry_decision> registry_book::decide(const move_task& request,
                                                wall_time now) {
  auto t = task_of(request.task);
  if (t == nullptr)
    return fail(ec::no_such_task, request.task.text + " is unknown");
  if (busy(t->id.text))
    return fail(ec::request_in_flight,
                "a decision about " + t->id.text + " is being written");
  if (request.epoch == 0 || request.epoch != t->epoch)
    return fail(ec::stale_epoch,
                "epoch " + std::to_string(request.epoch) + " of " + t->id.text
                  + " is not the present " + std::to_string(t->epoch));
  auto same_change = request.change.empty() || request.change == t->change;
  if (t->state == request.to && same_change) {
    registry_decision d;
    d.answer = task_changed{*t};
    return d;
  }
  auto only_change = t->state == request.to && !is_closed(t->state);
  if (!only_change && !may_move(t->state, request.to))
    return fail(is_closed(t->state) ? ec::task_closed : ec::wrong_state,
                t->id.text + " does not go from "
                  + states(t->state, request.to));
  if (t->state != task_state::parked && !held(t->id.text))
    return fail(ec::stale_epoch,
                "the claim on " + t->id.text + " was given back");
  return put_to(*t, request.to, request.why, request.change, now);
}

result<void> registry_book::give_up_tasks(const session_id& holder,
                                          const std::string& why,
                                          registry_decision& d, wall_time now) {
  for (const auto& [subject, c] : claims_) {
    auto t = task_of(task_id{subject});
    auto decided = std::find(d.subjects.begin(), d.subjects.end(), subject)
      != d.subjects.end();
    if (!c->held || c->session != holder || t == nullptr || decided)
      continue;
    auto parked = put_to(*t, task_state::parked, why, {}, now);
    if (!parked)
      return fail(parked.error());
    append(d, std::move(*parked));
  }
  return {};
}

result<registry_decision> registry_book::decide(const cancel_task& request,
                                                wall_time now) {
  auto t = task_of(request.task);
  if (t == nullptr)
    return fail(ec::no_such_task, request.task.text + " is unknown");
  registry_decision d;
  d.answer = task_changed{*t};
  if (t->state != task_state::cancelled) {
    if (is_closed(t->state))
      return fail(ec::task_closed,
                  t->id.text + " is " + std::string{to_string(t->state)});
    auto first = put_to(*t, task_state::cancelled, request.why, {}, now);
    if (!first)
      return first;
    d = std::move(*first);
  }
  if (!request.cascade)
    return d;
  for (const auto& id : dependents_of(t->id)) {
    auto more = put_to(*task_of(id), task_state::cancelled,
                       request.why + " with " + t->id.text, {}, now);
    if (!more) {
      abandon(d);
      return more;
    }
    append(d, std::move(*more));
  }
  return d;
}

result<registry_decision> registry_book::decide(const park_task& request,
                                                wall_time now) {
  auto t = task_of(request.task);
  if (t == nullptr)
    return fail(ec::no_such_task, request.task.text + " is unknown");
  if (t->state == task_state::parked) {
    registry_decision d;
    d.answer = task_changed{*t};
    return d;
  }
  if (is_closed(t->state))
    return fail(ec::task_closed,
                t->id.text + " is " + std::string{to_string(t->state)});
  return put_to(*t, task_state::parked, request.why, {}, now);
}

result<registry_decision> registry_book::decide(const retry_task& request,
                                                wall_time now) {
  auto t = task_of(request.task);
  if (t == nullptr)
    return fail(ec::no_such_task, request.task.text + " is unknown");
  registry_decision d;
  auto next = *t;
  for (auto& s : next.suspects)
    s.hold = false;
  if (!is_closed(t->state) && t->state != task_state::parked)
    return let_go(*t, std::move(next), now);
  if (auto ok = lock(d, t->id.text); !ok)
    return fail(ok.error());
  auto needs = outlook_of(next);
  next.version += 1;
  next.state = needs.open ? task_state::blocked : task_state::ready;
  next.why = needs.why;
  // The epoch stays: it is what makes the old session's words stale.
  next.session = {};
  next.change = {};
  next.closed_at.reset();
  next.updated_at = now;
  d.write.events.push_back(note(event_kind::task_retried, next, now));
  d.write.events.push_back(note(
    needs.open ? event_kind::task_blocked : event_kind::task_ready, next, now));
  d.write.rows.emplace_back(next);
  d.answer = task_changed{std::move(next)};
  return d;
}

result<registry_decision> registry_book::decide(const settle_task& request,
                                                wall_time now) {
  auto t = task_of(request.task);
  if (t == nullptr)
    return fail(ec::no_such_task, request.task.text + " is unknown");
  registry_decision d;
  auto next = settled(*t);
  d.answer = task_changed{next};
  if (next.state == t->state && next.why == t->why)
    return d;
  if (auto ok = lock(d, t->id.text); !ok)
    return fail(ok.error());
  next.version += 1;
  next.updated_at = now;
  d.write.events.push_back(note(next.state == task_state::blocked
                                  ? event_kind::task_blocked
                                  : event_kind::task_ready,
                                next, now));
  d.write.rows.emplace_back(next);
  d.answer = task_changed{std::move(next)};
  return d;
}

} // namespace ao
