#pragma once

#include "messages/settings.hpp"
#include "runtime/notify/outcome.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A bot of Telegram, spoken to without a gateway.
namespace ao::notify {

/// Longest text of one message, in UTF-16 units as Telegram counts.
constexpr std::size_t longest_telegram = 4'096;

/// `text` in parts of at most `most` UTF-16 units, cut at line breaks where
/// there are some. What is blank is no part, and blanks at the end are cut:
/// Telegram takes no message of them.
std::vector<std::string> split_text(std::string_view text,
                                    std::size_t most = longest_telegram);

/// A request to the bot that carries this JSON.
http_call bot_call(const notifier_settings& to, const std::string& method,
                   std::string body);

/// The request that sends part `part` (0, 1, …) of `parts`; the last one has
/// the buttons.
http_call telegram_call(const notifier_settings& to, const notification& n,
                        const std::vector<std::string>& parts,
                        std::size_t part);

/// What the answer to one part means: `ok` with a message id is the proof of
/// delivery, a chat that is not there is an unusable channel, all others see
/// `read_failure`, with Telegram's `retry_after`.
send_outcome read_telegram(const notification& n, const http_reply& reply,
                           wall_time now);

/// Sends the parts that have not arrived yet, by `perform`.
send_outcome
send_telegram(const notifier_settings& to, const notification& n, wall_time now,
              const std::function<http_reply(const http_call&)>& perform);

} // namespace ao::notify
