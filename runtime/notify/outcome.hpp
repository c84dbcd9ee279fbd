#pragma once

#include "messages/incident.hpp"
#include "runtime/notify/http_call.hpp"
#include "runtime/rules/outbox.hpp"

#include <optional>
#include <string>
#include <string_view>

/// What the channels share: how an answer of HTTP is read.
namespace ao::notify {

/// An outcome that leaves the notification's form as it is.
send_outcome make_outcome(const notification& n, send_outcome::kind what,
                          std::string error = {});

/// `Retry-After`: seconds or a date.
/// @param now For a date.
std::optional<milliseconds> retry_after_of(const http_reply& reply,
                                           wall_time now);

/// What a status other than 2xx means where the channel knows nothing better:
///
///   no answer, 408, 425, 5xx   passing
///   429                        throttled
///   3xx, 401, 403, 404, 405,
///   407, 410                   unusable: nothing gets through like this
///   any other                  refused
///
/// `said` is what the other side gave as reason.
send_outcome read_failure(const notification& n, const http_reply& reply,
                          std::string_view said, wall_time now);

/// `text` as one line of at most `most` bytes, cut at a character.
std::string one_line(std::string_view text, std::size_t most = 300);

/// The reason in an answer: `error`, `description` or `message` of a JSON
/// object, else the text.
std::string reason_in(const http_reply& reply);

} // namespace ao::notify
