#include "runtime/notify/webhook.hpp"

#include "messages/json.hpp"
#include "runtime/notify/entities.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <chrono>

namespace ao::notify {
namespace {

constexpr std::string_view secret_front = "whsec_";

std::string in_base64(const unsigned char* data, std::size_t size) {
  std::string out(4 * ((size + 2) / 3), '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), data,
                  static_cast<int>(size));
  return out;
}

std::optional<std::string> from_base64(std::string text) {
  // Padding may be missing.
  text.resize(text.find_last_not_of('=') + 1);
  if (text.empty() || text.size() % 4 == 1
      || text.find_first_of("= \t\r\n") != text.npos)
    return std::nullopt;
  auto padding = (4 - text.size() % 4) % 4;
  text.append(padding, '=');
  std::string out(text.size() / 4 * 3, '\0');
  auto size
    = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  if (size < 0)
    return std::nullopt;
  out.resize(out.size() - padding);
  return out;
}

json or_null(const std::string& text) {
  return text.empty() ? json{} : json(text);
}

/// What the original sends.
json body_of(const notification& n) {
  auto actions = json::array();
  for (const auto& option : n.options)
    actions.push_back({{"label", option}});
  return {
    {"type", n.options.empty() ? "notification" : "notification_with_actions"},
    {"event",
     {{"id", n.key},
      {"type", n.kind},
      {"priority", std::string{to_string(n.priority)}},
      {"sessionId", or_null(n.session.text)},
      {"projectId", or_null(n.project.text)},
      {"timestamp", format_time(n.created_at)},
      {"message", n.text},
      {"data", {{"case", n.subject}, {"number", n.number}}}}},
    {"actions", std::move(actions)},
    {"idempotencyKey", n.key}};
}

} // namespace

result<std::string>
webhook_signature(const std::string& secret, const std::string& id,
                  const std::string& timestamp, const std::string& body) {
  std::optional<std::string> key;
  if (secret.compare(0, secret_front.size(), secret_front) == 0)
    key = from_base64(secret.substr(secret_front.size()));
  if (!key)
    return fail(ec::bad_input, "the secret is not of the form whsec_<base64>");
  auto text = id + "." + timestamp + "." + body;
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key->data(), static_cast<int>(key->size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       mac.data(), &size);
  return "v1," + in_base64(mac.data(), size);
}

result<http_call> webhook_call(const notifier_settings& to,
                               const notification& n, wall_time now) {
  http_call out;
  out.url = to.url;
  out.timeout = to.timeout;
  out.body = dump(body_of(n));
  auto timestamp = std::to_string(
    std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch())
      .count());
  out.headers = {{"Content-Type", "application/json"},
                 {"Idempotency-Key", n.key},
                 {"webhook-id", n.key},
                 {"webhook-timestamp", timestamp}};
  if (!to.secret.empty()) {
    auto signature = webhook_signature(to.secret, n.key, timestamp, out.body);
    if (!signature)
      return fail(signature.error());
    out.headers.emplace_back("webhook-signature", *signature);
  }
  if (!to.token.empty())
    out.headers.emplace_back("Authorization", "Bearer " + to.token);
  for (const auto& [name, value] : to.headers)
    out.headers.emplace_back(name, value);
  return out;
}

send_outcome read_webhook(const notification& n, const http_reply& reply,
                          wall_time now) {
  if (reply.status >= 200 && reply.status < 300)
    return make_outcome(n, send_outcome::kind::accepted);
  return read_failure(n, reply, reason_in(reply), now);
}

http_call slack_call(const notifier_settings& to, const notification& n) {
  json body{{"text", with_entities(n.text)},
            {"unfurl_links", false},
            {"unfurl_media", false}};
  if (to.channel)
    body["channel"] = *to.channel;
  if (to.username)
    body["username"] = *to.username;
  http_call out;
  out.url = to.url;
  out.timeout = to.timeout;
  out.headers = {{"Content-Type", "application/json"}};
  out.body = dump(body);
  return out;
}

} // namespace ao::notify
