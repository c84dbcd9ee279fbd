// N sessions that all fail since their base does: one incident that counts
// them, one notification, no self-heal spent; all are merged once it is green.
#include "tests/soak/soak.hpp"
#include "tests/support/red_base.hpp"

#include <CLI/CLI.hpp>

namespace {

ao::soak::outcome fail_together(std::size_t sessions) {
  ao::red_base all;
  auto& w = all.in();
  ao::soak::outcome out;
  auto expect = [&out](bool holds, const std::string& what) {
    if (!holds)
      out.objections.push_back(what);
  };
  all.begin(sessions);
  all.await_count(sessions);
  auto told
    = all.gateway().await([](const auto& read) { return !read.empty(); });
  expect(told, "nobody was told");
  auto incidents = w.ask({"incident", "ls", "--all"})["data"];
  expect(incidents.size() == 1, incidents.dump());
  expect(incidents[0]["cause"] == "base_red" && incidents[0]["attempts"] == 0,
         incidents.dump());
  expect(w.ask({"messages"})["data"].empty(), "an agent was told something");
  all.set("fine");
  w.await("incident_closed", "incident:inc-1");
  for (std::size_t n = 1; n <= sessions; ++n)
    w.await("merged", "change:app#" + std::to_string(n));
  std::size_t asked = 0;
  for (const auto& text : all.gateway().read_by_person())
    asked += text.find("incident_asked") != std::string::npos;
  expect(asked == 1, std::to_string(asked) + " questions");
  out.figures
    = {{"n", sessions}, {"incidents", incidents.size()}, {"questions", asked}};
  return out;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"N sessions fail of one cause"};
  std::size_t sessions = 200;
  app.add_option("--n", sessions, "Sessions");
  CLI11_PARSE(app, argc, argv);
  return ao::soak::run("one_cause", [&] { return fail_together(sessions); });
}
