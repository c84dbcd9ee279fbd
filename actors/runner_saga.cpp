#include "actors/runner_parts.hpp"
#include "runtime/agents/exec_guard.hpp"
#include "runtime/node/leftovers.hpp"
#include "runtime/process/process.hpp"
#include "runtime/shim/await.hpp"

#include <utility>

namespace ao::runner_parts {
namespace {

/// How long a new shim may take to say that its agent lives.
constexpr std::chrono::seconds agent_start_limit{30};

auto giver_up(self_pointer self) {
  return on_course(
    self, [self](const caf::error& why) { give_up(self, to_ao_error(why)); });
}

/// Names the step to the hub. False when the session is to be stopped: the
/// saga ends here.
bool begin_step(self_pointer self, std::string step) {
  auto& st = self->state;
  if (st.stop) {
    give_up(self, error{ec::wrong_state, "stopped before " + step});
    return false;
  }
  st.step = step;
  report(self, msg::fact::step_done{std::move(step)});
  return true;
}

/// Waits, in a job, until the shim of this run listens or has ended.
void await_shim(self_pointer self) {
  if (!begin_step(self, "agent"))
    return;
  auto& st = self->state;
  run_job(
    self, st.context, agent_start_limit + std::chrono::seconds{5},
    [socket = st.context->place->shim_socket(st.id.text),
     directory = files_of(self).path(), run = st.spec->run] {
      return await_shim_socket(socket, directory, run, agent_start_limit);
    },
    on_course(self,
              [self](bool listens) {
                if (listens)
                  return dial(self);
                read_end(self);
              }),
    giver_up(self));
}

void open_pane(self_pointer self) {
  if (!begin_step(self, "pane"))
    return;
  auto& st = self->state;
  msg::open_pane order;
  order.session = st.id;
  order.run = st.spec->run;
  order.cwd = worktree_of(self);
  order.directory = files_of(self).path();
  ask<tmux_actor>(self, st.context, "tmux"_name, std::chrono::minutes{1}, order)
    .then(on_course(self,
                    [self](const msg::pane_opened& pane) {
                      auto& st = self->state;
                      st.pane_made = true;
                      st.alive.emplace();
                      st.alive->tmux_socket = pane.socket;
                      st.alive->tmux_pane = pane.pane;
                      st.alive->workspace_path = worktree_of(self);
                      await_shim(self);
                    }),
          giver_up(self));
}

struct launch_prepared {
  agent_launch launch;
  launch_spec written;
};

/// Plans the launch and writes what it needs.
result<launch_prepared>
prepare_launch(const session_dir& files, const launch_request& request,
               const std::string& socket, agent_readiness_desk& desk) {
  if (can_tell(request.agent)) {
    auto answer = desk.ask(request.agent, request.env, request.places.worktree);
    if (!answer.ready)
      return fail(not_ready(request.agent, answer));
  }
  auto launch = plan_launch(request);
  if (!launch)
    return fail(launch.error());
  if (launch->configuration)
    if (auto ok = make_overlay(*launch->configuration); !ok)
      return fail(ok.error());
  if (has_exec_guard(request.spec.role))
    if (auto ok = make_exec_guard(request.places.directory,
                                  request.spec.session, request.spec.role);
        !ok)
      return fail(ok.error());
  auto written
    = files.write_launch(request.spec, *launch, request.places, socket);
  if (!written)
    return fail(written.error());
  if (auto ok = files.note(request.spec.run, "launch", "done"); !ok)
    return fail(ok.error());
  return launch_prepared{std::move(*launch), std::move(*written)};
}

/// The adapter's answer and the files that the shim reads.
void write_launch_files(self_pointer self) {
  if (!begin_step(self, "launch"))
    return;
  auto& st = self->state;
  const auto* agent = st.context->agent(st.spec->agent);
  if (!agent)
    return give_up(
      self,
      error{ec::agent_not_ready,
            "no agent is called " + st.spec->agent + "; add it under agents:"});
  launch_request request;
  request.agent = *agent;
  request.project = *st.context->project(st.spec->project);
  request.spec = *st.order;
  request.places = st.context->places(st.id);
  request.env = environment_for(*agent, *st.context->inherited);
  run_on_files(
    self,
    [files = files_of(self), request = std::move(request),
     socket = st.context->place->shim_socket(st.id.text),
     desk = st.context->desk] {
      return prepare_launch(files, request, socket, *desk);
    },
    on_course(self,
              [self](const launch_prepared& made) {
                auto& st = self->state;
                st.mark = made.written.mark;
                st.paste_prompt = made.launch.paste_prompt;
                open_pane(self);
              }),
    giver_up(self));
}

/// Fills the worktree and makes it this session's.
result<bool> set_up(repository_cache& cache, const project_settings& project,
                    const msg::session_spec& spec, const std::string& path,
                    bool is_new, const environment& env) {
  if (auto ok = cache.checkout(path); !ok)
    return fail(ok.error());
  worktree_spec worktree;
  worktree.session = spec.session;
  worktree.branch = spec.branch;
  worktree.path = path;
  if (auto ok = cache.configure(worktree); !ok)
    return fail(ok.error());
  if (auto ok = cache.link(path, project.path, project.symlinks); !ok)
    return fail(ok.error());
  if (!is_new)
    return true;
  for (const auto& command : project.post_create) {
    process_spec shell;
    shell.argv = {"/bin/sh", "-c", command};
    shell.env = env.to_vector();
    shell.cwd = path;
    auto end = run(shell, step_deadline);
    if (!end)
      return fail(end.error());
    if (!end->ok())
      return fail(ec::process_failed,
                  "postCreate \"" + command + "\" " + to_string(end->status)
                    + ": " + end->err.substr(0, 300));
  }
  return true;
}

void fill_worktree(self_pointer self) {
  if (!begin_step(self, "checkout"))
    return;
  auto& st = self->state;
  const auto* project = st.context->project(st.spec->project);
  run_on_files(
    self,
    [files = files_of(self), cache = cache_of(self), project = *project,
     spec = *st.order, path = worktree_of(self), is_new = st.made.new_worktree,
     env = *st.context->inherited]() -> result<bool> {
      if (auto ok = files.note(spec.run, "checkout", "begun"); !ok)
        return fail(ok.error());
      return set_up(*cache, project, spec, path, is_new, env);
    },
    on_course(self, [self](bool) { write_launch_files(self); }),
    giver_up(self));
}

void make_worktree(self_pointer self) {
  if (!begin_step(self, "worktree"))
    return;
  auto& st = self->state;
  msg::add_worktree order;
  order.session = st.id;
  order.branch = st.spec->branch;
  order.base = st.spec->base;
  order.head = st.spec->head;
  order.take_over = st.order->takes_over;
  order.path = worktree_of(self);
  ask<repository_actor>(self, st.context,
                        make_actor_name("repository", st.spec->project.text),
                        step_deadline, order)
    .then(on_course(self,
                    [self](const msg::worktree_made& made) {
                      auto& st = self->state;
                      st.made.new_branch |= made.new_branch;
                      st.made.new_worktree |= made.new_worktree;
                      if (!made.kept.empty())
                        report(self, msg::fact::step_done{"kept " + made.kept});
                      fill_worktree(self);
                    }),
          giver_up(self));
}

/// The order is written down before anything is made; what an earlier run has
/// left is ended before the next one may write. The fetch is not left to the
/// REPOSITORY, so that sessions that begin together share one.
result<bool> begin(const session_dir& files, repository_cache& cache,
                   const msg::session_spec& spec) {
  auto earlier = read_launch(files.path());
  if (earlier && (earlier->run != spec.run || earlier->epoch != spec.epoch))
    if (auto ended = end_leftovers(earlier->mark, 0, files.path(), stop_grace);
        !ended)
      return fail(ended.error());
  if (auto ok = files.begin(spec); !ok)
    return fail(ok.error());
  if (auto ok = files.note(spec.run, "worktree", "begun"); !ok)
    return fail(ok.error());
  if (auto ok = cache.fetch(); !ok)
    return fail(ok.error());
  return true;
}

} // namespace

void provision(self_pointer self) {
  auto& st = self->state;
  begin_course(self);
  enter(self, runner_phase::provisioning);
  // In the first run worktree and branch are this order's own, also those
  // that it made before a crash.
  st.made = {};
  st.made.new_branch = st.made.new_worktree = st.spec->run == 1;
  st.pane_made = false;
  st.end.reset();
  st.told_end.reset();
  st.mark.clear();
  st.step = "fetch";
  if (!st.context->project(st.spec->project))
    return give_up(
      self,
      error{ec::no_such_project,
            "the configuration has no project " + st.spec->project.text});
  run_on_files(
    self,
    [files = files_of(self), cache = cache_of(self), spec = *st.order] {
      return begin(files, *cache, spec);
    },
    on_course(self, [self](bool) { make_worktree(self); }), giver_up(self));
}

void give_up(self_pointer self, error why) {
  auto& st = self->state;
  begin_course(self);
  st.link.reset();
  auto tell = [self, step = st.step, why] {
    auto& st = self->state;
    st.pane_made = false;
    st.alive.reset();
    st.order.reset();
    report(self, msg::fact::provision_failed{step, why});
    if (st.stop)
      return end_run(self);
    enter(self, runner_phase::idle);
  };
  auto note = [self, tell] {
    auto& st = self->state;
    run_on_files(
      self,
      [files = files_of(self), run = st.spec->run]() -> result<bool> {
        if (auto ok = files.note(run, "worktree", "undone"); !ok)
          return fail(ok.error());
        return true;
      },
      on_course(self, [tell](bool) { tell(); }),
      on_course(self, [tell](const caf::error&) { tell(); }));
  };
  auto failed = on_course(self, [self, tell](const caf::error& e) {
    self->state.context->say(log_level::error,
                             "undo_failed session=" + self->state.id.text
                               + " reason=\"" + to_string(to_ao_error(e))
                               + "\"");
    tell();
  });
  auto drop = [self, tell, note, failed] {
    auto& st = self->state;
    if (!st.made.new_worktree || !st.context->project(st.spec->project))
      return tell();
    msg::drop_worktree order;
    order.session = st.id;
    order.branch = st.spec->branch;
    order.base = st.spec->base;
    order.path = worktree_of(self);
    order.undo = true;
    order.discard = !st.spec->head.empty();
    ask<repository_actor>(self, st.context,
                          make_actor_name("repository", st.spec->project.text),
                          step_deadline, order)
      .then(on_course(self, [note](const msg::worktree_dropped&) { note(); }),
            failed);
  };
  auto end_processes = [self, drop, failed] {
    auto& st = self->state;
    run_on_files(
      self,
      [mark = st.mark, dir = files_of(self).path()] {
        return end_leftovers(mark, 0, dir, stop_grace);
      },
      on_course(self, [drop](const end_report&) { drop(); }), failed);
  };
  if (!st.pane_made)
    return drop();
  ask<tmux_actor>(self, st.context, "tmux"_name, registry_deadline,
                  msg::close_pane{st.id})
    .then(
      on_course(self, [end_processes](const session_id&) { end_processes(); }),
      on_course(self, [end_processes](const caf::error&) { end_processes(); }));
}

} // namespace ao::runner_parts
