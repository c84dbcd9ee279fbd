#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/sessions.hpp"
#include "messages/interfaces/supervision.hpp"

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
  auto go = [self, context, name, deadline, order = std::move(order),
             on_message, on_error](const child_info&) {
    ask<mailbox_actor>(self, context, name, deadline, order)
      .then(on_message, on_error);
  };
  ask<supervisor_actor>(self, context, "mailboxes"_name, registry_deadline,
                        start_child{name.text})
    .then(std::move(go), on_error);
}

} // namespace ao
