#include "actors/runner_parts.hpp"
#include "runtime/agents/launch.hpp"
#include "runtime/agents/readiness.hpp"
#include "runtime/node/leftovers.hpp"
#include "runtime/node/local_time.hpp"
#include "runtime/node/worktree.hpp"
#include "runtime/process/process_table.hpp"
#include "runtime/rules/reconcile.hpp"

#include <utility>

namespace ao::runner_parts {
namespace {

/// What there is to know of the end of a run whose shim is gone.
result<exit_info> find_end(const std::string& directory, exit_info lost) {
  auto file = read_exit(directory, lost.run);
  if (!file)
    return fail(file.error());
  if (*file)
    return describe_exit(**file);
  // Ended from outside, shim and all.
  if (session_dir{directory}.is_hung(lost.run))
    return lost;
  auto launch = read_launch(directory);
  if (launch && !launch->boot.empty() && launch->boot != boot_mark()) {
    lost.cause = "reboot";
    lost.last_lines = {"ao: the host was started anew"};
  }
  return lost;
}

/// A run that ended without leaving word.
exit_info lost_run(self_pointer self, std::string why) {
  exit_info lost;
  lost.run = self->state.spec->run;
  lost.cause = "signalled";
  lost.failure = "crash";
  lost.at = self->state.context->now();
  lost.last_lines = {"ao: " + std::move(why)};
  return lost;
}

/// Why a run has ended by itself: by the last words of its program, then by
/// asking whether it is logged in, as one that has lost its login often just
/// dies. `command` agents are asked by their `probe`.
struct end_check {
  std::optional<agent_settings> agent;
  environment env;
  std::string directory;
  std::shared_ptr<agent_readiness_desk> desk;
  local_clock clock;

  exit_info apply(exit_info how) const {
    if (how.failure != "crash" || !how.code)
      return how;
    auto said = failure_of_exit(how, clock);
    if (!said.failure.empty()) {
      how.failure = said.failure;
      how.until = said.until;
    }
    auto asked = how.failure == "crash" || how.failure == "auth";
    if (!asked || !agent || !can_tell(*agent))
      return how;
    auto answer
      = desk->ask(*agent, env, directory, agent_readiness_desk::answers::fresh);
    if (answer.ready || answer.failure.empty())
      return how;
    how.failure = answer.failure;
    how.last_lines.push_back(answer.reason);
    return how;
  }
};

end_check end_check_of(self_pointer self) {
  const auto& st = self->state;
  end_check out;
  out.clock = local_clock_at(st.context->now());
  out.desk = st.context->desk;
  out.directory = worktree_of(self);
  if (const auto* agent = st.context->agent(st.spec->agent)) {
    out.agent = *agent;
    out.env = environment_for(*agent, *st.context->inherited);
  }
  return out;
}

/// What there is to know of a run that is over.
struct run_remains {
  exit_info how;
  worktree_facts worktree;
};

// -- after a stop -------------------------------------------------------------

void finish_stop(self_pointer self, msg::fact::stopped done) {
  auto& st = self->state;
  report(self, std::move(done));
  if (std::exchange(st.stop_renewed, false))
    return end_run(self);
  st.stop.reset();
  enter(self, runner_phase::idle);
}

/// Only the agent was to be ended: what it has left is looked at. Nothing is
/// told of a worktree that is not there or cannot be read.
void tell_work_left(self_pointer self) {
  if (!self->state.context->project(self->state.spec->project))
    return finish_stop(self, {});
  run_on_files(
    self,
    [cache = cache_of(self), path = worktree_of(self),
     base = self->state.spec->base] {
      return look_at_worktree(*cache, path, base);
    },
    on_course(self,
              [self](const worktree_facts& found) {
                msg::fact::stopped done;
                done.worktree = found;
                finish_stop(self, std::move(done));
              }),
    on_course(self, [self](const caf::error&) { finish_stop(self, {}); }));
}

/// Nothing is removed while something is not as it should be.
auto keeper(self_pointer self) {
  return on_course(self, [self](const caf::error& why) {
    msg::fact::stopped kept;
    kept.kept = to_string(to_ao_error(why));
    finish_stop(self, std::move(kept));
  });
}

/// Saves uncommitted work; the refs that keep it.
result<std::vector<std::string>> save(repository_cache& cache,
                                      const std::string& path,
                                      const session_id& id, wall_time now) {
  std::vector<std::string> refs;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return refs;
  auto state = cache.inspect(path);
  if (!state)
    return fail(state.error());
  if (state->dirty || !state->operation.empty()) {
    auto kept = cache.save_rescue(path, id, now);
    if (!kept)
      return fail(kept.error());
    refs.push_back(kept->ref);
  }
  return refs;
}

void save_work(self_pointer self) {
  auto& st = self->state;
  run_on_files(
    self,
    [cache = cache_of(self), path = worktree_of(self), id = st.id,
     now = st.context->now()] { return save(*cache, path, id, now); },
    on_course(self,
              [self](const std::vector<std::string>& refs) {
                msg::fact::stopped done;
                done.rescued = refs;
                finish_stop(self, std::move(done));
              }),
    keeper(self));
}

void remove_work(self_pointer self, msg::stop_how how) {
  auto& st = self->state;
  msg::drop_worktree order;
  order.session = st.id;
  order.branch = st.spec->branch;
  order.base = st.spec->base;
  order.path = worktree_of(self);
  // What is parked is under a ref, whatever the branch says.
  auto parked = how == msg::stop_how::park;
  order.merged = how == msg::stop_how::remove_merged || parked;
  order.discard = how == msg::stop_how::discard || parked;
  ask<repository_actor>(self, st.context,
                        make_actor_name("repository", st.spec->project.text),
                        step_deadline, order)
    .then(on_course(self,
                    [self](const msg::worktree_dropped& dropped) {
                      msg::fact::stopped done;
                      done.rescued = dropped.rescued;
                      if (auto ref = std::exchange(self->state.parked, {});
                          !ref.empty())
                        done.rescued.push_back(std::move(ref));
                      done.kept = dropped.kept;
                      done.removed = dropped.kept.empty();
                      finish_stop(self, std::move(done));
                    }),
          keeper(self));
}

/// The ref of what was parked before anybody could be told; empty = there was
/// nothing.
result<std::string> parked_before(const repository_cache& cache,
                                  const session_id& id, epoch_no epoch,
                                  run_no run) {
  auto all = cache.kept(id);
  if (!all)
    return fail(all.error());
  auto end = "/e" + std::to_string(epoch) + "-r" + std::to_string(run);
  for (const auto& one : *all)
    if (is_parked_ref(one.ref) && one.ref.size() > end.size()
        && one.ref.compare(one.ref.size() - end.size(), end.size(), end) == 0)
      return one.ref;
  return std::string{};
}

/// What another has by now: parked under a ref that names the run, then nothing
/// of it stays, as its branch is the other's, too.
void park_work(self_pointer self) {
  auto& st = self->state;
  run_on_files(
    self,
    [cache = cache_of(self), path = worktree_of(self), id = st.id,
     epoch = st.spec->epoch, run = st.spec->run,
     now = st.context->now()]() -> result<std::string> {
      std::error_code ignored;
      if (!std::filesystem::exists(path, ignored))
        return parked_before(*cache, id, epoch, run);
      auto kept = cache->park(path, id, epoch, run, now);
      if (!kept)
        return fail(kept.error());
      return kept->ref;
    },
    on_course(self,
              [self](const std::string& ref) {
                self->state.parked = ref;
                remove_work(self, msg::stop_how::park);
              }),
    keeper(self));
}

/// The run has ended: does what the stop order wants of the rest.
void after_stop(self_pointer self) {
  self->state.stop_renewed = false;
  switch (self->state.stop->how) {
  case msg::stop_how::end_agent:
    return tell_work_left(self);
  case msg::stop_how::save_and_end:
    return save_work(self);
  case msg::stop_how::remove:
  case msg::stop_how::remove_merged:
  case msg::stop_how::discard:
    return remove_work(self, self->state.stop->how);
  case msg::stop_how::park:
    return park_work(self);
  }
}

/// The agent lives: reports it and delivers a prompt that is pasted.
void agent_lives(self_pointer self, const msg::shim_word& word) {
  auto& st = self->state;
  bool adopted = st.phase == runner_phase::adopting;
  if (!st.alive) {
    st.alive.emplace();
    st.alive->workspace_path = worktree_of(self);
  }
  st.alive->agent_pid = word.agent_pid;
  st.alive->shim_pid = word.shim_pid;
  st.alive->adopted = adopted;
  report(self, *st.alive);
  enter(self, runner_phase::alive);
  if (st.stop) {
    if (st.link)
      st.link->stop(stop_grace);
    self->delayed_send(self, 2 * stop_grace, msg::stop_overdue{st.spec->run});
    return;
  }
  follow_transcript(self);
  if (st.hung)
    return end_as_hung(self);
  watch_liveness(self, st.spec->hang_after);
  auto order = std::move(st.order);
  // What has read a prompt once is not given it again.
  if (adopted || !st.paste_prompt || !order)
    return;
  ask<tmux_actor>(self, st.context, "tmux"_name, registry_deadline,
                  msg::paste_text{st.id, order->prompt})
    .then([](const session_id&) {},
          [self](const caf::error& why) {
            self->state.context->say(log_level::error,
                                     "prompt_not_delivered session="
                                       + self->state.id.text + " reason=\""
                                       + to_string(to_ao_error(why)) + "\"");
          });
}

} // namespace

void end_run(self_pointer self) {
  auto& st = self->state;
  begin_course(self);
  st.link.reset();
  auto shim_pid = st.alive ? st.alive->shim_pid : 0;
  st.alive.reset();
  st.told_end.reset();
  finish_transcript(self);
  enter(self, runner_phase::stopping);
  run_on_files(
    self,
    [mark = st.mark, shim_pid, dir = files_of(self).path()] {
      return end_leftovers(mark, shim_pid, dir, stop_grace);
    },
    on_course(
      self,
      [self](const end_report&) {
        ask<tmux_actor>(self, self->state.context, "tmux"_name,
                        registry_deadline, msg::close_pane{self->state.id})
          .then(
            on_course(self, [self](const session_id&) { after_stop(self); }),
            keeper(self));
      }),
    keeper(self));
}

void run_over(self_pointer self, exit_info how) {
  auto& st = self->state;
  begin_course(self);
  st.link.reset();
  st.alive.reset();
  finish_transcript(self);
  if (std::exchange(st.hung, false))
    how.failure = "hang";
  st.end = how;
  if (st.stop)
    return end_run(self);
  enter(self, runner_phase::ending);
  run_on_files(
    self,
    [cache = cache_of(self), path = worktree_of(self), base = st.spec->base,
     mark = st.mark, dir = files_of(self).path(), how,
     check = end_check_of(self)]() -> result<run_remains> {
      // Nothing of the run may write while we look.
      auto ended = end_leftovers(mark, 0, dir, stop_grace);
      if (!ended)
        return fail(ended.error());
      auto facts = look_at_worktree(*cache, path, base);
      if (!facts)
        return fail(facts.error());
      return run_remains{check.apply(how), std::move(*facts)};
    },
    on_course(self,
              [self](const run_remains& found) {
                self->state.told_end
                  = msg::fact::agent_exited{found.how, found.worktree};
                report(self, *self->state.told_end);
                enter(self, runner_phase::idle);
              }),
    on_course(self, [self, how](const caf::error& why) {
      auto told = how;
      told.last_lines.push_back("ao: " + to_string(to_ao_error(why)));
      if (told.failure.empty())
        told.failure = "tool";
      report(self, msg::fact::agent_exited{told, {}});
      enter(self, runner_phase::idle);
    }));
}

void read_end(self_pointer self) {
  begin_course(self);
  enter(self, runner_phase::ending);
  run_on_files(
    self,
    [directory = files_of(self).path(),
     lost = lost_run(self, "ao-shim ended without an exit file")] {
      return find_end(directory, lost);
    },
    on_course(self, [self](const exit_info& how) { run_over(self, how); }),
    on_course(self, [self](const caf::error& why) {
      run_over(self, lost_run(self, to_string(to_ao_error(why))));
    }));
}

void dial(self_pointer self) {
  auto& st = self->state;
  auto hdl = caf::actor_cast<runner_actor>(self);
  auto run = st.spec->run;
  auto tell = [hdl, dial = ++st.dials](msg::shim_word word) {
    word.dial = dial;
    caf::anon_send(hdl, std::move(word));
  };
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
    *st.context->loop, st.context->place->shim_socket(st.id.text),
    std::move(on));
}

void hear(self_pointer self, const msg::shim_word& word) {
  auto& st = self->state;
  if (!st.spec || word.run != st.spec->run || !st.link || word.dial != st.dials)
    return;
  switch (word.what) {
  case msg::shim_word::kind::hello:
    if (word.agent_pid != 0)
      agent_lives(self, word);
    return;
  case msg::shim_word::kind::exited:
    return run_over(self, word.how);
  case msg::shim_word::kind::closed:
    st.link.reset();
    return read_end(self);
  }
}

} // namespace ao::runner_parts
