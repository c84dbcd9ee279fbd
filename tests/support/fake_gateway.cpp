#include "tests/support/fake_gateway.hpp"

#include <utility>

namespace ao {
namespace {

using nlohmann::json;
using mishap = gateway_mishap::kind;

/// Wrong tokens within a minute until nobody is let in without a right one.
constexpr std::size_t most_strikes = 20;

loopback_reply answer(int status, const json& body) {
  loopback_reply out;
  out.status = status;
  out.body = body.is_string() ? body.get<std::string>() : body.dump();
  return out;
}

loopback_reply cut_off() {
  loopback_reply out;
  out.what = loopback_reply::kind::reset;
  return out;
}

std::string header(const loopback_request& r, const std::string& name) {
  auto at = r.headers.find(name);
  return at == r.headers.end() ? std::string{} : at->second;
}

std::string key_of(const loopback_request& r, const json& body) {
  auto key = header(r, "idempotency-key");
  if (key.empty())
    key = body.value("idempotencyKey", "");
  return key.size() > 256 ? std::string{} : key;
}

/// What makes two requests of one key the same.
std::string identity_of(const std::string& key, json body) {
  body.erase("waitForCompletion");
  body.erase("idempotencyKey");
  return key + "\n" + body.dump();
}

} // namespace

fake_gateway::fake_gateway(gateway_setup setup)
    : setup_(std::move(setup)),
      server_(std::make_unique<loopback_server>(
        [this](const loopback_request& r) { return take(r); })) {}

void fake_gateway::restart(gateway_setup setup) {
  std::lock_guard<std::mutex> guard{mutex_};
  setup_ = std::move(setup);
  runs_.clear();
  strikes_ = 0;
}

void fake_gateway::restart() {
  restart(setup_);
}

void fake_gateway::plan(std::deque<gateway_mishap> next) {
  std::lock_guard<std::mutex> guard{mutex_};
  planned_ = std::move(next);
}

void fake_gateway::plan_each(std::function<gateway_mishap(std::size_t)> of) {
  std::lock_guard<std::mutex> guard{mutex_};
  of_each_ = std::move(of);
}

std::vector<gateway_request> fake_gateway::requests() const {
  std::lock_guard<std::mutex> guard{mutex_};
  return requests_;
}

std::vector<std::string> fake_gateway::read_by_person() const {
  std::lock_guard<std::mutex> guard{mutex_};
  return read_;
}

bool fake_gateway::await(
  const std::function<bool(const std::vector<std::string>&)>& wanted,
  milliseconds deadline) const {
  std::unique_lock<std::mutex> guard{mutex_};
  return changed_.wait_for(guard, deadline, [&] { return wanted(read_); });
}

bool fake_gateway::await_requests(std::size_t count,
                                  milliseconds deadline) const {
  std::unique_lock<std::mutex> guard{mutex_};
  return changed_.wait_for(guard, deadline,
                           [&] { return requests_.size() >= count; });
}

gateway_mishap fake_gateway::next_mishap() {
  auto number = asked_++;
  if (planned_.empty())
    return of_each_ ? of_each_(number) : gateway_mishap{};
  auto out = planned_.front();
  planned_.pop_front();
  return out;
}

loopback_reply fake_gateway::take(const loopback_request& request) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto ran = false;
  auto reply = judge(request, next_mishap(), ran);
  gateway_request seen;
  seen.at = std::chrono::steady_clock::now();
  seen.body = request.body;
  seen.headers = request.headers;
  seen.ran = ran;
  if (reply.what == loopback_reply::kind::answer)
    seen.status = reply.status;
  requests_.push_back(std::move(seen));
  changed_.notify_all();
  return reply;
}

loopback_reply fake_gateway::judge(const loopback_request& request,
                                   gateway_mishap mishap, bool& ran) {
  if (auto refused = refusal(request))
    return *refused;
  switch (mishap.what) {
  case mishap::status: {
    auto out = answer(mishap.status, "It is a bad day");
    if (!mishap.retry_after.empty())
      out.headers.emplace_back("Retry-After", mishap.retry_after);
    return out;
  }
  case mishap::hang: {
    loopback_reply out;
    out.what = loopback_reply::kind::silence;
    return out;
  }
  case mishap::reset_before:
    return cut_off();
  default:
    break;
  }
  auto body
    = json::parse(request.body.empty() ? "{}" : request.body, nullptr, false);
  if (!body.is_object())
    return answer(400, {{"ok", false}, {"error", "invalid JSON"}});
  if (auto fault = fault_of(body))
    return answer(400, {{"ok", false}, {"error", *fault}});
  return run(body, request, mishap, ran);
}

/// Path, method, token and size, in a gateway's order.
std::optional<loopback_reply>
fake_gateway::refusal(const loopback_request& request) {
  auto query = request.target.find('?');
  if (request.target.substr(0, query) != "/hooks/agent")
    return answer(404, "Not Found");
  if (query != request.target.npos && setup_.generation > 1)
    return answer(400, "Hook token must be sent by a header");
  if (request.method != "POST")
    return answer(405, "Method Not Allowed");
  if (header(request, "authorization") != "Bearer " + setup_.token) {
    if (++strikes_ <= most_strikes)
      return answer(401, "Unauthorized");
    auto out = answer(429, "Too Many Requests");
    out.headers.emplace_back("Retry-After", "60");
    return out;
  }
  strikes_ = 0;
  if (request.body.size() > setup_.longest_body)
    return answer(413, {{"ok", false}, {"error", "payload too large"}});
  return std::nullopt;
}

std::optional<std::string> fake_gateway::fault_of(const json& body) const {
  auto text = [&body](const char* name) {
    auto at = body.find(name);
    return at != body.end() && at->is_string() ? at->get<std::string>()
                                               : std::string{};
  };
  if (text("message").find_first_not_of(" \t\r\n") == std::string::npos)
    return "message required";
  auto key = text("sessionKey");
  if (!key.empty() && setup_.generation > 1) {
    if (!setup_.allow_session_key)
      return "sessionKey is disabled for externally supplied hook payload "
             "values; set hooks.allowRequestSessionKey=true to enable";
    auto known = setup_.session_key_prefixes.empty();
    for (const auto& front : setup_.session_key_prefixes)
      known = known || key.compare(0, front.size(), front) == 0;
    if (!known)
      return "sessionKey must start with one of: "
        + setup_.session_key_prefixes.front();
  }
  if (setup_.generation > 2 && text("channel").empty() != text("to").empty())
    return "channel and to belong together";
  return std::nullopt;
}

loopback_reply fake_gateway::run(const json& body,
                                 const loopback_request& request,
                                 gateway_mishap mishap, bool& ran) {
  auto key = key_of(request, body);
  auto known = setup_.generation == 1 || key.empty()
    ? runs_.end()
    : runs_.find(identity_of(key, body));
  std::string id;
  if (known != runs_.end()) {
    id = known->second;
  } else {
    id = "run-" + std::to_string(++last_run_);
    runs_[identity_of(key, body)] = id;
    ran = true;
    if (mishap.what != mishap::undelivered)
      read_.push_back(body["message"]);
  }
  if (mishap.what == mishap::reset_after)
    return cut_off();
  json out{{"ok", true}, {"runId", id}};
  if (setup_.generation > 2 && body.value("waitForCompletion", false)) {
    auto delivered = mishap.what != mishap::undelivered;
    out["completion"] = {{"status", "ok"},
                         {"replyDisposition", "visible"},
                         {"deliveryAttempted", true},
                         {"delivered", delivered}};
    if (!delivered)
      out["completion"]["deliveryError"] = "delivery-failed";
  }
  return answer(setup_.generation == 1 ? 202 : 200, out);
}

} // namespace ao
