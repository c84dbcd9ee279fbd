#include "runtime/notify/telegram.hpp"

#include "messages/json.hpp"
#include "runtime/rules/chat_answers.hpp"
#include "runtime/rules/incident_texts.hpp"
#include "runtime/rules/send_form.hpp"

#include <algorithm>
#include <utility>

namespace ao::notify {
namespace {

using kind = send_outcome::kind;

/// Longest `callback_data`, in bytes.
constexpr std::size_t longest_callback = 64;

/// UTF-16 units and bytes of the character that begins with `first`.
std::pair<std::size_t, std::size_t> size_of_character(char first) {
  auto c = static_cast<unsigned char>(first);
  if (c < 0x80)
    return {1, 1};
  if (c < 0xe0)
    return {1, 2};
  return c < 0xf0 ? std::pair<std::size_t, std::size_t>{1, 3}
                  : std::pair<std::size_t, std::size_t>{2, 4};
}

/// How many bytes of `text` fit, at least one character.
std::size_t bytes_that_fit(std::string_view text, std::size_t most) {
  std::size_t units = 0;
  std::size_t at = 0;
  std::size_t line = 0;
  while (at < text.size()) {
    auto [wide, bytes] = size_of_character(text[at]);
    if (units + wide > most && at > 0)
      return line > 0 ? line : at;
    units += wide;
    at = std::min(at + bytes, text.size());
    if (text[at - 1] == '\n')
      line = at;
  }
  return at;
}

/// The most buttons, and the longest label in characters.
constexpr std::size_t most_buttons = 90;
constexpr std::size_t longest_label = 64;

/// `<case> <number> <option> <code>`: what a pressed button says.
std::string pressed(const notification& n, std::size_t option,
                    const std::string& code) {
  return n.subject + " " + std::to_string(n.number) + " "
    + std::to_string(option) + " " + code;
}

/// None where there is nothing to answer, or no way to say it.
json buttons_of(const notification& n) {
  auto rows = json::array();
  auto code = code_in(n.text);
  for (std::size_t i = 0; i < n.options.size(); ++i) {
    auto label = split_text(one_line(n.options[i]), longest_label);
    auto data = pressed(n, i, code);
    if (!code.empty() && !label.empty() && data.size() <= longest_callback
        && rows.size() < most_buttons)
      rows.push_back({{{"text", label.front()}, {"callback_data", data}}});
  }
  return rows;
}

/// What Telegram calls a bad request, but no other text would be taken there.
bool is_about_chat(std::string_view said) {
  for (auto words :
       {"chat not found", "thread not found", "TOPIC_CLOSED",
        "upgraded to a supergroup", "not enough rights", "have no rights"})
    if (said.find(words) != said.npos)
      return true;
  return false;
}

} // namespace

std::vector<std::string> split_text(std::string_view text, std::size_t most) {
  std::vector<std::string> out;
  constexpr std::string_view blanks = " \t\r\n";
  text = text.substr(0, text.find_last_not_of(blanks) + 1);
  while (!text.empty()) {
    auto n = bytes_that_fit(text, most);
    if (text.substr(0, n).find_first_not_of(blanks) != text.npos)
      out.emplace_back(text.substr(0, n));
    text.remove_prefix(n);
  }
  return out;
}

http_call bot_call(const notifier_settings& to, const std::string& method,
                   std::string body) {
  http_call out;
  out.url = to.api_root + "/bot" + to.token + "/" + method;
  out.headers = {{"Content-Type", "application/json"}};
  out.body = std::move(body);
  out.timeout = to.timeout;
  return out;
}

http_call telegram_call(const notifier_settings& to, const notification& n,
                        const std::vector<std::string>& parts,
                        std::size_t part) {
  auto chat = to.to.value_or("");
  auto place = chat_place_from(chat);
  json body{{"chat_id", place ? std::to_string(place->chat) : chat},
            {"text", parts[part]},
            {"link_preview_options", {{"is_disabled", true}}}};
  // The first topic is the chat itself.
  if (place && place->topic > 1)
    body["message_thread_id"] = place->topic;
  if (part + 1 == parts.size())
    if (auto rows = buttons_of(n); !rows.empty())
      body["reply_markup"] = {{"inline_keyboard", std::move(rows)}};
  return bot_call(to, "sendMessage", dump(body));
}

send_outcome read_telegram(const notification& n, const http_reply& reply,
                           wall_time now) {
  auto body = json::parse(reply.body, nullptr, false);
  if (reply.status == 200 && body.is_object()
      && body.value("ok", json{}) == true) {
    auto result = body.value("result", json::object());
    auto id = result.is_object() ? result.value("message_id", json{}) : json{};
    auto proven = id.is_number_integer();
    auto out = make_outcome(n, proven ? kind::delivered : kind::accepted);
    if (proven)
      out.remote = std::to_string(id.get<std::int64_t>());
    return out;
  }
  if (reply.status >= 200 && reply.status < 300)
    return make_outcome(n, kind::passing,
                        "the answer is not Telegram's: " + reason_in(reply));
  auto said = reason_in(reply);
  auto out = read_failure(n, reply, said, now);
  if (reply.status == 400 && is_about_chat(said))
    out.what = kind::unusable;
  if (body.is_object())
    if (auto more = body.value("parameters", json{}); more.is_object())
      if (auto wait = more.value("retry_after", json{});
          wait.is_number_unsigned())
        out.retry_after = std::chrono::seconds{std::min<std::uint64_t>(
          wait.get<std::uint64_t>(), 366 * 24 * 60 * 60)};
  return out;
}

send_outcome
send_telegram(const notifier_settings& to, const notification& n, wall_time now,
              const std::function<http_reply(const http_call&)>& perform) {
  auto parts = split_text(n.text);
  if (parts.empty())
    return make_outcome(n, kind::refused, "the text is empty");
  auto form = n.form;
  auto out = make_outcome(n, kind::delivered);
  for (std::size_t i = count_in(form, form::parts); i < parts.size(); ++i) {
    out = read_telegram(n, perform(telegram_call(to, n, parts, i)), now);
    if (out.what != kind::delivered && out.what != kind::accepted)
      break;
    // A part that has arrived is not sent again.
    if (parts.size() > 1)
      form = with_count(form, form::parts, static_cast<std::uint32_t>(i + 1));
  }
  out.form = form;
  return out;
}

} // namespace ao::notify
