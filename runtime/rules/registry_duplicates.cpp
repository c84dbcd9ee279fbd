#include "runtime/rules/event_data.hpp"
#include "runtime/rules/registry.hpp"
#include "runtime/rules/registry_batch.hpp"

#include <algorithm>
#include <cmath>

namespace ao {
namespace {

/// A swarm of copies is one finding, not one for each pair.
constexpr std::size_t most_by_text = 3;
constexpr std::size_t most_of_all = 8;

int in_percent(double score) {
  return static_cast<int>(std::lround(score * 100));
}

bool names(const task& t, const task_id& other) {
  return std::any_of(t.suspects.begin(), t.suspects.end(),
                     [&](const suspicion& s) { return s.other == other; });
}

} // namespace

void registry_book::judge_duplicates(
  std::map<project_id, duplicate_policy> policies) {
  policies_ = std::move(policies);
}

duplicate_policy registry_book::policy_of(const project_id& project) const {
  auto i = policies_.find(project);
  return i == policies_.end() ? duplicate_policy::warn : i->second;
}

event registry_book::note(const suspicion& s, const task& t,
                          wall_time now) const {
  event_data data;
  data.with("project", t.project)
    .with("task", t.id)
    .with("title", t.title)
    .with("session", s.session)
    .with("other", s.other)
    .with("otherTitle", s.title)
    .with("otherSession", s.other_session)
    .with("reason", s.reason)
    .with("policy", s.hold ? "hold" : "warn")
    .with_value("score", s.score / 100.0);
  return make_event(event_kind::duplicate_suspected, now, subject_of(t.id),
                    actor_, t.epoch, data);
}

bool registry_book::batch::waits(const task_id& from, const task_id& on) const {
  std::set<std::string> seen{from.text};
  std::vector<task_id> wave{from};
  while (!wave.empty()) {
    auto id = wave.back();
    wave.pop_back();
    if (id == on)
      return true;
    auto i = waits_for.find(id.text);
    if (i == waits_for.end())
      continue;
    for (const auto& next : i->second)
      if (seen.insert(next.text).second)
        wave.push_back(next);
  }
  return false;
}

std::vector<suspicion> registry_book::suspects_of(const task& t, batch& of,
                                                  wall_time now) {
  auto policy = policy_of(t.project);
  if (policy == duplicate_policy::off)
    return {};
  read_texts();
  auto text = text_of(t.title, t.body);
  auto found = open_texts_.like(t.project, text, most_by_text);
  open_texts_.put(number_of(t.id), t.project, t.title, std::move(text));
  std::vector<suspicion> out;
  for (auto& m : found) {
    suspicion s;
    s.other = make_task_id(m.number);
    // Who orders one after the other knows both. And nothing may wait for
    // itself by way of others.
    if (of.waits(s.other, t.id) || of.waits(t.id, s.other))
      continue;
    s.title = std::move(m.title);
    s.score = in_percent(m.how.score);
    s.reason = std::move(m.how.reason);
    s.hold = policy == duplicate_policy::hold;
    s.since = now;
    if (s.hold)
      of.waits_for[t.id.text].push_back(s.other);
    out.push_back(std::move(s));
  }
  return out;
}

result<registry_decision> registry_book::decide(const suspect_tasks& request,
                                                wall_time now) {
  auto a = task_of(request.task);
  auto b = task_of(request.other);
  if (a == nullptr || b == nullptr)
    return fail(ec::no_such_task,
                (a == nullptr ? request.task : request.other).text
                  + " is unknown");
  if (a == b || a->project != b->project)
    return fail(ec::bad_input,
                a->id.text + " and " + b->id.text
                  + " are not two tasks of one project");
  auto first_is_later = number_of(a->id) > number_of(b->id);
  const auto& later = first_is_later ? *a : *b;
  const auto& earlier = first_is_later ? *b : *a;
  registry_decision d;
  d.answer = task_changed{later};
  if (is_closed(later.state) || is_closed(earlier.state)
      || policy_of(later.project) == duplicate_policy::off
      || names(later, earlier.id) || later.suspects.size() >= most_of_all)
    return d;
  if (auto ok = lock(d, later.id.text); !ok)
    return fail(ok.error());
  suspicion s;
  s.other = earlier.id;
  s.title = earlier.title;
  s.score = request.score;
  s.reason = request.reason;
  s.session = first_is_later ? request.session : request.other_session;
  s.other_session = first_is_later ? request.other_session : request.session;
  s.since = now;
  auto next = later;
  next.version += 1;
  next.updated_at = now;
  d.write.events.push_back(note(s, next, now));
  next.suspects.push_back(std::move(s));
  d.write.rows.emplace_back(next);
  d.answer = task_changed{std::move(next)};
  return d;
}

result<registry_decision> registry_book::let_go(const task& t, task next,
                                                wall_time now) {
  registry_decision d;
  auto held = std::any_of(t.suspects.begin(), t.suspects.end(),
                          [](const suspicion& s) { return s.hold; });
  if (!held) {
    d.answer = task_changed{t};
    return d;
  }
  if (auto ok = lock(d, t.id.text); !ok)
    return fail(ok.error());
  next = settled(next);
  next.version += 1;
  next.updated_at = now;
  d.write.events.push_back(note(event_kind::task_retried, next, now));
  if (t.state == task_state::blocked && next.state != task_state::blocked)
    d.write.events.push_back(note(event_kind::task_ready, next, now));
  d.write.rows.emplace_back(next);
  d.answer = task_changed{std::move(next)};
  return d;
}

} // namespace ao
