#pragma once

#include "actors/hub_context.hpp"
#include "runtime/forge/local.hpp"

#include <stdexcept>
#include <string>

namespace ao {

/// The settings of a project that an actor was started for; throws, as a
/// failed start, when the configuration has none of that name.
inline const project_settings& settings_for(const hub_context& context,
                                            const project_id& id) {
  const auto* found = context.project(id);
  if (!found)
    throw std::runtime_error("the configuration has no project " + id.text);
  return *found;
}

/// Where the embedded forge of a project is.
inline std::string forge_dir(const hub_context& context, const project_id& id) {
  return context.place->forge() + "/" + id.text + ".git";
}

/// How long a run of the project's checks is waited for: three tries of
/// asking, each long enough for the run, a queue for a core and a checkout.
inline milliseconds ci_deadline(const project_settings* project) {
  constexpr std::chrono::minutes slack{30};
  auto timeout = project != nullptr && project->ci ? project->ci->timeout
                                                   : ci_settings{}.timeout;
  return 3 * (timeout + slack);
}

} // namespace ao
