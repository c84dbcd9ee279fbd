#pragma once

#include "actors/hub_context.hpp"
#include "runtime/log/redactor.hpp"

namespace ao {

/// Takes out of a text what nobody outside may read: every secret of the
/// configuration that counts now, and the hub's own.
redactor secrets_of(const hub_context& context);

} // namespace ao
