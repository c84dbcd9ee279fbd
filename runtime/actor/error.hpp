#pragma once

#include "messages/error.hpp"

#include <caf/error.hpp>
#include <caf/fwd.hpp>
#include <caf/make_message.hpp>

#include <exception>
#include <string>

CAF_ERROR_CODE_ENUM(ao::ec, "ao")

namespace ao {

/// The error of one actor to another: a code and one line of context.
caf::error make_error(ec code, std::string context);

/// The same with the context and details of an error from below floor 2.
caf::error make_error(const error& e);

/// The way back, for the API, the rows and the log. Ours keep their context
/// and details; CAF's own become
///
///   request_timeout, connection_timeout       timed_out
///   receiver down, remote link or route lost   not_reachable
///   user_shutdown                              shutting_down
///   anything else                              internal, as CAF words it
///
/// `none` becomes `ec::none`.
error to_ao_error(const caf::error& e);

/// Teaches CAF to render our errors; once per configuration.
void register_errors(caf::actor_system_config& config);

/// `internal: <what>`, for an exception caught by an actor.
error describe(const std::exception_ptr& thrown);

} // namespace ao
