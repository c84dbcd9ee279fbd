#include "runtime/api/requests.hpp"

#include <filesystem>
#include <system_error>

namespace ao::api {
namespace {

namespace fs = std::filesystem;

std::string names_of(const settings& all) {
  std::string out;
  for (const auto& [id, p] : all.projects)
    out += (out.empty() ? "" : ", ") + id.text;
  return out;
}

/// Links resolved as far as the path exists.
fs::path resolved(const fs::path& path) {
  std::error_code bad;
  auto out = fs::weakly_canonical(path, bad);
  return bad ? path.lexically_normal() : out;
}

bool is_in_or_below(const fs::path& inner, const fs::path& outer) {
  auto in = inner.begin();
  for (const auto& part : outer) {
    if (part.empty())
      continue;
    if (in == inner.end() || *in != part)
      return false;
    ++in;
  }
  return true;
}

/// The innermost project around `cwd`.
const project_settings* project_around(const settings& all,
                                       const std::string& cwd) {
  const project_settings* best = nullptr;
  std::size_t depth = 0;
  if (cwd.empty() || cwd.front() != '/')
    return best;
  auto here = resolved(cwd);
  for (const auto& [id, p] : all.projects) {
    auto root = resolved(p.path);
    auto length = root.string().size();
    if (is_in_or_below(here, root) && length > depth) {
      best = &p;
      depth = length;
    }
  }
  return best;
}

const project_settings* find_project(const settings& all,
                                     const std::string& id) {
  auto at = all.projects.find(project_id{id});
  return at == all.projects.end() ? nullptr : &at->second;
}

/// By id, else by session prefix.
const project_settings* project_called(const settings& all,
                                       const std::string& name) {
  if (const auto* p = find_project(all, name))
    return p;
  for (const auto& [id, p] : all.projects)
    if (p.session_prefix == name)
      return &p;
  return nullptr;
}

/// The task with the tracker's reference; an open one before a closed one.
row_ptr<task> task_by_ref(const row_view& rows, const project_id& project,
                          const std::string& ref) {
  row_ptr<task> closed;
  if (ref.empty())
    return closed;
  for (auto& t : rows.all<task>()) {
    if (t->project != project || t->ref != ref)
      continue;
    if (!is_closed(t->state))
      return t;
    closed = std::move(t);
  }
  return closed;
}

auto no_task(const std::string& name) {
  return fail(ec::no_such_task, "no task is called " + name);
}

} // namespace

result<const project_settings*>
resolve_project(const settings& all, const std::string& named,
                const std::string& cwd, const project_id& of_session) {
  if (!named.empty()) {
    if (const auto* p = find_project(all, named))
      return p;
    return fail(ec::no_such_project,
                "no project is called " + named
                  + (all.projects.empty() ? ", there is none"
                                          : ", expected " + names_of(all)));
  }
  if (all.projects.empty())
    return fail(ec::no_such_project, "the configuration has no project");
  if (all.projects.size() == 1)
    return &all.projects.begin()->second;
  if (const auto* p = find_project(all, of_session.text))
    return p;
  if (const auto* p = project_around(all, cwd))
    return p;
  return fail(ec::bad_input,
              "which project? expected --project with one of " + names_of(all));
}

result<place> place_of(const json& body, const project_id& of_session) {
  auto project = text_of(body, "project");
  if (!project)
    return fail(project.error());
  auto cwd = text_of(body, "cwd");
  if (!cwd)
    return fail(cwd.error());
  return place{std::move(*project), std::move(*cwd), of_session};
}

result<row_ptr<task>> resolve_task(const row_view& rows, const settings& all,
                                   const std::string& name,
                                   const place& where) {
  if (name.empty())
    return fail(ec::bad_input, "which task? the name is empty");
  if (auto t = rows.find_task_by_key(name))
    return t;
  if (ao::number_of(task_id{name}) != 0)
    return no_task(name);
  auto slash = name.find('/');
  if (slash != std::string::npos)
    if (const auto* p = project_called(all, name.substr(0, slash))) {
      if (auto t = task_by_ref(rows, p->id, name.substr(slash + 1)))
        return t;
      return no_task(name);
    }
  auto project
    = resolve_project(all, where.project, where.cwd, where.of_session);
  if (!project)
    return fail(project.error());
  if (auto t = task_by_ref(rows, (*project)->id, name))
    return t;
  return no_task(name);
}

} // namespace ao::api
