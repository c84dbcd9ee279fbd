#pragma once

#include <string_view>

namespace ao {

/// The order in which people count: `T2` before `T10`, `app-9` before
/// `app-10`. Runs of digits compare as numbers, all else as bytes; strings of
/// a common prefix that does not end in a digit are neighbours.
struct natural_less {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};

} // namespace ao
