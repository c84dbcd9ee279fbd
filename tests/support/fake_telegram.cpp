#include "tests/support/fake_telegram.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace ao {
namespace {

using nlohmann::json;

/// The first update; a real bot's begin anywhere, too.
constexpr std::int64_t first_update = 800'000;

loopback_reply result_of(json result) {
  loopback_reply out;
  out.body = json{{"ok", true}, {"result", std::move(result)}}.dump();
  return out;
}

loopback_reply refusal(int status, const std::string& why) {
  loopback_reply out;
  out.status = status;
  json body{{"ok", false}, {"error_code", status}, {"description", why}};
  if (status == 429)
    body["parameters"] = {{"retry_after", 1}};
  out.body = body.dump();
  return out;
}

} // namespace

fake_telegram::fake_telegram(std::string token)
    : token_(std::move(token)),
      server_(std::make_unique<loopback_server>(
        [this](const loopback_request& r) { return take(r); })) {}

fake_telegram::~fake_telegram() {
  {
    std::lock_guard<std::recursive_mutex> guard{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  server_.reset();
}

std::string fake_telegram::press(std::int64_t chat, const std::string& label) {
  std::lock_guard<std::recursive_mutex> guard{mutex_};
  for (auto m = messages_.rbegin(); m != messages_.rend(); ++m)
    if (m->chat == chat)
      for (const auto& row : m->buttons)
        for (const auto& button : row)
          if (button["text"] == label)
            return press_data(chat, button["callback_data"]);
  throw std::runtime_error("no button " + label);
}

std::string fake_telegram::press_data(std::int64_t chat,
                                      const std::string& data) {
  std::lock_guard<std::recursive_mutex> guard{mutex_};
  auto id = "press-" + std::to_string(updates_.size());
  add({{"callback_query",
        {{"id", id},
         {"from", {{"id", 7}, {"is_bot", false}}},
         {"data", data},
         {"message",
          {{"message_id", last_message_}, {"chat", {{"id", chat}}}}}}}});
  return id;
}

void fake_telegram::write(std::int64_t chat, const std::string& text,
                          std::int64_t reply_to) {
  std::lock_guard<std::recursive_mutex> guard{mutex_};
  json m{{"message_id", ++last_message_},
         {"from", {{"id", 7}, {"is_bot", false}}},
         {"chat", {{"id", chat}}},
         {"text", text}};
  for (const auto& sent : messages_)
    if (sent.id == reply_to)
      m["reply_to_message"] = {{"message_id", reply_to},
                               {"from", {{"id", 123456}, {"is_bot", true}}},
                               {"text", sent.text}};
  add({{"message", std::move(m)}});
}

void fake_telegram::refuse_polls(std::deque<int> statuses) {
  {
    std::lock_guard<std::recursive_mutex> guard{mutex_};
    refusals_ = std::move(statuses);
  }
  changed_.notify_all();
}

std::vector<fake_telegram::message> fake_telegram::messages() const {
  std::lock_guard<std::recursive_mutex> guard{mutex_};
  return messages_;
}

std::vector<fake_telegram::toast> fake_telegram::toasts() const {
  std::lock_guard<std::recursive_mutex> guard{mutex_};
  return toasts_;
}

std::vector<std::size_t> fake_telegram::told() const {
  std::lock_guard<std::recursive_mutex> guard{mutex_};
  return told_;
}

bool fake_telegram::await(const std::function<bool()>& wanted,
                          milliseconds deadline) const {
  std::unique_lock<std::recursive_mutex> lock{mutex_};
  return changed_.wait_for(lock, deadline, wanted);
}

void fake_telegram::add(json update) {
  update["update_id"]
    = first_update + static_cast<std::int64_t>(updates_.size());
  updates_.push_back(std::move(update));
  told_.push_back(0);
  changed_.notify_all();
}

loopback_reply fake_telegram::take(const loopback_request& request) {
  std::unique_lock<std::recursive_mutex> lock{mutex_};
  auto front = "/bot" + token_ + "/";
  if (request.target.compare(0, front.size(), front) != 0)
    return refusal(401, "Unauthorized");
  auto body = json::parse(request.body, nullptr, false);
  if (!body.is_object())
    return refusal(400, "Bad Request: no JSON");
  auto method = request.target.substr(front.size());
  if (method == "getUpdates")
    return get_updates(body, lock);
  auto out = method == "sendMessage"  ? send_message(body)
    : method == "answerCallbackQuery" ? answer_press(body)
                                      : refusal(404, "Not Found");
  changed_.notify_all();
  return out;
}

loopback_reply
fake_telegram::get_updates(const json& body,
                           std::unique_lock<std::recursive_mutex>& lock) {
  // A newer poll ends the ones before it.
  auto mine = ++polls_;
  changed_.notify_all();
  confirmed_ = std::max(confirmed_,
                        body.value("offset", std::int64_t{0}) - first_update);
  auto fresh = [this] {
    return confirmed_ < static_cast<std::int64_t>(updates_.size());
  };
  changed_.wait_for(lock, std::chrono::seconds{body.value("timeout", 0)}, [&] {
    return fresh() || stopping_ || polls_ != mine || !refusals_.empty();
  });
  if (polls_ != mine)
    return refusal(409, "Conflict: terminated by other getUpdates request");
  if (!refusals_.empty()) {
    auto status = refusals_.front();
    refusals_.pop_front();
    return refusal(status, "Refused by the test");
  }
  auto out = json::array();
  auto most = body.value("limit", std::size_t{100});
  for (auto i = static_cast<std::size_t>(confirmed_);
       i < updates_.size() && out.size() < most; ++i) {
    out.push_back(updates_[i]);
    told_[i] += 1;
  }
  return result_of(std::move(out));
}

loopback_reply fake_telegram::send_message(const json& body) {
  message m;
  const auto& chat = body["chat_id"];
  m.chat = chat.is_string() ? std::stoll(chat.get<std::string>())
                            : chat.get<std::int64_t>();
  m.id = ++last_message_;
  m.text = body.value("text", "");
  if (body.contains("reply_markup"))
    m.buttons = body["reply_markup"]["inline_keyboard"];
  if (body.contains("reply_parameters"))
    m.reply_to = body["reply_parameters"]["message_id"];
  messages_.push_back(m);
  return result_of({{"message_id", m.id}});
}

loopback_reply fake_telegram::answer_press(const json& body) {
  toasts_.push_back({body.value("callback_query_id", ""),
                     body.value("text", ""), body.value("show_alert", false)});
  return result_of(true);
}

} // namespace ao
