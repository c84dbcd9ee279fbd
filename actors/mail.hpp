#pragma once

#include "actors/ask_child.hpp"
#include "actors/hub_context.hpp"
#include "messages/interfaces/sessions.hpp"

#include <utility>

namespace ao {

/// Sends a message to a session's agent: has the MAILBOX started when it is
/// not there, then asks it. Exactly one of the two is called: `on_message`
/// with the row once it is durable, or `on_error` (`session_closed`,
/// `wrong_state` = no agent, `prompt_too_long`, …). Repeating it under the
/// same request id sends nothing twice.
template <class Self, class Rep, class Period, class OnMessage, class OnError>
void send_mail(Self* self, const hub_context& context,
               std::chrono::duration<Rep, Period> deadline,
               msg::send_message order, OnMessage on_message,
               OnError on_error) {
  auto name = make_actor_name("mailbox", order.session.text);
  ask_child<mailbox_actor>(self, context, "mailboxes"_name, std::move(name),
                           deadline, std::move(order), std::move(on_message),
                           std::move(on_error));
}

} // namespace ao
