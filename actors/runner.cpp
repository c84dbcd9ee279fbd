#include "actors/runner.hpp"

#include "actors/job.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/process/process.hpp"
#include "runtime/process/process_table.hpp"
#include "runtime/shim/await.hpp"

#include <utility>

namespace ao {
namespace {

using self_pointer = runner_actor::stateful_pointer<runner_state>;

/// How long a new shim may take to say that its agent lives.
constexpr std::chrono::seconds agent_start_limit{30};
/// Between TERM and KILL when a run is ended.
constexpr std::chrono::seconds stop_grace{10};
constexpr std::chrono::seconds retry_delay{1};

void send_reports(self_pointer self);

void report(self_pointer self, msg::session_fact what) {
  auto& st = self->state;
  if (!st.spec)
    return;
  msg::session_report r;
  r.session = st.id;
  r.epoch = st.spec->epoch;
  r.run = st.spec->run;
  r.what = std::move(what);
  st.reports.push_back(std::move(r));
  send_reports(self);
}

/// Sends the oldest report until the hub has it; one at a time keeps order.
void send_reports(self_pointer self) {
  auto& st = self->state;
  if (st.reporting || st.reports.empty())
    return;
  st.reporting = true;
  auto next = [self] {
    self->state.reporting = false;
    self->state.reports.pop_front();
    send_reports(self);
  };
  ask<uplink_actor>(self, st.context, "uplink"_name, registry_deadline,
                    st.reports.front())
    .then([next](std::uint64_t) { next(); },
          [self, next](const caf::error& why) {
            auto problem = to_ao_error(why);
            // The hub has decided about this session; it wants no more facts.
            if (problem.code == ec::session_closed
                || problem.code == ec::stale_epoch)
              return next();
            self->state.reporting = false;
            self->delayed_send(self, retry_delay, look_atom::value);
          });
}

std::shared_ptr<repository_cache> cache_of(self_pointer self) {
  return self->state.context.cache(self->state.spec->project);
}

session_dir files_of(self_pointer self) {
  return session_dir{self->state.context.places(self->state.id).directory};
}

// -- the end of a run ---------------------------------------------------------

void run_over(self_pointer self, exit_info how);

/// What the worktree holds after a run; empty when it cannot be read.
result<worktree_facts> inspect(const repository_cache& cache,
                               const std::string& path,
                               const std::string& base) {
  worktree_facts facts;
  auto state = cache.inspect(path);
  if (!state)
    return fail(state.error());
  facts.head_sha = state->head;
  facts.dirty = state->dirty || !state->operation.empty();
  std::size_t at = 0;
  while (at < state->status_text.size()) {
    auto end = state->status_text.find('\n', at);
    if (end == std::string::npos)
      end = state->status_text.size();
    facts.status_lines.push_back(state->status_text.substr(at, end - at));
    at = end + 1;
  }
  auto ahead = cache.ahead_of(path, "refs/remotes/origin/" + base);
  if (!ahead)
    return fail(ahead.error());
  facts.ahead = *ahead;
  return facts;
}

void finish_stop(self_pointer self, msg::fact::stopped done) {
  auto& st = self->state;
  st.stop.reset();
  st.phase = runner_phase::idle;
  report(self, std::move(done));
}

/// The run has ended: does what the stop order wants of the rest.
void after_stop(self_pointer self) {
  auto& st = self->state;
  if (st.stop->how == msg::stop_how::end_agent || !st.spec)
    return finish_stop(self, {});
  auto cache = cache_of(self);
  auto path = st.context.places(st.id).worktree;
  auto failed = [self](const caf::error& why) {
    msg::fact::stopped kept;
    kept.kept = to_string(to_ao_error(why));
    finish_stop(self, std::move(kept));
  };
  if (st.stop->how == msg::stop_how::save_and_end) {
    run_job(
      self, st.context, step_deadline,
      [cache, path, id = st.id,
       now = st.context.now()]() -> result<std::vector<std::string>> {
        std::vector<std::string> refs;
        auto state = cache->inspect(path);
        if (!state)
          return fail(state.error());
        if (state->dirty || !state->operation.empty()) {
          auto kept = cache->save_rescue(path, id, now);
          if (!kept)
            return fail(kept.error());
          refs.push_back(kept->ref);
        }
        return refs;
      },
      [self](const std::vector<std::string>& refs) {
        msg::fact::stopped done;
        done.rescued = refs;
        finish_stop(self, std::move(done));
      },
      failed);
    return;
  }
  msg::drop_worktree order;
  order.session = st.id;
  order.branch = st.spec->branch;
  order.base = st.spec->base;
  order.path = path;
  order.merged = st.stop->how == msg::stop_how::remove_merged;
  ask<repository_actor>(self, st.context,
                        make_actor_name("repository", st.spec->project.text),
                        step_deadline, order)
    .then(
      [self](const msg::worktree_dropped& dropped) {
        msg::fact::stopped done;
        done.rescued = dropped.rescued;
        done.kept = dropped.kept;
        done.removed = dropped.kept.empty();
        finish_stop(self, std::move(done));
      },
      failed);
}

/// Ends everything that carries the mark of the run, then its pane.
void end_run(self_pointer self) {
  auto& st = self->state;
  st.phase = runner_phase::stopping;
  st.link.reset();
  st.alive.reset();
  run_job(
    self, st.context, step_deadline,
    [mark = st.mark]() -> result<end_report> {
      return end_marked(mark, stop_grace);
    },
    [self](const end_report&) {
      ask<tmux_actor>(self, self->state.context, "tmux"_name, registry_deadline,
                      msg::close_pane{self->state.id})
        .then([self](const session_id&) { after_stop(self); },
              [self](const caf::error& why) {
                msg::fact::stopped kept;
                kept.kept = to_string(to_ao_error(why));
                finish_stop(self, std::move(kept));
              });
    },
    [self](const caf::error& why) {
      msg::fact::stopped kept;
      kept.kept = to_string(to_ao_error(why));
      finish_stop(self, std::move(kept));
    });
}

/// Reports how the run ended and in what state it left the worktree.
void run_over(self_pointer self, exit_info how) {
  auto& st = self->state;
  st.link.reset();
  st.alive.reset();
  if (st.stop) {
    end_run(self);
    return;
  }
  st.phase = runner_phase::idle;
  auto cache = cache_of(self);
  auto path = st.context.places(st.id).worktree;
  run_job(
    self, st.context, step_deadline,
    [cache, path, base = st.spec->base, mark = st.mark] {
      // Nothing of the run may write while we look.
      auto ended = end_marked(mark, stop_grace);
      if (!ended)
        return result<worktree_facts>{fail(ended.error())};
      return inspect(*cache, path, base);
    },
    [self, how](const worktree_facts& facts) {
      report(self, msg::fact::agent_exited{how, facts});
    },
    [self, how](const caf::error& why) {
      auto told = how;
      told.last_lines.push_back("ao: " + to_string(to_ao_error(why)));
      if (told.failure.empty())
        told.failure = "tool";
      report(self, msg::fact::agent_exited{told, {}});
    });
}

/// The shim is gone without a word: its exit file, else a crash.
void read_end(self_pointer self) {
  auto& st = self->state;
  auto directory = st.context.places(st.id).directory;
  run_job(
    self, st.context, step_deadline,
    [directory, run = st.spec->run,
     now = st.context.now()]() -> result<exit_info> {
      auto file = read_exit(directory, run);
      if (!file)
        return fail(file.error());
      if (*file)
        return describe_exit(**file);
      exit_info lost;
      lost.run = run;
      lost.cause = "signalled";
      lost.failure = "crash";
      lost.at = now;
      lost.last_lines = {"ao: the shim ended without an exit file"};
      return lost;
    },
    [self](const exit_info& how) { run_over(self, how); },
    [self, run = st.spec->run](const caf::error& why) {
      exit_info lost;
      lost.run = run;
      lost.failure = "crash";
      lost.cause = "signalled";
      lost.last_lines = {"ao: " + to_string(to_ao_error(why))};
      run_over(self, lost);
    });
}

// -- provisioning -------------------------------------------------------------

/// Undoes what this order made, newest first, then reports.
void give_up(self_pointer self, error why) {
  auto& st = self->state;
  st.link.reset();
  auto step = st.step;
  auto tell = [self, step, why] {
    self->state.phase = runner_phase::idle;
    self->state.pane_made = false;
    report(self, msg::fact::provision_failed{step, why});
    if (self->state.stop)
      end_run(self);
  };
  auto drop = [self, tell] {
    auto& st = self->state;
    if (!st.made.new_worktree)
      return tell();
    msg::drop_worktree order;
    order.session = st.id;
    order.branch = st.spec->branch;
    order.base = st.spec->base;
    order.path = st.context.places(st.id).worktree;
    order.undo = true;
    ask<repository_actor>(self, st.context,
                          make_actor_name("repository", st.spec->project.text),
                          step_deadline, order)
      .then([tell](const msg::worktree_dropped&) { tell(); },
            [self, tell](const caf::error& e) {
              self->state.context.say(log_level::error,
                                      "undo_failed session="
                                        + self->state.id.text + " reason=\""
                                        + to_string(to_ao_error(e)) + "\"");
              tell();
            });
  };
  if (!st.pane_made)
    return drop();
  ask<tmux_actor>(self, st.context, "tmux"_name, registry_deadline,
                  msg::close_pane{st.id})
    .then([drop](const session_id&) { drop(); },
          [drop](const caf::error&) { drop(); });
}

auto giver_up(self_pointer self) {
  return [self](const caf::error& why) { give_up(self, to_ao_error(why)); };
}

/// Names the step, in the saga and to the hub.
void begin_step(self_pointer self, std::string step) {
  auto& st = self->state;
  st.step = step;
  report(self, msg::fact::step_done{std::move(step)});
}

void dial(self_pointer self) {
  auto& st = self->state;
  auto hdl = caf::actor_cast<runner_actor>(self);
  auto run = st.spec->run;
  auto tell
    = [hdl](msg::shim_word word) { caf::anon_send(hdl, std::move(word)); };
  shim_link::handlers on;
  on.on_hello = [tell](const shim_hello& hello) {
    msg::shim_word word;
    word.what = msg::shim_word::kind::hello;
    word.run = hello.run;
    word.agent_pid = static_cast<int>(hello.pid);
    word.shim_pid = static_cast<int>(hello.shim_pid);
    tell(std::move(word));
  };
  on.on_exited = [tell](const exit_report& end) {
    msg::shim_word word;
    word.what = msg::shim_word::kind::exited;
    word.run = end.run;
    word.how = describe_exit(end);
    tell(std::move(word));
  };
  on.on_closed = [tell, run](link_end end, const std::string& detail) {
    if (end == link_end::finished)
      return;
    msg::shim_word word;
    word.what = msg::shim_word::kind::closed;
    word.run = run;
    word.refused = end == link_end::refused;
    word.detail = detail;
    tell(std::move(word));
  };
  st.link = std::make_unique<shim_link>(
    *st.context.loop, st.context.place->shim_socket(st.id.text), std::move(on));
}

/// Waits, in a job, until the shim of this run listens or has ended.
void await_shim(self_pointer self) {
  auto& st = self->state;
  begin_step(self, "agent");
  auto socket = st.context.place->shim_socket(st.id.text);
  auto directory = st.context.places(st.id).directory;
  run_job(
    self, st.context, agent_start_limit + std::chrono::seconds{5},
    [socket, directory, run = st.spec->run] {
      return await_shim_socket(socket, directory, run, agent_start_limit);
    },
    [self](bool listens) {
      if (listens)
        return dial(self);
      read_end(self);
    },
    giver_up(self));
}

void open_pane(self_pointer self) {
  auto& st = self->state;
  begin_step(self, "pane");
  auto places = st.context.places(st.id);
  ask<tmux_actor>(self, st.context, "tmux"_name, std::chrono::minutes{1},
                  msg::open_pane{st.id, places.worktree, places.directory})
    .then(
      [self](const msg::pane_opened& pane) {
        auto& st = self->state;
        st.pane_made = true;
        st.alive.emplace();
        st.alive->tmux_socket = pane.socket;
        st.alive->tmux_pane = pane.pane;
        st.alive->workspace_path = st.context.places(st.id).worktree;
        await_shim(self);
      },
      giver_up(self));
}

/// The adapter's answer and the files that the shim reads.
void write_launch_files(self_pointer self) {
  auto& st = self->state;
  begin_step(self, "launch");
  auto places = st.context.places(st.id);
  auto agent = st.context.config->agents.find(st.spec->agent);
  if (agent == st.context.config->agents.end())
    return give_up(
      self,
      error{ec::agent_not_ready,
            "no agent is called " + st.spec->agent + "; add it under agents:"});
  auto launch
    = plan_launch(agent->second, *st.spec, places, st.context.inherited);
  if (!launch)
    return give_up(self, launch.error());
  st.launch = std::move(*launch);
  run_job(
    self, st.context, step_deadline,
    [files = files_of(self), spec = *st.spec, launch = *st.launch, places,
     socket = st.context.place->shim_socket(st.id.text)] {
      return files.write_launch(spec, launch, places.worktree, socket);
    },
    [self](const launch_spec& written) {
      self->state.mark = written.mark;
      open_pane(self);
    },
    giver_up(self));
}

/// Fills the worktree and makes it this session's.
result<bool> set_up(repository_cache& cache, const project_settings& project,
                    const msg::session_spec& spec, const std::string& path,
                    const environment& env) {
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
  if (spec.run > 1)
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
  auto& st = self->state;
  begin_step(self, "checkout");
  const auto* project = st.context.project(st.spec->project);
  run_job(
    self, st.context, 2 * step_deadline,
    [cache = cache_of(self), project = *project, spec = *st.spec,
     path = st.context.places(st.id).worktree, env = st.context.inherited] {
      return set_up(*cache, project, spec, path, env);
    },
    [self](bool) { write_launch_files(self); }, giver_up(self));
}

void make_worktree(self_pointer self) {
  auto& st = self->state;
  begin_step(self, "worktree");
  msg::add_worktree order;
  order.session = st.id;
  order.branch = st.spec->branch;
  order.base = st.spec->base;
  order.path = st.context.places(st.id).worktree;
  ask<repository_actor>(self, st.context,
                        make_actor_name("repository", st.spec->project.text),
                        step_deadline, order)
    .then(
      [self](const msg::worktree_made& made) {
        self->state.made = made;
        fill_worktree(self);
      },
      giver_up(self));
}

void provision(self_pointer self) {
  auto& st = self->state;
  st.phase = runner_phase::provisioning;
  st.made = {};
  st.pane_made = false;
  st.step = "spec";
  if (!st.context.project(st.spec->project))
    return give_up(
      self,
      error{ec::no_such_project,
            "the configuration has no project " + st.spec->project.text});
  run_job(
    self, st.context, step_deadline,
    [files = files_of(self), spec = *st.spec]() -> result<bool> {
      if (auto ok = files.begin(spec); !ok)
        return fail(ok.error());
      if (auto ok = files.note(spec.run, "provision", "begun"); !ok)
        return fail(ok.error());
      return true;
    },
    [self](bool) { make_worktree(self); }, giver_up(self));
}

// -- adoption -----------------------------------------------------------------

/// What the files of an earlier life say.
struct earlier_life {
  std::optional<msg::session_spec> spec;
  std::string mark;
};

void adopt(self_pointer self) {
  auto& st = self->state;
  st.phase = runner_phase::provisioning;
  st.step = "adopt";
  run_job(
    self, st.context, step_deadline,
    [files = files_of(self)]() -> result<earlier_life> {
      auto spec = files.spec();
      if (!spec)
        return fail(spec.error());
      earlier_life found;
      found.spec = *spec;
      if (found.spec)
        if (auto launch = read_launch(files.path());
            launch && launch->run == found.spec->run)
          found.mark = launch->mark;
      return found;
    },
    [self](const earlier_life& found) {
      auto& st = self->state;
      st.phase = runner_phase::idle;
      st.mark = found.mark;
      if (!st.spec)
        st.spec = found.spec;
      if (st.spec && !found.mark.empty())
        dial(self);
      else
        self->send(self, look_atom::value);
    },
    [self](const caf::error& why) {
      self->state.phase = runner_phase::idle;
      self->state.context.say(log_level::warn,
                              "adoption_failed session=" + self->state.id.text
                                + " reason=\"" + to_string(to_ao_error(why))
                                + "\"");
    });
}

// -- orders -------------------------------------------------------------------

bool is_older(const msg::session_spec& have, epoch_no epoch, run_no run) {
  return epoch < have.epoch || (epoch == have.epoch && run < have.run);
}

error stale(const runner_state& st, epoch_no epoch, run_no run) {
  return {ec::stale_epoch,
          st.id.text + " is at epoch " + std::to_string(st.spec->epoch)
            + " run " + std::to_string(st.spec->run)
            + ", the order is for epoch " + std::to_string(epoch) + " run "
            + std::to_string(run)};
}

/// Takes an order when nothing is under way; else it waits its turn.
bool is_busy(const runner_state& st) {
  return st.phase == runner_phase::provisioning
    || st.phase == runner_phase::stopping;
}

caf::result<session_id> ensure(self_pointer self,
                               const msg::ensure_order& order) {
  auto& st = self->state;
  const auto& want = order.spec;
  if (st.spec && is_older(*st.spec, want.epoch, want.run))
    return make_error(stale(st, want.epoch, want.run));
  bool same
    = st.spec && st.spec->epoch == want.epoch && st.spec->run == want.run;
  if (is_busy(st)) {
    if (same)
      return st.id;
    return make_error(ec::wrong_state, st.id.text + " is busy with " + st.step);
  }
  if (same && st.phase == runner_phase::alive) {
    report(self, *st.alive);
    return st.id;
  }
  if (same && st.link)
    return st.id; // dialled at adoption; its word will be reported
  if (same && !st.mark.empty()) {
    // This run was started before: how it ended is in its files.
    st.spec = want;
    st.phase = runner_phase::provisioning;
    read_end(self);
    return st.id;
  }
  if (st.phase == runner_phase::alive)
    return make_error(ec::wrong_state, st.id.text + " has a run that lives");
  st.spec = want;
  provision(self);
  return st.id;
}

caf::result<session_id> stop(self_pointer self, const msg::stop_order& order) {
  auto& st = self->state;
  if (st.spec && order.epoch < st.spec->epoch)
    return make_error(stale(st, order.epoch, order.run));
  if (!st.spec) {
    // Nothing was ever made here for it.
    msg::session_spec none;
    none.session = st.id;
    none.epoch = order.epoch;
    none.run = order.run;
    st.spec = none;
    msg::fact::stopped gone;
    gone.removed = true;
    report(self, gone);
    st.spec.reset();
    return st.id;
  }
  bool running = st.stop.has_value();
  st.stop = order;
  if (running)
    return st.id;
  if (st.phase == runner_phase::provisioning)
    return st.id; // the saga sees it at its end
  if (st.phase == runner_phase::alive)
    st.link->stop(stop_grace);
  else
    end_run(self);
  return st.id;
}

caf::result<session_id> publish(self_pointer self,
                                const msg::publish_order& order) {
  auto& st = self->state;
  if (!st.spec || order.epoch != st.spec->epoch)
    return make_error(ec::stale_epoch, "no run of this epoch here");
  auto places = st.context.places(st.id);
  token_claims who;
  who.session = st.id;
  who.epoch = st.spec->epoch;
  who.run = st.spec->run;
  who.role = std::string{to_string(st.spec->role)};
  who.project = st.spec->project;
  who.task = st.spec->task;
  std::vector<std::pair<std::string, std::string>> env{
    {"AO_SOCKET", places.agent_socket},
    {"AO_TOKEN", mint_token(*st.context.secret, who)},
    {"AO_SESSION", st.id.text}};
  run_job(
    self, st.context, step_deadline,
    [cache = cache_of(self), path = places.worktree, branch = st.spec->branch,
     env] { return cache->push(path, branch, env); },
    [self](const std::string& head) { report(self, msg::fact::pushed{head}); },
    [self](const caf::error& why) {
      report(self, msg::fact::push_failed{to_ao_error(why)});
    });
  return st.id;
}

/// The agent lives: reports it and delivers a prompt that is pasted.
void agent_lives(self_pointer self, const msg::shim_word& word) {
  auto& st = self->state;
  bool adopted = st.phase == runner_phase::idle;
  st.phase = runner_phase::alive;
  if (!st.alive) {
    st.alive.emplace();
    st.alive->workspace_path = st.context.places(st.id).worktree;
  }
  st.alive->agent_pid = word.agent_pid;
  st.alive->shim_pid = word.shim_pid;
  st.alive->adopted = adopted;
  report(self, *st.alive);
  if (st.stop) {
    st.link->stop(stop_grace);
    return;
  }
  if (adopted || !st.launch || !st.launch->paste_prompt)
    return;
  ask<tmux_actor>(self, st.context, "tmux"_name, registry_deadline,
                  msg::paste_text{st.id, st.spec->prompt})
    .then([](const session_id&) {},
          [self](const caf::error& why) {
            self->state.context.say(log_level::error,
                                    "prompt_not_delivered session="
                                      + self->state.id.text + " reason=\""
                                      + to_string(to_ao_error(why)) + "\"");
          });
}

void hear(self_pointer self, const msg::shim_word& word) {
  auto& st = self->state;
  if (!st.spec || word.run != st.spec->run)
    return;
  switch (word.what) {
  case msg::shim_word::kind::hello:
    if (word.agent_pid != 0)
      agent_lives(self, word);
    return;
  case msg::shim_word::kind::exited:
    return run_over(self, word.how);
  case msg::shim_word::kind::closed:
    return read_end(self);
  }
}

} // namespace

runner_actor::behavior_type runner(self_pointer self, node_context context,
                                   session_id id) {
  harden(self, context);
  self->state.context = std::move(context);
  self->state.id = std::move(id);
  adopt(self);
  return {
    [self](const msg::ensure_order& order) { return ensure(self, order); },
    [self](const msg::stop_order& order) { return stop(self, order); },
    [self](const msg::publish_order& order) { return publish(self, order); },
    [self](const msg::shim_word& word) { hear(self, word); },
    [self](look_atom) { send_reports(self); },
  };
}

} // namespace ao
