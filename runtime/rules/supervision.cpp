#include "runtime/rules/supervision.hpp"

#include <algorithm>
#include <utility>

namespace ao {
namespace {

/// One line per restart kind, one column per exit class.
constexpr after_exit exit_table[3][4] = {
  // normal             shutdown             error
  //                                         unreachable
  // permanent
  {after_exit::restart, after_exit::restart, after_exit::restart,
   after_exit::give_up},
  // transient
  {after_exit::keep, after_exit::keep, after_exit::restart,
   after_exit::give_up},
  // temporary
  {after_exit::remove, after_exit::remove, after_exit::remove,
   after_exit::give_up},
};

/// All of a map of children in start order.
template <class Children>
auto in_order(Children& children) {
  std::vector<decltype(&*children.begin())> out;
  out.reserve(children.size());
  for (auto& e : children)
    out.push_back(&e);
  std::sort(out.begin(), out.end(), [](const auto* a, const auto* b) {
    return a->second.where < b->second.where;
  });
  return out;
}

std::string tag(const std::string& id, std::uint64_t incarnation) {
  return id + "#" + std::to_string(incarnation);
}

} // namespace

after_exit decide_exit(restart_kind kind, exit_class how) {
  return exit_table[static_cast<std::size_t>(kind)]
                   [static_cast<std::size_t>(how)];
}

supervision::supervision(supervision_rule rule,
                         std::vector<child_rule> children)
    : rule_(rule) {
  for (auto& c : children)
    add(std::move(c));
}

supervision::effects supervision::on(const event& e, mono_time now,
                                     double draw) {
  now_ = now;
  draw_ = draw;
  std::visit([this](const auto& x) { handle(x); }, e);
  return std::exchange(out_, {});
}

// -- events -------------------------------------------------------------------

void supervision::handle(const begin&) {
  if (!is_dynamic()) {
    booting_ = true;
    walk_ = walk{};
    walk_->at = walk::stage::starting;
    for (auto& [where, e] : order_) {
      e->second.phase = child_phase::waiting;
      todo_.insert(todo_.end(), where);
    }
    step();
    return;
  }
  unborn_ = children_.size();
  for (auto* e : in_order(children_)) {
    e->second.booting = true;
    launch(*e);
  }
  if (unborn_ == 0)
    out_.push_back(up{});
}

void supervision::handle(const started& e) {
  auto* found = lookup(e.id);
  if (found == nullptr)
    return;
  auto& c = found->second;
  if (c.incarnation != e.incarnation || c.phase != child_phase::starting)
    return;
  drop_timer(c.timer);
  c.phase = child_phase::running;
  c.commanded = c.fresh = false;
  out_.push_back(running{e.id, e.incarnation});
  booted(c);
  step();
}

void supervision::handle(const ended& e) {
  auto* found = lookup(e.id);
  if (found == nullptr || found->second.incarnation != e.incarnation)
    return;
  if (lives(found->second))
    gone(*found, e.how, e.reason);
}

void supervision::handle(const fired& e) {
  auto i = timers_.find(e.timer);
  if (i == timers_.end())
    return;
  auto* whose = i->second;
  timers_.erase(i);
  if (whose == nullptr) {
    walk_->timer = 0;
    walk_->at = walk::stage::starting;
    step();
    return;
  }
  auto& [id, c] = *whose;
  c.timer = 0;
  switch (c.phase) {
  case child_phase::waiting:
    launch(*whose);
    break;
  case child_phase::starting:
    c.late = true;
    enforce(*whose);
    break;
  case child_phase::stopping:
    enforce(*whose);
    break;
  case child_phase::killing:
    ++abandoned_;
    out_.push_back(abandon{id, c.incarnation});
    gone(*whose, exit_class::error,
         error{ec::timed_out, id + " did not die by kill"});
    break;
  case child_phase::stopped:
  case child_phase::running:
    break;
  }
}

void supervision::handle(const start_child& e) {
  const auto& id = e.rule.id;
  if (closing_)
    return refuse(id, ec::shutting_down, "its supervisor is stopping");
  if (auto* found = lookup(id)) {
    switch (found->second.phase) {
    case child_phase::running:
      out_.push_back(running{id, found->second.incarnation});
      return;
    case child_phase::waiting:
    case child_phase::starting:
      return;
    case child_phase::stopping:
    case child_phase::killing:
      return refuse(id, ec::wrong_state, "it is stopping");
    case child_phase::stopped:
      return refuse(id, ec::wrong_state,
                    "it is present but stopped; restart or delete it");
    }
  }
  auto& fresh = *add(e.rule);
  auto& c = fresh.second;
  c.commanded = c.fresh = true;
  if (!walk_) {
    launch(fresh);
    return;
  }
  c.phase = child_phase::waiting;
  todo_.insert(c.where);
}

void supervision::handle(const stop_child& e) {
  auto* found = lookup(e.id);
  if (found == nullptr) {
    // A repeated stop finds the goal reached.
    if (is_dynamic())
      out_.push_back(stopped{e.id, true});
    else
      refuse(e.id, ec::bad_input, "its supervisor has no such child");
    return;
  }
  auto& c = found->second;
  todo_.erase(c.where);
  switch (c.phase) {
  case child_phase::starting:
  case child_phase::running:
    ask(*found);
    break;
  case child_phase::waiting:
    drop_timer(c.timer);
    settle_down(*found, c.kind == restart_kind::temporary);
    break;
  case child_phase::stopped:
    out_.push_back(stopped{e.id, false});
    break;
  case child_phase::stopping:
  case child_phase::killing:
    c.late = false;
    break;
  }
}

void supervision::handle(const restart_child& e) {
  auto* found = lookup(e.id);
  if (found == nullptr)
    return refuse(e.id, ec::bad_input, "its supervisor has no such child");
  if (closing_)
    return refuse(e.id, ec::shutting_down, "its supervisor is stopping");
  auto& c = found->second;
  if (c.phase != child_phase::stopped)
    return refuse(e.id, ec::wrong_state,
                  "it is " + std::string{to_string(c.phase)});
  c.commanded = true;
  if (!walk_) {
    launch(*found);
    return;
  }
  c.phase = child_phase::waiting;
  todo_.insert(c.where);
}

void supervision::handle(const delete_child& e) {
  auto* found = lookup(e.id);
  if (found == nullptr)
    return refuse(e.id, ec::bad_input, "its supervisor has no such child");
  if (auto phase = found->second.phase; phase != child_phase::stopped)
    return refuse(e.id, ec::wrong_state,
                  "it is " + std::string{to_string(phase)});
  settle_down(*found, true);
}

void supervision::handle(const stop&) {
  if (closing_)
    return;
  close();
  if (is_dynamic())
    for (auto* e : in_order(children_))
      if (lives(e->second))
        ask(*e);
  step();
  finish_if_empty();
}

// -- one child ----------------------------------------------------------------

supervision::entry* supervision::lookup(const std::string& id) {
  ++steps_;
  auto i = children_.find(id);
  return i == children_.end() ? nullptr : &*i;
}

bool supervision::lives(const child& c) {
  return c.phase != child_phase::stopped && c.phase != child_phase::waiting;
}

child_info supervision::info_of(const entry& e) {
  const auto& [id, c] = e;
  return {id, c.phase, c.kind, c.incarnation, c.window.count()};
}

supervision::entry* supervision::last_to_stop() {
  auto i = order_.upper_bound(walk_->last);
  while (i != order_.begin()) {
    --i;
    if (i->first < walk_->from)
      break;
    walk_->last = i->first;
    if (lives(i->second->second))
      return i->second;
  }
  return nullptr;
}

supervision::entry* supervision::add(child_rule rule) {
  auto [i, fresh] = children_.try_emplace(std::move(rule.id));
  if (!fresh)
    return nullptr;
  auto& c = i->second;
  c.where = ++last_place_;
  c.kind = rule.kind;
  c.start_within = rule.start_within;
  c.stop_within = rule.stop_within;
  if (!is_dynamic())
    order_.emplace_hint(order_.end(), c.where, &*i);
  return &*i;
}

void supervision::remove(entry& e) {
  drop_timer(e.second.timer);
  todo_.erase(e.second.where);
  order_.erase(e.second.where);
  children_.erase(children_.find(e.first));
}

void supervision::launch(entry& e) {
  auto& [id, c] = e;
  ++steps_;
  ++c.incarnation;
  c.phase = child_phase::starting;
  c.late = false;
  ++live_;
  out_.push_back(start{id, c.incarnation});
  set_timer(c.timer, &e, c.start_within);
}

void supervision::ask(entry& e) {
  auto& [id, c] = e;
  ++steps_;
  if (c.phase != child_phase::starting && c.phase != child_phase::running)
    return;
  c.commanded = c.fresh = false;
  if (c.stop_within.count() <= 0) {
    enforce(e);
    return;
  }
  c.phase = child_phase::stopping;
  out_.push_back(ask_stop{id, c.incarnation});
  set_timer(c.timer, &e, c.stop_within);
}

void supervision::enforce(entry& e) {
  auto& [id, c] = e;
  c.phase = child_phase::killing;
  out_.push_back(kill{id, c.incarnation});
  set_timer(c.timer, &e, rule_.kill_grace);
}

void supervision::gone(entry& e, exit_class how, error reason) {
  auto& [id, c] = e;
  ++steps_;
  auto was = std::exchange(c.phase, child_phase::stopped);
  auto late = std::exchange(c.late, false);
  drop_timer(c.timer);
  --live_;
  if (late)
    reason = error{ec::timed_out, id + " was not ready in time"};
  if (descending(c) || was == child_phase::stopping
      || (was == child_phase::killing && !late))
    gone_as_asked(e);
  else if (how == exit_class::unreachable)
    is_dynamic() ? give_up(e, reason) : fail_with(id, reason);
  else if (late || was == child_phase::starting)
    start_has_failed(e, late ? exit_class::error : how, reason);
  else
    gone_by_itself(e, how, reason);
  step();
  finish_if_empty();
}

void supervision::gone_as_asked(entry& e) {
  auto& c = e.second;
  booted(c);
  // A group restart wants it again, unless it may not be restarted at all.
  if (c.kind != restart_kind::temporary && todo_.count(c.where) != 0)
    c.phase = child_phase::waiting;
  else
    settle_down(e, c.kind == restart_kind::temporary);
}

void supervision::gone_by_itself(entry& e, exit_class how,
                                 const error& reason) {
  switch (decide_exit(e.second.kind, how)) {
  case after_exit::restart:
    crashed(e, reason);
    break;
  case after_exit::keep:
    settle_down(e, false);
    break;
  case after_exit::remove:
    settle_down(e, true);
    break;
  case after_exit::give_up:
    // Taken before, in gone().
    break;
  }
}

void supervision::start_has_failed(entry& e, exit_class how,
                                   const error& reason) {
  auto& [id, c] = e;
  auto commanded = std::exchange(c.commanded, false);
  auto fresh = std::exchange(c.fresh, false);
  auto temporary = c.kind == restart_kind::temporary;
  if (how == exit_class::normal) {
    // It had nothing to do; OTP calls that `ignore`.
    booted(c);
    settle_down(e, temporary);
  } else if (commanded) {
    auto removed = fresh || is_dynamic();
    out_.push_back(start_failed{id, reason, removed});
    if (removed)
      remove(e);
  } else if (booting_) {
    fail_with(id, reason);
  } else if (temporary) {
    booted(c);
    settle_down(e, true);
  } else {
    crashed(e, reason);
  }
}

void supervision::crashed(entry& e, const error& reason) {
  auto& [id, c] = e;
  booted(c);
  auto own = c.window.record(rule_.limits, now_);
  if (is_dynamic() && !own)
    return give_up(e, reason);
  if (!is_dynamic() && !window_.record(rule_.limits, now_))
    return fail_with(id, reason);
  auto alone = is_dynamic() || rule_.strategy == restart_strategy::one_for_one;
  auto delay = restart_delay(rule_.limits,
                             alone ? c.window.count() : window_.count(), draw_);
  c.phase = child_phase::waiting;
  out_.push_back(
    restarting{id, reason, (is_dynamic() ? c.window : window_).count(), delay});
  if (!alone)
    recycle(rule_.strategy == restart_strategy::one_for_all ? 1 : c.where,
            delay);
  else if (delay.count() > 0)
    set_timer(c.timer, &e, delay);
  else
    launch(e);
}

void supervision::settle_down(entry& e, bool removed) {
  auto& [id, c] = e;
  removed = removed || is_dynamic();
  c.phase = child_phase::stopped;
  c.commanded = c.fresh = false;
  out_.push_back(stopped{id, removed});
  if (removed)
    remove(e);
}

void supervision::give_up(entry& e, const error& reason) {
  booted(e.second);
  out_.push_back(given_up{e.first, reason});
  remove(e);
}

void supervision::booted(child& c) {
  if (std::exchange(c.booting, false) && --unborn_ == 0 && !closing_)
    out_.push_back(up{});
}

// -- groups -------------------------------------------------------------------

bool supervision::descending(const child& c) const {
  return closing_
    || (walk_ && walk_->at == walk::stage::stopping && c.where >= walk_->from);
}

void supervision::recycle(place from, milliseconds delay) {
  if (walk_) {
    // What this walk has not brought up yet lies to the right of `from`.
    if (walk_->at != walk::stage::starting)
      from = std::min(from, walk_->from);
    drop_timer(walk_->timer);
  }
  walk_ = walk{};
  walk_->from = from;
  walk_->delay = delay;
  for (auto i = order_.lower_bound(from); i != order_.end(); ++i) {
    auto& c = i->second->second;
    ++steps_;
    // One that was told to stop stays down.
    auto told = c.phase == child_phase::stopping
      || (c.phase == child_phase::killing && !c.late);
    if (told
        || (c.kind == restart_kind::temporary
            && c.phase == child_phase::stopped))
      continue;
    todo_.insert(todo_.end(), i->first);
    if (c.phase == child_phase::stopped)
      c.phase = child_phase::waiting;
  }
}

void supervision::close() {
  closing_ = true;
  todo_.clear();
  if (walk_)
    drop_timer(walk_->timer);
  walk_.reset();
  if (!is_dynamic())
    walk_ = walk{};
  for (auto& [id, c] : children_) {
    ++steps_;
    if (c.phase != child_phase::waiting)
      continue;
    drop_timer(c.timer);
    c.phase = child_phase::stopped;
  }
}

void supervision::fail_with(const std::string& id, const error& reason) {
  failure_ = failed{id, reason};
  close();
}

void supervision::step() {
  if (!walk_)
    return;
  ++steps_;
  if (walk_->at == walk::stage::stopping) {
    if (auto* next = last_to_stop()) {
      ask(*next);
      return;
    }
    if (closing_)
      return;
    walk_->at = walk::stage::waiting;
    if (walk_->delay.count() > 0)
      set_timer(walk_->timer, nullptr, walk_->delay);
    else
      walk_->at = walk::stage::starting;
  }
  if (walk_->at == walk::stage::waiting)
    return;
  // One at a time; the current one is either up or gone before the next.
  if (auto i = order_.find(walk_->current); i != order_.end()
      && lives(i->second->second)
      && i->second->second.phase != child_phase::running)
    return;
  if (!todo_.empty()) {
    walk_->current = *todo_.begin();
    todo_.erase(todo_.begin());
    launch(*order_.at(walk_->current));
    return;
  }
  walk_.reset();
  if (std::exchange(booting_, false))
    out_.push_back(up{});
}

void supervision::finish_if_empty() {
  if (!closing_ || over_ || live_ != 0)
    return;
  over_ = true;
  if (failure_)
    out_.push_back(*failure_);
  else
    out_.push_back(done{});
}

// -- timers, refusals, observers ----------------------------------------------

void supervision::set_timer(std::uint64_t& timer, entry* whose,
                            milliseconds after) {
  drop_timer(timer);
  if (after == milliseconds::max())
    return;
  timer = ++last_timer_;
  timers_.emplace(timer, whose);
  out_.push_back(arm{timer, now_ + after});
}

void supervision::drop_timer(std::uint64_t& timer) {
  if (timer != 0)
    timers_.erase(std::exchange(timer, 0));
}

void supervision::refuse(const std::string& id, ec code,
                         const std::string& why) {
  out_.push_back(refused{id, error{code, "child " + id + ": " + why}});
}

std::vector<child_info> supervision::children() const {
  std::vector<child_info> out;
  out.reserve(children_.size());
  for (const auto* e : in_order(children_))
    out.push_back(info_of(*e));
  return out;
}

std::optional<child_info> supervision::find(const std::string& id) const {
  auto i = children_.find(id);
  if (i == children_.end())
    return std::nullopt;
  return info_of(*i);
}

std::string to_string(const supervision::effect& x) {
  using s = supervision;
  struct {
    std::string operator()(const s::start& e) {
      return "start " + tag(e.id, e.incarnation);
    }
    std::string operator()(const s::ask_stop& e) {
      return "ask " + tag(e.id, e.incarnation);
    }
    std::string operator()(const s::kill& e) {
      return "kill " + tag(e.id, e.incarnation);
    }
    std::string operator()(const s::abandon& e) {
      return "abandon " + tag(e.id, e.incarnation);
    }
    std::string operator()(const s::arm& e) {
      return "arm " + std::to_string(e.timer);
    }
    std::string operator()(const s::running& e) {
      return "running " + tag(e.id, e.incarnation);
    }
    std::string operator()(const s::stopped& e) {
      return (e.removed ? "removed " : "stopped ") + e.id;
    }
    std::string operator()(const s::start_failed& e) {
      return (e.removed ? "start_failed_removed " : "start_failed ") + e.id;
    }
    std::string operator()(const s::restarting& e) {
      return "restarting " + e.id + " " + std::to_string(e.restarts);
    }
    std::string operator()(const s::given_up& e) { return "given_up " + e.id; }
    std::string operator()(const s::refused& e) {
      return "refused " + e.id + " " + std::string{to_string(e.why.code)};
    }
    std::string operator()(const s::up&) { return "up"; }
    std::string operator()(const s::failed& e) { return "failed " + e.id; }
    std::string operator()(const s::done&) { return "done"; }
  } word;
  return std::visit(word, x);
}

} // namespace ao
