#include "runtime/notify/outcome.hpp"

#include "messages/json.hpp"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace ao::notify {
namespace {

using kind = send_outcome::kind;

kind kind_of(int status) {
  switch (status) {
  case 0:
  case 408:
  case 425:
    return kind::passing;
  case 429:
    return kind::throttled;
  case 401:
  case 403:
  case 404:
  case 405:
  case 407:
  case 410:
    return kind::unusable;
  default:
    if (status >= 500)
      return kind::passing;
    return status < 400 ? kind::unusable : kind::refused;
  }
}

} // namespace

send_outcome make_outcome(const notification& n, kind what, std::string error) {
  send_outcome out;
  out.what = what;
  out.error = std::move(error);
  out.form = n.form;
  return out;
}

std::optional<milliseconds> retry_after_of(const http_reply& reply,
                                           wall_time now) {
  auto at = reply.headers.find("retry-after");
  if (at == reply.headers.end())
    return std::nullopt;
  const auto& text = at->second;
  std::int64_t seconds = 0;
  auto [end, bad]
    = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr std::int64_t most = 366 * 24 * 60 * 60;
  if (bad == std::errc{} && end == text.data() + text.size())
    return std::chrono::seconds{std::clamp<std::int64_t>(seconds, 0, most)};
  // The one form that servers may send (RFC 9110). Not by libcurl, which `ao`
  // must not load.
  std::tm date{};
  const auto* rest = ::strptime(text.c_str(), "%a, %d %b %Y %T GMT", &date);
  if (!rest || *rest != '\0')
    return std::nullopt;
  auto left = std::chrono::seconds{::timegm(&date)}
    - std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  return std::max<milliseconds>(left, milliseconds{0});
}

send_outcome read_failure(const notification& n, const http_reply& reply,
                          std::string_view said, wall_time now) {
  auto error = reply.status == 0 ? reply.failure
                                 : "HTTP " + std::to_string(reply.status)
      + (said.empty() ? std::string{} : ": " + one_line(said));
  auto out = make_outcome(n, kind_of(reply.status), std::move(error));
  out.retry_after = retry_after_of(reply, now);
  auto s = reply.status;
  out.absent = s == 0 || s == 408 || (s >= 502 && s <= 504);
  return out;
}

std::string one_line(std::string_view text, std::size_t most) {
  std::string out;
  for (auto c : text.substr(0, most)) {
    auto blank = static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
    if (!blank)
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  // A character that was cut in two goes.
  if (text.size() > most) {
    while (!out.empty()
           && (static_cast<unsigned char>(out.back()) & 0xc0) == 0x80)
      out.pop_back();
    if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xc0)
      out.pop_back();
  }
  while (!out.empty() && out.back() == ' ')
    out.pop_back();
  return out;
}

std::string reason_in(const http_reply& reply) {
  auto body = json::parse(reply.body, nullptr, false);
  if (body.is_object())
    for (const auto* name : {"error", "description", "message"})
      if (auto at = body.find(name); at != body.end() && at->is_string())
        return one_line(at->get_ref<const std::string&>());
  return one_line(reply.body);
}

} // namespace ao::notify
