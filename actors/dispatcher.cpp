#include "actors/dispatcher.hpp"

#include "actors/agent_probe.hpp"
#include "actors/placements.hpp"
#include "actors/store_trouble.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/agents/readiness.hpp"
#include "runtime/node/capacity.hpp"
#include "runtime/rules/breakers.hpp"
#include "runtime/rules/event_data.hpp"
#include "runtime/rules/sessions.hpp"

#include <algorithm>

namespace ao {
namespace {

using self_pointer = dispatcher_actor::stateful_pointer<dispatcher_state>;

constexpr std::chrono::seconds refused_pause{30};
/// A program that says nothing is given up sooner.
constexpr std::chrono::seconds probe_deadline{30};

/// Between two looks: each goes through all rows, whoever wanted it.
constexpr milliseconds look_pause{20};

/// What waits is told another reason so often a second, all in all: each is a
/// row to write, only people read it, and a node that comes and goes changes
/// all of them.
constexpr std::size_t most_reasons = 50;
constexpr std::chrono::seconds reasons_window{1};

/// Has a look taken then, unless one is due before.
void look_at(self_pointer self, mono_time at) {
  auto& st = self->state;
  st.alarm.by(self, std::max(at, st.looked_at + look_pause));
}

void look_soon(self_pointer self) {
  look_at(self, self->clock().now());
}

bool has_slot(const session& s) {
  if (is_terminal(s) || s.role == session_role::manual)
    return false;
  return s.runtime == runtime_state::provisioning
    || s.runtime == runtime_state::starting
    || s.runtime == runtime_state::alive;
}

bool reviews(const session& s) {
  return is_judge(s.role);
}

/// Its agent can do nothing more until somebody has reviewed its change.
bool awaits_review(const hub_context& context, const session& s) {
  auto c = context.rows->open_change(s.id);
  return c && c->review == review_state::pending;
}

/// The task that a session works on, or whose change it judges.
row_ptr<task> task_of(const hub_context& context, const session& s) {
  if (!reviews(s))
    return context.rows->find<task>(s.task.text);
  auto c = context.rows->find<change>(s.change.text);
  return c ? context.rows->find<task>(c->task.text) : nullptr;
}

dispatch_limits limits_of(const settings& config) {
  dispatch_limits limits;
  limits.sessions = config.limits.sessions;
  limits.spawns_per_minute = config.limits.spawns_per_minute;
  limits.parallel_spawns = config.limits.parallel_spawns;
  limits.min_free_memory = config.limits.min_free_memory;
  limits.min_free_disk = config.limits.min_free_disk;
  limits.group_pause = config.breaker.stagger;
  for (const auto& [id, project] : config.projects)
    if (project.limits.sessions)
      limits.sessions_of_project[id] = *project.limits.sessions;
  for (const auto& [name, agent] : config.agents)
    if (agent.limits.sessions)
      limits.sessions_of_agent[name] = *agent.limits.sessions;
  return limits;
}

/// Counts one that has a slot, or is about to have one.
void count(dispatch_load& load, const project_id& project,
           const std::string& agent, bool alive = false) {
  load.running += 1;
  load.running_of_project[project] += 1;
  load.running_of_agent[agent] += 1;
  load.spawning += alive ? 0 : 1;
}

/// The program that a task starts when nobody names another.
const std::string& agent_for(const settings& config,
                             const project_settings& project, const task& t) {
  return t.agent.empty() ? agent_of(config, project) : t.agent;
}

/// After a breaker has closed, agents of its account start one by one for so
/// long.
constexpr std::chrono::minutes recovery{5};

/// The account of an agent; empty when there is no such agent.
std::string account_called(self_pointer self, const std::string& agent) {
  const auto* program = self->state.context.agent(agent);
  return program == nullptr ? std::string{} : account_of(*program);
}

/// Why no agent of this account may start at present, but for the one that is
/// tried; empty when they may.
std::string held_by_breaker(self_pointer self, const std::string& account,
                            const session_id& session) {
  for (const auto& b : self->state.context.rows->all<breaker>())
    if (b->account == account && holds(*b)
        && (session.empty() || b->trial != session))
      return why_held(*b);
  return {};
}

/// The account, where its agents start one by one as its breaker has closed a
/// moment ago. A wall clock that was set back prolongs nothing.
std::string group_of(self_pointer self, const std::string& account) {
  const auto& context = self->state.context;
  auto now = context.now();
  for (const auto& b : context.rows->all<breaker>())
    if (b->account == account && b->closed_at && *b->closed_at <= now
        && now - *b->closed_at < recovery)
      return account;
  return {};
}

/// Whether the lease of a node that is lost is over: nothing of it counts.
bool is_given_up(self_pointer self, const node_name& node) {
  auto seen = self->state.context.nodes->find(node);
  return seen && seen->now.link == node_link::lost
    && may_regrant(seen->now, self->clock().now());
}

/// Whether the node of a session is not heard at present.
bool is_away(self_pointer self, const node_name& node) {
  auto seen = self->state.context.nodes->find(node);
  return seen && seen->now.link != node_link::alive;
}

/// Who has to leave the branch of a session that takes it over; empty when
/// nobody works there any more.
session_id who_leaves_for(self_pointer self, const session& s) {
  if (s.took_over.empty() || s.run > 0)
    return {};
  for (const auto& other : self->state.context.rows->all<session>())
    if (has_to_leave(*other, s) && !is_given_up(self, other->node))
      return other->id;
  return {};
}

/// Why a queued session could not start whatever the load.
std::string held_by(self_pointer self, const session& s) {
  auto& st = self->state;
  if (!st.held_because.empty())
    return st.held_because;
  if (auto why = held_by_breaker(self, account_called(self, s.agent), s.id);
      !why.empty())
    return why;
  if (s.run > 0)
    if (auto why = hold_restart(st.blast, s.id, is_away(self, s.node));
        !why.empty())
      return why;
  if (auto other = who_leaves_for(self, s); !other.empty())
    return "waits until " + other.text + " is stopped and its work saved";
  const auto& context = st.context;
  auto t = context.rows->find<task>(s.task.text);
  if (!t)
    return {};
  if (t->state == task_state::blocked)
    return t->why.empty() ? "waits for its needs" : t->why;
  return {};
}

/// True for an end that may be one of many with a cause that is not known.
bool died_by_itself(const session& s) {
  return !is_terminal(s) && s.exit && !s.exit->failure.empty()
    && s.exit->failure != "killed" && is_counted(*s.exit)
    && (s.runtime == runtime_state::exited
        || s.runtime == runtime_state::queued);
}

/// Records that restarts wait, or go on.
void tell_pause(self_pointer self, event_kind kind, const std::string& why) {
  auto& st = self->state;
  st.context.say(log_level::error,
                 std::string{to_string(kind)} + " reason=\"" + why + "\"");
  store_write write;
  write.events = {make_event(kind, st.context.now(), "hub", "dispatcher", 0,
                             event_data{}.with("reason", why))};
  ask<store_actor>(self, st.context, "store"_name, store_deadline,
                   std::move(write))
    .then([](const store_written&) {},
          [self, kind, why](const caf::error& failure) {
            auto& context = self->state.context;
            if (store_is_down(context, failure))
              return when_store_writes(self, context, [self, kind, why] {
                tell_pause(self, kind, why);
              });
            context.say(log_level::error,
                        "event_lost kind=" + std::string{to_string(kind)}
                          + " reason=\"" + to_string(to_ao_error(failure))
                          + "\"");
          });
}

/// Looks for deaths of many at once.
std::optional<mono_time> look_at_deaths(self_pointer self, mono_time now) {
  auto& st = self->state;
  blast_picture seen;
  std::map<session_id, run_no> dead;
  for (const auto& s : st.context.rows->all<session>()) {
    if (s->runtime == runtime_state::alive && !is_terminal(*s)
        && s->role != session_role::manual)
      seen.alive.push_back(s->id);
    if (!died_by_itself(*s))
      continue;
    dead.emplace(s->id, s->exit->run);
    auto known = st.dead.find(s->id);
    if (st.looked && (known == st.dead.end() || known->second != s->exit->run))
      seen.died.push_back(s->id);
  }
  st.dead = std::move(dead);
  st.looked = true;
  if (!st.blast.probe.empty()) {
    auto probe = st.context.rows->find<session>(st.blast.probe.text);
    look_at_probe(probe.get(), probe && is_away(self, probe->node), seen);
  }
  auto step = next_blast(st.blast, seen, {}, now);
  st.blast = std::move(step.next);
  if (!step.said.empty())
    tell_pause(self,
               st.blast.paused ? event_kind::restarts_paused
                               : event_kind::restarts_resumed,
               step.said);
  return step.again_at;
}

/// The sessions of one task that ended in an error.
struct failed_sessions {
  std::uint32_t count = 0;
  wall_time last_end{};
};

/// Not before this the task gets its next session. Looked up on the wall clock
/// once for each failure, so that a step of the clock changes nothing after.
mono_time backoff_end(self_pointer self, const task_id& id,
                      const failed_sessions& failed) {
  auto& st = self->state;
  auto& known = st.backoffs[id];
  if (known.failures != failed.count) {
    known.failures = failed.count;
    known.ends = self->clock().now()
      + reschedule_wait(failed.count, failed.last_end, st.context.now());
  }
  return known.ends;
}

struct picture {
  std::vector<dispatch_candidate> candidates;
  dispatch_load load;
};

picture look_at_rows(self_pointer self) {
  auto& st = self->state;
  picture out;
  placements places{st.context, st.granted};
  std::map<task_id, failed_sessions> failed;
  for (const auto& s : st.context.rows->all<session>()) {
    if (s->end == session_end::errored && s->ended_at) {
      auto& of_task = failed[s->task];
      of_task.count += 1;
      of_task.last_end = std::max(of_task.last_end, *s->ended_at);
    }
    if (has_slot(*s)) {
      st.granted.erase(s->id);
      count(out.load, s->project, s->agent, s->runtime == runtime_state::alive);
      out.load.reviewers += reviews(*s) ? 1 : 0;
      out.load.await_review += awaits_review(st.context, *s) ? 1 : 0;
      continue;
    }
    if (is_terminal(*s) || s->runtime != runtime_state::queued
        || s->role == session_role::manual) {
      st.granted.erase(s->id);
      continue;
    }
    if (st.granted.count(s->id) > 0) {
      count(out.load, s->project, s->agent);
      out.load.reviewers += reviews(*s) ? 1 : 0;
      continue;
    }
    dispatch_candidate c;
    c.id = s->id.text;
    c.project = s->project;
    c.agent = s->agent;
    c.since = s->created_at;
    c.restart = s->run > 0;
    c.reviewer = reviews(*s);
    c.held_by = held_by(self, *s);
    c.group = group_of(self, account_called(self, s->agent));
    auto t = task_of(st.context, *s);
    if (t)
      c.priority = t->priority;
    if (c.held_by.empty())
      if (auto where = places.choose(*s, t.get()); where.node.empty())
        c.held_by = where.why;
    out.candidates.push_back(std::move(c));
  }
  for (const auto& t : st.context.rows->all<task>()) {
    const auto* project = st.context.project(t->project);
    if (t->state != task_state::ready || !project
        || project->dispatch != dispatch_mode::automatic)
      continue;
    const auto& agent = agent_for(*st.context.config, *project, *t);
    if (st.opening.count(t->id) > 0) {
      count(out.load, t->project, agent);
      continue;
    }
    dispatch_candidate c;
    c.id = t->id.text;
    c.project = t->project;
    c.agent = agent;
    c.priority = t->priority;
    c.since = t->created_at;
    auto account = account_called(self, agent);
    c.held_by = st.held_because.empty() ? held_by_breaker(self, account, {})
                                        : st.held_because;
    c.group = group_of(self, account);
    if (auto i = st.not_before.find(t->id); i != st.not_before.end())
      c.not_before = i->second;
    if (auto i = failed.find(t->id); i != failed.end())
      c.not_before = std::max(c.not_before.value_or(mono_time{}),
                              backoff_end(self, t->id, i->second));
    out.candidates.push_back(std::move(c));
  }
  out.load.starts = st.starts;
  out.load.next_of_group = st.next_of_account;
  auto capacity = free_capacity(st.context.place->root());
  out.load.free_memory = capacity.memory;
  out.load.free_disk = capacity.disk;
  return out;
}

/// What could not be opened is tried again after a while.
auto try_later(self_pointer self, const task_id& id) {
  return [self, id](const caf::error& why) {
    auto& st = self->state;
    st.opening.erase(id);
    // A breaker holds it until its login works again.
    if (!is_login_lost(to_ao_error(why)))
      st.not_before[id] = self->clock().now() + refused_pause;
    st.context.say(log_level::warn,
                   "spawn_refused task=" + id.text + " reason=\""
                     + to_string(to_ao_error(why)) + "\"");
    look_soon(self);
  };
}

void open_session_for(self_pointer self, const task& t) {
  auto& st = self->state;
  const auto* project = st.context.project(t.project);
  msg::open_session order;
  order.task = t.id;
  order.session_prefix = project->session_prefix;
  order.branch_template = project->branch;
  order.base = project->default_branch;
  order.agent = agent_for(*st.context.config, *project, t);
  // Where there are others, it is placed when it has a slot.
  if (st.context.rows->count<cluster_node>() == 0)
    order.node = node_name{"local"};
  order.actor = "dispatcher";
  st.opening.insert(t.id);
  auto open = [self, order] {
    ask<registry_actor>(self, self->state.context, "registry"_name,
                        registry_deadline, order)
      .then(
        [self, id = order.task](const msg::opened_session&) {
          self->state.opening.erase(id);
          look_soon(self);
        },
        try_later(self, order.task));
  };
  // An agent that cannot start gets no session: its task stays ready.
  when_agent_is_ready(self, st.context, order.agent, t.project, probe_deadline,
                      open, try_later(self, order.task));
}

void start(self_pointer self, const std::string& id) {
  auto& st = self->state;
  auto s = st.context.rows->find<session>(id);
  if (!s || s->run == 0)
    st.starts.push_back(self->clock().now());
  if (number_of(task_id{id}) != 0) {
    if (auto t = st.context.rows->find<task>(id))
      open_session_for(self, *t);
    return;
  }
  if (!s)
    return;
  auto t = task_of(st.context, *s);
  auto where = placements{st.context, st.granted}.choose(*s, t.get());
  // Others have taken the last slot that it could have.
  if (where.node.empty())
    return look_soon(self);
  st.granted[s->id] = where.node;
  tell<session_actor>(st.context, make_actor_name("session", id),
                      msg::slot_granted{where.node, where.why});
}

void tell_reason(self_pointer self, const dispatch_wait& wait, mono_time now) {
  auto& st = self->state;
  auto s = st.context.rows->find<session>(wait.id);
  if (!s || s->reason == wait.reason)
    return;
  if (now - st.reasons_since >= reasons_window) {
    st.reasons_since = now;
    st.reasons = 0;
  }
  // A first reason is told at once.
  if (!s->reason.empty() && ++st.reasons > most_reasons)
    return look_at(self, st.reasons_since + reasons_window);
  tell<session_actor>(st.context, make_actor_name("session", wait.id),
                      msg::slot_waits{wait.reason});
}

void look(self_pointer self) {
  auto& st = self->state;
  auto now = self->clock().now();
  st.looked_at = now;
  // What is decided now could not be written; waiting for it, too.
  if (st.context.rows->trouble()) {
    if (!std::exchange(st.stalled, true))
      when_store_writes(self, st.context, [self] {
        self->state.stalled = false;
        look_soon(self);
      });
    return;
  }
  st.starts.erase(std::remove_if(st.starts.begin(), st.starts.end(),
                                 [now](mono_time t) {
                                   return now - t >= std::chrono::minutes{1};
                                 }),
                  st.starts.end());
  auto probation_ends = look_at_deaths(self, now);
  auto seen = look_at_rows(self);
  auto plan = plan_dispatch(std::move(seen.candidates), seen.load,
                            limits_of(*st.context.config), now);
  st.next_of_account = plan.next_of_group;
  for (const auto& id : plan.start)
    start(self, id);
  for (const auto& wait : plan.wait)
    tell_reason(self, wait, now);
  for (const auto& at : {plan.again_at, probation_ends})
    if (at)
      look_at(self, *at);
}

} // namespace

dispatcher_actor::behavior_type dispatcher(self_pointer self,
                                           hub_context context) {
  harden(self, context);
  self->state.context = std::move(context);
  look_soon(self);
  return {
    [self](const msg::admit_session& asked) {
      // It has (re)started: a slot that it was given before was not heard of.
      self->state.granted.erase(asked.session);
      look_soon(self);
    },
    [self](const msg::slot_free& freed) {
      self->state.granted.erase(freed.session);
      look_soon(self);
    },
    [self](const msg::hold_dispatch& order) {
      self->state.held_because = order.why;
    },
    [self](look_atom) {
      if (!self->state.alarm.came(self->clock().now()))
        return look_soon(self);
      look(self);
    },
  };
}

} // namespace ao
