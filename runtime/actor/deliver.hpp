#pragma once

#include "messages/error.hpp"
#include "runtime/actor/error.hpp"

#include <caf/typed_response_promise.hpp>

#include <utility>

namespace ao {

/// Keeps the promise by what a result becomes through `make`, or by its error.
template <class Promised, class Make>
auto delivering(caf::typed_response_promise<Promised> promise, Make make) {
  return [promise, make](const auto& got) mutable {
    if (got)
      promise.deliver(make(*got));
    else
      promise.deliver(make_error(got.error()));
  };
}

/// Keeps the promise by a result.
template <class Promised>
auto delivering(caf::typed_response_promise<Promised> promise) {
  return delivering(std::move(promise), [](const Promised& x) { return x; });
}

} // namespace ao
