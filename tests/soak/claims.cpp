// Many clients of one hub claim every task at the same time: each is granted
// once, and the hub's record agrees with what the clients heard.
#include "tests/support/claim_contest.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <exception>
#include <iostream>

namespace {

int contest(std::size_t clients, std::size_t tasks) {
  using clock = std::chrono::steady_clock;
  ao::world w;
  w.add_agent("sleeper", "exec sleep 1000\n");
  w.start();
  ao::claim_contest what{clients, tasks};
  auto begun = clock::now();
  auto answers = ao::hold(what, w);
  std::chrono::duration<double> took = clock::now() - begun;
  auto against = ao::objections(what, answers, w.events());
  nlohmann::json out = {{"soak", "claims"},        {"n", tasks},
                        {"clients", clients},      {"claims", answers.size()},
                        {"seconds", took.count()}, {"ok", against.empty()},
                        {"objections", against}};
  std::cout << out.dump() << std::endl;
  return against.empty() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"64 clients claim N tasks"};
  std::size_t tasks = 1000;
  std::size_t clients = 64;
  app.add_option("--n", tasks, "Tasks");
  app.add_option("--clients", clients, "Clients");
  CLI11_PARSE(app, argc, argv);
  // Caught, so that the world is taken down.
  try {
    return contest(clients, tasks);
  } catch (const std::exception& why) {
    std::cerr << "soak_claims: " << why.what() << std::endl;
    return 1;
  }
}
