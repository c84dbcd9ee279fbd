#include "actors/ci_runners.hpp"

#include "actors/job.hpp"
#include "actors/project_forge.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/home/files.hpp"
#include "runtime/process/process.hpp"
#include "runtime/rules/changes.hpp"
#include "runtime/shim/await.hpp"

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

namespace ao {
namespace {

using self_pointer = ci_runners_actor::stateful_pointer<ci_runners_state>;

constexpr std::size_t log_tail_lines = 100;
constexpr std::uint64_t log_limit = 16u << 20;
constexpr std::chrono::seconds shim_start_limit{30};
/// Between TERM and KILL for a run that nobody wants.
constexpr std::chrono::seconds cancel_grace{2};
/// A run's shim counts runs of agents; a CI directory has just one.
constexpr run_no only_run = 1;

void start_next(self_pointer self);

/// Of the first one nothing.
std::string attempt_mark(std::uint32_t attempt) {
  return attempt > 1 ? "-" + std::to_string(attempt) : std::string{};
}

template <class Order>
std::string key_of(const Order& order) {
  return ci_key(order.change, order.sha, order.merged_result)
    + attempt_mark(order.attempt);
}

/// `ci/<change>/<sha12>[-merge][-<attempt>]`; a change's `#` is no problem in a
/// file name.
std::string directory_of(self_pointer self, const msg::run_ci& order) {
  return self->state.context.place->ci() + "/" + order.change.text + "/"
    + order.sha.substr(0, 12) + (order.merged_result ? "-merge" : "")
    + attempt_mark(order.attempt);
}

/// Names a run's socket: a hash, as a socket's path must be short.
std::string short_name(const std::string& directory) {
  char text[17];
  std::snprintf(text, sizeof text, "%016zx",
                std::hash<std::string>{}(directory));
  return text;
}

// -- the end of a run ---------------------------------------------------------

/// An end that somebody else wanted says nothing about the commit.
bool is_verdict(exit_cause cause) {
  return cause != exit_cause::stopped && cause != exit_cause::hangup;
}

struct run_end {
  exit_report report;
  std::vector<std::string> log_tail;
};

result<run_end> read_end(const std::string& directory) {
  auto report = read_exit(directory, only_run);
  if (!report)
    return fail(report.error());
  if (!*report)
    return fail(ec::process_failed,
                "the shim of " + directory + " ended without an exit file");
  run_end out;
  out.report = **report;
  out.log_tail = out.report.last_lines;
  if (out.log_tail.size() > log_tail_lines)
    out.log_tail.erase(out.log_tail.begin(),
                       out.log_tail.end() - log_tail_lines);
  return out;
}

void free_core(self_pointer self) {
  --self->state.running;
  start_next(self);
}

void answer(self_pointer self, const std::string& key, const run_end& end) {
  auto& st = self->state;
  auto found = st.runs.extract(key);
  if (found.empty())
    return;
  auto& run = found.mapped();
  const auto* project = st.context.project(st.project);
  msg::ci_finished out;
  out.change = run.order.change;
  out.sha = run.order.sha;
  out.merged_result = run.order.merged_result;
  out.state = end.report.code == 0 && is_verdict(end.report.cause)
    ? ci_state::passed
    : ci_state::failed;
  out.command = project->ci->command;
  out.exit_code = end.report.code;
  out.cause
    = run.cancelled ? "superseded" : std::string{to_string(end.report.cause)};
  out.directory = run.directory;
  out.log_tail = end.log_tail;
  out.started_at = run.started_at;
  out.finished_at = end.report.at;
  for (auto& asker : run.askers)
    asker.deliver(out);
  free_core(self);
}

/// The run could not be made or followed: the askers hear why, try again.
void fail_run(self_pointer self, const std::string& key,
              const caf::error& why) {
  auto found = self->state.runs.extract(key);
  if (found.empty())
    return;
  for (auto& asker : found.mapped().askers)
    asker.deliver(why);
  free_core(self);
}

/// Reads the exit file. Without one the shim was killed, and one that was
/// stopped has no verdict: what is left of such a run is removed, so that the
/// next try begins anew.
void conclude(self_pointer self, const std::string& key) {
  auto& st = self->state;
  auto run = st.runs.find(key);
  if (run == st.runs.end())
    return;
  run->second.link.reset();
  run_job_alone(
    self, st.context, st.context.locks, run->second.directory,
    std::chrono::minutes{1},
    [directory = run->second.directory,
     cancelled = run->second.cancelled]() -> result<run_end> {
      auto end = read_end(directory);
      auto stopped = end && !is_verdict(end->report.cause);
      std::error_code ignored;
      std::filesystem::remove_all(directory + "/tree", ignored);
      if (!end || stopped)
        std::filesystem::remove_all(directory, ignored);
      if (stopped && !cancelled)
        return fail(ec::process_failed, directory + " was stopped");
      return end;
    },
    [self, key](const run_end& end) { answer(self, key, end); },
    [self, key](const caf::error& why) { fail_run(self, key, why); });
}

// -- the start of a run -------------------------------------------------------

void follow(self_pointer self, const std::string& key) {
  auto& st = self->state;
  auto run = st.runs.find(key);
  if (run == st.runs.end())
    return;
  auto hdl = caf::actor_cast<ci_runners_actor>(self);
  shim_link::handlers on;
  on.on_closed = [hdl, key](link_end, const std::string&) {
    caf::anon_send(hdl, msg::ci_ended{key});
  };
  run->second.link = std::make_unique<shim_link>(
    *st.context.loop,
    st.context.place->shim_socket("ci-" + short_name(run->second.directory)),
    std::move(on));
  if (run->second.cancelled)
    run->second.link->stop(cancel_grace);
}

/// Adopts what an earlier hub has left of a run, to end and remove it.
void end_leftover(self_pointer self, const msg::run_ci& order) {
  auto& st = self->state;
  auto directory = directory_of(self, order);
  std::error_code ignored;
  if (!std::filesystem::exists(directory + "/tree", ignored))
    return;
  auto key = key_of(order);
  auto& run = st.runs[key];
  run.order = order;
  run.directory = directory;
  run.cancelled = true;
  st.queue.push_back(key);
  start_next(self);
}

/// The head has moved. One that waits for a core is dropped; one that runs is
/// ended, and its end is read as always.
void cancel(self_pointer self, const msg::cancel_ci& order) {
  auto& st = self->state;
  auto key = key_of(order);
  auto run = st.runs.find(key);
  if (run == st.runs.end())
    return end_leftover(
      self, {order.change, order.sha, order.merged_result, order.attempt});
  if (run->second.cancelled)
    return;
  auto waits = std::find(st.queue.begin(), st.queue.end(), key);
  if (waits == st.queue.end()) {
    run->second.cancelled = true;
    if (run->second.link)
      run->second.link->stop(cancel_grace);
    return;
  }
  st.queue.erase(waits);
  msg::ci_finished out;
  out.change = run->second.order.change;
  out.sha = run->second.order.sha;
  out.merged_result = run->second.order.merged_result;
  out.state = ci_state::failed;
  out.cause = "superseded";
  for (auto& asker : run->second.askers)
    asker.deliver(out);
  st.runs.erase(run);
}

struct start_plan {
  local_forge* git = nullptr;
  std::string directory;
  std::string sha;
  std::string socket;
  std::string shim;
  /// Reaps the shim when it has ended.
  io_loop* loop = nullptr;
  ci_settings ci;
  environment env;
  project_id project;
  change_id change;
  /// Nobody wants its verdict: one that lives is adopted, none is begun.
  bool unwanted = false;
};

/// True when a shim follows the run now, false when it has ended already.
result<bool> start_run(const start_plan& plan) {
  std::error_code ignored;
  auto ended = read_exit(plan.directory, only_run);
  if (ended && *ended && !is_verdict((*ended)->cause))
    std::filesystem::remove_all(plan.directory, ignored);
  else if (ended && *ended)
    return false;
  if (std::filesystem::exists(launch_path(plan.directory), ignored)) {
    // A shim of an earlier hub, or one that was killed before it began.
    if (auto there = await_shim_socket(plan.socket, plan.directory, only_run,
                                       milliseconds{0}))
      return there;
    std::filesystem::remove_all(plan.directory, ignored);
  }
  if (plan.unwanted)
    return false;
  if (auto ok = make_directories(plan.directory); !ok)
    return fail(ok.error());
  auto tree = plan.directory + "/tree";
  if (auto ok = plan.git->clean_checkout(plan.sha, tree); !ok)
    return fail(ok.error());
  auto env = plan.env;
  env.set("CI", "true");
  env.set("AO_PROJECT_ID", plan.project.text);
  env.set("AO_CHANGE", plan.change.text);
  env.set("AO_SHA", plan.sha);
  launch_spec launch;
  launch.session = session_id{"ci"};
  launch.run = only_run;
  launch.argv = plan.ci.command;
  for (const auto& [name, value] : env.values())
    launch.env.emplace(name, value);
  launch.cwd = tree;
  launch.socket = plan.socket;
  launch.mark = make_ulid();
  launch.in = shim_stdin::null;
  launch.out = shim_output::file;
  launch.out_path = plan.directory + "/output.log";
  launch.out_cap = log_limit;
  launch.timeout = plan.ci.timeout;
  if (auto ok = write_launch(plan.directory, launch); !ok)
    return fail(ok.error());
  process_spec shim;
  shim.argv = {plan.shim, plan.directory};
  shim.env = env.to_vector();
  shim.out = child_output::file(plan.directory + "/shim.log");
  shim.err = child_output::as_stdout();
  shim.group = process_spec::grouping::own_session;
  auto started = spawn(shim);
  if (!started)
    return fail(started.error());
  watch(*plan.loop, std::move(started->pidfd),
        [](std::optional<exit_status>) {});
  return await_shim_socket(plan.socket, plan.directory, only_run,
                           shim_start_limit);
}

void start_next(self_pointer self) {
  auto& st = self->state;
  while (st.running < st.limit && !st.queue.empty()) {
    auto key = st.queue.front();
    st.queue.pop_front();
    auto run = st.runs.find(key);
    if (run == st.runs.end())
      continue;
    ++st.running;
    run->second.started_at = st.context.now();
    start_plan plan;
    plan.git = &*st.git;
    plan.directory = run->second.directory;
    plan.sha = run->second.order.sha;
    plan.socket = st.context.place->shim_socket(
      "ci-" + short_name(run->second.directory));
    plan.shim = st.context.programs + "/ao-shim";
    plan.loop = st.context.loop;
    plan.ci = *st.context.project(st.project)->ci;
    plan.env = st.inherited;
    plan.project = st.project;
    plan.change = run->second.order.change;
    plan.unwanted = run->second.cancelled;
    // The job may outlive us: it keeps a forge of its own.
    auto git = std::make_shared<local_forge>(git_runner{}, st.git->dir(),
                                             st.git->base(), hook_target{});
    plan.git = git.get();
    run_job_alone(
      self, st.context, st.context.locks, plan.directory,
      std::chrono::minutes{20}, [plan, git] { return start_run(plan); },
      [self, key](bool lives) {
        if (lives)
          follow(self, key);
        else
          conclude(self, key);
      },
      [self, key](const caf::error& why) { fail_run(self, key, why); });
  }
}

/// A hub may have died before it ended what was superseded by then.
void look_for_leftovers(self_pointer self) {
  auto& st = self->state;
  for (const auto& c : st.context.rows->changes_of(st.project))
    for (const auto& run : st.context.rows->ci_runs_of(c->id))
      if (run->finished_at)
        end_leftover(self,
                     {run->change, run->sha, run->merged_result, run->attempt});
}

} // namespace

ci_runners_actor::behavior_type
ci_runners(self_pointer self, hub_context context, project_id project,
           environment inherited) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  st.project = std::move(project);
  st.inherited = std::move(inherited);
  st.limit = std::max(1u, std::thread::hardware_concurrency());
  const auto* settings = st.context.project(st.project);
  st.git.emplace(git_runner{}, forge_dir(st.context, st.project),
                 settings ? settings->default_branch : "main", hook_target{});
  look_for_leftovers(self);
  return {
    [self](const msg::run_ci& order) -> caf::result<msg::ci_finished> {
      auto& st = self->state;
      auto promise = self->make_response_promise<msg::ci_finished>();
      const auto* project = st.context.project(st.project);
      if (!project || !project->ci)
        return make_error(ec::wrong_state,
                          "project " + st.project.text + " has no ci");
      auto key = key_of(order);
      auto [run, fresh] = st.runs.try_emplace(key);
      run->second.askers.push_back(promise);
      run->second.cancelled = false;
      if (fresh) {
        run->second.order = order;
        run->second.directory = directory_of(self, order);
        st.queue.push_back(key);
        start_next(self);
      }
      return promise;
    },
    [self](const msg::cancel_ci& order) { cancel(self, order); },
    [self](const msg::ci_ended& news) { conclude(self, news.key); },
  };
}

} // namespace ao
