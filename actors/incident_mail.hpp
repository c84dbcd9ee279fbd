#pragma once

#include "actors/mail.hpp"
#include "messages/incident.hpp"
#include "runtime/config/load.hpp"
#include "runtime/log/redactor.hpp"

#include <string>
#include <utility>

namespace ao {

/// The id of what incident `i` asks for under `key`; the same after a crash.
inline request_id incident_request(const incident& i, const std::string& key) {
  return request_id{"incident/" + i.id.text + "/" + key};
}

/// Sends `text`, without what no agent may read, to a session's agent. One
/// message per `key`; of several that wait the newest counts. Exactly one of
/// the two is called, as by `send_mail`.
template <class Self, class OnSent, class OnError>
void send_incident_mail(Self* self, const hub_context& context,
                        const incident& i, const session_id& to,
                        const std::string& key, const std::string& text,
                        OnSent on_sent, OnError on_error) {
  redactor secrets{secrets_in(*context.config, process_environment())};
  msg::send_message order;
  order.request = incident_request(i, key);
  order.session = to;
  order.text = secrets.redact(text);
  order.topic = "incident:" + i.id.text;
  order.sender = "incident/" + i.id.text;
  send_mail(self, context, registry_deadline, std::move(order),
            std::move(on_sent), std::move(on_error));
}

} // namespace ao
