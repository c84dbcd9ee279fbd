#include "cli/commands/ask_gateway.hpp"

#include "messages/json.hpp"
#include "runtime/process/process.hpp"

#include <unistd.h>

namespace ao::cli {
namespace {

/// Above the probe's own.
constexpr milliseconds longest_probe{15'000};

/// Proxies and certificates are named by the environment.
std::vector<std::string> whole_environment() {
  std::vector<std::string> out;
  for (auto** one = environ; one && *one; ++one)
    out.emplace_back(*one);
  return out;
}

notify::gateway_probe not_asked(const std::string& why) {
  return {notify::gateway_probe::state::unknown,
          "the gateway could not be asked: " + why, "ao doctor"};
}

} // namespace

notify::gateway_probe ask_gateway(const invocation& what,
                                  const std::string& url,
                                  const std::string& token) {
  process_spec spec;
  spec.argv = {what.program_dir + "/ao-hub", "--probe-gateway"};
  spec.env = whole_environment();
  spec.in = child_input::bytes(dump(json{{"url", url}, {"token", token}}));
  auto end = run(std::move(spec), longest_probe);
  if (!end)
    return not_asked(end.error().context);
  auto said = json::parse(end->out, nullptr, false);
  if (!end->ok() || !said.is_object())
    return not_asked(to_string(end->status) + " " + end->err);
  notify::http_reply reply;
  reply.status = said.value("status", 0);
  reply.body = said.value("body", "");
  reply.failure = said.value("failure", "");
  if (auto wait = said.value("retryAfter", ""); !wait.empty())
    reply.headers["retry-after"] = wait;
  return notify::read_probe(url, reply);
}

} // namespace ao::cli
