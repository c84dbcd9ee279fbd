#include "runtime/rules/event_data.hpp"
#include "runtime/rules/registry.hpp"
#include "runtime/rules/registry_batch.hpp"
#include "runtime/rules/text.hpp"

#include <algorithm>
#include <unordered_set>

namespace ao {
namespace {

constexpr std::size_t body_limit = std::size_t{1} << 20;

/// What a person calls the item.
const std::string& name_of_item(const add_task& x) {
  return !x.ref.empty() ? x.ref : !x.key.empty() ? x.key : x.title;
}

result<void> check(const add_task& x) {
  if (x.project.empty())
    return fail(ec::bad_input, "a task needs a project");
  if (x.title.find_first_not_of(' ') == std::string::npos)
    return fail(ec::bad_input, "the title of a task is empty");
  if (x.title.size() > longest_title)
    return fail(ec::bad_input, "the title of a task is longer than 500 bytes");
  if (!is_utf8(x.title) || has_control(x.title))
    return fail(ec::bad_input, "the title of a task is not one line of UTF-8");
  if (x.body.size() > body_limit)
    return fail(ec::too_large, "the body of a task is larger than 1 MiB");
  if (!is_utf8(x.body) || x.body.find('\0') != std::string::npos)
    return fail(ec::bad_input, "the body of a task is not UTF-8 without NUL");
  if (x.priority < 0 || x.priority > 9)
    return fail(ec::bad_input,
                "priority " + std::to_string(x.priority)
                  + " is not within 0 and 9");
  for (const auto& label : x.labels)
    if (!is_word(label))
      return fail(ec::bad_input, "a label is empty, too long or not one line");
  for (const auto* word : {&x.key, &x.ref, &x.agent})
    if (!word->empty() && !is_word(*word))
      return fail(ec::bad_input, "key, ref and agent are one short line each");
  return {};
}

} // namespace

result<std::vector<std::size_t>>
order_by_needs(const std::vector<add_task>& items) {
  std::unordered_map<std::string, std::size_t> by_key;
  for (std::size_t i = 0; i < items.size(); ++i)
    if (!items[i].key.empty())
      by_key.emplace(items[i].key, i);
  enum : char { fresh, open, closed };
  std::vector<char> seen(items.size(), fresh);
  std::vector<std::size_t> order;
  // The path from a root to the present item, each with its next need; not
  // recursive, as a chain may be as long as the backlog.
  std::vector<std::pair<std::size_t, std::size_t>> path;
  for (std::size_t root = 0; root < items.size(); ++root) {
    if (seen[root] != fresh)
      continue;
    seen[root] = open;
    path.assign(1, {root, 0});
    while (!path.empty()) {
      auto at = path.back().first;
      const auto& needs = items[at].needs;
      if (path.back().second == needs.size()) {
        seen[at] = closed;
        order.push_back(at);
        path.pop_back();
        continue;
      }
      auto need = by_key.find(needs[path.back().second++]);
      if (need == by_key.end() || seen[need->second] == closed)
        continue;
      if (seen[need->second] == fresh) {
        seen[need->second] = open;
        path.emplace_back(need->second, 0);
        continue;
      }
      auto i = std::find_if(path.begin(), path.end(), [&need](const auto& p) {
        return p.first == need->second;
      });
      std::string cycle;
      for (; i != path.end(); ++i)
        cycle += name_of_item(items[i->first]) + " -> ";
      return fail(ec::dependency_cycle,
                  cycle + name_of_item(items[need->second]));
    }
  }
  return order;
}

result<registry_decision> registry_book::decide(const add_task& request,
                                                wall_time now) {
  return decide(add_tasks{{request}}, now);
}

result<registry_decision> registry_book::decide(const add_tasks& request,
                                                wall_time now) {
  const auto& items = request.items;
  std::unordered_set<std::string> batch;
  for (const auto& x : items) {
    if (auto ok = check(x); !ok)
      return fail(ok.error());
    if (!x.key.empty() && !batch.insert(x.key).second)
      return fail(ec::bad_input, "key " + x.key + " is there twice");
  }
  for (const auto& x : items)
    for (const auto& need : x.needs)
      if (batch.count(need) == 0 && find_task(need, x.project) == nullptr)
        return fail(ec::no_such_task,
                    name_of_item(x) + " needs " + need + ", which is unknown");
  if (auto order = order_by_needs(items); !order)
    return fail(order.error());

  std::uint64_t fresh = 0;
  for (const auto& x : items) {
    if (!x.key.empty() && busy(x.key))
      return fail(ec::request_in_flight,
                  "a task with key " + x.key + " is being added");
    fresh += x.key.empty() || by_key_.count(x.key) == 0;
  }

  registry_decision d;
  tasks_added answer;
  auto number = fresh == 0 ? 0 : take_numbers("task", fresh, d);
  std::unordered_map<std::string, task_id> ids;
  for (const auto& x : items) {
    auto known = x.key.empty() ? by_key_.end() : by_key_.find(x.key);
    answer.fresh.push_back(known == by_key_.end());
    if (known != by_key_.end()) {
      answer.tasks.push_back(*tasks_.at(known->second));
      continue;
    }
    task t;
    t.id = make_task_id(number++);
    t.key = !x.key.empty() ? x.key
                           : x.project.text + "/task:" + t.id.text.substr(1);
    ids[t.key] = t.id;
    answer.tasks.push_back(std::move(t));
  }
  registry_book::batch others;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!answer.fresh[i])
      continue;
    const auto& x = items[i];
    auto& t = answer.tasks[i];
    t.version = 1;
    t.project = x.project;
    t.ref = x.ref;
    t.title = x.title;
    t.body = x.body;
    t.labels = x.labels;
    t.priority = x.priority;
    t.agent = x.agent;
    t.created_at = t.updated_at = now;
    for (const auto& need : x.needs) {
      auto in_batch = ids.find(need);
      auto id = in_batch != ids.end() ? in_batch->second
                                      : find_task(need, x.project)->id;
      if (std::find(t.needs.begin(), t.needs.end(), id) == t.needs.end())
        t.needs.push_back(id);
    }
    others.waits_for[t.id.text] = t.needs;
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!answer.fresh[i])
      continue;
    auto& t = answer.tasks[i];
    t.suspects = suspects_of(t, others, now);
    auto needs = outlook_of(t);
    t.state = needs.open ? task_state::blocked : task_state::ready;
    t.why = needs.why;
    // Cannot fail: keys were found free above and ids are new.
    (void)lock(d, t.key);
    d.write.events.push_back(note(event_kind::task_added, t, now));
    d.write.events.push_back(note(
      needs.open ? event_kind::task_blocked : event_kind::task_ready, t, now));
    for (const auto& s : t.suspects)
      d.write.events.push_back(note(s, t, now));
    d.write.rows.emplace_back(t);
  }
  d.answer = std::move(answer);
  return d;
}

result<registry_decision> registry_book::decide(const revise_task& request,
                                                wall_time now) {
  const auto* t = task_of(request.task);
  if (t == nullptr)
    return fail(ec::no_such_task, request.task.text + " is unknown");
  if (is_closed(t->state))
    return fail(ec::task_closed,
                t->id.text + " is " + std::string{to_string(t->state)});
  add_task as_new;
  as_new.project = t->project;
  as_new.title = request.title;
  as_new.body = request.body;
  if (auto ok = check(as_new); !ok)
    return fail(ok.error());
  registry_decision d;
  d.answer = task_changed{*t};
  if (t->title == request.title && t->body == request.body)
    return d;
  if (auto ok = lock(d, t->id.text); !ok)
    return fail(ok.error());
  auto next = *t;
  next.version += 1;
  next.title = request.title;
  next.body = request.body;
  next.updated_at = now;
  auto e = note(event_kind::task_revised, next, now);
  e.actor = request.by;
  d.write.events.push_back(std::move(e));
  d.write.rows.emplace_back(next);
  d.answer = task_changed{std::move(next)};
  return d;
}

} // namespace ao
