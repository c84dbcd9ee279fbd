// Many clients of one hub claim every task at the same time: each is granted
// once, and the hub's record agrees with what the clients heard.
#include "tests/soak/soak.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/claim_contest.hpp"

#include <CLI/CLI.hpp>

namespace {

ao::soak::outcome contest(std::size_t clients, std::size_t tasks) {
  ao::world w;
  w.add_agent("sleeper", ao::scripts::sleeper);
  w.start();
  ao::claim_contest what{clients, tasks};
  auto answers = ao::hold(what, w);
  auto against = ao::objections(what, answers, w.events());
  return {against,
          {{"n", tasks}, {"clients", clients}, {"claims", answers.size()}}};
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"64 clients claim N tasks"};
  std::size_t tasks = 1000;
  std::size_t clients = 64;
  app.add_option("--n", tasks, "Tasks");
  app.add_option("--clients", clients, "Clients");
  CLI11_PARSE(app, argc, argv);
  return ao::soak::run("claims", [&] { return contest(clients, tasks); });
}
