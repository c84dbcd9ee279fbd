#include "messages/supervision.hpp"

namespace ao {

std::string_view to_string(restart_strategy x) {
  switch (x) {
  case restart_strategy::one_for_one:
    return "one_for_one";
  case restart_strategy::one_for_all:
    return "one_for_all";
  case restart_strategy::rest_for_one:
    return "rest_for_one";
  case restart_strategy::dynamic:
    return "dynamic";
  }
  return "unknown";
}

std::string_view to_string(restart_kind x) {
  switch (x) {
  case restart_kind::permanent:
    return "permanent";
  case restart_kind::transient:
    return "transient";
  case restart_kind::temporary:
    return "temporary";
  }
  return "unknown";
}

std::string_view to_string(child_phase x) {
  switch (x) {
  case child_phase::stopped:
    return "stopped";
  case child_phase::waiting:
    return "waiting";
  case child_phase::starting:
    return "starting";
  case child_phase::running:
    return "running";
  case child_phase::stopping:
    return "stopping";
  case child_phase::killing:
    return "killing";
  }
  return "unknown";
}

} // namespace ao
