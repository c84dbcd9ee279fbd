#pragma once

#include "messages/role.hpp"

/// The whole difference between CAF 0.17 and 0.18 that we have met, beside
/// AO_FIELD, AO_INSPECT and AO_ROLE in messages/role.hpp.
#if CAF_VERSION >= 1800
/// Once per process, before the actor system.
#  define AO_INIT()                                                            \
    do {                                                                       \
      caf::init_global_meta_objects<caf::id_block::ao>();                      \
      caf::io::middleman::init_global_meta_objects();                          \
      caf::core::init_global_meta_objects();                                   \
    } while (false)
/// Once per configuration; without it messages fail on the wire.
#  define AO_TYPES(cfg) (void)0
/// Key of one of CAF's own settings.
#  define AO_KEY(key) "caf." key
/// Value of `scheduler.policy`.
#  define AO_SCHED(policy) std::string(policy)
#else
#  define AO_INIT() (void)0
#  define AO_TYPES(cfg) (cfg).add_message_types<caf::id_block::ao>()
#  define AO_KEY(key) key
#  define AO_SCHED(policy) caf::atom_from_string(policy)
#endif
