#include "runtime/notify/openclaw.hpp"

#include "messages/json.hpp"
#include "runtime/config/environment.hpp"
#include "runtime/home/files.hpp"
#include "runtime/notify/gateway_file.hpp"
#include "runtime/rules/send_form.hpp"

#include <algorithm>

namespace ao::notify {
namespace {

using kind = send_outcome::kind;

/// A model's turn is waited for.
constexpr std::chrono::seconds completion_timeout{75};

/// How often a text whose run has failed is sent anew.
constexpr std::uint32_t most_again = 2;

/// What the original allows in a session key.
std::string clean_for_key(const std::string& text) {
  auto out = text;
  for (auto& c : out) {
    auto good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
      || (c >= 'A' && c <= 'Z') || c == ':' || c == '_' || c == '-';
    if (!good)
      c = '-';
  }
  return out;
}

/// An explicit generation is believed.
bool may_have(const notifier_settings& to, char generation) {
  return to.generation == "auto" || to.generation.front() >= generation;
}

bool waits(const notifier_settings& to, const notification& n) {
  if (to.wait_for_completion)
    return *to.wait_for_completion;
  return may_have(to, '3') && !has_word(n.form, form::no_completion);
}

bool sends_session_key(const notifier_settings& to, const notification& n) {
  return !to.session_key_prefix.empty()
    && !has_word(n.form, form::no_session_key)
    && !has_word(n.form, form::fresh_session);
}

std::string key_of(const notification& n) {
  auto again = count_in(n.form, form::again);
  return again == 0 ? n.key : n.key + "-a" + std::to_string(again);
}

std::string text_at(const json& of, const char* name) {
  auto at = of.find(name);
  return at != of.end() && at->is_string() ? at->get<std::string>() : "";
}

bool is_true(const json& of, const char* name) {
  auto at = of.find(name);
  return at != of.end() && at->is_boolean() && at->get<bool>();
}

/// The run has ended without that anybody can have read it.
send_outcome not_delivered(const notification& n, const std::string& why) {
  auto again = count_in(n.form, form::again);
  auto out
    = make_outcome(n, again < most_again ? kind::reshape : kind::refused, why);
  // Under the old key the gateway would only repeat its answer.
  if (again < most_again)
    out.form = with_count(n.form, form::again, again + 1);
  return out;
}

send_outcome read_completion(const notification& n, const json& completion) {
  if (is_true(completion, "delivered"))
    return make_outcome(n, kind::delivered);
  auto status = text_at(completion, "status");
  auto error = text_at(completion, "deliveryError");
  if (!error.empty())
    return not_delivered(
      n, "the gateway could not deliver it: " + one_line(error));
  if (status == "error")
    return not_delivered(n, "the gateway's agent has failed");
  auto reply = text_at(completion, "replyDisposition");
  if (reply == "silent" || reply == "empty")
    return make_outcome(n, kind::accepted, "the gateway's agent said nothing");
  return make_outcome(n, kind::accepted);
}

send_outcome read_success(const notifier_settings& to, const notification& n,
                          const http_reply& reply) {
  if (reply.status == 204)
    return make_outcome(n, kind::accepted,
                        "the gateway has taken it and does nothing with it");
  auto body = json::parse(reply.body, nullptr, false);
  if (!body.is_object())
    return make_outcome(n, kind::accepted);
  auto completion = body.find("completion");
  auto known = completion != body.end() && completion->is_object();
  auto out
    = known ? read_completion(n, *completion) : make_outcome(n, kind::accepted);
  if (!known && waits(to, n))
    out.form = with_word(out.form, form::no_completion);
  out.remote = one_line(text_at(body, "runId"), 100);
  return out;
}

} // namespace

std::string token_of_gateway(const std::string& home) {
  auto text = read_file(home + openclaw_config, 1u << 20);
  if (!text)
    return {};
  auto token = expand(read_gateway_file(*text).token, process_environment());
  return token.unset.empty() ? token.text : std::string{};
}

http_call openclaw_call(const notifier_settings& to, const notification& n,
                        const std::string& token) {
  json body{{"message", n.text},
            {"name", to.name},
            {"wakeMode", to.wake_mode},
            {"deliver", to.deliver},
            {"idempotencyKey", key_of(n)}};
  auto put = [&body](const char* name, const std::optional<std::string>& x) {
    if (x && !x->empty())
      body[name] = *x;
  };
  put("channel", to.channel);
  put("to", to.to);
  put("agentId", to.agent_id);
  if (sends_session_key(to, n))
    body["sessionKey"] = to.session_key_prefix
      + clean_for_key(n.session.empty() ? n.subject : n.session.text);
  if (may_have(to, '3')) {
    put("accountId", to.account_id);
    put("sessionMode", to.session_mode);
  }
  http_call out;
  out.url = to.url;
  out.timeout = to.timeout;
  if (waits(to, n)) {
    body["waitForCompletion"] = true;
    out.timeout = std::max<milliseconds>(out.timeout, completion_timeout);
  }
  out.body = dump(body);
  out.headers
    = {{"Content-Type", "application/json"}, {"Idempotency-Key", key_of(n)}};
  if (!token.empty())
    out.headers.emplace_back("Authorization", "Bearer " + token);
  return out;
}

send_outcome read_openclaw(const notifier_settings& to, const notification& n,
                           const http_reply& reply, wall_time now) {
  if (reply.status >= 200 && reply.status < 300)
    return read_success(to, n, reply);
  auto said = reason_in(reply);
  auto out = read_failure(n, reply, said, now);
  auto about_key = said.find("sessionKey") != said.npos;
  if (reply.status == 400 && about_key && sends_session_key(to, n)) {
    out.what = kind::reshape;
    out.form = with_word(n.form, form::no_session_key);
  } else if (reply.status == 409) {
    // The target session has changed.
    out.what = sends_session_key(to, n) ? kind::reshape : kind::passing;
    if (out.what == kind::reshape)
      out.form = with_word(n.form, form::fresh_session);
  }
  if (reply.status == 401)
    out.error = "HTTP 401: the gateway does not take the token";
  return out;
}

} // namespace ao::notify
