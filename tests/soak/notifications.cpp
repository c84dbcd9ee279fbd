// Notifications through gateways of all generations on a bad day, while the
// hub is killed again and again: none is lost, and none is read twice where
// the gateway remembers.
#include "tests/soak/soak.hpp"
#include "tests/support/notification_storm.hpp"

#include <CLI/CLI.hpp>

namespace {

using ao::gateway_setup;
using ao::notification_storm;

ao::soak::outcome storms(std::size_t n) {
  gateway_setup open_policy{3, "hook-token", true, {"hook:"}};
  std::vector<std::pair<std::string, notification_storm>> all;
  all.emplace_back("generation 1", notification_storm{n, 20, 30, false, {1}});
  all.emplace_back("generation 2", notification_storm{n, 20, 30, false, {2}});
  all.emplace_back("default policy",
                   notification_storm{n, 20, 30, false, {3}, "hook:ao:"});
  all.emplace_back(
    "generation 3 with keys",
    notification_storm{n, 20, 30, false, open_policy, "hook:ao:"});
  all.emplace_back("forgetful", notification_storm{n, 20, 30, true, {3}});
  ao::soak::outcome out;
  out.figures = {{"n", n}, {"storms", nlohmann::json::array()}};
  for (const auto& [name, what] : all) {
    auto end = ao::weather(what);
    for (const auto& why : end.objections)
      out.objections.push_back(name + ": " + why);
    out.figures["storms"].push_back({{"storm", name},
                                     {"requests", end.requests},
                                     {"read", end.read},
                                     {"readTwice", end.twice},
                                     {"dead", end.dead},
                                     {"hasty", end.hasty},
                                     {"stubborn", end.stubborn}});
  }
  return out;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"N notifications through each kind of gateway, 20 kills"};
  std::size_t n = 1000;
  app.add_option("--n", n, "Notifications");
  CLI11_PARSE(app, argc, argv);
  return ao::soak::run("notifications", [&] { return storms(n); });
}
