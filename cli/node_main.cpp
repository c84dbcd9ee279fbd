#include "ao_version.hpp"
#include "cli/node/node.hpp"
#include "messages/error.hpp"

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace ao::node {
namespace {

constexpr auto usage_text = "usage: ao-node join <host:port> <token> [--name "
                            "NAME] [--label KEY=VALUE]…\n"
                            "       ao-node run [--slots N]\n"
                            "       ao-node attach <session>\n"
                            "       ao-node --version\n";

int wrong(const std::string& why) {
  std::fprintf(stderr, "ao-node: %s\n%s", why.c_str(), usage_text);
  return 2;
}

int refuse(const error& why) {
  std::fprintf(stderr, "ao-node: %s\n", to_string(why).c_str());
  return info(why.code).exit_code;
}

int run_join(const std::vector<std::string>& words) {
  join_words out;
  std::vector<std::string> plain;
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto has_value = i + 1 < words.size();
    if (words[i] == "--name" && has_value)
      out.name = words[++i];
    else if (words[i] == "--label" && has_value)
      out.labels.push_back(words[++i]);
    else if (words[i].rfind("--", 0) == 0)
      return wrong("join knows no " + words[i]);
    else
      plain.push_back(words[i]);
  }
  if (plain.size() != 2)
    return wrong("join needs the hub's address and a token");
  out.door = plain[0];
  out.token = plain[1];
  auto place = open_home(home_path());
  if (!place)
    return refuse(place.error());
  auto name = join(*place, out);
  if (!name)
    return refuse(name.error());
  std::printf("Joined as %s. Start the worker: ao-node run\nNODE=%s\n",
              name->c_str(), name->c_str());
  return 0;
}

int run_worker(const std::vector<std::string>& words) {
  run_words out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] != "--slots" || i + 1 >= words.size())
      return wrong("run knows no " + words[i]);
    const auto& text = words[++i];
    auto [last, problem]
      = std::from_chars(text.data(), text.data() + text.size(), out.slots);
    if (problem != std::errc{} || last != text.data() + text.size()
        || out.slots == 0)
      return wrong("--slots: \"" + text + "\" is no number of sessions");
  }
  auto place = open_home(home_path());
  if (!place)
    return refuse(place.error());
  return run(*place, out);
}

int run_attach(const std::vector<std::string>& words) {
  if (words.size() != 1 || words[0].rfind('-', 0) == 0)
    return wrong("attach needs the name of one session");
  return refuse(attach(locate_home(home_path()), words[0]).error());
}

} // namespace

std::string home_path() {
  const auto* set = std::getenv("AO_HOME");
  if (set != nullptr && *set != '\0')
    return home_path_from_environment();
  // As that names `~/.ao`, the hub's.
  return home_path_from_environment() + "-node";
}

} // namespace ao::node

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::vector<std::string> words{argv + 1, argv + argc};
  if (words.size() == 1 && words[0] == "--version") {
    std::printf("ao-node %s (%s)\n", AO_VERSION, AO_COMMIT);
    return 0;
  }
  if (words.size() == 1 && (words[0] == "--help" || words[0] == "-h")) {
    std::fputs(ao::node::usage_text, stdout);
    return 0;
  }
  if (words.empty())
    return ao::node::wrong("join, run or attach?");
  std::vector<std::string> rest{words.begin() + 1, words.end()};
  if (words[0] == "join")
    return ao::node::run_join(rest);
  if (words[0] == "run")
    return ao::node::run_worker(rest);
  if (words[0] == "attach")
    return ao::node::run_attach(rest);
  return ao::node::wrong("\"" + words[0] + "\" is unknown");
}
