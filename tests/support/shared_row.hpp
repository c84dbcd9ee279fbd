#pragma once

#include "messages/store.hpp"

#include <memory>

namespace ao {

/// A row as readers hold it.
template <class T>
row_ptr<T> shared(const T& row) {
  return std::make_shared<const T>(row);
}

} // namespace ao
