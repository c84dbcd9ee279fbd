#pragma once

#include "messages/settings.hpp"
#include "runtime/notify/http_call.hpp"
#include "runtime/rules/chat_answers.hpp"
#include "runtime/rules/chat_polls.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The way back from a bot of Telegram: what is said in its chats.
namespace ao::notify {

/// How long Telegram waits for something to tell.
constexpr std::chrono::seconds longest_poll{50};

/// Asks for updates, and waits for some.
/// @param after Those up to this one need not be told again.
/// @param most How many at once.
http_call updates_call(const notifier_settings& to,
                       std::optional<std::int64_t> after, std::uint32_t most);

/// What the answer says. An update that cannot be read is `other`; one without
/// a number is left out.
std::variant<std::vector<chat_update>, poll_failure>
read_updates(const notifier_settings& to, const http_reply& reply,
             wall_time now);

/// Tells whoever has pressed a button, or written, what came of it.
/// @param alarm It is not what they wanted.
http_call telling_call(const notifier_settings& to, const chat_update& about,
                       const std::string& text, bool alarm);

} // namespace ao::notify
