#include "actors/overlaps.hpp"

#include "actors/project_forge.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/harden.hpp"

#include <cmath>
#include <stdexcept>

namespace ao {
namespace {

using self_pointer = overlaps_actor::stateful_pointer<overlaps_state>;

/// A file that so many sessions touch, and at least half of all, tells
/// nothing.
constexpr std::size_t many_sessions = 5;

/// Has work that is neither merged nor given up.
bool is_at_work(const hub_context& context, const session& s) {
  if (is_terminal(s) || s.task.empty() || s.branch.empty())
    return false;
  auto t = context.rows->find<task>(s.task.text);
  return t && !is_closed(t->state) && t->session == s.id;
}

void forget(self_pointer self, const session_id& id) {
  auto& st = self->state;
  auto found = st.work.find(id);
  if (found == st.work.end())
    return;
  for (const auto& [path, ranges] : found->second.files())
    if (auto i = st.by_file.find(path); i != st.by_file.end()) {
      i->second.erase(id);
      if (i->second.empty())
        st.by_file.erase(i);
    }
  st.work.erase(found);
}

/// The sessions that change a file which `id` changes, without those whose
/// work has ended meanwhile.
std::vector<row_ptr<session>> neighbours_of(self_pointer self,
                                            const session_id& id) {
  auto& st = self->state;
  std::set<session_id> names;
  for (const auto& [path, ranges] : st.work.at(id).files())
    if (!is_common_file(path))
      names.insert(st.by_file.at(path).begin(), st.by_file.at(path).end());
  names.erase(id);
  std::vector<row_ptr<session>> out;
  for (const auto& name : names) {
    auto row = st.context.rows->find<session>(name.text);
    if (row && is_at_work(st.context, *row))
      out.push_back(std::move(row));
    else
      forget(self, name);
  }
  return out;
}

void suspect(self_pointer self, const session& a, const session& b,
             const line_overlap& how) {
  msg::suspect_tasks order;
  order.task = a.task;
  order.session = a.id;
  order.other = b.task;
  order.other_session = b.id;
  order.score = static_cast<int>(std::lround(how.ratio * 100));
  order.reason = how.reason;
  ask<registry_actor>(self, self->state.context, "registry"_name,
                      registry_deadline, std::move(order))
    .then([](const task&) {},
          [self, id = a.id](const caf::error& why) {
            // Found again at the next push or start.
            self->state.context.say(log_level::warn,
                                    "overlap_not_recorded session=" + id.text
                                      + " reason=\""
                                      + to_string(to_ao_error(why)) + "\"");
          });
}

/// What a branch changes, nothing where it is not at the forge.
result<std::vector<hunk>> hunks_of(const local_forge& git,
                                   const std::string& branch) {
  auto base = git.head_of(git.base());
  if (!base)
    return fail(base.error());
  auto head = git.head_of(branch);
  if (!head)
    return fail(head.error());
  if (!*base || !*head)
    return std::vector<hunk>{};
  return git.changed_hunks(**base, **head);
}

/// Compares what `s` changes with the work of the others.
void compare_work(self_pointer self, const session& s, line_ranges work) {
  auto& st = self->state;
  if (auto known = st.work.find(s.id);
      known != st.work.end() && known->second == work)
    return;
  forget(self, s.id);
  auto& mine = st.work[s.id] = std::move(work);
  for (const auto& [path, ranges] : mine.files())
    st.by_file[path].insert(s.id);
  auto others = neighbours_of(self, s.id);
  auto common = [&st](const std::string& path) {
    auto users = st.by_file.at(path).size();
    return is_common_file(path)
      || (users >= many_sessions && 2 * users >= st.work.size());
  };
  for (const auto& other : others) {
    if (other->task == s.task)
      continue;
    auto how = compare(mine, st.work.at(other->id), common);
    if (how.ratio >= overlap_suspected_from)
      suspect(self, s, *other, how);
  }
}

/// The same for what `s` has pushed.
void look_at(self_pointer self, const session& s) {
  auto& st = self->state;
  auto hunks = hunks_of(*st.git, s.branch);
  if (hunks)
    return compare_work(self, s, line_ranges{*hunks});
  forget(self, s.id);
  st.context.say(log_level::warn,
                 "diff_not_read session=" + s.id.text + " reason=\""
                   + to_string(hunks.error()) + "\"");
}

/// The session at work on `branch`; null when there is none.
row_ptr<session> session_on(self_pointer self, const std::string& branch) {
  auto& st = self->state;
  for (auto& s : st.context.rows->all<session>())
    if (s->project == st.project && s->branch == branch
        && is_at_work(st.context, *s))
      return s;
  return nullptr;
}

/// At the start: the sessions at work that have pushed. All of them, should
/// that not be known.
std::vector<session_id> sessions_to_read(self_pointer self) {
  const auto& st = self->state;
  auto pushed = st.git->heads();
  std::vector<session_id> out;
  for (const auto& s : st.context.rows->all<session>())
    if (s->project == st.project && s->run > 0 && is_at_work(st.context, *s)
        && (!pushed || pushed->count(s->branch) != 0))
      out.push_back(s->id);
  return out;
}

void look_at_next(self_pointer self) {
  auto& st = self->state;
  if (st.unread.empty())
    return;
  auto row = st.context.rows->find<session>(st.unread.back().text);
  st.unread.pop_back();
  if (row && is_at_work(st.context, *row))
    look_at(self, *row);
  // One at a time, so that a push is not kept waiting by all of them.
  self->send(self, look_atom::value);
}

} // namespace

overlaps_actor::behavior_type overlaps(self_pointer self, hub_context context,
                                       project_id project) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  st.project = std::move(project);
  const auto& settings = settings_for(st.context, st.project);
  if (settings.duplicates == duplicate_policy::off)
    return {[](const msg::branch_pushed&) {}, [](const msg::work_seen&) {},
            [](look_atom) {}};
  st.git.emplace(git_runner{}, forge_dir(st.context, st.project),
                 settings.default_branch, hook_target{});
  st.unread = sessions_to_read(self);
  self->send(self, look_atom::value);
  return {
    [self](const msg::branch_pushed& news) {
      if (auto s = session_on(self, news.branch))
        look_at(self, *s);
    },
    [self](const msg::work_seen& news) {
      const auto& context = self->state.context;
      auto s = context.rows->find<session>(news.session.text);
      if (s && is_at_work(context, *s))
        compare_work(self, *s, line_ranges{news.hunks});
    },
    [self](look_atom) { look_at_next(self); },
  };
}

} // namespace ao
