#include "runtime/notify/telegram_updates.hpp"

#include "messages/json.hpp"
#include "runtime/log/redactor.hpp"
#include "runtime/notify/telegram.hpp"

#include <algorithm>

namespace ao::notify {
namespace {

/// Fifty messages of the greatest length, each with the one that it replies
/// to, in JSON at its widest.
constexpr std::size_t longest_updates = 8u << 20;

/// What a pressed button can show, in characters; ours are one byte or more.
constexpr std::size_t longest_toast = 200;

const json& member(const json& of, const char* name) {
  static const json none;
  auto at = of.is_object() ? of.find(name) : of.end();
  return of.is_object() && at != of.end() ? *at : none;
}

std::int64_t number_at(const json& of, const char* name) {
  const auto& x = member(of, name);
  // A number beyond 63 bits is none of Telegram's.
  if (x.is_number_unsigned())
    return x.get<std::uint64_t>() <= INT64_MAX ? x.get<std::int64_t>() : 0;
  return x.is_number_integer() ? x.get<std::int64_t>() : 0;
}

std::string text_at(const json& of, const char* name) {
  const auto& x = member(of, name);
  return x.is_string() ? x.get<std::string>() : std::string{};
}

chat_place place_of(const json& message) {
  return {number_at(member(message, "chat"), "id"),
          number_at(message, "message_thread_id")};
}

chat_update read_update(const json& from, const std::string& bot) {
  chat_update out;
  out.id = number_at(from, "update_id");
  if (const auto& press = member(from, "callback_query"); press.is_object()) {
    const auto& message = member(press, "message");
    out.what = chat_update::kind::press;
    out.where = place_of(message);
    out.message = number_at(message, "message_id");
    out.query = text_at(press, "id");
    out.text = text_at(press, "data");
    return out;
  }
  const auto& message = member(from, "message");
  // What a machine says is no answer of a person.
  if (!message.is_object() || member(member(message, "from"), "is_bot") == true)
    return out;
  out.what = chat_update::kind::message;
  out.where = place_of(message);
  out.message = number_at(message, "message_id");
  out.text = text_at(message, "text");
  const auto& replied = member(message, "reply_to_message");
  out.reply_to = number_at(replied, "message_id");
  auto author = number_at(member(replied, "from"), "id");
  out.reply_to_us = author != 0 && std::to_string(author) == bot;
  if (out.reply_to_us)
    out.replied_text = text_at(replied, "text");
  return out;
}

} // namespace

http_call updates_call(const notifier_settings& to,
                       std::optional<std::int64_t> after, std::uint32_t most) {
  json body{{"timeout", longest_poll.count()},
            {"limit", most},
            {"allowed_updates", {"message", "callback_query"}}};
  if (after)
    body["offset"] = *after + 1;
  auto out = bot_call(to, "getUpdates", dump(body));
  out.timeout = longest_poll + to.timeout;
  out.longest = longest_updates;
  return out;
}

std::variant<std::vector<chat_update>, poll_failure>
read_updates(const notifier_settings& to, const http_reply& reply,
             wall_time now) {
  auto body = parse_json(reply.body, "answer");
  if (reply.status == 200 && body && member(*body, "ok") == true
      && member(*body, "result").is_array()) {
    std::vector<chat_update> out;
    for (const auto& one : member(*body, "result"))
      if (auto u = read_update(one, bot_number(to.token)); u.id > 0)
        out.push_back(std::move(u));
    std::sort(out.begin(), out.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    return out;
  }
  // Its words are those of a message that failed.
  auto seen = read_telegram({}, reply, now);
  poll_failure out;
  out.status = reply.status;
  out.why = redactor{{to.token}}.redact(seen.error);
  out.retry_after = seen.retry_after;
  if (reply.status == 200)
    out.why = "the answer is not Telegram's";
  return out;
}

http_call telling_call(const notifier_settings& to, const chat_update& about,
                       const std::string& text, bool alarm) {
  if (about.what == chat_update::kind::press)
    return bot_call(to, "answerCallbackQuery",
                    dump(json{{"callback_query_id", about.query},
                              {"text", one_line(text, longest_toast)},
                              {"show_alert", alarm}}));
  json body{
    {"chat_id", about.where.chat},
    {"text", one_line(text, longest_telegram / 4)},
    {"reply_parameters",
     {{"message_id", about.message}, {"allow_sending_without_reply", true}}}};
  if (about.where.topic > 1)
    body["message_thread_id"] = about.where.topic;
  return bot_call(to, "sendMessage", dump(body));
}

} // namespace ao::notify
