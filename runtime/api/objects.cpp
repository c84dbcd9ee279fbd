#include "runtime/api/objects.hpp"

#include "runtime/api/suspects.hpp"
#include "runtime/rules/breakers.hpp"
#include "runtime/rules/sessions.hpp"
#include "runtime/rules/status.hpp"

#include <map>

namespace ao::api {
namespace {

template <class Tag>
json id_or_null(const name_of<Tag>& id) {
  return id.empty() ? json() : json(id.text);
}

json text_or_null(const std::string& text) {
  return text.empty() ? json() : json(text);
}

json count_or_null(std::uint64_t n) {
  return n == 0 ? json() : json(n);
}

json time_or_null(const std::optional<wall_time>& t) {
  return t ? json(format_time(*t)) : json();
}

json time_or_null(wall_time t) {
  return t == wall_time{} ? json() : json(format_time(t));
}

template <class Enum>
json word(Enum value) {
  return std::string{to_string(value)};
}

const change* change_of(const session_view& s) {
  return s.opened.get();
}

/// The original's words for checks.
json checks_in_words(ci_state ci) {
  switch (ci) {
  case ci_state::none:
    return "none";
  case ci_state::pending:
  case ci_state::running:
    return "pending";
  case ci_state::passed:
    return "passing";
  case ci_state::failed:
    return "failing";
  }
  return nullptr;
}

/// The original's word: an ended agent does nothing else any more.
json activity_in_words(const session& s) {
  if (s.runtime == runtime_state::exited || is_terminal(s))
    return "exited";
  return s.activity == activity_state::unknown ? json() : word(s.activity);
}

/// Null when the question is over.
json is_mergeable(const change& c) {
  if (c.state != change_state::open)
    return nullptr;
  return is_green(c) && c.merge != merge_state::conflict
    && c.review != review_state::changes_requested;
}

json issue_of(const session_view& s) {
  return s.of ? text_or_null(s.of->ref) : json();
}

json change_summary(const session_view& s) {
  if (!s.opened)
    return nullptr;
  const auto& c = *s.opened;
  return {{"state", word(c.state)},
          {"ci", word(c.ci)},
          {"review", word(c.review)},
          {"mergeable", is_mergeable(c)},
          {"sha", text_or_null(c.head_sha)}};
}

json exit_object(const std::optional<exit_info>& e) {
  if (!e)
    return nullptr;
  return {{"code", e->code ? json(*e->code) : json()},
          {"signal", e->signal ? json(*e->signal) : json()},
          {"at", time_or_null(e->at)},
          {"class", text_or_null(e->failure)}};
}

json runtime_object(const session& s) {
  return {{"state", word(s.runtime)},
          {"reason", text_or_null(s.reason)},
          {"pid", count_or_null(static_cast<std::uint64_t>(s.agent_pid))},
          {"shimPid", count_or_null(static_cast<std::uint64_t>(s.shim_pid))},
          {"startedAt", time_or_null(s.started_at)},
          {"exit", exit_object(s.exit)}};
}

json tmux_object(const session& s) {
  if (s.tmux_socket.empty())
    return nullptr;
  return {{"socket", s.tmux_socket},
          {"session", s.id.text},
          {"pane", text_or_null(s.tmux_pane)}};
}

json claim_object(const session_view& s) {
  if (!s.held)
    return nullptr;
  return {{"epoch", s.held->epoch}, {"node", id_or_null(s.held->node)}};
}

status_facts facts_of(const session_view& s) {
  status_facts out;
  out.auth_blocked = s.blocked_by != nullptr;
  return out;
}

shown_status status_of(const session_view& s) {
  return ao::status_of(*s.row, change_of(s), facts_of(s));
}

/// What it does or waits for; one that is blocked names what is to be done.
std::string summary_of(const session_view& s) {
  if (s.blocked_by && status_of(s) == shown_status::auth_blocked)
    return why_held(*s.blocked_by);
  return ao::summary_of(*s.row, change_of(s), facts_of(s));
}

/// Why nobody starts a ready task: its agent's login is lost.
std::string why_waits(const row_view& rows, const task& t,
                      const settings& all) {
  auto project = all.projects.find(t.project);
  if (t.state != task_state::ready || project == all.projects.end())
    return {};
  auto name = t.agent.empty() ? agent_of(all, project->second) : t.agent;
  auto agent = all.agents.find(name);
  if (agent == all.agents.end())
    return {};
  for (const auto& b : rows.all<breaker>())
    if (holds(*b) && b->account == account_of(agent->second))
      return why_held(*b);
  return {};
}

/// The rows to show, and how many terminal ones are not.
template <class Row>
json shown_rows(const std::vector<session_view>& all, bool include_terminated,
                std::uint64_t& hidden, Row row) {
  auto out = json::array();
  for (const auto& s : all) {
    if (!include_terminated && is_terminal(status_of(s)))
      ++hidden;
    else
      out.push_back(row(s));
  }
  return out;
}

json names_of(const std::vector<session_id>& ids) {
  auto out = json::array();
  for (const auto& id : ids)
    out.push_back(id.text);
  return out;
}

json project_object(const settings& all, const project_settings& p) {
  return {
    {"id", p.id.text},
    {"name", p.name},
    {"path", p.path.string()},
    {"defaultBranch", p.default_branch},
    {"sessionPrefix", p.session_prefix},
    {"agent", agent_of(all, p)},
    {"dispatch", word(p.dispatch)},
    {"forge", word(p.forge.plugin)},
    {"openChange", p.open_change == change_opener::hub ? "auto" : "agent"},
    {"ci", p.ci ? json(p.ci->command) : json()},
    {"merge",
     {{"auto", merges_by_itself(all, p)},
      {"method", word(p.merge.method)},
      {"requireReview", p.merge.require_review}}}};
}

} // namespace

session_view view_of(const row_view& rows, const settings& all,
                     row_ptr<session> row) {
  session_view out;
  out.of = rows.find<task>(row->task.text);
  out.opened = rows.find<change>(row->change.text);
  if (out.of)
    out.suspects = suspects_of(rows, *out.of, true);
  if (auto held = rows.held_claim(row->subject);
      held && held->session == row->id)
    out.held = std::move(held);
  if (auto agent = all.agents.find(row->agent); agent != all.agents.end())
    if (auto b = rows.find<breaker>(breaker_key(agent->second, auth_failure));
        b && is_held(*b, *row))
      out.blocked_by = std::move(b);
  if (!row->took_over.empty() && row->runtime == runtime_state::queued)
    for (const auto& other : rows.all<session>())
      if (has_to_leave(*other, *row))
        out.waits_for = other->id;
  auto project = all.projects.find(row->project);
  out.project_name
    = project == all.projects.end() || project->second.name.empty()
    ? row->project.text
    : project->second.name;
  out.row = std::move(row);
  return out;
}

std::vector<saved_work> saved_work_of(const std::vector<event>& events) {
  std::vector<saved_work> out;
  for (const auto& e : events) {
    if (e.kind != event_kind::rescue_saved)
      continue;
    auto data = json::parse(e.data, nullptr, false);
    if (!data.is_object() || !data.contains("ref") || !data["ref"].is_string())
      continue;
    saved_work saved;
    saved.ref = data["ref"].get<std::string>();
    if (data.contains("sha") && data["sha"].is_string())
      saved.sha = data["sha"].get<std::string>();
    saved.at = e.at;
    out.push_back(std::move(saved));
  }
  return out;
}

json status_row(const session_view& s) {
  const auto& row = *s.row;
  const auto* c = change_of(s);
  return {{"name", row.id.text},
          {"role", word(row.role)},
          {"branch", text_or_null(row.branch)},
          {"status", word(status_of(s))},
          {"summary", text_or_null(summary_of(s))},
          {"pr", id_or_null(row.change)},
          {"prNumber", c ? json(c->number) : json()},
          {"issue", issue_of(s)},
          {"lastActivity", time_or_null(row.updated_at)},
          {"project", id_or_null(row.project)},
          {"ciStatus", c ? checks_in_words(c->ci) : json()},
          {"reviewDecision", c ? word(c->review) : json()},
          {"pendingThreads", nullptr},
          {"activity", activity_in_words(row)},
          {"task", id_or_null(row.task)},
          {"epoch", count_or_null(row.epoch)},
          {"run", row.run},
          {"node", id_or_null(row.node)},
          {"agent", text_or_null(row.agent)},
          {"restarts", row.restarts},
          {"since", time_or_null(row.since)},
          {"workspacePath", text_or_null(row.workspace_path)},
          {"runtime",
           {{"state", word(row.runtime)},
            {"reason", text_or_null(row.reason)},
            {"pid", count_or_null(static_cast<std::uint64_t>(row.agent_pid))}}},
          {"change", change_summary(s)},
          {"suspectedDuplicateOf", s.suspects}};
}

json session_row(const session_view& s) {
  const auto& row = *s.row;
  return {{"id", row.id.text},
          {"projectId", id_or_null(row.project)},
          {"projectName", text_or_null(s.project_name)},
          {"role", word(row.role)},
          {"branch", text_or_null(row.branch)},
          {"status", word(status_of(s))},
          {"issueId", issue_of(s)},
          {"pr", id_or_null(row.change)},
          {"workspacePath", text_or_null(row.workspace_path)},
          {"lastActivityAt", time_or_null(row.updated_at)}};
}

json session_object(const session_view& s, const std::vector<saved_work>& saved,
                    const std::string& repository) {
  auto out = status_row(s);
  out.update(session_row(s));
  out["runtime"] = runtime_object(*s.row);
  out["tmux"] = tmux_object(*s.row);
  out["claim"] = claim_object(s);
  out["conversation"] = text_or_null(s.row->conversation);
  out["lastWords"] = text_or_null(s.row->last_words);
  out["question"] = text_or_null(s.row->needs_input);
  out["tookOver"] = id_or_null(s.row->took_over);
  out["waitsFor"] = id_or_null(s.waits_for);
  out["tokens"]
    = {{"input", s.row->input_tokens}, {"output", s.row->output_tokens}};
  out["rescue"] = json::array();
  for (const auto& one : saved)
    out["rescue"].push_back({{"ref", one.ref},
                             {"sha", text_or_null(one.sha)},
                             {"at", time_or_null(one.at)},
                             {"repo", repository}});
  return out;
}

json task_object(const row_view& rows, const task& t, const settings* all) {
  auto why = t.why;
  if (all != nullptr)
    if (auto waits = why_waits(rows, t, *all); !waits.empty())
      why = waits;
  auto needs = json::array();
  for (const auto& need : t.needs)
    needs.push_back(need.text);
  return {{"id", t.id.text},
          {"key", text_or_null(t.key)},
          {"project", id_or_null(t.project)},
          {"ref", text_or_null(t.ref)},
          {"title", t.title},
          {"body", t.body},
          {"labels", t.labels},
          {"priority", t.priority},
          {"needs", std::move(needs)},
          {"state", word(t.state)},
          {"session", id_or_null(t.session)},
          {"epoch", count_or_null(t.epoch)},
          {"change", id_or_null(t.change)},
          {"createdAt", time_or_null(t.created_at)},
          {"updatedAt", time_or_null(t.updated_at)},
          {"closedAt", time_or_null(t.closed_at)},
          {"why", text_or_null(why)},
          {"suspectedDuplicateOf", suspects_of(rows, t, false)}};
}

json change_object(const change& c) {
  return {{"id", c.id.text},
          {"project", id_or_null(c.project)},
          {"number", c.number},
          {"session", id_or_null(c.session)},
          {"task", id_or_null(c.task)},
          {"title", c.title},
          {"branch", c.branch},
          {"base", c.base},
          {"headSha", text_or_null(c.head_sha)},
          {"state", word(c.state)},
          {"ci", word(c.ci)},
          {"review", word(c.review)},
          {"mergeable", is_mergeable(c)},
          {"mergedSha", text_or_null(c.merged_sha)},
          // The local forge has no pages.
          {"url", nullptr}};
}

json review_object(const change_review& r) {
  return {{"change", r.change.text},
          {"sha", r.sha},
          {"baseSha", text_or_null(r.base_sha)},
          {"verdict", word(r.verdict)},
          {"by", text_or_null(r.by)},
          {"text", text_or_null(r.text)},
          {"session", id_or_null(r.session)},
          {"reason", text_or_null(r.failure)},
          {"askedAt", time_or_null(r.asked_at)},
          {"givenAt", time_or_null(r.given_at)}};
}

json incident_object(const incident& i) {
  auto history = json::array();
  for (const auto& a : i.history)
    history.push_back({{"tier", word(a.tier)},
                       {"number", a.number},
                       {"sha", text_or_null(a.sha)},
                       {"session", id_or_null(a.session)},
                       {"verdict", text_or_null(a.verdict)},
                       {"detail", text_or_null(a.detail)},
                       {"at", time_or_null(a.at)},
                       {"endedAt", time_or_null(a.ended_at)}});
  auto others = json::array();
  for (const auto& s : i.others)
    others.push_back(s.text);
  // The code is for those who were sent the question.
  return {{"id", i.id.text},
          {"project", id_or_null(i.project)},
          {"task", id_or_null(i.task)},
          {"session", id_or_null(i.session)},
          {"change", id_or_null(i.change)},
          {"cause", word(i.cause)},
          {"fingerprint", i.fingerprint},
          {"tier", word(i.tier)},
          {"state", word(i.state)},
          {"sha", text_or_null(i.sha)},
          {"text", text_or_null(i.text)},
          {"attempts", i.attempts},
          {"maxAttempts", i.max_attempts},
          {"rounds", i.rounds},
          {"mediator", id_or_null(i.mediator)},
          {"question", text_or_null(i.question)},
          {"options", i.options},
          {"raised", i.raised},
          {"ackedAt", time_or_null(i.acked_at)},
          {"answer", text_or_null(i.answer)},
          {"answeredBy", text_or_null(i.answered_by)},
          {"deadline", time_or_null(i.deadline)},
          {"count", count_of(i)},
          {"others", std::move(others)},
          {"history", std::move(history)},
          {"openedAt", time_or_null(i.opened_at)},
          {"closedAt", time_or_null(i.closed_at)},
          {"closedBy", text_or_null(i.closed_by)},
          {"why", text_or_null(i.why)}};
}

json message_object(const message& m) {
  auto evidence = json::array();
  for (const auto& e : m.evidence)
    evidence.push_back({{"state", word(e.state)},
                        {"at", time_or_null(e.at)},
                        {"source", text_or_null(e.source)},
                        {"detail", text_or_null(e.detail)}});
  return {{"id", m.id.text},
          {"session", m.session.text},
          {"epoch", count_or_null(m.epoch)},
          {"run", count_or_null(m.run)},
          {"mode", word(m.mode)},
          {"state", word(m.state)},
          {"sender", text_or_null(m.sender)},
          {"settled", m.settled},
          {"evidence", std::move(evidence)},
          {"createdAt", time_or_null(m.created_at)},
          {"deadline", time_or_null(m.deadline)}};
}

json notification_object(const notification& n) {
  return {{"id", n.id},
          {"channel", n.channel},
          {"case", n.subject},
          {"number", n.number},
          {"priority", word(n.priority)},
          {"project", text_or_null(n.project.text)},
          {"session", text_or_null(n.session.text)},
          {"kind", n.kind},
          {"state", word(n.state)},
          {"attempts", n.attempts},
          {"lastError", text_or_null(n.last_error)},
          {"remote", text_or_null(n.remote)},
          {"digest", text_or_null(n.digest)},
          {"nextAt", time_or_null(n.next_at)},
          {"createdAt", time_or_null(n.created_at)},
          {"updatedAt", time_or_null(n.updated_at)}};
}

json node_object(const local_node& n) {
  return {{"name", "local"},
          {"state", n.stopping ? "draining" : "alive"},
          {"labels", json::object()},
          {"slots", {{"used", n.sessions.size()}, {"max", n.slots}}},
          // One life with its hub: the hub's start numbers it.
          {"incarnation", n.started_at.time_since_epoch().count()},
          // In the hub's own process nothing needs to beat.
          {"lastHeartbeatAt", nullptr},
          {"sessions", names_of(n.sessions)},
          {"version", n.version}};
}

json node_object(const cluster_node& n, const std::vector<session_id>& sessions,
                 std::optional<wall_time> heard, const std::string& closed) {
  auto labels = json::object();
  for (const auto& label : n.labels) {
    auto at = label.find('=');
    labels[label.substr(0, at)] = label.substr(at + 1);
  }
  return {{"name", n.name.text},
          {"state", std::string{state_of(n)}},
          {"labels", std::move(labels)},
          {"slots", {{"used", sessions.size()}, {"max", n.slots}}},
          {"incarnation", n.incarnation},
          {"lastHeartbeatAt", time_or_null(heard)},
          {"sessions", names_of(sessions)},
          {"version", text_or_null(n.program)},
          {"cores", n.cores},
          {"memory", n.memory},
          {"agents", n.agents},
          {"projects", n.projects},
          {"certifiedUntil", format_time(n.certified_until)},
          {"drainUntil", time_or_null(n.drain_until)},
          {"drainedAt", time_or_null(n.drained_at)},
          {"why", text_or_null(closed.empty() ? n.why : closed)}};
}

json status_document(const std::vector<session_view>& all,
                     bool include_terminated, const hub_facts& hub) {
  std::uint64_t hidden = 0;
  auto rows = shown_rows(all, include_terminated, hidden, status_row);
  auto counts = json::object();
  for (const auto& s : all) {
    auto& n = counts[std::string{to_string(status_of(s))}];
    n = n.is_null() ? 1 : n.get<int>() + 1;
  }
  json trouble;
  if (hub.trouble)
    trouble = {{"since", format_time(hub.trouble->since)},
               {"reason", hub.trouble->why}};
  return {{"data", std::move(rows)},
          {"meta",
           {{"hiddenTerminatedCount", hidden},
            {"storeTrouble", std::move(trouble)},
            {"hub",
             {{"pid", hub.pid},
              {"version", hub.version},
              {"startedAt", time_or_null(hub.started_at)},
              {"adopted", hub.adopted}}},
            {"counts", std::move(counts)}}}};
}

json sessions_document(const std::vector<session_view>& all,
                       bool include_terminated) {
  std::uint64_t hidden = 0;
  auto rows = shown_rows(all, include_terminated, hidden, session_row);
  return {{"data", std::move(rows)},
          {"meta", {{"hiddenTerminatedCount", hidden}}}};
}

json list_of(json rows) {
  return {{"data", std::move(rows)}};
}

json config_object(const settings& all) {
  auto projects = json::array();
  for (const auto& [id, p] : all.projects)
    projects.push_back(project_object(all, p));
  auto agents = json::array();
  for (const auto& [name, a] : all.agents)
    agents.push_back({{"name", name}, {"adapter", a.adapter}});
  auto notifiers = json::array();
  for (const auto& [id, n] : all.notifiers)
    notifiers.push_back({{"id", id}, {"plugin", n.plugin}});
  return {{"file", text_or_null(all.path.string())},
          {"limits",
           {{"sessions", all.limits.sessions},
            {"spawnsPerMinute", all.limits.spawns_per_minute},
            {"parallelSpawns", all.limits.parallel_spawns}}},
          {"agents", std::move(agents)},
          {"notifiers", std::move(notifiers)},
          {"projects", std::move(projects)}};
}

json changed_keys(const std::vector<config_change>& changed) {
  auto value = [](const std::optional<std::string>& text) {
    return text ? json(*text) : json(nullptr);
  };
  auto out = json::array();
  for (const auto& c : changed)
    out.push_back({{"key", c.key},
                   {"before", value(c.before)},
                   {"after", value(c.after)},
                   {"takesEffect", to_string(c.effect)}});
  return out;
}

} // namespace ao::api
