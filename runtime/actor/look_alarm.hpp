#pragma once

#include "messages/interfaces/atoms.hpp"
#include "messages/time.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace ao {

/// The look that an actor has before it: one for all that want it, however many
/// do and however often. An actor that armed a timer of its own for each wish
/// would look more and more often the more there is to do.
///
///   by --> (one is due before: nothing) --> `look_atom` when it is due
///   came <-- each `look_atom`, whoever has sent it
class look_alarm {
public:
  /// Has `self` look at `at`, unless it does before.
  template <class Self>
  void by(Self* self, mono_time at) {
    if (due_ && *due_ <= at)
      return;
    due_ = at;
    auto left = at - self->clock().now();
    if (left <= left.zero())
      self->send(self, look_atom::value);
    else
      self->delayed_send(self, left, look_atom::value);
  }

  template <class Self, class Rep, class Period>
  void after(Self* self, std::chrono::duration<Rep, Period> delay) {
    by(self, self->clock().now() + delay);
  }

  /// A look has come. True if it is the one that was due; false for one that
  /// somebody else has sent, and for a timer in whose place an earlier one was
  /// armed.
  bool came(mono_time now) {
    if (!due_ || now < *due_)
      return false;
    due_.reset();
    return true;
  }

private:
  std::optional<mono_time> due_;
};

} // namespace ao
