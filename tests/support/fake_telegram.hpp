#pragma once

#include "messages/time.hpp"
#include "tests/support/loopback_server.hpp"

#include <nlohmann/json.hpp>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ao {

/// A Bot API of Telegram on loopback, with one bot, the chats that it is told
/// of, and a hand that types and presses in them.
class fake_telegram {
public:
  explicit fake_telegram(std::string token = "123456:token-of-the-fake-bot");
  ~fake_telegram();

  std::string url() const { return server_->url(); }
  const std::string& token() const { return token_; }

  // -- people -----------------------------------------------------------------

  /// Presses the button with this label below the newest message of the chat
  /// that has one; the id of the press. Throws where there is none.
  std::string press(std::int64_t chat, const std::string& label);

  /// Sends what a button carries, as a client of one's own may.
  std::string press_data(std::int64_t chat, const std::string& data);

  /// Writes a text.
  /// @param reply_to A message of the chat; 0 = none.
  void write(std::int64_t chat, const std::string& text,
             std::int64_t reply_to = 0);

  // -- mishaps ----------------------------------------------------------------

  /// The next polls are answered with this status.
  void refuse_polls(std::deque<int> statuses);

  // -- what has happened ------------------------------------------------------

  struct message {
    std::int64_t chat = 0;
    std::int64_t id = 0;
    std::string text;
    nlohmann::json buttons;
    std::int64_t reply_to = 0;
  };
  /// What was sent by the bot.
  std::vector<message> messages() const;

  /// What was said to who has pressed, in order.
  struct toast {
    std::string press;
    std::string text;
    bool alarm = false;
  };
  std::vector<toast> toasts() const;

  /// How often each update was given out.
  std::vector<std::size_t> told() const;

  /// Waits until `wanted` holds; false at the deadline.
  bool await(const std::function<bool()>& wanted,
             milliseconds deadline = std::chrono::seconds{60}) const;

private:
  loopback_reply take(const loopback_request& request);
  loopback_reply get_updates(const nlohmann::json& body,
                             std::unique_lock<std::recursive_mutex>& lock);
  loopback_reply send_message(const nlohmann::json& body);
  loopback_reply answer_press(const nlohmann::json& body);
  void add(nlohmann::json update);

  std::string token_;
  mutable std::recursive_mutex mutex_;
  mutable std::condition_variable_any changed_;
  bool stopping_ = false;
  std::uint64_t polls_ = 0;
  std::int64_t last_message_ = 0;
  std::int64_t confirmed_ = 0;
  std::vector<nlohmann::json> updates_;
  std::vector<std::size_t> told_;
  std::deque<int> refusals_;
  std::vector<message> messages_;
  std::vector<toast> toasts_;
  std::unique_ptr<loopback_server> server_;
};

} // namespace ao
