#pragma once

#include "messages/interfaces/tasks.hpp"
#include "messages/role.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>

#include <memory>

namespace ao {

/// A request of the HTTP server with the right to answer it, see
/// actors/api.hpp; stays within the process.
struct http_exchange;

/// Hands a request over. Dropping it unanswered answers 500.
struct http_call {
  std::shared_ptr<http_exchange> exchange;
};

/// The API: turns requests of people, programs and agents into messages, and
/// their answers back into documents.
AO_ROLE(api_actor,
        // From the HTTP server.
        caf::reacts_to<http_call>);

/// The EVENT STREAMER: writes one stream of Server-Sent Events until its
/// reader leaves.
AO_ROLE(event_streamer_actor,
        // INTERNAL: there are new events, or the reader has left.
        caf::reacts_to<look_atom>);

/// The CONFIG: reads the configuration again and has it count; keeps the last
/// good one when the new one is wrong.
AO_ROLE(config_actor,
        // Answers what has changed. Errors: bad_input, with every line of it;
        // nothing has changed then.
        caf::replies_to<msg::reload_config>::with<msg::config_reloaded>);

} // namespace ao

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ao::http_call)
