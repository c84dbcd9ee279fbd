#include "runtime/api/takeovers.hpp"

#include "runtime/agents/launch.hpp"
#include "runtime/api/plan_parts.hpp"

namespace ao::api {
namespace {

using namespace plan_parts;

/// Who holds its task now; null when nobody does.
row_ptr<session> holder_of(const row_view& rows, const std::string& subject) {
  auto held = rows.held_claim(subject);
  return held ? rows.find<session>(held->session.text) : nullptr;
}

/// Who has worked on the branch of a change last.
session_id last_on(const row_view& rows, const change& c) {
  auto last = c.session;
  epoch_no epoch = 0;
  for (const auto& s : rows.all<session>())
    if (s->task == c.task && s->branch == c.branch && s->epoch > epoch) {
      last = s->id;
      epoch = s->epoch;
    }
  return last;
}

/// Why the agent of `s` may not leave what it is at.
result<void> check_mover(const row_view& rows, const session& s,
                         const change& c) {
  auto refuse = [&](ec code, const std::string& why) {
    return fail(code, s.id.text + " " + why);
  };
  auto anew = "; `ao spawn --claim-pr " + c.id.text + "` takes a new session";
  if (s.project != c.project)
    return refuse(ec::bad_input,
                  "works in " + s.project.text + ", and " + c.id.text
                    + " is of " + c.project.text);
  if (s.role != session_role::worker)
    return refuse(ec::wrong_state,
                  "is a session of role " + std::string{to_string(s.role)}
                    + "; only a worker takes a change over");
  if (is_terminal(s))
    return refuse(ec::session_closed, "has ended" + anew);
  auto holder = holder_of(rows, s.subject);
  if (!holder || holder->id != s.id)
    return refuse(ec::wrong_state,
                  "holds no task any more; restore it first" + anew);
  if (auto own = rows.open_change(s.id))
    return refuse(ec::wrong_state,
                  "has an open change itself, " + own->id.text
                    + ", which nobody would look after" + anew);
  return {};
}

/// Another change of the same task would be left to nobody.
result<void> check_alone(const row_view& rows, const change& c) {
  for (const auto& other : rows.changes_of(c.project))
    if (other->id != c.id && other->task == c.task
        && other->state == change_state::open)
      return fail(ec::wrong_state,
                  c.task.text + " is worked on in " + other->id.text
                    + ", too, by " + other->session.text
                    + "; take that over instead");
  return {};
}

result<void> check_nobody_assigned(const json& body,
                                   const project_settings& project) {
  auto assign = flag_of(body, "assign");
  if (!assign)
    return fail(assign.error());
  if (*assign)
    return fail(ec::bad_input,
                "assign: the forge of " + project.id.text + " is "
                  + std::string{to_string(project.forge.plugin)}
                  + ", where nobody is assigned; leave --assign-on-github out");
  return {};
}

} // namespace

result<takeover_plan> plan_takeover(const row_view& rows, const settings& all,
                                    const change& c, const json& body,
                                    const request_id& id) {
  auto named = text_of(body, "session");
  auto agent = agent_in(all, body);
  auto node = node_in(rows, body);
  auto project = resolve_project(all, c.project.text, {});
  if (!named)
    return fail(named.error());
  if (!agent)
    return fail(agent.error());
  if (!node)
    return fail(node.error());
  if (!project)
    return fail(project.error());
  if (auto ok = check_nobody_assigned(body, **project); !ok)
    return fail(ok.error());
  takeover_plan out;
  out.project = c.project;
  out.holder = holder_of(rows, c.task.text);
  if (!named->empty()) {
    out.mover = rows.find<session>(*named);
    if (!out.mover)
      return fail(ec::no_such_session, "no session is called " + *named);
  }
  if (c.state != change_state::open)
    return fail(ec::change_closed,
                c.id.text + " is " + std::string{to_string(c.state)});
  if (out.mover && out.holder && out.mover->id == out.holder->id
      && out.mover->change == c.id) {
    out.own = out.mover;
    return out;
  }
  auto t = rows.find<task>(c.task.text);
  if (!t)
    return fail(ec::no_such_task, c.task.text + " is no longer kept");
  if (auto ok = check_alone(rows, c); !ok)
    return fail(ok.error());
  if (out.mover)
    if (auto ok = check_mover(rows, *out.mover, c); !ok)
      return fail(ok.error());
  out.open = session_of(**project, id);
  out.open.task = c.task;
  out.open.change = c.id;
  out.open.branch_template = c.branch;
  out.open.took_over = last_on(rows, c);
  out.open.gives_up = out.mover ? out.mover->id : session_id{};
  out.open.agent = !agent->empty() ? *agent
    : out.mover                    ? out.mover->agent
    : !t->agent.empty()            ? t->agent
                                   : agent_of(all, **project);
  go_to(*node, rows, out.open);
  if (auto ok = check_deliverable(all, out.open.agent, prompt_of(*t)); !ok)
    return fail(ok.error());
  return out;
}

result<void> check_clean(const session& s, const worktree_facts& seen) {
  if (!seen.dirty)
    return {};
  std::string list;
  for (const auto& line : seen.status_lines)
    list += (list.empty() ? "" : ", ") + line;
  auto what = seen.changed == 0 ? std::string{"an unfinished merge or rebase"}
                                : std::to_string(seen.changed)
      + (seen.changed == 1 ? " file that is" : " files that are")
      + " in no commit (" + list + ")";
  error why{ec::unclean_worktree,
            "the worktree of " + s.id.text + " has " + what
              + "; have it committed, or end it by `ao session kill "
              + s.id.text + "`, which saves it"};
  why.details
    = {{"session", s.id.text}, {"files", std::to_string(seen.changed)}};
  return fail(std::move(why));
}

} // namespace ao::api
