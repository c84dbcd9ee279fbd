#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// Foreign text between two lines of backticks, one more than the longest run
/// of them within it, so that the text cannot end its own fence. Ends with a
/// newline.
std::string fenced(const std::vector<std::string>& lines);

/// The same for a text of several lines, without its control characters but
/// tabs and without empty lines at its end.
std::string fenced(std::string_view text);

} // namespace ao
