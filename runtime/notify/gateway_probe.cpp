#include "runtime/notify/gateway_probe.hpp"

#include "runtime/notify/outcome.hpp"

namespace ao::notify {
namespace {

using state = gateway_probe::state;

constexpr std::chrono::seconds probe_timeout{10};

gateway_probe without_answer(const std::string& url, const http_reply& reply) {
  // curl's own sentence; a refused connection is the one that has a remedy.
  if (reply.failure.find("connect to server") != reply.failure.npos)
    return {state::not_running, "nobody listens at " + url,
            "start the gateway: openclaw gateway"};
  return {state::no_answer, url + ": " + reply.failure,
          "look at the gateway's log, and whether the url is its own"};
}

} // namespace

std::string to_string(gateway_probe::state what) {
  switch (what) {
  case state::ready:
    return "ready";
  case state::not_running:
    return "not_running";
  case state::no_answer:
    return "no_answer";
  case state::wrong_token:
    return "wrong_token";
  case state::locked_out:
    return "locked_out";
  case state::no_hooks:
    return "no_hooks";
  case state::unknown:
    break;
  }
  return "unknown";
}

http_call probe_call(const std::string& url, const std::string& token) {
  http_call out;
  out.url = url;
  out.body = "{}";
  out.timeout = probe_timeout;
  out.headers = {{"Content-Type", "application/json"}};
  if (!token.empty())
    out.headers.emplace_back("Authorization", "Bearer " + token);
  return out;
}

gateway_probe read_probe(const std::string& url, const http_reply& reply) {
  auto said = "HTTP " + std::to_string(reply.status);
  auto reason = reason_in(reply);
  if (!reason.empty())
    said += ": " + one_line(reason, 200);
  switch (reply.status) {
  case 0:
    return without_answer(url, reply);
  case 400:
    if (reason.find("message required") != reason.npos)
      return {state::ready, url + " takes the token", {}};
    return {state::unknown, url + " answers " + said,
            "the url must be that of /hooks/agent, without a query"};
  case 401:
  case 403:
    return {state::wrong_token, url + " does not take the token (" + said + ")",
            "restart the gateway if its hooks.token is new, else "
            "ao setup openclaw --token TOKEN"};
  case 404:
    return {state::no_hooks, url + ": " + said,
            "set hooks.enabled to true in openclaw.json, restart the gateway, "
            "and compare its hooks.path"};
  case 405:
    return {state::no_hooks, url + ": " + said + ": not the path of hooks",
            "the url must end in /hooks/agent; compare hooks.path"};
  case 429: {
    auto wait = reply.headers.find("retry-after");
    return {state::locked_out,
            url + " has seen too many wrong tokens (" + said + ")",
            "wait " + (wait == reply.headers.end() ? "60" : wait->second)
              + " seconds, then repeat it with the right token"};
  }
  case 503:
    return {state::no_answer, url + ": " + said,
            "the gateway starts or stops; repeat it in a moment"};
  default:
    return {state::unknown, url + " answers " + said,
            "is another program listening there? openclaw gateway status"};
  }
}

} // namespace ao::notify
