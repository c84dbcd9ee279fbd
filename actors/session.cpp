#include "actors/session.hpp"

#include "actors/session_parts.hpp"
#include "actors/store_trouble.hpp"
#include "actors/uplink_name.hpp"
#include "messages/interfaces/cluster.hpp"
#include "messages/json.hpp"
#include "runtime/actor/deliver.hpp"
#include "runtime/agents/launch.hpp"
#include "runtime/agents/readiness.hpp"
#include "runtime/rules/breakers.hpp"
#include "runtime/rules/orchestrators.hpp"
#include "runtime/rules/reconcile.hpp"
#include "runtime/rules/tasks.hpp"

#include <memory>
#include <stdexcept>
#include <utility>

namespace ao {
namespace session_parts {
namespace {

session_policy policy_of(self_pointer self) {
  auto& st = self->state;
  session_policy policy;
  const auto& row = row_of(self);
  const auto* project = st.context->project(row.project);
  if (!project)
    return policy;
  auto restart = restart_of(*st.context->config, *project, row.agent);
  policy.open_change_auto = project->open_change == change_opener::hub;
  policy.remove_after_merge
    = st.context->config->lifecycle.auto_cleanup_on_merge;
  policy.reconcile = project->disconnect.reconcile;
  policy.restart = {restart.intensity, restart.period, restart.delay,
                    restart.max_delay, restart.jitter};
  return policy;
}

// -- effects, after the commit ------------------------------------------------

/// What the agent of a run proves itself by.
std::string token_of(self_pointer self, run_no run) {
  const auto& row = row_of(self);
  token_claims who;
  who.session = row.id;
  who.epoch = row.epoch;
  who.run = run;
  who.role = std::string{to_string(row.role)};
  who.project = row.project;
  who.task = row.task;
  return mint_token(*self->state.context->secret, who);
}

msg::session_spec spec_of(self_pointer self, const ensure_run& order) {
  auto& st = self->state;
  const auto& row = row_of(self);
  msg::session_spec spec;
  spec.session = row.id;
  spec.project = row.project;
  spec.task = row.task;
  spec.role = row.role;
  spec.epoch = row.epoch;
  spec.run = order.run;
  spec.resume = order.reason;
  spec.branch = row.branch;
  spec.base = row.base;
  spec.head = row.head;
  spec.agent = row.agent;
  if (const auto* project = st.context->project(row.project))
    spec.hang_after = hang_of(*st.context->config, *project, row.agent).after;
  if (auto t = st.context->rows->find<task>(row.task.text)) {
    spec.title = t->title;
    spec.issue = t->ref;
    spec.prompt = prompt_of(*t);
  }
  if (!row.took_over.empty())
    add_takeover(self, spec);
  if (row.role == session_role::reviewer)
    add_review(self, spec);
  if (row.role == session_role::mediator)
    add_dossier(self, spec);
  if (row.role == session_role::orchestrator) {
    spec.prompt = orchestrator_prompt(row.project);
    // It waits to be told something; silence is no hang.
    spec.hang_after = milliseconds{0};
  }
  if (auto m = st.context->rows->find<message>(row.prompt.text))
    spec.prompt = m->text;
  spec.token = token_of(self, order.run);
  return spec;
}

/// Hands the order to the node, unless it is another run's turn by now.
void order_run(self_pointer self, const ensure_run& order) {
  const auto& row = row_of(self);
  auto wanted = row.runtime == runtime_state::provisioning
    || row.runtime == runtime_state::starting
    || row.runtime == runtime_state::alive
    || row.runtime == runtime_state::lost;
  if (is_terminal(row) || row.run != order.run || !wanted)
    return;
  ask<uplink_actor>(self, self->state.context, uplink_of(row.node),
                    registry_deadline, msg::ensure_order{spec_of(self, order)})
    .then([](const session_id&) {}, try_later(self, "ensure_not_taken"));
}

/// The worktree of a judge is nobody's work once its verdict is in.
bool is_scratch(const session& s) {
  return is_judge(s.role) && s.end == session_end::done;
}

/// It is stopped for a look at what it has.
bool compares(self_pointer self) {
  const auto& row = row_of(self);
  return is_reconciled(row) && row.left->state == left_state::compared;
}

void order_stop(self_pointer self, run_no run, msg::stop_how how) {
  const auto& row = row_of(self);
  ask<uplink_actor>(self, self->state.context, uplink_of(row.node),
                    registry_deadline,
                    msg::stop_order{row.id, row.epoch, run, how})
    .then([](const session_id&) {},
          [self, run, how, epoch = row.epoch,
           again = try_later(self, "stop_not_taken")](const caf::error& why) {
            // The node has seen a later epoch: of this one nothing lives.
            auto gone = to_ao_error(why).code == ec::stale_epoch;
            if (gone && how == msg::stop_how::park)
              return submit(self, session_report{epoch, run, 0, cleaned_up{}});
            if (gone && (how == msg::stop_how::save_and_end || compares(self)))
              return submit(self, session_report{epoch, run, 0, run_stopped{}});
            again(why);
          });
}

/// How its present run is stopped, by why it is.
msg::stop_how how_to_stop(self_pointer self) {
  const auto& row = row_of(self);
  if (is_scratch(row) || compares(self))
    return msg::stop_how::end_agent;
  return is_reconciled(row) ? msg::stop_how::park : msg::stop_how::save_and_end;
}

/// Whether its run is over and has left nothing beyond this commit.
bool has_left(self_pointer self, const std::string& sha) {
  const auto& row = row_of(self);
  return row.runtime == runtime_state::exited && row.worktree
    && row.worktree->head_sha == sha;
}

/// What its run has left is at the forge.
bool is_pushed(self_pointer self) {
  const auto& row = row_of(self);
  const auto& pushed = self->state.pushed;
  return pushed && pushed->epoch == row.epoch && pushed->run == row.run
    && has_left(self, pushed->sha);
}

/// What its run has left is in its change.
bool is_delivered(self_pointer self) {
  auto c = self->state.context->rows->find<change>(row_of(self).change.text);
  return c && c->state == change_state::open && has_left(self, c->head_sha);
}

struct perform {
  self_pointer self;
  /// These are what may have been left undone before the SESSION started.
  bool first = false;

  void operator()(const ensure_run& order) const {
    // Without an uplink the node is about to start: its RUNNERS, ours among
    // them, say what there is, and are told then what is missing.
    if (first
        && !self->state.context->names->find(uplink_of(row_of(self).node)))
      return;
    if (order.run > 1)
      return order_run(self, order);
    // A new session begins at what the person has committed by now.
    auto& st = self->state;
    ask<forge_actor>(
      self, st.context, make_actor_name("forge", row_of(self).project.text),
      registry_deadline, msg::follow_checkout{self->clock().now()})
      .then(
        [self = self, order](const std::string&) { order_run(self, order); },
        [self = self, order](const caf::error& why) {
          // The forge's base as it is will do.
          self->state.context->say(log_level::warn,
                                   "checkout_not_followed session="
                                     + row_of(self).id.text + " reason=\""
                                     + to_string(to_ao_error(why)) + "\"");
          order_run(self, order);
        });
  }

  void operator()(const stop_run& order) const {
    order_stop(self, order.run, how_to_stop(self));
  }

  void operator()(const publish_branch&) const {
    const auto& row = row_of(self);
    if (is_delivered(self))
      return;
    // Only its change is missing.
    if (is_pushed(self))
      return (*this)(open_change{self->state.pushed->sha});
    ask<uplink_actor>(
      self, self->state.context, uplink_of(row.node), registry_deadline,
      msg::publish_order{row.id, row.epoch, row.run, token_of(self, row.run)})
      .then([](const session_id&) {}, try_later(self, "publish_not_taken"));
  }

  void operator()(const open_change& order) const {
    const auto& row = row_of(self);
    self->state.pushed = pushed_head{row.epoch, row.run, order.head_sha};
    msg::open_change request;
    request.session = row.id;
    request.epoch = row.epoch;
    request.task = row.task;
    request.branch = row.branch;
    request.actor = "session/" + row.id.text;
    request.head_sha = order.head_sha;
    ask<forge_actor>(self, self->state.context,
                     make_actor_name("forge", row.project.text),
                     registry_deadline, request)
      .then(
        [self = self](const change& c) {
          self->state.pushed.reset();
          submit(self, change_told{c.id, c.state});
        },
        [self = self,
         later = try_later(self, "change_not_opened")](const caf::error& why) {
          // Else it has to be pushed again, for all that is known.
          if (!may_pass(to_ao_error(why).code))
            self->state.pushed.reset();
          later(why);
        });
  }

  void operator()(const tell_task&) const {
    const auto& row = row_of(self);
    if (row.role == session_role::reviewer)
      return tell_review(self);
    if (row.role == session_role::mediator)
      return tell_mediation(self);
    tell_change(self);
    tell<task_actor>(self->state.context,
                     make_actor_name("task", row.task.text),
                     msg::session_changed{row});
  }

  void operator()(const await_slot&) const {
    tell<dispatcher_actor>(self->state.context, "dispatcher"_name,
                           msg::admit_session{row_of(self).id});
  }

  void operator()(const release_slot&) const {
    tell<dispatcher_actor>(self->state.context, "dispatcher"_name,
                           msg::slot_free{row_of(self).id});
  }

  void operator()(const remove_worktree&) const {
    const auto& row = row_of(self);
    order_stop(self, row.run,
               is_scratch(row)                    ? msg::stop_how::discard
                 : row.end == session_end::merged ? msg::stop_how::remove_merged
                                                  : msg::stop_how::remove);
  }

  void operator()(const arm_restart& order) const {
    // The one that is armed stays: its time is monotonic, and what is left of
    // the pause is read from the wall clock.
    if (self->state.armed_run == order.run)
      return;
    self->state.armed_run = order.run;
    self->delayed_send(self, order.delay, msg::restart_now{order.run});
  }

  void operator()(const ao::look_later& order) const {
    session_parts::look_later(self, order.delay);
  }

  void operator()(const ao::compare_work&) const { compare_works(self); }

  void operator()(const ao::take_back&) const { take_work_back(self); }

  void operator()(const disown_run& what) const { disown(self, what); }

  void operator()(const raise_incident& what) const {
    report_trouble(self, what);
  }
};

// -- decide, commit, do, tell -------------------------------------------------

/// One session less there: a drain may be over.
void tell_node(self_pointer self, const node_name& node) {
  const auto& context = *self->state.context;
  if (context.rows->find<cluster_node>(node.text))
    tell<node_proxy_actor>(context, uplink_of(node), look_atom::value);
}

void conclude(self_pointer self, const session_step& step,
              const session_call& call) {
  auto& st = self->state;
  const auto was = trouble_of(row_of(self));
  const auto had = row_of(self).exit ? row_of(self).exit->run : 0;
  const auto place = row_of(self).node;
  const auto ended = is_terminal(row_of(self));
  if (step.changed)
    st.refusals = 0;
  st.machine->adopt(step,
                    st.context->rows->find<session>(row_of(self).id.text));
  for (const auto& effect : step.effects)
    std::visit(perform{self, call.first}, effect);
  if (const auto& end = row_of(self).exit;
      end && end->run != had && tells_of_account(*end))
    report_failure(self, end->failure,
                   row_of(self).agent + " " + row_of(self).reason);
  if (is_terminal(row_of(self)) != ended || row_of(self).node != place)
    tell_node(self, place);
  const auto is = trouble_of(row_of(self));
  if (was && (!is || is->cause != was->cause))
    report_relief(self, *was);
  // It may not have been told before we were started.
  if (is && call.first)
    repeat_trouble(self, *is);
  tell<mailbox_actor>(st.context,
                      make_actor_name("mailbox", row_of(self).id.text),
                      msg::session_changed{row_of(self), call.first});
  if (call.answer)
    call.answer(row_of(self));
  // A session that has ended and left nothing needs no actor.
  if (is_terminal(row_of(self)) && row_of(self).cleaned
      && st.turns.waiting.empty())
    self->quit();
}

void commit(self_pointer self, session_step step, session_call call) {
  auto& st = self->state;
  store_write write;
  // Moved, as after a restart very many sessions write at once: the row comes
  // back from the STORE.
  if (step.changed)
    write.rows.emplace_back(std::move(step.next.row));
  write.events = std::move(step.events);
  if (write.rows.empty() && write.events.empty())
    return conclude(self, step, call);
  auto made = std::make_shared<const session_step>(std::move(step));
  write_in_turn(
    self, *st.context, st.turns, std::move(write), call,
    [self, made, call](const store_written&) { conclude(self, *made, call); },
    [self] { work(self); });
}

/// Failures of an earlier life still count: they are in the events.
std::vector<wall_time> failures_in(const std::vector<event>& events) {
  std::vector<wall_time> out;
  for (const auto& e : events) {
    if (e.kind != event_kind::agent_exited)
      continue;
    auto data = json::parse(e.data, nullptr, false);
    if (!data.is_object())
      continue;
    exit_info end;
    end.failure = data.value("class", std::string{});
    end.cause = data.value("cause", std::string{});
    if (is_counted(end))
      out.push_back(e.at);
  }
  return out;
}

/// Its node is there again: what did not reach the RUNNER there, as it was busy
/// with what was before, is ordered again as long as it is lost.
void call_back(self_pointer self) {
  const auto& row = row_of(self);
  if (row.runtime != runtime_state::lost)
    return;
  auto seen = self->state.context->nodes->find(row.node);
  if (seen && seen->connected)
    submit(self, node_back{});
}

/// What its task and its change have become while nobody heard them, then what
/// may be left undone.
void catch_up(self_pointer self) {
  auto& st = self->state;
  const auto& rows = *st.context->rows;
  const auto row = row_of(self);
  if (auto c = row.change.empty() ? rows.open_change(row.id)
                                  : rows.find<change>(row.change.text))
    submit(self, change_told{c->id, c->state});
  if (auto t = rows.find<task>(row.task.text))
    if (auto word = word_to_holder(*t, row))
      submit(self, *word);
  line_up(st.turns, {session_recovered{}, {}, true});
  work(self);
  call_back(self);
}

/// Begins with what the rows say; a session that has failed before learns
/// first when that was.
void recover(self_pointer self) {
  auto& st = self->state;
  const auto& row = row_of(self);
  auto failed = row.exit && !row.exit->failure.empty();
  if (is_terminal(row) || (row.restarts == 0 && !failed))
    return catch_up(self);
  st.turns.writing = true;
  auto go_on = [self] {
    self->state.turns.writing = false;
    catch_up(self);
  };
  msg::read_events past;
  past.subject = subject_of(row.id);
  ask<store_actor>(self, st.context, "store"_name, store_deadline, past)
    .then(
      [self, go_on](const msg::event_page& page) {
        self->state.machine->remember(failures_in(page.events));
        go_on();
      },
      [self](const caf::error& why) {
        auto& st = self->state;
        if (!store_is_down(st.context, why))
          return self->quit(why);
        when_store_writes(self, st.context, [self] {
          self->state.turns.writing = false;
          recover(self);
        });
      });
}

// -- from messages to inputs --------------------------------------------------

/// A fact about a run, or that the RUNNER may be told what is due.
session_input input_from(const msg::session_report& told) {
  struct translate {
    const msg::session_report& from;

    session_input about(session_fact fact) const {
      return session_report{from.epoch, from.run, from.seq, std::move(fact)};
    }
    session_input operator()(const msg::fact::ready&) const {
      return session_recovered{};
    }
    session_input operator()(const msg::fact::node_back&) const {
      return node_back{};
    }
    session_input operator()(const msg::fact::node_lost& x) const {
      return node_gone{x.why};
    }
    session_input operator()(const msg::fact::work_found& x) const {
      return original_back{x.node, from.epoch, from.run, x.worktree, {}, {}};
    }
    session_input operator()(const msg::fact::step_done& x) const {
      return about(step_reached{x.step});
    }
    session_input operator()(const msg::fact::agent_alive& x) const {
      return about(agent_alive{x.agent_pid, x.shim_pid, x.workspace_path,
                               x.tmux_socket, x.tmux_pane});
    }
    session_input operator()(const msg::fact::provision_failed& x) const {
      return about(provision_failed{
        x.step, to_string(x.why), is_disk_trouble(x.why),
        x.why.code == ec::agent_not_ready, is_login_lost(x.why)});
    }
    session_input operator()(const msg::fact::agent_exited& x) const {
      return about(agent_ended{x.how, x.worktree});
    }
    session_input operator()(const conversation_state& x) const {
      return about(x);
    }
    session_input operator()(const msg::fact::pushed& x) const {
      return about(branch_pushed{x.head_sha});
    }
    session_input operator()(const msg::fact::push_failed& x) const {
      return about(push_failed{to_string(x.why), may_pass(x.why.code)});
    }
    session_input operator()(const msg::fact::stopped& x) const {
      if (x.removed || !x.kept.empty())
        return about(cleaned_up{x.kept});
      run_stopped stopped;
      stopped.worktree = x.worktree;
      if (!x.rescued.empty())
        stopped.rescue_ref = x.rescued.back();
      return about(stopped);
    }
    session_input operator()(const msg::fact::unknown_here&) const {
      return about(provision_failed{
        "adopt", "the node does not know this session", false});
    }
  };
  return std::visit(translate{told}, told.what);
}

/// What could not be pushed again is at the forge, or merged by now: a session
/// that is found again after a crash pushes what it had pushed.
bool is_moot(self_pointer self, const msg::session_report& told) {
  if (!std::holds_alternative<msg::fact::push_failed>(told.what))
    return false;
  const auto& row = row_of(self);
  auto c = self->state.context->rows->find<change>(row.change.text);
  return c
    && (c->state == change_state::merged
        || (row.worktree && c->head_sha == row.worktree->head_sha));
}

/// Answers a request with the row once its input is durable.
caf::result<session> answered(self_pointer self, session_input input) {
  auto promise = self->make_response_promise<session>();
  submit(self, std::move(input), delivering(promise));
  return promise;
}

// -- orders of people ---------------------------------------------------------

session_input restored(const session& row, epoch_no epoch,
                       resume_reason why = resume_reason::restore) {
  return restore_session{epoch, row.node, why};
}

/// Asks for a new grant and goes on under it, anywhere. One at a time: each
/// makes the one before it stale.
caf::result<session>
restore_anew(self_pointer self, const msg::session_order& order,
             const std::string& verb, resume_reason reason) {
  auto& st = self->state;
  if (st.regranting)
    return make_error(ec::wrong_state,
                      row_of(self).id.text + " is being restored");
  if (st.turns.stalled)
    return make_error(*st.turns.stalled);
  auto promise = self->make_response_promise<session>();
  want_grant(self,
             {order.request, row_of(self).node, verb + " by " + order.actor,
              reason, delivering(promise)});
  work(self);
  return promise;
}

/// Restores under the present epoch, or where the claim was given back under
/// a new grant.
caf::result<session> restore(self_pointer self,
                             const msg::session_order& order) {
  const auto& row = row_of(self);
  if (auto heir = heir_of(self); !heir.empty())
    return make_error(ec::session_closed,
                      "the branch of " + row.id.text + " went to " + heir.text
                        + "; `ao spawn --claim-pr " + row.change.text
                        + "` has a new session go on with it");
  auto why = parked_by_hub(row) ? resume_reason::hub : resume_reason::restore;
  auto trial = try_out(self, restored(row, row.epoch, why));
  if (!trial.refused || trial.refused->code != ec::stale_epoch)
    return answered(self, restored(row, row.epoch, why));
  // Whoever is lost may work on until its lease is over.
  if (auto seen = self->state.context->nodes->find(row.node);
      row.runtime == runtime_state::lost && seen
      && seen->now.link == node_link::lost
      && !may_regrant(seen->now, self->clock().now()))
    return make_error(ec::not_reachable,
                      "node " + row.node.text
                        + " is lost and may still work for a moment; try "
                          "again when its lease is over");
  return restore_anew(self, order, "restored", resume_reason::restore);
}

/// First it is parked; told again, once nothing of it runs, it goes on
/// elsewhere.
caf::result<session> move_away(self_pointer self,
                               const msg::session_order& order) {
  const auto& row = row_of(self);
  if (is_terminal(row) || row.role == session_role::manual)
    return row;
  if (is_reconciled(row))
    return make_error(ec::wrong_state,
                      row.id.text + " is stopped for a moment, as "
                        + row.left->node.text + " is back");
  auto waits = row.runtime == runtime_state::queued;
  auto rests = parked_by_hub(row) && row.agent_pid == 0 && row.shim_pid == 0;
  if (waits || rests)
    return restore_anew(self, order, "moved",
                        waits ? row.resume : resume_reason::hub);
  return answered(self, park_session{"its node is drained", true});
}

caf::result<session> obey(self_pointer self, const msg::session_order& order) {
  using kind = msg::session_order::kind;
  switch (order.what) {
  case kind::restore:
    return restore(self, order);
  case kind::cleanup:
    return answered(self, cleanup_session{});
  case kind::park:
    return answered(self, park_session{"stopped with the hub", true});
  case kind::log_in:
    return answered(self, login_restored{});
  case kind::move:
    return move_away(self, order);
  default:
    return answered(self, kill_session{"killed by " + order.actor});
  }
}

} // namespace

void submit(self_pointer self, session_input input,
            std::function<void(result<session>)> answer) {
  line_up(self->state.turns, {std::move(input), std::move(answer)});
  work(self);
}

const session& row_of(self_pointer self) {
  return self->state.machine->row();
}

row_ptr<claim> own_claim(self_pointer self) {
  const auto& row = row_of(self);
  auto held = self->state.context->rows->held_claim(row.subject);
  return held && held->session == row.id ? held : nullptr;
}

session_step try_out(self_pointer self, const session_input& input) {
  auto& st = self->state;
  session_context now;
  now.policy = policy_of(self);
  now.now = st.context->now();
  now.draw = std::uniform_real_distribution<double>{0, 1}(st.random);
  return st.machine->decide(input, now);
}

void work(self_pointer self) {
  auto& st = self->state;
  while (!hold_for_grant(self) && has_turn(st.turns)) {
    auto call = next_turn(st.turns);
    auto step = try_out(self, call.input);
    if (step.refused) {
      if (call.answer)
        call.answer(fail(*step.refused));
      continue;
    }
    if (!step.dropped.empty())
      st.context->say(log_level::debug,
                      "input_dropped session=" + row_of(self).id.text
                        + " reason=\"" + step.dropped + "\"");
    commit(self, std::move(step), std::move(call));
  }
}

} // namespace session_parts

using namespace session_parts;

session_actor::behavior_type session_keeper(self_pointer self,
                                            shared_context<hub_context> context,
                                            session_id id) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  auto row = st.context->rows->find<session>(id.text);
  if (!row)
    throw std::runtime_error("no row of session " + id.text);
  st.machine.emplace(std::move(row));
  recover(self);
  finish_regrant(self);
  return {
    [self](const msg::session_report& told) -> caf::result<std::uint64_t> {
      if (is_moot(self, told))
        return told.seq;
      if (std::holds_alternative<msg::fact::work_found>(told.what))
        return take_found_work(self, told);
      auto promise = self->make_response_promise<std::uint64_t>();
      note_parted(
        self, told,
        [self, told, promise] {
          submit(self, input_from(told),
                 delivering(promise,
                            [seq = told.seq](const session&) { return seq; }));
        },
        [promise](const caf::error& why) mutable { promise.deliver(why); });
      return promise;
    },
    [self](const msg::session_order& order) { return obey(self, order); },
    [self](const msg::task_changed& told) {
      if (auto word = word_to_holder(told.now, row_of(self)))
        submit(self, std::move(*word));
    },
    [self](const msg::agent_word& word) {
      return answered(self,
                      session_report{word.epoch, word.run, 0,
                                     agent_said{word.state, word.note}});
    },
    [self](const msg::change_changed& told) {
      if (row_of(self).role == session_role::reviewer)
        return heed_review(self);
      submit(self, change_told{told.now.id, told.now.state});
    },
    [self](const msg::slot_granted& granted) {
      submit(self, slot_granted{granted.node, granted.why});
    },
    [self](const msg::slot_waits& waits) {
      submit(self, slot_waits{waits.reason});
    },
    [self](const msg::restart_now& due) {
      // That of an earlier run leaves the one that is armed by now.
      if (self->state.armed_run != due.run)
        return;
      self->state.armed_run = 0;
      submit(self, restart_due{due.run});
    },
    [self](const msg::message_waits& news) {
      submit(self, message_waits{news.message, news.run});
    },
    [self](look_atom) {
      self->state.alarm.came(self->clock().now());
      submit(self, session_recovered{});
      finish_regrant(self);
      call_back(self);
      if (row_of(self).role == session_role::mediator)
        heed_mediation(self);
      if (auto trouble = trouble_of(row_of(self)))
        repeat_trouble(self, *trouble);
    },
  };
}

} // namespace ao
