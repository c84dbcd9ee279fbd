#pragma once

#include "messages/role.hpp"
#include "messages/wire.hpp"

#include <caf/atom.hpp>
#include <caf/type_id.hpp>

namespace ao::msg {

AO_INSPECT(wire_call, AO_FIELD(verb), AO_FIELD(node), AO_FIELD(incarnation),
           AO_FIELD(body), AO_FIELD(bytes))
AO_INSPECT(wire_reply, AO_FIELD(body), AO_FIELD(bytes))

} // namespace ao::msg

/// What crosses the wire between hosts. Append only.
CAF_BEGIN_TYPE_ID_BLOCK(ao, caf::first_custom_type_id)
CAF_ADD_TYPE_ID(ao, (ao::msg::wire_call))
CAF_ADD_TYPE_ID(ao, (ao::msg::wire_reply))
CAF_END_TYPE_ID_BLOCK(ao)
