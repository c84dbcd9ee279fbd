#include "runtime/notify/telegram.hpp"

#include "messages/json.hpp"
#include "runtime/rules/send_form.hpp"

#include <algorithm>

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

/// `<case> <number> <option> <code>`: what a pressed button says.
std::string pressed(const notification& n, std::size_t option) {
  return n.subject + " " + std::to_string(n.number) + " "
    + std::to_string(option) + " " + code_in(n.text);
}

json buttons_of(const notification& n) {
  auto rows = json::array();
  for (std::size_t i = 0; i < n.options.size(); ++i) {
    auto data = pressed(n, i);
    if (data.size() <= longest_callback)
      rows.push_back({{{"text", n.options[i]}, {"callback_data", data}}});
  }
  return rows;
}

} // namespace

std::vector<std::string> split_text(std::string_view text, std::size_t most) {
  std::vector<std::string> out;
  while (!text.empty()) {
    auto n = bytes_that_fit(text, most);
    out.emplace_back(text.substr(0, n));
    text.remove_prefix(n);
  }
  return out;
}

std::string code_in(std::string_view text) {
  constexpr std::string_view front = "\nCode: ";
  // The last one: a question may quote anything.
  auto at = text.rfind(front);
  if (at == text.npos)
    return {};
  auto rest = text.substr(at + front.size());
  return std::string{rest.substr(0, rest.find('\n'))};
}

http_call telegram_call(const notifier_settings& to, const notification& n,
                        const std::vector<std::string>& parts,
                        std::size_t part) {
  json body{{"chat_id", to.to.value_or("")},
            {"text", parts[part]},
            {"link_preview_options", {{"is_disabled", true}}}};
  if (part + 1 == parts.size())
    if (auto rows = buttons_of(n); !rows.empty())
      body["reply_markup"] = {{"inline_keyboard", std::move(rows)}};
  http_call out;
  out.url = to.api_root + "/bot" + to.token + "/sendMessage";
  out.headers = {{"Content-Type", "application/json"}};
  out.body = dump(body);
  out.timeout = to.timeout;
  return out;
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
  auto out = read_failure(n, reply, reason_in(reply), now);
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
