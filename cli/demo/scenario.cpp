#include "cli/demo/scenario.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace ao::cli::demo {
namespace {

using nlohmann::json;

auto wrong(const std::string& what) {
  return fail(ec::bad_input, "the scenario: " + what);
}

result<deed> deed_of(const std::string& word) {
  if (word == "kill_hub")
    return deed::kill_hub;
  if (word == "throw")
    return deed::throw_in;
  if (word == "open")
    return deed::open_gate;
  if (word == "cut_node")
    return deed::cut_node;
  if (word == "return_node")
    return deed::return_node;
  if (word == "kill_node")
    return deed::kill_node;
  if (word == "drain_node")
    return deed::drain_node;
  if (word == "revoke_node")
    return deed::revoke_node;
  return wrong("\"" + word + "\" is no deed");
}

bool knows(const scenario& of, const std::string& title) {
  return std::any_of(of.tasks.begin(), of.tasks.end(),
                     [&](const auto& one) { return one.title == title; });
}

result<void> take_task(const json& from, scenario& out) {
  scene_task one;
  one.title = from.at("title").get<std::string>();
  one.body = from.at("body").get<std::string>();
  one.needs = from.value("needs", std::vector<std::string>{});
  one.claims = from.value("claims", 1u);
  one.agent = from.value("agent", "");
  one.node = from.value("node", "");
  for (const auto& need : one.needs)
    if (!knows(out, need))
      return wrong(one.title + " needs \"" + need + "\", which is not above");
  out.tasks.push_back(std::move(one));
  return {};
}

result<void> take_act(const json& from, scenario& out) {
  auto what = deed_of(from.at("do").get<std::string>());
  if (!what)
    return fail(what.error());
  scene_act one;
  one.when = from.at("when").get<std::string>();
  one.task = from.at("task").get<std::string>();
  one.what = *what;
  one.opens = from.value("open", "");
  one.in = from.value("in", "");
  one.parallel = from.value("parallel", 1u);
  one.hub = from.value("hub", 0u);
  one.epoch = from.value("epoch", std::uint64_t{0});
  auto is_somewhere = one.what != deed::kill_hub && one.what != deed::open_gate;
  if (is_somewhere && one.in.empty())
    return wrong("a deed says by \"in\" in which actor or node");
  if (one.task != "*" && !knows(out, one.task))
    return wrong("an act is about \"" + one.task + "\", which is no task");
  out.acts.push_back(std::move(one));
  return {};
}

} // namespace

result<scenario> read_scenario(std::string_view text) {
  scenario out;
  try {
    auto from = json::parse(text);
    out.project = from.at("project").get<std::string>();
    for (const auto& one : from.at("tasks"))
      if (auto ok = take_task(one, out); !ok)
        return fail(ok.error());
    for (const auto& one : from.value("acts", json::array()))
      if (auto ok = take_act(one, out); !ok)
        return fail(ok.error());
    const auto expected = from.value("expect", json::object());
    for (const auto& [name, wanted] : expected.items()) {
      auto& one = out.expect[name];
      one.count = wanted.is_object() ? wanted.at("count").get<unsigned>()
                                     : wanted.get<unsigned>();
      if (wanted.is_object())
        one.parallel = wanted.at("parallel").get<unsigned>();
    }
  } catch (const json::exception& thrown) {
    return wrong(thrown.what());
  }
  return out;
}

std::vector<std::string> fit_to(scenario& what, unsigned parallel) {
  std::vector<std::string> open;
  auto& acts = what.acts;
  for (auto i = acts.begin(); i != acts.end();) {
    if (i->parallel <= parallel) {
      ++i;
      continue;
    }
    if (!i->opens.empty())
      open.push_back(i->opens);
    i = acts.erase(i);
  }
  auto& expect = what.expect;
  for (auto i = expect.begin(); i != expect.end();)
    i = i->second.parallel > parallel ? expect.erase(i) : std::next(i);
  return open;
}

} // namespace ao::cli::demo
