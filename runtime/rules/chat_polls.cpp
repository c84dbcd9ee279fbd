#include "runtime/rules/chat_polls.hpp"

#include "runtime/rules/outbox.hpp"

#include <algorithm>
#include <tuple>

namespace ao {

std::vector<chat_bot>
chat_bots(const std::map<std::string, notifier_settings>& notifiers) {
  std::vector<chat_bot> out;
  std::map<std::tuple<std::string, std::string>, std::size_t> known;
  for (const auto& [id, n] : notifiers) {
    if (n.plugin != "telegram" || !n.answers || n.token.empty())
      continue;
    auto place = chat_place_from(n.to.value_or(""));
    if (!place)
      continue;
    auto [at, fresh] = known.try_emplace({n.api_root, n.token}, out.size());
    if (fresh)
      out.push_back({id, {}});
    out[at->second].ears.push_back({id, *place});
  }
  return out;
}

std::string bot_number(const std::string& token) {
  auto end = token.find(':');
  auto digits = token.substr(0, end);
  return end == token.npos
      || digits.find_first_not_of("0123456789") != digits.npos
    ? std::string{}
    : digits;
}

poll_rest rest_after(const poll_failure& failure, std::uint32_t attempt,
                     double dice) {
  switch (failure.status) {
  case 401:
  case 403:
  case 404:
  case 409:
    return {long_rest, true};
  default:
    break;
  }
  auto asked = failure.retry_after.value_or(milliseconds{0});
  return {std::max(retry_pause({}, attempt, dice),
                   std::min<milliseconds>(asked, longest_rest)),
          false};
}

bool was_heard(const chat_update& u, std::uint64_t last) {
  auto id = static_cast<std::uint64_t>(std::max<std::int64_t>(u.id, 0));
  return id <= last && last - id < most_updates;
}

} // namespace ao
