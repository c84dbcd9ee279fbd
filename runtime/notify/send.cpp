#include "runtime/notify/send.hpp"

#include "runtime/log/redactor.hpp"
#include "runtime/notify/desktop.hpp"
#include "runtime/notify/openclaw.hpp"
#include "runtime/notify/telegram.hpp"
#include "runtime/notify/webhook.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace ao::notify {
namespace {

using kind = send_outcome::kind;

/// More parts than this has no text of ours.
constexpr int most_parts = 4;

struct attempt {
  const notifier_settings& to;
  const notification& n;
  const environment& env;
  const stop_flag& stop;
  std::string token;

  http_reply perform_now(const http_call& call) const {
    return perform(call, stop);
  }

  send_outcome openclaw() {
    if (token.empty())
      token = token_of_gateway(env.get("HOME"));
    return read_openclaw(to, n, perform_now(openclaw_call(to, n, token)),
                         wall_now());
  }

  send_outcome telegram() const {
    return send_telegram(to, n, wall_now(),
                         [this](const http_call& x) { return perform_now(x); });
  }

  send_outcome webhook() const {
    auto call = webhook_call(to, n, wall_now());
    if (!call)
      return make_outcome(n, kind::unusable, call.error().context);
    return read_webhook(n, perform_now(*call), wall_now());
  }

  send_outcome slack() const {
    return read_webhook(n, perform_now(slack_call(to, n)), wall_now());
  }

  send_outcome desktop() const {
    return read_desktop(n, run(desktop_process(n, env), to.timeout));
  }

  /// Without an address nothing will ever be sent.
  bool lacks_url() const {
    return to.url.empty() && (to.plugin == "webhook" || to.plugin == "slack");
  }

  send_outcome make() {
    if (lacks_url())
      return make_outcome(n, kind::refused, "the notifier has no webhookUrl");
    if (to.plugin == "openclaw")
      return openclaw();
    if (to.plugin == "telegram")
      return telegram();
    if (to.plugin == "webhook")
      return webhook();
    if (to.plugin == "slack")
      return slack();
    if (to.plugin == "desktop")
      return desktop();
    return make_outcome(n, kind::refused,
                        "the plugin " + to.plugin
                          + " is not available in this release");
  }
};

} // namespace

send_outcome send(const notifier_settings& to, const notification& n,
                  const environment& env, const stop_flag& stop) {
  attempt now{to, n, env, stop, to.token};
  auto out = now.make();
  // An answer may quote the request.
  std::vector<std::string> known{now.token, to.secret};
  if (to.plugin == "slack")
    known.push_back(to.url);
  for (const auto& [name, value] : to.headers)
    known.push_back(value);
  redactor secrets{std::move(known)};
  out.error = secrets.redact(out.error);
  out.remote = secrets.redact(out.remote);
  return out;
}

milliseconds longest_send(const notifier_settings& to) {
  return std::max<milliseconds>(to.timeout, std::chrono::seconds{75})
    * most_parts;
}

} // namespace ao::notify
