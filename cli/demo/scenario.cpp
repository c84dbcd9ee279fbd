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
  if (!knows(out, one.task))
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
    out.expect = from.value("expect", std::map<std::string, unsigned>{});
  } catch (const json::exception& thrown) {
    return wrong(thrown.what());
  }
  return out;
}

} // namespace ao::cli::demo
