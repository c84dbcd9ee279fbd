#pragma once

#include "actors/hub_context.hpp"
#include "messages/interfaces/api.hpp"
#include "runtime/config/load.hpp"

#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ao {

/// What the CONFIG needs of the process that it runs in.
struct config_source {
  /// Reads the file that the hub was started with, or derives again. Blocks.
  std::function<result<config_outcome>()> read;

  /// Told what counts from now on.
  std::function<void(const settings&)> applied;

  /// The values that count; the process keeps them over restarts of the CONFIG.
  std::shared_ptr<std::vector<config_value>> shown
    = std::make_shared<std::vector<config_value>>();
};

/// State of the CONFIG.
struct config_keeper_state {
  static inline const char* name = "config";
  hub_context context;
  config_source source;

  /// One wish to reload.
  struct wish {
    msg::reload_config order;
    caf::typed_response_promise<msg::config_reloaded> promise;
  };
  /// The first one is under way.
  std::deque<wish> wishes;

  /// Supervisors that have not yet answered.
  std::size_t asked = 0;
};

/// Has a configuration that was read again count, or keeps the last good one.
///
///   reload --> read --wrong--> `config_refused`, answer why
///                   --good---> end the OUTBOX and CHAT of changed notifiers
///     --> replace the settings --> start these --> wake the DISPATCHER
///     --> `config_reloaded`, answer what has changed
///
/// One at a time, in their order. Keys that take effect at a restart stay as
/// they are. Everything else reads the settings when it needs them.
///
/// @param self The actor handle.
/// @param context The hub.
/// @param source The process.
config_actor::behavior_type
config_keeper(config_actor::stateful_pointer<config_keeper_state> self,
              hub_context context, config_source source);

} // namespace ao
