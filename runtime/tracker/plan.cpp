#include "runtime/tracker/plan.hpp"

#include "runtime/api/requests.hpp"
#include "runtime/rules/text.hpp"

#include <algorithm>
#include <set>

namespace ao {
namespace {

/// Plans the items of one backlog.
class planner {
public:
  planner(const row_view& rows, const settings& all,
          const project_settings& project, const backlog& what,
          const std::string& source)
      : rows_(rows), all_(all), project_(project), source_(source) {
    for (const auto& item : what.items)
      open_.insert(item.id);
    finished_.insert(what.finished.begin(), what.finished.end());
  }

  result<msg::add_task> plan(const backlog_item& item) const {
    msg::add_task out;
    out.project = project_.id;
    out.ref = item.id;
    out.key = key_of(item.id);
    out.title = item.title;
    out.body = item.body;
    out.priority = item.priority;
    out.labels = item.labels;
    out.agent = item.agent;
    if (!is_word(out.key))
      return wrong(item, ec::bad_input,
                   "the key " + out.key
                     + " is longer than 200 bytes, expected a shorter path");
    if (!item.agent.empty() && all_.agents.count(item.agent) == 0)
      return wrong(item, ec::bad_input,
                   "no agent is called " + item.agent + ", expected "
                     + agents());
    for (const auto& need : item.needs)
      if (auto ok = add_need(item, need, out.needs); !ok)
        return fail(ok.error());
    return out;
  }

private:
  std::string key_of(const std::string& id) const {
    return project_.id.text + "/file:" + source_ + "#" + id;
  }

  std::string agents() const {
    std::string out;
    for (const auto& [name, agent] : all_.agents)
      out += (out.empty() ? "" : ", ") + name;
    return out;
  }

  tl::unexpected<error> wrong(const backlog_item& item, ec code,
                              const std::string& what) const {
    return fail(code, source_ + ":" + std::to_string(item.line) + ": " + what);
  }

  result<void> add_need(const backlog_item& item, const std::string& need,
                        std::vector<task_id>& into) const {
    // The backlog's own ids come first, then all that `ao spawn` accepts.
    if (open_.count(need) > 0) {
      into.emplace_back(key_of(need));
      return {};
    }
    if (finished_.count(need) > 0) {
      if (auto known = rows_.find_task_by_key(key_of(need)))
        into.push_back(known->id);
      return {};
    }
    api::place here;
    here.project = project_.id.text;
    auto known = api::resolve_task(rows_, all_, need, here);
    if (!known)
      return wrong(item, ec::no_such_task,
                   item.id + " needs " + need
                     + ", which nobody knows, expected an ID of this backlog, "
                       "T<n> or a key");
    into.push_back((*known)->id);
    return {};
  }

  const row_view& rows_;
  const settings& all_;
  const project_settings& project_;
  const std::string& source_;
  std::set<std::string> open_;
  std::set<std::string> finished_;
};

} // namespace

result<std::vector<msg::add_task>>
plan_import(const row_view& rows, const settings& all,
            const project_settings& project, const backlog& what,
            const std::string& source) {
  planner plans{rows, all, project, what, source};
  std::vector<msg::add_task> out;
  for (const auto& item : what.items) {
    auto one = plans.plan(item);
    if (!one)
      return fail(one.error());
    out.push_back(std::move(*one));
  }
  return out;
}

std::optional<project_id> project_with_backlog(const settings& all,
                                               const std::string& name,
                                               const project_id& project) {
  auto has_backlog = [](const project_settings& p) {
    return p.tracker && p.tracker->plugin == tracker_kind::file;
  };
  if (auto slash = name.find('/'); slash != std::string::npos) {
    auto of = name.substr(0, slash);
    for (const auto& [id, p] : all.projects)
      if ((id.text == of || p.session_prefix == of) && has_backlog(p))
        return id;
    return std::nullopt;
  }
  auto at = all.projects.find(project);
  if (!is_backlog_id(name) || at == all.projects.end()
      || !has_backlog(at->second))
    return std::nullopt;
  return project;
}

bool differs(const task& known, const msg::add_task& item) {
  return known.title != item.title || known.body != item.body
    || known.labels != item.labels || known.priority != item.priority
    || known.agent != item.agent;
}

} // namespace ao
