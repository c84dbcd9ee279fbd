#pragma once

#include "messages/incident.hpp"
#include "messages/settings.hpp"
#include "runtime/notify/http_call.hpp"

#include <string>

namespace ao {

/// A question as an INCIDENT writes it.
inline notification question_row(const std::string& channel = "phone") {
  notification n;
  n.channel = channel;
  n.subject = "inc-7";
  n.number = 2;
  n.id = channel + "/inc-7/2";
  n.priority = priority::action;
  n.project.text = "app";
  n.session.text = "app-1";
  n.kind = "incident_asked";
  n.text = "[AO ACTION] app-1 incident_asked\nCase inc-7\nHow to go on?\n"
           "Options: retry | abandon\nCode: ABCDEFGH\n"
           "Answer: ao incident answer inc-7 <option|text> --code ABCDEFGH\n";
  n.options = {"retry", "abandon"};
  n.key = "ao-inc-7-2-0badcafe";
  return n;
}

inline notify::http_reply reply_of(int status, std::string body = {}) {
  notify::http_reply out;
  out.status = status;
  out.body = std::move(body);
  return out;
}

} // namespace ao
