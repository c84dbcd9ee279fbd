#include "runtime/rules/registry.hpp"

#include "runtime/rules/event_data.hpp"

#include <algorithm>
#include <utility>

namespace ao {

registry_book::registry_book(std::string actor) : actor_(std::move(actor)) {}

void registry_book::load(std::vector<row_ptr<task>> tasks,
                         std::vector<row_ptr<claim>> claims,
                         const std::vector<row_ptr<counter>>& counters) {
  by_key_.reserve(tasks.size());
  claims_.reserve(claims.size());
  for (auto& t : tasks)
    take_in(std::move(t));
  for (auto& c : claims)
    claims_[c->subject] = std::move(c);
  for (const auto& c : counters)
    counters_[c->name] = numbers{c->version, c->last};
}

void registry_book::share(row_ptr<task> committed) {
  if (!committed)
    return;
  auto i = tasks_.find(number_of(committed->id));
  if (i != tasks_.end() && i->second->version == committed->version)
    i->second = std::move(committed);
}

void registry_book::share(row_ptr<claim> committed) {
  if (!committed)
    return;
  auto i = claims_.find(committed->subject);
  if (i != claims_.end() && i->second->version == committed->version)
    i->second = std::move(committed);
}

std::vector<registry_effect> registry_book::recover() const {
  std::vector<registry_effect> effects;
  for (const auto& entry : tasks_) {
    const auto& t = *entry.second;
    auto line = settled(t);
    if (line.state != t.state || line.why != t.why)
      effects.push_back({registry_effect::kind::settle, t.id, {}});
  }
  return effects;
}

bool registry_book::busy(const std::string& subject) const {
  return locked_.count(subject) > 0;
}

std::vector<registry_effect>
registry_book::adopt(const registry_decision& decision) {
  using kind = registry_effect::kind;
  unlock(decision);
  std::vector<registry_effect> effects;
  std::set<std::uint64_t> look_at;
  for (const auto& r : decision.write.rows) {
    if (auto c = std::get_if<claim>(&r)) {
      // Whoever held it, or held it last, hears what has become of it.
      auto known = claims_.find(c->subject);
      if (known != claims_.end()
          && (!c->held || known->second->session != c->session))
        effects.push_back(
          {kind::end_session, task_id{}, known->second->session});
      claims_[c->subject] = std::make_shared<const claim>(*c);
    } else if (auto s = std::get_if<session>(&r)) {
      effects.push_back({kind::start_session, s->task, s->id});
    } else if (auto t = std::get_if<task>(&r)) {
      auto before = task_of(t->id);
      auto was = before ? before->state : task_state::blocked;
      auto freed = was == task_state::blocked && t->state == task_state::claimed
        && before && before->epoch == t->epoch;
      auto fresh = t->state == task_state::ready
        && (!before || was != task_state::ready);
      take_in(std::make_shared<const task>(*t));
      effects.push_back({kind::tell_task, t->id, {}});
      if (freed || fresh)
        effects.push_back(
          {kind::task_ready, t->id, freed ? t->session : session_id{}});
      auto number = number_of(t->id);
      look_at.insert(number);
      if (auto i = dependents_.find(number); i != dependents_.end())
        look_at.insert(i->second.begin(), i->second.end());
      if (auto i = held_back_.find(number); i != held_back_.end())
        look_at.insert(i->second.begin(), i->second.end());
    }
  }
  // Claims come after their tasks in the rows, so look when all are in.
  for (auto number : look_at) {
    const auto& t = *tasks_.at(number);
    auto line = settled(t);
    if (line.state != t.state || line.why != t.why)
      effects.push_back({kind::settle, t.id, {}});
  }
  return effects;
}

void registry_book::unlock(const registry_decision& decision) {
  for (const auto& subject : decision.subjects)
    locked_.erase(subject);
}

void registry_book::abandon(const registry_decision& decision) {
  unlock(decision);
  for (const auto& r : decision.write.rows)
    if (auto t = std::get_if<task>(&r); t && task_of(t->id) == nullptr)
      open_texts_.erase(number_of(t->id));
}

const task* registry_book::find_task(const std::string& name,
                                     const project_id& project) const {
  if (auto t = task_of(task_id{name}))
    return t;
  if (auto i = by_key_.find(name); i != by_key_.end())
    return tasks_.at(i->second).get();
  if (auto i = by_ref_.find({project.text, name}); i != by_ref_.end())
    return tasks_.at(i->second).get();
  auto slash = name.find('/');
  if (slash == std::string::npos)
    return nullptr;
  auto i = by_ref_.find({name.substr(0, slash), name.substr(slash + 1)});
  return i == by_ref_.end() ? nullptr : tasks_.at(i->second).get();
}

const claim* registry_book::find_claim(const std::string& subject) const {
  auto i = claims_.find(subject);
  return i == claims_.end() ? nullptr : i->second.get();
}

std::vector<claim> registry_book::claims_of(const node_name& node) const {
  std::vector<claim> found;
  for (const auto& entry : claims_)
    if (entry.second->held && entry.second->node == node)
      found.push_back(*entry.second);
  std::sort(found.begin(), found.end(), [](const claim& a, const claim& b) {
    return a.subject < b.subject;
  });
  return found;
}

std::vector<task_id> registry_book::dependents_of(const task_id& id) const {
  std::vector<task_id> found;
  std::set<std::uint64_t> known{number_of(id)};
  std::vector<std::uint64_t> wave{number_of(id)};
  while (!wave.empty()) {
    std::vector<std::uint64_t> next;
    for (auto number : wave) {
      auto i = dependents_.find(number);
      if (i == dependents_.end())
        continue;
      for (auto d : i->second)
        if (known.insert(d).second && !is_closed(tasks_.at(d)->state)) {
          found.push_back(tasks_.at(d)->id);
          next.push_back(d);
        }
    }
    wave = std::move(next);
  }
  return found;
}

// -- what all decisions share -------------------------------------------------

const task* registry_book::task_of(const task_id& id) const {
  auto number = number_of(id);
  auto i = number == 0 ? tasks_.end() : tasks_.find(number);
  return i == tasks_.end() ? nullptr : i->second.get();
}

registry_book::outlook registry_book::outlook_of(const task& t) const {
  outlook out;
  for (const auto& id : t.needs) {
    auto need = task_of(id);
    if (need && frees_dependents(need->state))
      continue;
    out.why += out.open ? ", " : "waits for ";
    out.why += id.text;
    // The others go on by themselves; these need a person.
    if (need && (is_closed(need->state) || need->state == task_state::parked))
      out.why += " (" + std::string{to_string(need->state)} + ")";
    out.open = true;
  }
  for (const auto& s : t.suspects) {
    auto other = task_of(s.other);
    // One that is being written is not there yet.
    auto there
      = other ? !is_closed(other->state) : open_texts_.has(number_of(s.other));
    if (!s.hold || !there)
      continue;
    out.why += (out.open ? "; looks like " : "looks like ") + s.other.text
      + " (" + s.title + "): " + s.reason + "; `ao task retry " + t.id.text
      + "` starts it all the same";
    out.open = true;
  }
  return out;
}

bool registry_book::held(const std::string& subject) const {
  auto c = find_claim(subject);
  return c != nullptr && c->held;
}

task registry_book::settled(const task& t) const {
  auto out = t;
  if (t.state != task_state::blocked && t.state != task_state::ready)
    return out;
  auto needs = outlook_of(t);
  if (needs.open) {
    out.state = task_state::blocked;
    out.why = needs.why;
  } else if (t.state == task_state::blocked) {
    out.state = held(t.id.text) ? task_state::claimed : task_state::ready;
    out.why.clear();
  }
  return out;
}

result<void> registry_book::lock(registry_decision& d,
                                 const std::string& subject) {
  if (!locked_.insert(subject).second)
    return fail(ec::request_in_flight,
                "a decision about " + subject + " is being written");
  d.subjects.push_back(subject);
  return {};
}

// A number is taken in memory at once and by a write of its own. That write
// precedes the decision's, which is guarded by it: should it fail, the
// decision fails as well, so nothing durable has a number above the counter.
std::uint64_t registry_book::take_numbers(const std::string& name,
                                          std::uint64_t count,
                                          registry_decision& d) {
  auto& n = counters_[name];
  auto first = n.last + 1;
  n.last += count;
  n.version += 1;
  counter row;
  row.name = name;
  row.version = n.version;
  row.last = n.last;
  store_write reservation;
  reservation.rows.emplace_back(std::move(row));
  d.reserve.push_back(std::move(reservation));
  d.write.guards.push_back(
    {table::counters, name, guard::field::version, n.version});
  return first;
}

event registry_book::note(event_kind kind, const task& t, wall_time now) const {
  event_data data;
  data.with("project", t.project)
    .with("task", t.id)
    .with("session", t.session)
    .with("change", t.change)
    .with("key", t.key)
    .with("title", t.title)
    .with("state", std::string{to_string(t.state)})
    .with("why", t.why);
  return make_event(kind, now, subject_of(t.id), actor_, t.epoch, data);
}

void registry_book::take_in(row_ptr<task> row) {
  const auto& t = *row;
  auto number = number_of(t.id);
  auto before = tasks_.size();
  // Mostly a new one is the last.
  auto place = tasks_.try_emplace(tasks_.end(), number);
  if (tasks_.size() > before) {
    by_key_[t.key] = number;
    if (!t.ref.empty())
      by_ref_[{t.project.text, t.ref}] = number;
    for (const auto& need : t.needs)
      dependents_[number_of(need)].push_back(number);
    for (const auto& s : t.suspects)
      if (s.hold)
        held_back_[number_of(s.other)].push_back(number);
  }
  if (is_closed(t.state))
    open_texts_.erase(number);
  else if (!open_texts_.has(number)
           && policy_of(t.project) != duplicate_policy::off)
    texts_complete_ = false;
  place->second = std::move(row);
}

void registry_book::read_texts() {
  if (std::exchange(texts_complete_, true))
    return;
  for (const auto& [number, row] : tasks_) {
    const auto& t = *row;
    if (!is_closed(t.state) && !open_texts_.has(number)
        && policy_of(t.project) != duplicate_policy::off)
      open_texts_.put(number, t.project, t.title, text_of(t.title, t.body));
  }
}

} // namespace ao
