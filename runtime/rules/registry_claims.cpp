#include "runtime/rules/event_data.hpp"
#include "runtime/rules/registry.hpp"

namespace ao {
namespace {

/// `pattern` with `{name}` replaced by what it stands for.
std::string expand(std::string pattern, const session& s) {
  const std::pair<const char*, const std::string*> names[] = {
    {"{session}", &s.id.text},
    {"{task}", &s.task.text},
    {"{project}", &s.project.text},
  };
  for (const auto& name : names) {
    std::string from{name.first};
    for (auto at = pattern.find(from); at != std::string::npos;
         at = pattern.find(from, at + name.second->size()))
      pattern.replace(at, from.size(), *name.second);
  }
  return pattern;
}

/// Errors: `task_closed` for what only a retry opens again.
result<void> check_open(const task& t, bool parked_too) {
  if (!is_closed(t.state) && !(parked_too && t.state == task_state::parked))
    return {};
  std::string state{to_string(t.state)};
  error e{ec::task_closed,
          t.id.text + " is " + state + "; `ao task retry " + t.id.text
            + "` opens it again",
          {{"task", t.id.text}, {"state", state}}};
  return fail(std::move(e));
}

} // namespace

claim registry_book::grant(const std::string& subject, const session_id& to,
                           const node_name& node, wall_time now) const {
  claim c;
  if (auto last = find_claim(subject))
    c = *last;
  c.subject = subject;
  c.version += 1;
  c.epoch += 1;
  c.session = to;
  c.node = node;
  c.held = true;
  c.since = now;
  return c;
}

claim registry_book::withdrawn(const std::string& subject,
                               wall_time now) const {
  auto c = *claims_.at(subject);
  c.version += 1;
  c.held = false;
  c.since = now;
  return c;
}

event registry_book::note(event_kind kind, const claim& c, const task* t,
                          wall_time now, const std::string& why) const {
  event_data data;
  data.with("session", c.session)
    .with("node", c.node)
    .with("subject", c.subject)
    .with("why", why);
  if (t != nullptr)
    data.with("project", t->project).with("task", t->id).with("key", t->key);
  return make_event(kind, now,
                    t != nullptr ? subject_of(t->id) : subject_of(c.session),
                    actor_, c.epoch, data);
}

registry_decision registry_book::refuse(const claim& holder, const task* t,
                                        wall_time now) const {
  error e{ec::task_already_claimed,
          holder.subject + " is held by " + holder.session.text,
          {{"task", holder.subject},
           {"key", t != nullptr ? t->key : holder.subject},
           {"holder", holder.session.text},
           {"epoch", std::to_string(holder.epoch)}}};
  registry_decision d;
  d.write.events.push_back(
    note(event_kind::claim_refused, holder, t, now, e.context));
  d.answer = std::move(e);
  return d;
}

result<registry_decision> registry_book::decide(const open_session& request,
                                                wall_time now) {
  auto t = task_of(request.task);
  if (t == nullptr && !request.task.empty())
    return fail(ec::no_such_task, request.task.text + " is unknown");
  auto subject = t != nullptr ? t->id.text : request.subject;
  if (t == nullptr && subject.compare(0, 5, "role/") != 0)
    return fail(ec::bad_input, "a session needs a task or a role's subject");
  if (request.prefix.empty())
    return fail(ec::bad_input, "a session needs a prefix");
  if (busy(subject))
    return fail(ec::request_in_flight,
                "a decision about " + subject + " is being written");
  auto takes_over = t != nullptr && !request.took_over.empty();
  if (held(subject) && !takes_over)
    return refuse(*find_claim(subject), t, now);
  if (t != nullptr)
    if (auto open = check_open(*t, !takes_over); !open)
      return fail(open.error());

  registry_decision d;
  (void)lock(d, subject);
  if (takes_over && !request.gives_up.empty())
    if (auto ok = give_up_tasks(
          request.gives_up,
          request.gives_up.text + " went to " + request.change.text, d, now);
        !ok) {
      unlock(d);
      return fail(ok.error());
    }
  if (held(subject))
    d.write.events.push_back(note(event_kind::claim_released,
                                  *find_claim(subject), t, now,
                                  request.change.text + " is taken over"));
  auto number = take_numbers("session/" + request.prefix, 1, d);
  auto needs = t != nullptr ? outlook_of(*t) : outlook{};
  session_opened answer;
  auto& s = answer.session;
  s.id = session_id{request.prefix + "-" + std::to_string(number)};
  s.version = 1;
  s.project = t != nullptr ? t->project : request.project;
  s.role = request.role;
  s.task = request.task;
  s.subject = subject;
  s.node = request.node;
  s.agent = !request.agent.empty() ? request.agent
    : t != nullptr                 ? t->agent
                                   : std::string{};
  s.base = request.base;
  s.change = request.change;
  s.head = request.head;
  s.took_over = request.took_over;
  s.branch
    = takes_over ? request.branch_template : expand(request.branch_template, s);
  s.runtime = runtime_state::queued;
  s.reason = needs.open ? needs.why : "";
  if (s.role == session_role::manual) {
    s.runtime = runtime_state::alive;
    s.reason = "held by hand";
  }
  s.created_at = s.updated_at = s.since = now;
  answer.claim = grant(subject, s.id, request.node, now);
  s.epoch = answer.claim.epoch;

  if (t != nullptr) {
    auto next = *t;
    next.version += 1;
    next.session = s.id;
    next.epoch = s.epoch;
    next.change = takes_over ? request.change : change_id{};
    next.state = needs.open ? task_state::blocked : task_state::claimed;
    next.why = needs.why;
    next.updated_at = now;
    d.write.events.push_back(note(event_kind::task_claimed, next, now));
    d.write.rows.emplace_back(std::move(next));
  }
  event_data data;
  data.with("project", s.project)
    .with("task", s.task)
    .with("session", s.id)
    .with("node", s.node)
    .with("agent", s.agent)
    .with("role", std::string{to_string(s.role)})
    .with("reason", s.reason);
  d.write.events.push_back(make_event(event_kind::session_queued, now,
                                      subject_of(s.id), actor_, s.epoch, data));
  d.write.rows.emplace_back(answer.claim);
  d.write.rows.emplace_back(answer.session);
  d.answer = std::move(answer);
  return d;
}

result<registry_decision> registry_book::decide(const regrant_claim& request,
                                                wall_time now) {
  auto t = task_of(task_id{request.subject});
  auto last = find_claim(request.subject);
  if (last == nullptr)
    return fail(ec::no_such_task, request.subject + " has never been claimed");
  if (busy(request.subject))
    return fail(ec::request_in_flight,
                "a decision about " + request.subject + " is being written");
  if (last->held && last->session != request.session)
    return refuse(*last, t, now);
  if (t != nullptr)
    if (auto open = check_open(*t, false); !open)
      return fail(open.error());

  registry_decision d;
  (void)lock(d, request.subject);
  auto c = grant(request.subject, request.session, request.node, now);
  if (t != nullptr) {
    auto next = *t;
    next.version += 1;
    if (last->session != request.session)
      next.change = {};
    next.session = request.session;
    next.epoch = c.epoch;
    auto needs = outlook_of(*t);
    next.state = needs.open ? task_state::blocked : task_state::claimed;
    next.why = needs.why;
    next.updated_at = now;
    d.write.rows.emplace_back(std::move(next));
  }
  d.write.events.push_back(
    note(event_kind::task_claimed, c, t, now, request.why));
  d.write.rows.emplace_back(c);
  d.answer = claim_changed{std::move(c)};
  return d;
}

result<registry_decision> registry_book::decide(const release_claim& request,
                                                wall_time now) {
  if (busy(request.subject))
    return fail(ec::request_in_flight,
                "a decision about " + request.subject + " is being written");
  auto last = find_claim(request.subject);
  if (last == nullptr || !last->held || last->epoch != request.epoch)
    return fail(ec::stale_epoch,
                "epoch " + std::to_string(request.epoch) + " does not hold "
                  + request.subject);
  registry_decision d;
  (void)lock(d, request.subject);
  auto t = task_of(task_id{request.subject});
  auto c = withdrawn(request.subject, now);
  d.write.events.push_back(note(request.expired ? event_kind::claim_expired
                                                : event_kind::claim_released,
                                c, t, now, request.why));
  if (t != nullptr) {
    auto next = *t;
    auto needs = outlook_of(*t);
    next.version += 1;
    next.state = needs.open ? task_state::blocked : task_state::ready;
    next.why = needs.open ? needs.why : request.why;
    next.session = {};
    next.updated_at = now;
    d.write.events.push_back(
      note(needs.open ? event_kind::task_blocked : event_kind::task_ready, next,
           now));
    d.write.rows.emplace_back(std::move(next));
  }
  d.write.rows.emplace_back(c);
  d.answer = claim_changed{std::move(c)};
  return d;
}

} // namespace ao
