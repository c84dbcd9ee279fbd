// N messages to full-screen programs over ten deaths of the hub: each arrives
// once and byte for byte, or says that it did not.
#include "tests/soak/soak.hpp"
#include "tests/support/full_screen.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace {

ao::soak::outcome talk(std::size_t messages) {
  ao::world w{ao::full_screen_options()};
  ao::full_screen_talk what;
  what.sessions = 20;
  what.texts = std::max<std::size_t>(messages / what.sessions, 10);
  what.deaths = 10;
  auto found = ao::talk_full_screen(w, what);
  ao::soak::outcome out;
  out.objections = std::move(found.objections);
  out.figures = {{"n", found.sent},
                 {"arrived", found.arrived},
                 {"told", found.told},
                 {"hubDeaths", what.deaths}};
  return out;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"N messages to full-screen programs"};
  std::size_t messages = 2000;
  app.add_option("--n", messages, "Messages");
  CLI11_PARSE(app, argc, argv);
  return ao::soak::run("messages", [&] { return talk(messages); });
}
