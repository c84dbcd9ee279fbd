#pragma once

#include <caf/config.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/typed_actor.hpp>

#include <utility>

/// The two macros of the interface pages. This header and the pages in
/// messages/interfaces/ are the only ones of floor 0 that know CAF; the values
/// beside them stay CAF-free.

/// Declares the interface of one role:
///
///   /// The CI WATCHER: follows the checks of one change until they settle.
///   AO_ROLE(ci_watcher_actor,
///     // Answers once, when the checks have passed or failed.
///     caf::replies_to<await_atom>::with<ci_verdict>,
///     // INTERNAL: asks the FORGE again.
///     caf::reacts_to<poll_atom>);
///
/// A named struct and not an alias, so that roles can refer to each other and
/// compiler errors stay readable. Behaviours use `x_actor::behavior_type`,
/// `x_actor::stateful_pointer<x_state>` and `x_actor::pointer` as usual.
#define AO_ROLE(role, ...)                                                     \
  struct role : ::caf::typed_actor<__VA_ARGS__> {                              \
    using super = ::caf::typed_actor<__VA_ARGS__>;                             \
    using super::super;                                                        \
    role() = default;                                                          \
    role(super handle) : super(std::move(handle)) {}                           \
  }

/// Makes a message struct visible to CAF, field by field:
/// `AO_INSPECT(start_child, AO_FIELD(id))`, in the namespace of the struct.
#if CAF_VERSION >= 1800
#  define AO_FIELD(field_name) f.field(#  field_name, x.field_name)
#  define AO_INSPECT(type, ...)                                                \
    template <class Inspector>                                                 \
    bool inspect(Inspector& f, type& x) {                                      \
      return f.object(x).fields(__VA_ARGS__);                                  \
    }
#else
#  define AO_FIELD(field_name) x.field_name
#  define AO_INSPECT(type, ...)                                                \
    template <class Inspector>                                                 \
    typename Inspector::result_type inspect(Inspector& f, type& x) {           \
      return f(::caf::meta::type_name(#type), __VA_ARGS__);                    \
    }
#endif
