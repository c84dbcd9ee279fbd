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
    for (auto& [where, c] : children_) {
      c.phase = child_phase::waiting;
      todo_.insert(todo_.end(), where);
    }
    step();
    return;
  }
  unborn_ = children_.size();
  for (auto& [where, c] : children_) {
    c.booting = true;
    launch(where, c);
  }
  if (unborn_ == 0)
    out_.push_back(up{});
}

void supervision::handle(const started& e) {
  auto* c = lookup(e.id);
  if (c == nullptr || c->incarnation != e.incarnation
      || c->phase != child_phase::starting)
    return;
  drop_timer(c->timer);
  c->phase = child_phase::running;
  c->commanded = c->fresh = false;
  out_.push_back(running{e.id, e.incarnation});
  booted(*c);
  step();
}

void supervision::handle(const ended& e) {
  auto* c = lookup(e.id);
  if (c == nullptr || c->incarnation != e.incarnation)
    return;
  if (lives(*c))
    gone(place_of(e.id), e.how, e.reason);
}

void supervision::handle(const fired& e) {
  auto i = timers_.find(e.timer);
  if (i == timers_.end())
    return;
  auto where = i->second;
  timers_.erase(i);
  if (where == 0) {
    walk_->timer = 0;
    walk_->at = walk::stage::starting;
    step();
    return;
  }
  auto& c = children_.at(where);
  c.timer = 0;
  switch (c.phase) {
  case child_phase::waiting:
    launch(where, c);
    break;
  case child_phase::starting:
    c.late = true;
    enforce(where, c);
    break;
  case child_phase::stopping:
    enforce(where, c);
    break;
  case child_phase::killing:
    ++abandoned_;
    out_.push_back(abandon{c.rule.id, c.incarnation});
    gone(where, exit_class::error,
         error{ec::timed_out, c.rule.id + " did not die by kill"});
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
  if (auto* c = lookup(id)) {
    switch (c->phase) {
    case child_phase::running:
      out_.push_back(running{id, c->incarnation});
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
  add(e.rule);
  auto where = place_of(id);
  auto& c = children_.at(where);
  c.commanded = c.fresh = true;
  if (!walk_) {
    launch(where, c);
    return;
  }
  c.phase = child_phase::waiting;
  todo_.insert(where);
}

void supervision::handle(const stop_child& e) {
  auto* c = lookup(e.id);
  if (c == nullptr) {
    // A repeated stop finds the goal reached.
    if (is_dynamic())
      out_.push_back(stopped{e.id, true});
    else
      refuse(e.id, ec::bad_input, "its supervisor has no such child");
    return;
  }
  auto where = place_of(e.id);
  todo_.erase(where);
  switch (c->phase) {
  case child_phase::starting:
  case child_phase::running:
    ask(where, *c);
    break;
  case child_phase::waiting:
    drop_timer(c->timer);
    settle_down(where, *c, c->rule.kind == restart_kind::temporary);
    break;
  case child_phase::stopped:
    out_.push_back(stopped{e.id, false});
    break;
  case child_phase::stopping:
  case child_phase::killing:
    c->late = false;
    break;
  }
}

void supervision::handle(const restart_child& e) {
  auto* c = lookup(e.id);
  if (c == nullptr)
    return refuse(e.id, ec::bad_input, "its supervisor has no such child");
  if (closing_)
    return refuse(e.id, ec::shutting_down, "its supervisor is stopping");
  if (c->phase != child_phase::stopped)
    return refuse(e.id, ec::wrong_state,
                  "it is " + std::string{to_string(c->phase)});
  c->commanded = true;
  auto where = place_of(e.id);
  if (!walk_) {
    launch(where, *c);
    return;
  }
  c->phase = child_phase::waiting;
  todo_.insert(where);
}

void supervision::handle(const delete_child& e) {
  auto* c = lookup(e.id);
  if (c == nullptr)
    return refuse(e.id, ec::bad_input, "its supervisor has no such child");
  if (c->phase != child_phase::stopped)
    return refuse(e.id, ec::wrong_state,
                  "it is " + std::string{to_string(c->phase)});
  settle_down(place_of(e.id), *c, true);
}

void supervision::handle(const stop&) {
  if (closing_)
    return;
  close();
  if (is_dynamic())
    for (auto& [where, c] : children_)
      if (lives(c))
        ask(where, c);
  step();
  finish_if_empty();
}

// -- one child ----------------------------------------------------------------

supervision::child* supervision::lookup(const std::string& id) {
  ++steps_;
  auto i = places_.find(id);
  return i == places_.end() ? nullptr : &children_.at(i->second);
}

bool supervision::lives(const child& c) {
  return c.phase != child_phase::stopped && c.phase != child_phase::waiting;
}

supervision::child_map::value_type* supervision::last_to_stop() {
  auto i = children_.upper_bound(walk_->last);
  while (i != children_.begin()) {
    --i;
    if (i->first < walk_->from)
      break;
    walk_->last = i->first;
    if (lives(i->second))
      return &*i;
  }
  return nullptr;
}

supervision::place supervision::place_of(const std::string& id) const {
  return places_.at(id);
}

bool supervision::add(child_rule rule) {
  if (places_.count(rule.id) != 0)
    return false;
  auto& c = children_[++last_place_];
  c.rule = std::move(rule);
  places_.emplace(c.rule.id, last_place_);
  return true;
}

void supervision::remove(place where) {
  auto i = children_.find(where);
  drop_timer(i->second.timer);
  todo_.erase(where);
  places_.erase(i->second.rule.id);
  children_.erase(i);
}

void supervision::launch(place where, child& c) {
  ++steps_;
  ++c.incarnation;
  c.phase = child_phase::starting;
  c.late = false;
  ++live_;
  out_.push_back(start{c.rule.id, c.incarnation});
  set_timer(c.timer, where, c.rule.start_within);
}

void supervision::ask(place where, child& c) {
  ++steps_;
  if (c.phase != child_phase::starting && c.phase != child_phase::running)
    return;
  c.commanded = c.fresh = false;
  if (c.rule.stop_within.count() <= 0) {
    enforce(where, c);
    return;
  }
  c.phase = child_phase::stopping;
  out_.push_back(ask_stop{c.rule.id, c.incarnation});
  set_timer(c.timer, where, c.rule.stop_within);
}

void supervision::enforce(place where, child& c) {
  c.phase = child_phase::killing;
  out_.push_back(kill{c.rule.id, c.incarnation});
  set_timer(c.timer, where, rule_.kill_grace);
}

void supervision::gone(place where, exit_class how, error reason) {
  ++steps_;
  auto& c = children_.at(where);
  auto was = std::exchange(c.phase, child_phase::stopped);
  auto late = std::exchange(c.late, false);
  drop_timer(c.timer);
  --live_;
  if (late)
    reason = error{ec::timed_out, c.rule.id + " was not ready in time"};
  if (descending(where) || was == child_phase::stopping
      || (was == child_phase::killing && !late))
    gone_as_asked(where, c);
  else if (how == exit_class::unreachable)
    is_dynamic() ? give_up(where, c, reason) : fail_with(c, reason);
  else if (late || was == child_phase::starting)
    start_has_failed(where, c, late ? exit_class::error : how, reason);
  else
    gone_by_itself(where, c, how, reason);
  step();
  finish_if_empty();
}

void supervision::gone_as_asked(place where, child& c) {
  booted(c);
  // A group restart wants it again, unless it may not be restarted at all.
  if (c.rule.kind != restart_kind::temporary && todo_.count(where) != 0)
    c.phase = child_phase::waiting;
  else
    settle_down(where, c, c.rule.kind == restart_kind::temporary);
}

void supervision::gone_by_itself(place where, child& c, exit_class how,
                                 const error& reason) {
  switch (decide_exit(c.rule.kind, how)) {
  case after_exit::restart:
    crashed(where, c, reason);
    break;
  case after_exit::keep:
    settle_down(where, c, false);
    break;
  case after_exit::remove:
    settle_down(where, c, true);
    break;
  case after_exit::give_up:
    // Taken before, in gone().
    break;
  }
}

void supervision::start_has_failed(place where, child& c, exit_class how,
                                   const error& reason) {
  auto commanded = std::exchange(c.commanded, false);
  auto fresh = std::exchange(c.fresh, false);
  auto temporary = c.rule.kind == restart_kind::temporary;
  if (how == exit_class::normal) {
    // It had nothing to do; OTP calls that `ignore`.
    booted(c);
    settle_down(where, c, temporary);
  } else if (commanded) {
    auto removed = fresh || is_dynamic();
    out_.push_back(start_failed{c.rule.id, reason, removed});
    if (removed)
      remove(where);
  } else if (booting_) {
    fail_with(c, reason);
  } else if (temporary) {
    booted(c);
    settle_down(where, c, true);
  } else {
    crashed(where, c, reason);
  }
}

void supervision::crashed(place where, child& c, const error& reason) {
  booted(c);
  auto own = c.window.record(rule_.limits, now_);
  if (is_dynamic() && !own)
    return give_up(where, c, reason);
  if (!is_dynamic() && !window_.record(rule_.limits, now_))
    return fail_with(c, reason);
  auto alone = is_dynamic() || rule_.strategy == restart_strategy::one_for_one;
  auto delay = restart_delay(rule_.limits,
                             alone ? c.window.count() : window_.count(), draw_);
  c.phase = child_phase::waiting;
  out_.push_back(restarting{
    c.rule.id, reason, (is_dynamic() ? c.window : window_).count(), delay});
  if (!alone)
    recycle(rule_.strategy == restart_strategy::one_for_all ? 1 : where, delay);
  else if (delay.count() > 0)
    set_timer(c.timer, where, delay);
  else
    launch(where, c);
}

void supervision::settle_down(place where, child& c, bool removed) {
  removed = removed || is_dynamic();
  c.phase = child_phase::stopped;
  c.commanded = c.fresh = false;
  out_.push_back(stopped{c.rule.id, removed});
  if (removed)
    remove(where);
}

void supervision::give_up(place where, child& c, const error& reason) {
  booted(c);
  out_.push_back(given_up{c.rule.id, reason});
  remove(where);
}

void supervision::booted(child& c) {
  if (std::exchange(c.booting, false) && --unborn_ == 0 && !closing_)
    out_.push_back(up{});
}

// -- groups -------------------------------------------------------------------

bool supervision::descending(place where) const {
  return closing_
    || (walk_ && walk_->at == walk::stage::stopping && where >= walk_->from);
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
  for (auto i = children_.lower_bound(from); i != children_.end(); ++i) {
    auto& c = i->second;
    ++steps_;
    // One that was told to stop stays down.
    auto told = c.phase == child_phase::stopping
      || (c.phase == child_phase::killing && !c.late);
    if (told
        || (c.rule.kind == restart_kind::temporary
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
  for (auto& [where, c] : children_) {
    ++steps_;
    if (c.phase != child_phase::waiting)
      continue;
    drop_timer(c.timer);
    c.phase = child_phase::stopped;
  }
}

void supervision::fail_with(const child& c, const error& reason) {
  failure_ = failed{c.rule.id, reason};
  close();
}

void supervision::step() {
  if (!walk_)
    return;
  ++steps_;
  if (walk_->at == walk::stage::stopping) {
    if (auto* next = last_to_stop()) {
      ask(next->first, next->second);
      return;
    }
    if (closing_)
      return;
    walk_->at = walk::stage::waiting;
    if (walk_->delay.count() > 0)
      set_timer(walk_->timer, 0, walk_->delay);
    else
      walk_->at = walk::stage::starting;
  }
  if (walk_->at == walk::stage::waiting)
    return;
  // One at a time; the current one is either up or gone before the next.
  if (auto i = children_.find(walk_->current); i != children_.end()
      && lives(i->second) && i->second.phase != child_phase::running)
    return;
  if (!todo_.empty()) {
    walk_->current = *todo_.begin();
    todo_.erase(todo_.begin());
    launch(walk_->current, children_.at(walk_->current));
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

void supervision::set_timer(std::uint64_t& timer, place where,
                            milliseconds after) {
  drop_timer(timer);
  if (after == milliseconds::max())
    return;
  timer = ++last_timer_;
  timers_.emplace(timer, where);
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
  for (auto& [where, c] : children_)
    out.push_back(
      {c.rule.id, c.phase, c.rule.kind, c.incarnation, c.window.count()});
  return out;
}

std::optional<child_info> supervision::find(const std::string& id) const {
  auto i = places_.find(id);
  if (i == places_.end())
    return std::nullopt;
  auto& c = children_.at(i->second);
  return child_info{c.rule.id, c.phase, c.rule.kind, c.incarnation,
                    c.window.count()};
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
