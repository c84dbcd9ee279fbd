#include "actors/runner.hpp"

#include "actors/runner_parts.hpp"
#include "runtime/actor/harden.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ao {
namespace runner_parts {
namespace {

constexpr std::chrono::seconds retry_delay{1};
/// The hub's disk takes no writes at present.
constexpr std::chrono::seconds degraded_delay{5};

} // namespace

bool orders_wait(const runner_state& state) {
  return state.phase == runner_phase::adopting
    || state.phase == runner_phase::ending;
}

void report(self_pointer self, msg::session_fact what) {
  const auto& spec = self->state.spec;
  if (spec)
    report_of(self, spec->epoch, spec->run, std::move(what));
}

void report_of(self_pointer self, epoch_no epoch, run_no run,
               msg::session_fact what) {
  auto& st = self->state;
  msg::session_report r;
  r.session = st.id;
  r.epoch = epoch;
  r.run = run;
  r.what = std::move(what);
  st.reports.push_back(std::move(r));
  send_reports(self);
}

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
            if (!std::exchange(self->state.telling_later, true))
              self->delayed_send(
                self,
                problem.code == ec::store_failed ? degraded_delay : retry_delay,
                look_atom::value);
          });
}

void enter(self_pointer self, runner_phase phase) {
  auto& st = self->state;
  st.phase = phase;
  // An order enters a phase itself.
  if (std::exchange(st.taking, true))
    return;
  while (!st.waiting.empty() && !orders_wait(st)) {
    auto order = std::move(st.waiting.front());
    st.waiting.pop_front();
    order.waiting.deliver(order.take());
  }
  st.taking = false;
}

std::shared_ptr<repository_cache> cache_of(self_pointer self) {
  return self->state.context->cache(self->state.spec->project);
}

session_dir files_of(self_pointer self) {
  return session_dir{self->state.context->places(self->state.id).directory};
}

std::string worktree_of(self_pointer self) {
  return self->state.context->places(self->state.id).worktree;
}

} // namespace runner_parts

namespace {

using namespace runner_parts;

run_spec part_of(const msg::session_spec& order) {
  run_spec out;
  out.project = order.project;
  out.task = order.task;
  out.role = order.role;
  out.epoch = order.epoch;
  out.run = order.run;
  out.branch = order.branch;
  out.base = order.base;
  out.head = order.head;
  out.agent = order.agent;
  out.hang_after = order.hang_after;
  return out;
}

// -- adoption -----------------------------------------------------------------

/// What the files of an earlier life say.
struct earlier_life {
  std::optional<msg::session_spec> spec;
  /// Empty when no shim has taken the run.
  std::string mark;
  /// The run was being ended as hung.
  bool hung = false;
  boxed<exit_info> end;
};

result<earlier_life> read_earlier_life(const session_dir& files) {
  earlier_life found;
  auto spec = files.spec();
  if (!spec)
    return fail(spec.error());
  found.spec = *spec;
  if (!found.spec)
    return found;
  auto launch = read_launch(files.path());
  if (!launch || launch->run != found.spec->run
      || launch->epoch != found.spec->epoch)
    return found;
  if (!was_taken(files.path(), found.spec->run))
    return found; // no shim has started yet: the saga goes on
  found.mark = launch->mark;
  found.hung = files.is_hung(found.spec->run);
  auto end = read_exit(files.path(), found.spec->run);
  if (!end)
    return fail(end.error());
  if (*end)
    found.end = describe_exit(**end);
  if (found.end && found.hung)
    found.end->failure = "hang";
  return found;
}

void adopt(self_pointer self) {
  auto& st = self->state;
  st.step = "adopt";
  run_reading(
    self, *st.context, step_deadline,
    [files = files_of(self), locks = st.context->locks,
     key = "session/" + st.id.text] {
      // A job of an earlier life may still write them.
      auto alone = locks->take(key);
      return read_earlier_life(files);
    },
    [self](const earlier_life& found) {
      auto& st = self->state;
      if (found.spec)
        st.spec = part_of(*found.spec);
      st.mark = found.mark;
      st.end = found.end;
      st.hung = found.hung && !found.end;
      if (!st.mark.empty() && !st.end)
        return dial(self); // its first word ends the adoption
      enter(self, runner_phase::idle);
      // An order may have been lost with an earlier life of ours, or not yet
      // been given, as there was no node.
      report_of(self, 0, 0, msg::fact::ready{});
    },
    [self](const caf::error& why) {
      // Orders write the files anew.
      self->state.context->say(log_level::error,
                               "adoption_failed session=" + self->state.id.text
                                 + " reason=\"" + to_string(to_ao_error(why))
                                 + "\"");
      enter(self, runner_phase::idle);
      report_of(self, 0, 0, msg::fact::ready{});
    });
}

// -- orders -------------------------------------------------------------------

bool is_older(const run_spec& have, epoch_no epoch, run_no run) {
  return epoch < have.epoch || (epoch == have.epoch && run < have.run);
}

error stale(const runner_state& st, epoch_no epoch, run_no run) {
  return {ec::stale_epoch,
          st.id.text + " is at epoch " + std::to_string(st.spec->epoch)
            + " run " + std::to_string(st.spec->run)
            + ", the order is for epoch " + std::to_string(epoch) + " run "
            + std::to_string(run)};
}

// The same order has the same name.

std::string of_run(epoch_no epoch, run_no run) {
  return " " + std::to_string(epoch) + "/" + std::to_string(run);
}

std::string name_of(const msg::ensure_order& order) {
  return "ensure" + of_run(order.spec.epoch, order.spec.run);
}

std::string name_of(const msg::stop_order& order) {
  return "stop" + of_run(order.epoch, order.run) + " "
    + std::string{to_string(order.how)};
}

std::string name_of(const msg::publish_order& order) {
  return "publish" + of_run(order.epoch, order.run);
}

std::string name_of(const msg::deliver_message& order) {
  return "deliver" + of_run(order.epoch, order.run) + " " + order.message.text;
}

result<session_id> ensure(self_pointer self, const msg::ensure_order& order) {
  auto& st = self->state;
  const auto& want = order.spec;
  if (st.spec && is_older(*st.spec, want.epoch, want.run))
    return fail(stale(st, want.epoch, want.run));
  bool same
    = st.spec && st.spec->epoch == want.epoch && st.spec->run == want.run;
  switch (st.phase) {
  case runner_phase::provisioning:
    if (same)
      return st.id;
    return fail(ec::wrong_state, st.id.text + " is busy with " + st.step);
  case runner_phase::stopping:
    return fail(ec::wrong_state, st.id.text + " is being stopped");
  case runner_phase::alive:
    if (!same)
      return fail(ec::wrong_state, st.id.text + " has a run that lives");
    watch_liveness(self, want.hang_after);
    report(self, *st.alive);
    return st.id;
  default:
    break;
  }
  if (same && st.end) {
    // This run was started before and is over.
    st.spec = part_of(want);
    if (st.told_end)
      report(self, *st.told_end);
    else
      run_over(self, *st.end);
    return st.id;
  }
  st.spec = part_of(want);
  st.order = std::make_unique<msg::session_spec>(want);
  provision(self);
  return st.id;
}

result<session_id> stop(self_pointer self, const msg::stop_order& order) {
  auto& st = self->state;
  if (st.spec && order.epoch < st.spec->epoch)
    return fail(stale(st, order.epoch, order.run));
  if (!st.spec) {
    // Nothing was ever made here for it.
    run_spec none;
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
  if (running && name_of(*st.stop) == name_of(order))
    return st.id;
  st.stop = order;
  st.stop_renewed = running;
  if (running || st.phase == runner_phase::provisioning)
    return st.id; // the saga sees it at its next step
  if (st.phase == runner_phase::alive && st.link) {
    st.link->stop(stop_grace);
    self->delayed_send(self, 2 * stop_grace, msg::stop_overdue{st.spec->run});
  } else {
    end_run(self);
  }
  return st.id;
}

result<session_id> publish(self_pointer self, const msg::publish_order& order) {
  auto& st = self->state;
  if (!st.spec || order.epoch != st.spec->epoch)
    return fail(ec::stale_epoch, "no run of this epoch here");
  auto places = st.context->places(st.id);
  token_claims who;
  who.session = st.id;
  who.epoch = st.spec->epoch;
  who.run = st.spec->run;
  who.role = std::string{to_string(st.spec->role)};
  who.project = st.spec->project;
  who.task = st.spec->task;
  std::vector<std::pair<std::string, std::string>> env{
    {"AO_SOCKET", places.agent_socket},
    {"AO_TOKEN",
     order.token.empty() ? mint_token(*st.context->secret, who) : order.token},
    {"AO_SESSION", st.id.text}};
  // What it comes to is told once.
  if (!st.publishing.emplace(who.epoch, who.run).second)
    return st.id;
  run_job(
    self, st.context, step_deadline,
    [cache = cache_of(self), path = places.worktree, branch = st.spec->branch,
     env] { return cache->push(path, branch, env); },
    [self, epoch = who.epoch, run = who.run](const std::string& head) {
      self->state.publishing.erase({epoch, run});
      report_of(self, epoch, run, msg::fact::pushed{head});
    },
    [self, epoch = who.epoch, run = who.run](const caf::error& why) {
      self->state.publishing.erase({epoch, run});
      // When a message has started the next run meanwhile, the token is old;
      // the end of that run has the branch pushed again.
      report_of(self, epoch, run, msg::fact::push_failed{to_ao_error(why)});
    });
  return st.id;
}

/// Takes an order now, or when adoption or the end of a run is over. It is said
/// again and again while it waits, and taken once.
template <class Order>
caf::result<session_id>
in_turn(self_pointer self, const Order& order,
        result<session_id> (*take)(self_pointer, const Order&)) {
  auto& st = self->state;
  if (!orders_wait(st)) {
    auto got = take(self, order);
    if (!got)
      return make_error(got.error());
    return *got;
  }
  auto promise = self->make_response_promise<session_id>();
  auto what = name_of(order);
  auto known
    = std::find_if(st.waiting.begin(), st.waiting.end(),
                   [&what](const auto& other) { return other.what == what; });
  if (known == st.waiting.end()) {
    st.waiting.push_back(
      {std::move(what), [self, take, order] { return take(self, order); }, {}});
    known = std::prev(st.waiting.end());
  }
  known->waiting.add(promise);
  return promise;
}

/// The shim did not carry out a stop in time: it is ended from outside.
void check_stop(self_pointer self, run_no run) {
  auto& st = self->state;
  if (!st.spec || st.spec->run != run || st.phase != runner_phase::alive)
    return;
  if (st.stop)
    end_run(self);
  else if (st.hung)
    read_end(self); // ends what is left and reports the hang
}

} // namespace

runner_actor::behavior_type
runner(self_pointer self, shared_context<node_context> context, session_id id) {
  harden(self, context);
  self->state.context = std::move(context);
  self->state.id = std::move(id);
  adopt(self);
  return {
    [self](const msg::ensure_order& order) {
      return in_turn(self, order, ensure);
    },
    [self](const msg::stop_order& order) { return in_turn(self, order, stop); },
    [self](const msg::publish_order& order) {
      return in_turn(self, order, publish);
    },
    [self](const msg::deliver_message& order) {
      return in_turn(self, order, deliver);
    },
    [self](const msg::typing_due& due) { go_on_typing(self, due.message); },
    [self](const msg::shim_word& word) { hear(self, word); },
    [self](const msg::transcript_seen& word) { take_transcript(self, word); },
    [self](const msg::stop_overdue& due) { check_stop(self, due.run); },
    [self](const msg::liveness_due& due) { look_for_life(self, due); },
    [self](look_atom) {
      self->state.telling_later = false;
      send_reports(self);
    },
  };
}

} // namespace ao
