#pragma once

#include <string>
#include <string_view>

namespace ao::notify {

/// `text` with `&`, `<` and `>` as the entities that stand for them, where
/// the other side reads markup.
std::string with_entities(std::string_view text);

} // namespace ao::notify
