#pragma once

#include <variant>

namespace ao {

/// The first of the effects of a machine's step that is a `T`; null if none.
template <class T, class Effects>
const T* effect_in(const Effects& effects) {
  for (const auto& e : effects)
    if (auto x = std::get_if<T>(&e))
      return x;
  return nullptr;
}

} // namespace ao
