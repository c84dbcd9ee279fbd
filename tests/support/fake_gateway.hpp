#pragma once

#include "messages/time.hpp"
#include "tests/support/loopback_server.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace ao {

/// How a gateway is set up; its defaults are a real one's.
struct gateway_setup {
  /// 1, 2 or 3, see `OPENCLAW.md` §1.
  int generation = 2;
  std::string token = "hook-token";
  bool allow_session_key = false;
  std::vector<std::string> session_key_prefixes = {};
  std::size_t longest_body = 262'144;
};

/// What happens to one request instead of, or after, what should.
struct gateway_mishap {
  enum class kind {
    none,
    /// Answers `status` and does nothing.
    status,
    /// Says nothing until the client gives up; does nothing.
    hang,
    /// Cut before, or after, the run was begun.
    reset_before,
    reset_after,
    /// Runs, but no person reads it (generation 3 says so when it is waited
    /// for).
    undelivered,
  } what
    = kind::none;
  int status = 503;
  std::string retry_after = {};
};

/// A request and what became of it.
struct gateway_request {
  std::chrono::steady_clock::time_point at;
  std::string body;
  std::map<std::string, std::string> headers;
  /// 0 = no answer.
  int status = 0;
  /// It has begun a run, so that a person may read it.
  bool ran = false;
};

/// The hooks of an OpenClaw gateway on loopback, as `OPENCLAW.md` describes
/// them: tokens and their limiter, policies for session keys, sizes, the keys
/// that make a request once. The memory of the keys is lost by `restart`.
class fake_gateway {
public:
  explicit fake_gateway(gateway_setup setup = {});

  /// What a notifier's `url` is to be.
  std::string url() const { return server_->url() + "/hooks/agent"; }

  /// Sets the gateway up anew; it forgets the keys that it has seen.
  void restart(gateway_setup setup);
  void restart();

  /// The next requests meet these, one each.
  void plan(std::deque<gateway_mishap> next);
  /// Asked for each request without a planned one; number 0, 1, ….
  void plan_each(std::function<gateway_mishap(std::size_t)> of);

  std::vector<gateway_request> requests() const;
  /// The messages that a person has read, in their order.
  std::vector<std::string> read_by_person() const;

  /// Waits until `wanted` likes what was read; false at the deadline.
  bool await(const std::function<bool(const std::vector<std::string>&)>& wanted,
             milliseconds deadline = std::chrono::seconds{60}) const;
  /// Waits for so many requests.
  bool await_requests(std::size_t count,
                      milliseconds deadline = std::chrono::seconds{60}) const;

private:
  loopback_reply take(const loopback_request& request);
  loopback_reply judge(const loopback_request& request, gateway_mishap mishap,
                       bool& ran);
  std::optional<loopback_reply> refusal(const loopback_request& request);
  std::optional<std::string> fault_of(const nlohmann::json& body) const;
  loopback_reply run(const nlohmann::json& body,
                     const loopback_request& request, gateway_mishap mishap,
                     bool& ran);
  gateway_mishap next_mishap();

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  gateway_setup setup_;
  std::deque<gateway_mishap> planned_;
  std::function<gateway_mishap(std::size_t)> of_each_;
  std::size_t asked_ = 0;
  std::vector<gateway_request> requests_;
  std::vector<std::string> read_;
  /// Runs by key and what was asked.
  std::map<std::string, std::string> runs_;
  std::size_t last_run_ = 0;
  std::size_t strikes_ = 0;
  /// Last, so that it ends first.
  std::unique_ptr<loopback_server> server_;
};

} // namespace ao
