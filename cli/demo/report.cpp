#include "cli/demo/report.hpp"

#include "cli/commands/common.hpp"
#include "runtime/git/git.hpp"

namespace ao::cli::demo {
namespace {

using nlohmann::json;

constexpr milliseconds test_limit{60'000};

/// `abc123 T1` lines: every commit of a branch with its trailer.
result<void> read_commits(const std::string& checkout, forge_facts& out) {
  git_runner git;
  git_call call;
  call.dir = checkout;
  call.args
    = {"log", "--format=%H %(trailers:key=Ao-Task,valueonly,separator=%x2c)"};
  auto text = git.ask(call);
  if (!text)
    return fail(text.error());
  for (std::size_t from = 0; from < text->size();) {
    auto end = std::min(text->find('\n', from), text->size());
    auto line = text->substr(from, end - from);
    if (auto blank = line.find(' ');
        blank != std::string::npos && blank + 1 < line.size())
      out.merged[line.substr(blank + 1)].push_back(line.substr(0, blank));
    from = end + 1;
  }
  return {};
}

std::string seconds_of(milliseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s",
                static_cast<double>(time.count()) / 1000);
  return text;
}

/// The report's counters by name.
std::map<std::string, unsigned> counters_of(const report& of) {
  const auto& events = of.saw.events;
  std::map<std::string, unsigned> out{
    {"restarts", events.restarts()},
    {"crashesResumed", events.resumed_after("crash")},
    {"hangsRestarted", events.resumed_after("hang")},
    {"ciRepaired", events.repaired()},
    {"conflictsResolved", events.conflicts_resolved()},
    {"redTogetherRepaired", events.semantic_repaired()},
    {"reviewsAnswered", events.reviews_answered()},
    {"selfHeals", events.self_heals()},
    {"mediated", events.mediated()},
    {"asked", events.asked()},
    {"answered", events.answered()},
    {"notified", of.saw.notified},
    {"faultsPlanted", static_cast<unsigned>(of.saw.faults.size())},
    {"faultsSurvived", events.faults_survived()},
    {"refusedDuplicates", of.saw.refused_duplicates},
    {"hubKills", of.saw.hub_kills}};
  if (of.saw.nodes > 0) {
    auto count
      = [](const auto& of) { return static_cast<unsigned>(of.size()); };
    out["nodes"] = of.saw.nodes;
    out["nodesCut"] = of.saw.nodes_cut;
    out["nodesKilled"] = of.saw.nodes_killed;
    out["nodesDrained"] = of.saw.nodes_drained;
    out["nodesLost"] = count(events.nodes_lost());
    out["nodesReturned"] = count(events.nodes_returned());
    out["replaced"] = events.replaced();
  }
  return out;
}

bool is_merged(const report& of, const task_facts& task) {
  auto found = of.forge.merged.find(task.id);
  return task.state == "merged" && found != of.forge.merged.end()
    && found->second == std::vector<std::string>{task.merged_sha};
}

/// What was heard of it last, for one that came to no end.
std::string last_words(const task_facts& task) {
  std::string out;
  for (const auto& kind : task.heard)
    out += (out.empty() ? " (last: " : ", ") + kind;
  return out.empty() ? out : out + ")";
}

void judge_task(report& of, const task_facts& task) {
  auto found = of.forge.merged.find(task.id);
  auto commits = found == of.forge.merged.end() ? 0 : found->second.size();
  auto name = "\"" + task.title + "\"";
  if (task.state != "merged")
    of.problems.push_back(name + " is " + (task.stuck ? "stuck" : task.state)
                          + (task.why.empty() ? "" : ": " + task.why)
                          + last_words(task));
  else if (commits == 0)
    of.problems.push_back(name + " is said to be merged, but is not on main");
  if (commits > 1)
    of.problems.push_back(name + " is " + std::to_string(commits)
                          + " times on main");
  if (task.state == "merged" && commits == 1 && !is_merged(of, task))
    of.problems.push_back(name + " is on main as " + found->second.front()
                          + ", not as " + task.merged_sha);
  if (task.state == "merged" && !task.cleaned)
    of.problems.push_back("the worktree of " + name + " was not removed");
}

} // namespace

result<forge_facts> read_forge(const stage& where, const scenario& what) {
  forge_facts out;
  git_runner git;
  git_call call;
  call.dir = where.directory();
  auto checkout = where.directory() + "/merged";
  call.args
    = {"clone", "--quiet", "--branch",
       "main",  "--",      where.where().forge() + "/" + what.project + ".git",
       checkout};
  if (auto cloned = git.ask(call); !cloned)
    return fail(cloned.error());
  if (auto read = read_commits(checkout, out); !read)
    return fail(read.error());
  auto tested = where.run_in(checkout, {checkout + "/tests/run"}, test_limit);
  if (!tested)
    return fail(tested.error());
  out.tests_pass = tested->ok();
  out.test_log = tested->out + tested->err;
  return out;
}

void judge(report& of, const scenario& what) {
  for (const auto& task : of.saw.events.tasks())
    judge_task(of, task);
  if (of.saw.events.tasks().size() != what.tasks.size())
    of.problems.push_back("only " + std::to_string(of.saw.events.tasks().size())
                          + " of " + std::to_string(what.tasks.size())
                          + " tasks were added");
  if (!of.forge.tests_pass)
    of.problems.push_back("the sample's tests fail on main\n"
                          + of.forge.test_log);
  auto counters = counters_of(of);
  for (const auto& [name, wanted] : what.expect)
    if (auto found = counters.find(name);
        found == counters.end() || found->second != wanted.count)
      of.problems.push_back(
        name + " is "
        + (found == counters.end() ? "unknown" : std::to_string(found->second))
        + ", expected " + std::to_string(wanted.count));
}

json as_json(const report& of) {
  json tasks = json::array();
  unsigned merged = 0;
  for (const auto& one : of.saw.events.tasks()) {
    auto landed = is_merged(of, one);
    merged += landed ? 1 : 0;
    auto or_null = [](const std::string& text) {
      return text.empty() ? json() : json(text);
    };
    tasks.push_back({{"task", one.id},
                     {"title", one.title},
                     {"state", one.state},
                     {"session", or_null(one.session)},
                     {"agent", or_null(one.agent)},
                     {"runs", one.runs},
                     {"queuedMs", one.queued.count()},
                     {"workedMs", one.worked.count()},
                     {"mergedSha", landed ? json(one.merged_sha) : json()}});
  }
  json out = {{"ok", of.ok()},
              {"seconds", static_cast<double>(of.took.count()) / 1000},
              {"merged", merged},
              {"failed", tasks.size() - merged},
              {"tasks", std::move(tasks)},
              {"faults", of.saw.faults},
              {"problems", of.problems}};
  for (const auto& [name, value] : counters_of(of))
    out[name] = value;
  return out;
}

void print(output& out, const report& of) {
  table tasks;
  tasks.head = {"TASK", "TITLE",  "STATE",  "SESSION",
                "RUNS", "QUEUED", "WORKED", "MERGED AS"};
  tasks.flexible = 1;
  for (const auto& one : of.saw.events.tasks())
    tasks.rows.push_back(
      {{one.id},
       {one.title},
       {one.state, colour_of(one.state)},
       {one.session.empty() ? "-" : one.session},
       {std::to_string(one.runs)},
       {seconds_of(one.queued)},
       {seconds_of(one.worked)},
       {is_merged(of, one) ? one.merged_sha.substr(0, 12) : "-"}});
  if (!tasks.rows.empty())
    out.print(tasks);
  auto sums = as_json(of);
  auto counted = [&](const char* name, const char* words) {
    if (auto n = sums.value(name, 0u); n > 0)
      out.line("  " + std::to_string(n) + " " + words);
  };
  out.line("");
  out.line("In " + seconds_of(of.took) + ":");
  counted("merged", "merged and on the forge's main branch, whose tests pass");
  counted("failed", "not merged");
  counted("crashesResumed", "crashed and went on where they were");
  counted("hangsRestarted", "hung and were started again");
  counted("ciRepaired", "failed their checks and repaired it");
  counted("conflictsResolved", "in conflict with another and resolved it");
  counted("redTogetherRepaired",
          "green alone, red with another's work, and repaired it");
  counted("reviewsAnswered", "sent back by the reviewer and improved");
  counted("selfHeals", "tries to repair what an agent could not know");
  counted("mediated", "brought on by a mediator's advice");
  counted("answered", "brought on by a person's answer");
  counted("notified", "told to the gateway, from the question to its end");
  counted("refusedDuplicates", "refused because another had claimed the task");
  counted("hubKills", "times the hub was killed, its agents adopted");
  counted("nodesCut", "nodes cut off until they were lost");
  counted("nodesKilled", "nodes killed, with their agents");
  counted("nodesDrained", "nodes drained");
  counted("replaced", "begun on a node that was lost, done on another");
  counted("faultsSurvived", "actors threw an exception and were started again");
  for (const auto& one : of.problems)
    out.line("Problem: " + one, colour::red);
  out.line(of.ok() ? "All is as it should be; nothing is left behind."
                   : "Not all is as it should be.",
           of.ok() ? colour::green : colour::red);
}

} // namespace ao::cli::demo
