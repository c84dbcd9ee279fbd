#include "cli/demo/gateway.hpp"

#include "cli/commands/common.hpp"
#include "runtime/home/token.hpp"
#include "runtime/http/server.hpp"
#include "runtime/io/loop.hpp"

#include <nlohmann/json.hpp>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace ao::cli::demo {
namespace {

using nlohmann::json;

http::response refusal(int status, const std::string& why) {
  return http::json_response(status, json{{"ok", false}, {"error", why}});
}

} // namespace

gateway::gateway()
    : token_(make_shared_secret()),
      news_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      loop_(std::make_unique<io_loop>()),
      server_(std::make_unique<http::server>(
        loop_->context(),
        [this](const http::request& asked, const http::respond_once& respond) {
          respond(answer(asked));
        })) {}

result<std::unique_ptr<gateway>> gateway::open() {
  std::unique_ptr<gateway> out{new gateway};
  if (!out->news_)
    return fail(ec::process_failed, errno_text("eventfd"));
  auto port = out->server_->listen_tcp("gateway", "127.0.0.1", 0);
  if (!port)
    return fail(port.error());
  out->url_ = "http://127.0.0.1:" + std::to_string(*port) + "/hooks/agent";
  return out;
}

gateway::~gateway() {
  server_->stop();
  loop_->stop();
}

std::vector<std::string> gateway::take() {
  std::uint64_t count = 0;
  // Nothing to read means that nothing has come.
  (void)::read(news_.get(), &count, sizeof count);
  std::lock_guard<std::mutex> guard{mutex_};
  return std::exchange(messages_, {});
}

http::response gateway::answer(const http::request& asked) {
  if (asked.path != std::vector<std::string>{"hooks", "agent"})
    return refusal(404, "no such hook");
  if (asked.method != "POST") {
    auto out = refusal(405, "POST only");
    out.headers.emplace_back("Allow", "POST");
    return out;
  }
  if (!equal_in_constant_time(asked.bearer(), token_))
    return refusal(401, "Unauthorized");
  return run(asked);
}

http::response gateway::run(const http::request& asked) {
  auto body = json::parse(asked.body, nullptr, false);
  auto text = body.is_object() ? text_at(body, "message") : "";
  if (text.empty())
    return refusal(400, "message required");
  std::string key{asked.request_id()};
  {
    std::lock_guard<std::mutex> guard{mutex_};
    if (key.empty() || keys_.insert(key).second)
      messages_.push_back(std::move(text));
  }
  const std::uint64_t one = 1;
  if (::write(news_.get(), &one, sizeof one) < 0 && errno != EAGAIN)
    return refusal(500, errno_text("eventfd"));
  return http::json_response(200, json{{"ok", true}, {"runId", "run-" + key}});
}

} // namespace ao::cli::demo
