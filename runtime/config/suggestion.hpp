#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// How many insertions, deletions, replacements and swaps of neighbours lead
/// from `a` to `b` (optimal string alignment), in bytes.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The known word nearest to `word` but not `word` itself, the first among
/// equals; empty when none is within distance 2, or when nothing of `word`
/// would be left.
std::string suggest(std::string_view word,
                    const std::vector<std::string>& known);

} // namespace ao
