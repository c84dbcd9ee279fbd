#pragma once

#include "messages/settings.hpp"
#include "runtime/notify/outcome.hpp"

#include <string>

/// Webhooks: anybody's, and those of Slack.
namespace ao::notify {

/// The request of a webhook: the original's JSON, and the headers of Standard
/// Webhooks (`webhook-id` = the key, `webhook-timestamp`, and with a secret
/// `webhook-signature`). The body is the same at each attempt.
/// Errors: `bad_input` for a secret that is not `whsec_<base64>`.
result<http_call> webhook_call(const notifier_settings& to,
                               const notification& n, wall_time now);

/// `v1,<base64 of HMAC-SHA256>` over `<id>.<timestamp>.<body>`.
/// @param secret `whsec_<base64>`. Errors: `bad_input`.
result<std::string>
webhook_signature(const std::string& secret, const std::string& id,
                  const std::string& timestamp, const std::string& body);

/// Any 2xx is accepted.
send_outcome read_webhook(const notification& n, const http_reply& reply,
                          wall_time now);

/// The request of an incoming webhook of Slack.
http_call slack_call(const notifier_settings& to, const notification& n);

} // namespace ao::notify
