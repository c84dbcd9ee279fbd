#pragma once

#include "runtime/rules/supervision.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ao::test {

/// A world for the supervision rule: processes that start, end and refuse to
/// end as told, under virtual time. What the rule wants is written down in
/// `story`, arms excepted; whatever breaks an invariant in `broken`.
class supervision_world {
public:
  using rule = supervision;

  supervision_world(supervision_rule r, std::vector<child_rule> children)
      : limits_(r.limits),
        strategy_(r.strategy),
        rule_(r, std::move(children)) {
    // nop
  }

  std::vector<std::string> story;
  std::vector<std::string> broken;

  /// Ids whose starts fail, with how; `normal` means that it had nothing to do.
  std::map<std::string, exit_class> failing;
  /// Ids that never become ready by themselves.
  std::set<std::string> slow;
  /// Ids that ignore being asked to end.
  std::set<std::string> deaf;
  /// Ids that do not even die by kill.
  std::set<std::string> undead;

  rule& machine() { return rule_; }

  mono_time now() const { return now_; }

  void feed(const rule::event& e) {
    for (auto& x : rule_.on(e, now_, draw))
      perform(x);
    react();
  }

  /// The live process of `id` ends by itself.
  void crash(const std::string& id, exit_class how = exit_class::error,
             const std::string& why = "crash") {
    auto i = live_.find(id);
    if (i == live_.end())
      return;
    auto incarnation = i->second;
    live_.erase(i);
    feed(rule::ended{id, incarnation, how, error{ec::internal, why}});
  }

  /// Moves the clock, firing what is due on the way.
  void advance(milliseconds d) {
    auto end = now_ + d;
    while (!timers_.empty() && timers_.begin()->first <= end) {
      auto [at, number] = *timers_.begin();
      timers_.erase(timers_.begin());
      now_ = at;
      feed(rule::fired{number});
    }
    now_ = end;
  }

  bool lives(const std::string& id) const { return live_.count(id) != 0; }

  std::vector<std::string> living() const {
    std::vector<std::string> out;
    for (auto& [id, incarnation] : live_)
      out.push_back(id);
    return out;
  }

  /// What has happened since the last call, in one line.
  std::string take() {
    std::string out;
    for (auto& word : std::exchange(story, {}))
      out += (out.empty() ? "" : ", ") + word;
    return out;
  }

  double draw = 0.5;

private:
  void perform(const rule::effect& x) {
    if (auto* arm = std::get_if<rule::arm>(&x)) {
      if (arm->at < now_)
        broken.push_back("armed in the past");
      timers_.emplace(arm->at, arm->timer);
      return;
    }
    story.push_back(to_string(x));
    // Commands are still answered, but nothing moves any more.
    if (over_ && !std::holds_alternative<rule::refused>(x)
        && !std::holds_alternative<rule::stopped>(x))
      broken.push_back("after the end: " + story.back());
    if (auto* e = std::get_if<rule::start>(&x)) {
      if (!live_.emplace(e->id, e->incarnation).second)
        broken.push_back("two live incarnations of " + e->id);
      if (!used_.insert({e->id, e->incarnation}).second
          && !removed_.count(e->id))
        broken.push_back("incarnation used twice: " + story.back());
      pending_.push_back({e->id, e->incarnation, false});
    } else if (auto* e = std::get_if<rule::ask_stop>(&x)) {
      if (!deaf.count(e->id) && !undead.count(e->id))
        pending_.push_back({e->id, e->incarnation, true});
    } else if (auto* e = std::get_if<rule::kill>(&x)) {
      if (!undead.count(e->id))
        pending_.push_back({e->id, e->incarnation, true});
    } else if (auto* e = std::get_if<rule::abandon>(&x)) {
      live_.erase(e->id);
    } else if (auto* e = std::get_if<rule::restarting>(&x)) {
      count(e->id);
    } else if (auto* e = std::get_if<rule::stopped>(&x)) {
      if (e->removed) {
        removed_.insert(e->id);
        restarts_.erase(e->id);
      }
    } else if (auto* e = std::get_if<rule::given_up>(&x)) {
      removed_.insert(e->id);
      restarts_.erase(e->id);
    } else if (auto* e = std::get_if<rule::start_failed>(&x)) {
      if (e->removed)
        removed_.insert(e->id);
    } else if (std::holds_alternative<rule::done>(x)
               || std::holds_alternative<rule::failed>(x)) {
      over_ = true;
      if (!live_.empty())
        broken.push_back("ended with live children");
    }
  }

  /// Never more than `intensity` restarts in a period.
  void count(const std::string& id) {
    auto& all = restarts_[strategy_ == restart_strategy::dynamic ? id : ""];
    all.push_back(now_);
    auto recent = std::count_if(all.begin(), all.end(), [this](mono_time t) {
      return now_ - t <= limits_.period;
    });
    if (recent > static_cast<std::ptrdiff_t>(limits_.intensity))
      broken.push_back("more restarts than allowed: " + id);
  }

  struct word {
    std::string id;
    std::uint64_t incarnation;
    bool ends;
  };

  /// The processes do what they were told, in order.
  void react() {
    if (reacting_)
      return;
    reacting_ = true;
    while (!pending_.empty()) {
      auto [id, incarnation, ends] = pending_.front();
      pending_.pop_front();
      auto i = live_.find(id);
      if (i == live_.end() || i->second != incarnation)
        continue;
      if (ends) {
        live_.erase(i);
        feed(rule::ended{id, incarnation, exit_class::shutdown, {}});
      } else if (auto f = failing.find(id); f != failing.end()) {
        live_.erase(i);
        feed(rule::ended{id, incarnation, f->second,
                         error{ec::internal, "no start"}});
      } else if (!slow.count(id)) {
        feed(rule::started{id, incarnation});
      }
    }
    reacting_ = false;
  }

  restart_limits limits_;
  restart_strategy strategy_;
  supervision rule_;
  mono_time now_{std::chrono::hours{1}};
  std::multimap<mono_time, std::uint64_t> timers_;
  std::map<std::string, std::uint64_t> live_;
  std::set<std::pair<std::string, std::uint64_t>> used_;
  std::set<std::string> removed_;
  std::map<std::string, std::vector<mono_time>> restarts_;
  std::deque<word> pending_;
  bool reacting_ = false;
  bool over_ = false;
};

} // namespace ao::test
