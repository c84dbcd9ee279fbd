#include "actors/supervisor.hpp"

#include "runtime/actor/error.hpp"
#include "runtime/actor/harden.hpp"

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/atom.hpp>
#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/system_messages.hpp>
#include <caf/type_id.hpp>

#include <utility>

namespace ao {

supervisor_state::~supervisor_state() {
  for (auto& [id, s] : slots) {
    if (!s.handle)
      continue;
    context.names->erase(actor_name{id}, s.ticket);
    caf::anon_send_exit(s.handle, caf::exit_reason::kill);
  }
}

namespace {

using self_pointer = supervisor_actor::stateful_pointer<supervisor_state>;
using rule = supervision;

void take(self_pointer self, rule::event event);

child_rule rule_of(const child_spec& spec) {
  return {spec.name.text, spec.restart, spec.start_within, spec.stop_within};
}

exit_class class_of(const caf::error& reason) {
  if (!reason)
    return exit_class::normal;
  if (reason == caf::exit_reason::user_shutdown || reason == ec::shutting_down)
    return exit_class::shutdown;
  if (reason == caf::exit_reason::unreachable)
    return exit_class::unreachable;
  return exit_class::error;
}

std::string line(self_pointer self, const char* verb, const std::string& id) {
  return std::string{verb} + " supervisor=" + self->state.title
    + " child=" + id;
}

child_info info_of(self_pointer self, const std::string& id) {
  if (auto found = self->state.rule->find(id))
    return *found;
  child_info removed;
  removed.id = id;
  return removed;
}

child_list list_of(self_pointer self) {
  auto& r = *self->state.rule;
  return {r.children(), r.abandoned()};
}

template <class Promises, class T>
void answer(Promises& lists, const std::string& id, const T& what) {
  auto i = lists.find(id);
  if (i == lists.end())
    return;
  auto all = std::move(i->second);
  lists.erase(i);
  for (auto& promise : all)
    promise.deliver(what);
}

/// Forgets the present process of the child; nobody finds it by name any more.
void forget(self_pointer self, const std::string& id,
            supervisor_state::slot& s) {
  auto& st = self->state;
  st.context.names->erase(actor_name{id}, s.ticket);
  st.processes.erase(s.handle.id());
  s.handle = nullptr;
}

/// Asks the new process whether it is ready. The end of a process that cannot
/// answer comes as its down_msg, and its deadline is the rule's.
void expect_ready(self_pointer self, const supervisor_state::slot& s,
                  const child_spec& spec) {
  rule::started ready{spec.name.text, s.incarnation};
  auto not_ready = [=](caf::error& why) {
    // It lives and speaks, but words it differently.
    if (why == caf::sec::unexpected_response
        || why == caf::sec::unexpected_message)
      take(self, ready);
  };
  // No deadline of its own: the rule kills who is late, and that is answered.
  if (spec.ready == child_ready::answers)
    self->request(s.handle, caf::infinite, ready_atom::value)
      .then([=](const child_list&) { take(self, ready); }, not_ready);
  else
    self
      ->request(s.handle, caf::infinite, caf::sys_atom::value,
                caf::get_atom::value, std::string{"info"})
      .then([=](caf::ok_atom, const std::string&, const caf::strong_actor_ptr&,
                const std::string&) { take(self, ready); },
            not_ready);
}

/// The specification that the factory makes for `id`.
result<child_spec> make_spec(self_pointer self, const std::string& id) {
  auto& st = self->state;
  if (!st.factory)
    return fail(ec::bad_input,
                "supervisor " + st.title + " has no child " + id);
  try {
    auto spec = st.factory(id);
    if (spec)
      spec->name = actor_name{id};
    return spec;
  } catch (...) {
    return fail(describe(std::current_exception()));
  }
}

/// The specification of a child.
result<child_spec> spec_of(self_pointer self, const std::string& id) {
  auto& specs = self->state.specs;
  auto known = specs.find(id);
  return known != specs.end() ? result<child_spec>{known->second}
                              : make_spec(self, id);
}

/// A limit of many seconds may be reached a second late: so the limits of all
/// children that start in one second are one timer.
mono_time rounded_up(mono_time at, mono_time now) {
  constexpr std::chrono::seconds step{1};
  if (at - now < 10 * step)
    return at;
  auto past = at.time_since_epoch() % step;
  return past.count() == 0 ? at : at + (step - past);
}

/// How a message names a moment.
std::uint64_t number_of(mono_time at) {
  return static_cast<std::uint64_t>(at.time_since_epoch().count());
}

// -- effects ------------------------------------------------------------------

/// Carries out what the rule wants, one overload per effect.
struct performer {
  self_pointer self;

  supervisor_state& st() { return self->state; }

  void drop(const std::string& id) {
    st().slots.erase(id);
    st().specs.erase(id);
  }

  void operator()(const rule::start& e) {
    auto& child = *st().slots.find(e.id);
    auto& s = child.second;
    s.incarnation = e.incarnation;
    error why{ec::process_failed, e.id + " has no start function"};
    auto spec = spec_of(self, e.id);
    if (!spec)
      why = spec.error();
    else if (spec->start)
      s.handle = spawn(*spec, why);
    if (!s.handle) {
      s.reason = make_error(why);
      take(self, rule::ended{e.id, e.incarnation, exit_class::error, why});
      return;
    }
    st().processes[s.handle.id()] = &child;
    self->monitor(s.handle);
    s.ticket = st().context.names->set(
      spec->name, caf::actor_cast<caf::strong_actor_ptr>(s.handle));
    expect_ready(self, s, *spec);
  }

  /// @param why Set when the start function throws.
  caf::actor spawn(const child_spec& spec, error& why) {
    try {
      return spec.start(self->system(), spec.detached && st().context.threads);
    } catch (...) {
      why = describe(std::current_exception());
      return {};
    }
  }

  void operator()(const rule::ask_stop& e) {
    self->send_exit(st().slots.at(e.id).handle,
                    caf::exit_reason::user_shutdown);
  }

  void operator()(const rule::kill& e) {
    st().context.say(log_level::warn, line(self, "child_killed", e.id));
    self->send_exit(st().slots.at(e.id).handle, caf::exit_reason::kill);
  }

  void operator()(const rule::abandon& e) {
    auto& s = st().slots.at(e.id);
    self->demonitor(s.handle.address());
    forget(self, e.id, s);
    auto total = st().rule->abandoned();
    st().context.say(log_level::error,
                     line(self, "child_abandoned", e.id)
                       + " total=" + std::to_string(total));
    if (st().hooks.on_abandoned)
      st().hooks.on_abandoned(e.id, total);
  }

  void operator()(const rule::arm& e) {
    auto at = rounded_up(e.at, self->clock().now());
    auto& due = st().timers[at];
    if (due.empty())
      self->scheduled_send(self, at, supervision_timer{number_of(at)});
    due.push_back(e.timer);
  }

  void operator()(const rule::running& e) {
    answer(st().starters, e.id, info_of(self, e.id));
  }

  void operator()(const rule::stopped& e) {
    auto info = info_of(self, e.id);
    answer(st().starters, e.id, info);
    answer(st().stoppers, e.id, info);
    if (e.removed)
      drop(e.id);
  }

  void operator()(const rule::start_failed& e) {
    answer(st().starters, e.id, make_error(e.reason));
    answer(st().stoppers, e.id, info_of(self, e.id));
    if (e.removed)
      drop(e.id);
  }

  void operator()(const rule::restarting& e) {
    st().context.say(log_level::warn,
                     line(self, "child_restarted", e.id)
                       + " reason=" + std::string{to_string(e.reason.code)}
                       + " restarts=" + std::to_string(e.restarts)
                       + " delay=" + format_duration(e.delay));
    if (st().hooks.on_restart)
      st().hooks.on_restart(e.id, e.reason, e.restarts, e.delay);
  }

  void operator()(const rule::given_up& e) {
    st().context.say(log_level::error,
                     line(self, "child_given_up", e.id)
                       + " reason=" + std::string{to_string(e.reason.code)});
    answer(st().starters, e.id, make_error(e.reason));
    answer(st().stoppers, e.id, info_of(self, e.id));
    drop(e.id);
    if (st().hooks.on_given_up)
      st().hooks.on_given_up(e.id, e.reason);
  }

  void operator()(const rule::refused& e) { st().refusal = e.why; }

  void operator()(const rule::up&) {
    st().up = true;
    for (auto& promise : std::exchange(st().waiting, {}))
      promise.deliver(list_of(self));
  }

  void operator()(const rule::failed& e) {
    st().context.say(log_level::error,
                     line(self, "supervisor_failed", e.id)
                       + " reason=" + std::string{to_string(e.reason.code)});
    auto last = st().slots.at(e.id).reason;
    // The end of a late child says only that we killed it.
    if (!(to_ao_error(last) == e.reason))
      last = make_error(e.reason);
    // A child that ends too often without error is still a failure of ours.
    if (auto how = class_of(last);
        how == exit_class::normal || how == exit_class::shutdown)
      last
        = make_error(ec::restart_intensity_reached, e.id + " ended too often");
    finish(last);
  }

  void operator()(const rule::done&) { finish(st().exit_reason); }

  /// Answers everyone we owe, then ends.
  void finish(const caf::error& why) {
    auto gone = make_error(ec::shutting_down,
                           "supervisor " + st().title + " has stopped");
    for (auto& promise : std::exchange(st().waiting, {}))
      promise.deliver(gone);
    for (auto* lists : {&st().starters, &st().stoppers})
      for (auto& [id, all] : std::exchange(*lists, {}))
        for (auto& promise : all)
          promise.deliver(gone);
    self->quit(why);
  }
};

/// Takes one event through the rule, and what follows from it at once.
void take(self_pointer self, rule::event event) {
  auto& st = self->state;
  st.backlog.push_back(std::move(event));
  if (std::exchange(st.busy, true))
    return;
  std::uniform_real_distribution<double> draw{0., 1.};
  while (!st.backlog.empty()) {
    auto next = std::move(st.backlog.front());
    st.backlog.pop_front();
    auto effects = st.rule->on(next, self->clock().now(), draw(st.random));
    for (auto& effect : effects)
      std::visit(performer{self}, effect);
  }
  st.busy = false;
}

/// Takes a command; its promise waits in `lists` unless the rule refuses.
template <class Lists>
supervisor_state::child_promise command(self_pointer self, Lists& lists,
                                        const std::string& id,
                                        rule::event event) {
  auto& st = self->state;
  auto promise = self->make_response_promise<child_info>();
  lists[id].push_back(promise);
  st.refusal.reset();
  take(self, std::move(event));
  if (st.refusal) {
    auto& all = lists[id];
    all.pop_back();
    if (all.empty())
      lists.erase(id);
    promise.deliver(make_error(*st.refusal));
    st.refusal.reset();
  }
  return promise;
}

void child_ended(self_pointer self, const caf::down_msg& down) {
  auto& st = self->state;
  auto i = st.processes.find(down.source.id());
  if (i == st.processes.end())
    return;
  auto& [id, s] = *i->second;
  // A copy: what follows may remove the child.
  rule::ended end{id, s.incarnation, class_of(down.reason),
                  to_ao_error(down.reason)};
  forget(self, id, s);
  s.reason = down.reason;
  if (end.how == exit_class::unreachable)
    st.context.say(log_level::error, line(self, "child_lost", id));
  take(self, std::move(end));
}

/// The children to begin with; those that cannot be made are reported.
std::vector<child_rule> first_children(self_pointer self,
                                       supervisor_spec& spec) {
  auto& st = self->state;
  std::vector<child_rule> rules;
  for (auto& child : spec.children) {
    auto id = child.name.text;
    rules.push_back(rule_of(child));
    st.slots[id];
    st.specs.insert_or_assign(id, std::move(child));
  }
  for (auto& key : spec.keys) {
    if (auto child = make_spec(self, key)) {
      rules.push_back(rule_of(*child));
      st.slots[key];
    } else {
      performer{self}(rule::given_up{key, child.error()});
    }
  }
  return rules;
}

} // namespace

supervisor_actor::behavior_type
supervisor(supervisor_actor::stateful_pointer<supervisor_state> self,
           actor_context context, supervisor_spec spec) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  st.title = std::move(spec.name);
  st.factory = std::move(spec.factory);
  st.hooks = std::move(spec.hooks);
  self->set_down_handler(
    [self](const caf::down_msg& down) { child_ended(self, down); });
  self->set_exit_handler([self](caf::exit_msg& exit) {
    self->state.exit_reason = std::move(exit.reason);
    take(self, rule::stop{});
  });
  auto rules = first_children(self, spec);
  st.rule.emplace(spec.rule, std::move(rules));
  take(self, rule::begin{});
  return {
    [self](ready_atom) -> caf::result<child_list> {
      auto& st = self->state;
      if (st.up)
        return list_of(self);
      st.waiting.push_back(self->make_response_promise<child_list>());
      return st.waiting.back();
    },
    [self](const start_child& x) -> caf::result<child_info> {
      auto& st = self->state;
      child_rule made;
      made.id = x.id;
      if (st.rule->find(x.id))
        return command(self, st.starters, x.id, rule::start_child{made});
      if (st.rule->closing())
        return make_error(ec::shutting_down,
                          "supervisor " + st.title + " is stopping");
      auto spec = make_spec(self, x.id);
      if (!spec)
        return make_error(spec.error());
      made = rule_of(*spec);
      st.slots[x.id];
      return command(self, st.starters, x.id, rule::start_child{made});
    },
    [self](const stop_child& x) -> caf::result<child_info> {
      return command(self, self->state.stoppers, x.id, rule::stop_child{x.id});
    },
    [self](const restart_child& x) -> caf::result<child_info> {
      return command(self, self->state.starters, x.id,
                     rule::restart_child{x.id});
    },
    [self](list_children_atom) { return list_of(self); },
    [self](const supervision_timer& x) {
      auto& timers = self->state.timers;
      mono_time at{mono_time::duration{static_cast<mono_time::rep>(x.number)}};
      if (auto due = timers.extract(at))
        for (auto timer : due.mapped())
          take(self, rule::fired{timer});
    },
  };
}

child_spec supervisor_child(actor_name name, actor_context context,
                            supervisor_spec spec) {
  child_spec child;
  child.name = std::move(name);
  if (spec.name.empty())
    spec.name = child.name.text;
  child.start = starts(supervisor, std::move(context), std::move(spec));
  child.start_within = milliseconds::max();
  child.stop_within = milliseconds::max();
  child.ready = child_ready::answers;
  return child;
}

} // namespace ao
