#include "cli/hub_probe.hpp"

#include "messages/json.hpp"
#include "runtime/home/files.hpp"
#include "runtime/notify/gateway_probe.hpp"

#include <unistd.h>

#include <cstdio>

namespace ao {

int run_probe() {
  constexpr std::size_t longest = 1u << 20;
  auto text = read_stream(STDIN_FILENO, "standard input", longest);
  auto asked = text ? json::parse(*text, nullptr, false) : json{};
  if (!asked.is_object() || !asked.value("url", json{}).is_string()
      || !asked.value("token", json{}).is_string()) {
    std::fprintf(stderr, "ao-hub: a probe needs url and token\n");
    return 2;
  }
  auto reply
    = notify::perform(notify::probe_call(asked["url"].get<std::string>(),
                                         asked["token"].get<std::string>()),
                      nullptr);
  json out{{"status", reply.status},
           {"body", reply.body},
           {"failure", reply.failure},
           {"retryAfter", reply.headers["retry-after"]}};
  std::printf("%s\n", dump(out).c_str());
  return 0;
}

} // namespace ao
