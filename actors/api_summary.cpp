#include "actors/api_call.hpp"
#include "runtime/rules/summary.hpp"

#include <map>

namespace ao {
namespace {

constexpr std::uint64_t page_size = 1000;
constexpr std::chrono::hours usual_range{24};

/// A summary under way: page after page of the record.
struct reading {
  api_call_ptr call;
  wall_time from;
  wall_time until;
  project_id project;
  summary sum;
};

/// `8h` = that long before `now`, or a time. Errors: `bad_input`.
result<wall_time> time_of(const std::string& name, const std::string& text,
                          wall_time now, wall_time otherwise) {
  if (text.empty())
    return otherwise;
  if (auto at = parse_time(text))
    return *at;
  if (auto ago = parse_duration(text))
    return now - *ago;
  return fail(ec::bad_input,
              name + ": \"" + text
                + "\" is neither a time (2026-11-23T20:00:00.000Z) nor a "
                  "duration (8h)");
}

json or_null(const std::string& text) {
  return text.empty() ? json() : json(text);
}

/// What the agents of a task have spent in all its sessions, by the counts of
/// their own transcripts.
struct spent_tokens {
  std::uint64_t input = 0;
  std::uint64_t output = 0;
};

using tokens_by_task = std::map<std::string, spent_tokens>;

tokens_by_task count_tokens(const row_view& rows) {
  tokens_by_task out;
  for (const auto& s : rows.all<session>()) {
    if (s->task.empty() || s->input_tokens + s->output_tokens == 0)
      continue;
    auto& spent = out[s->task.text];
    spent.input += s->input_tokens;
    spent.output += s->output_tokens;
  }
  return out;
}

/// Null where no agent says it.
json tokens_of(const tokens_by_task& all, const task_id& task) {
  auto at = all.find(task.text);
  return at == all.end()
    ? json()
    : json{{"input", at->second.input}, {"output", at->second.output}};
}

json object_of(const task_summary& t, const tokens_by_task& tokens) {
  return {{"task", t.task.text},
          {"project", or_null(t.project.text)},
          {"title", or_null(t.title)},
          {"state", or_null(t.state)},
          {"why", or_null(t.why)},
          {"session", or_null(t.session.text)},
          {"agent", or_null(t.agent)},
          {"change", or_null(t.change.text)},
          {"mergedSha", or_null(t.merged_sha)},
          {"queuedMs", t.queued.count()},
          {"workedMs", t.worked.count()},
          {"ciMs", t.in_ci.count()},
          {"reviewMs", t.in_review.count()},
          {"runs", t.runs},
          {"restarts", t.restarts},
          {"ciFailures", t.ci_failures},
          {"conflicts", t.conflicts},
          {"sentBack", t.sent_back},
          {"refusedDuplicates", t.refused_duplicates},
          {"tokens", tokens_of(tokens, t.task)}};
}

json document_of(const reading& of, const tokens_by_task& tokens) {
  auto tasks = json::array();
  auto states = json::object();
  auto restarts = json::object();
  std::uint64_t refused = 0;
  for (const auto& t : of.sum.tasks()) {
    if (!of.project.empty() && t.project != of.project)
      continue;
    auto& n = states[t.state.empty() ? "unknown" : t.state];
    n = n.is_null() ? 1 : n.get<int>() + 1;
    for (const auto& [reason, count] : t.restarts)
      restarts[reason] = restarts.value(reason, 0u) + count;
    refused += t.refused_duplicates;
    tasks.push_back(object_of(t, tokens));
  }
  const auto& sum = of.sum;
  return {{"since", format_time(of.from)},
          {"until", format_time(of.until)},
          {"tasks", std::move(tasks)},
          {"totals",
           {{"states", std::move(states)},
            {"restarts", std::move(restarts)},
            {"refusedDuplicates", refused},
            {"hubStarts", sum.count(event_kind::hub_started)},
            {"childrenRestarted", sum.count(event_kind::child_restarted)},
            {"childrenGivenUp", sum.count(event_kind::child_given_up)},
            {"pushesRefused", sum.count(event_kind::push_refused)},
            {"rescuesSaved", sum.count(event_kind::rescue_saved)}}}};
}

/// Reads one page more; answers when there is none.
void read_on(api_pointer self, std::shared_ptr<reading> of,
             std::uint64_t after) {
  msg::read_events page;
  page.after = after;
  page.limit = page_size;
  read_past(self, page, [self, of, after](auto events) {
    if (!events)
      return of->call->refuse(events.error());
    for (const auto& e : *events)
      of->sum.take(e);
    if (events->size() < page_size)
      return of->call->answer(
        200, document_of(*of, count_tokens(*self->state.context.rows)));
    read_on(self, of, events->back().seq);
  });
}

} // namespace

/// `GET /summary?since=&until=&project=`.
void get_summary(api_pointer self, api_call_ptr call) {
  auto now = self->state.context.now();
  auto from = time_of("since", call->what.query_or("since", ""), now,
                      now - usual_range);
  auto until = time_of("until", call->what.query_or("until", ""), now, now);
  if (!from || !until)
    return call->refuse((from ? until : from).error());
  if (*until < *from)
    return call->refuse(error{ec::bad_input, "until: is before since"});
  auto project = call->own_project();
  if (call->who.is_operator())
    project = project_id{call->what.query_or("project", "")};
  auto of = std::make_shared<reading>(
    reading{call, *from, *until, project, summary{*from, *until}});
  read_on(self, of, 0);
}

} // namespace ao
