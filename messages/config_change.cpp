#include "messages/config_change.hpp"

namespace ao {

std::string_view to_string(takes_effect x) {
  switch (x) {
  case takes_effect::now:
    return "now";
  case takes_effect::next_session:
    return "next_session";
  case takes_effect::restart:
    return "restart";
  }
  return "now";
}

} // namespace ao
