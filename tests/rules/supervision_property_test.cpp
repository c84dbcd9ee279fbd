#include "tests/support/supervision_world.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

using namespace ao;
using namespace ao::test;
using namespace std::chrono_literals;
using rule = supervision;

namespace {

const std::vector<std::string> ids = {"a", "b", "c", "d", "e"};

child_rule any_child(const std::string& id) {
  return {id,
          *rc::gen::element(restart_kind::permanent, restart_kind::transient,
                            restart_kind::temporary),
          *rc::gen::element(milliseconds::max(), milliseconds{2000}),
          *rc::gen::element(milliseconds{0}, milliseconds{3000})};
}

supervision_rule any_rule() {
  restart_limits limits;
  limits.intensity = *rc::gen::inRange(0u, 5u);
  limits.period = *rc::gen::element(1s, 10s);
  limits.delay = *rc::gen::element(0ms, 100ms, 1000ms);
  return {*rc::gen::element(
            restart_strategy::one_for_one, restart_strategy::one_for_all,
            restart_strategy::rest_for_one, restart_strategy::dynamic),
          limits, 1s};
}

exit_class any_end() {
  return *rc::gen::element(exit_class::normal, exit_class::shutdown,
                           exit_class::error);
}

void toggle(std::set<std::string>& set, const std::string& id) {
  if (set.erase(id) == 0)
    set.insert(id);
}

/// One thing that happens to the supervisor or to a process.
void happen(supervision_world& w) {
  auto id = *rc::gen::elementOf(ids);
  switch (*rc::gen::inRange(0, 13)) {
  case 0:
    w.feed(rule::start_child{any_child(id)});
    break;
  case 1:
    w.feed(rule::stop_child{id});
    break;
  case 2:
    w.feed(rule::restart_child{id});
    break;
  case 3:
    w.feed(rule::delete_child{id});
    break;
  case 4:
    toggle(w.deaf, id);
    break;
  case 5:
    toggle(w.undead, id);
    break;
  case 6:
    toggle(w.slow, id);
    break;
  case 7:
    if (w.failing.erase(id) == 0)
      w.failing[id] = any_end();
    break;
  case 8:
  case 9:
    w.advance(milliseconds{*rc::gen::inRange(0, 4000)});
    break;
  default:
    w.crash(id, any_end());
    break;
  }
}

void check(const supervision_world& w) {
  for (auto& what : w.broken)
    RC_FAIL(what);
}

} // namespace

RC_GTEST_PROP(SupervisionProperty, HoldsUnderAnySequenceAndAlwaysEnds, ()) {
  std::vector<child_rule> children;
  for (auto& id : {"a", "b", "c"})
    children.push_back(any_child(id));
  supervision_world w{any_rule(), children};
  w.draw = *rc::gen::element(0., 0.5, 1.);
  w.feed(rule::begin{});
  auto n = *rc::gen::inRange(0, 60);
  for (auto i = 0; i < n; ++i) {
    happen(w);
    check(w);
    // What the rule thinks lives is what lives.
    for (auto& c : w.machine().children()) {
      auto has_process
        = c.phase != child_phase::stopped && c.phase != child_phase::waiting;
      RC_ASSERT(has_process == w.lives(c.id));
    }
  }
  // Whatever has happened: a stop comes to its end, and in order.
  w.feed(rule::stop{});
  w.advance(60s);
  check(w);
  RC_ASSERT(w.living().empty());
  auto ends = std::count_if(w.story.begin(), w.story.end(), [](auto& word) {
    return word == "done" || word.rfind("failed ", 0) == 0;
  });
  RC_ASSERT(ends == 1);
}

RC_GTEST_PROP(SupervisionProperty, StopsAGroupInReverseStartOrder, ()) {
  auto n = *rc::gen::inRange<std::size_t>(1, 20);
  std::vector<child_rule> children;
  for (std::size_t i = 0; i < n; ++i)
    children.push_back({std::string(1, static_cast<char>('a' + i))});
  supervision_world w{{restart_strategy::rest_for_one, {}, 1s}, children};
  w.feed(rule::begin{});
  w.story.clear();
  auto k = *rc::gen::inRange<std::size_t>(0, n);
  w.crash(children[k].id);
  std::vector<std::string> expected{"restarting " + children[k].id + " 1"};
  for (auto i = n - 1; i > k; --i)
    expected.push_back("ask " + children[i].id + "#1");
  for (auto i = k; i < n; ++i) {
    expected.push_back("start " + children[i].id + "#2");
    expected.push_back("running " + children[i].id + "#2");
  }
  RC_ASSERT(w.story == expected);
}
