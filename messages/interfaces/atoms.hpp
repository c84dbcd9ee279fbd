#pragma once

#include <caf/atom.hpp>

namespace ao {

/// INTERNAL: look again at what is there.
using look_atom = caf::atom_constant<caf::atom("look")>;

/// "See now whether it works again": the disk, a login.
using probe_atom = caf::atom_constant<caf::atom("probe")>;

} // namespace ao
