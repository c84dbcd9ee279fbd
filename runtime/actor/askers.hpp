#pragma once

#include "runtime/actor/error.hpp"

#include <caf/typed_response_promise.hpp>

#include <utility>
#include <vector>

namespace ao {

/// All who wait for one answer: what is asked again while it waits is done
/// once.
template <class T>
class askers {
public:
  void add(caf::typed_response_promise<T> one) {
    all_.push_back(std::move(one));
  }

  void deliver(const result<T>& answer) {
    for (auto& one : all_)
      if (answer)
        one.deliver(*answer);
      else
        one.deliver(make_error(answer.error()));
  }

private:
  std::vector<caf::typed_response_promise<T>> all_;
};

} // namespace ao
