#include "tests/support/red_base.hpp"

#include <fstream>

namespace ao {
namespace {

world_options with_checks(const fake_gateway& gateway) {
  world_options o;
  o.settings = "limits: {sessions: 512, spawnsPerMinute: 0, minFreeMemory: "
               "1MiB, minFreeDisk: 1MiB}\n"
               "restart: {delay: 50ms, maxDelay: 200ms}\n"
               "notifiers: {phone: {plugin: openclaw, url: \""
    + gateway.url()
    + "\", token: hook-token}}\n"
      "notificationRouting: {urgent: [phone], action: [phone]}\n";
  o.project = ", ci: {command: [sh, -c, \"grep -q fine state\"]}";
  return o;
}

} // namespace

red_base::red_base() : w_(with_checks(gateway_)) {
  w_.add_agent("worker", R"(
echo "by $AO_SESSION" > "$AO_SESSION.txt"
git add --all
git commit --quiet --message "Work of $AO_SESSION"
)");
  set("broken");
}

void red_base::set(const std::string& state) {
  std::ofstream{w_.checkout() / "state"} << state << "\n";
  w_.git(w_.checkout(), {"add", "state"});
  w_.git(w_.checkout(), {"commit", "--quiet", "-m", "It is " + state});
}

void red_base::begin(std::size_t agents) {
  w_.start();
  for (std::size_t n = 1; n <= agents; ++n)
    w_.ask({"spawn", w_.add_task("Task " + std::to_string(n))});
}

void red_base::await_count(std::size_t sessions) {
  w_.await([&](const nlohmann::json& e) {
    return e["kind"] == "incident_joined" && e["data"]["count"] == sessions;
  });
}

} // namespace ao
