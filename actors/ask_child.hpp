#pragma once

#include "messages/interfaces/supervision.hpp"
#include "runtime/actor/ask.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace ao {

namespace detail {

/// One request under way; lives in the handlers of the asking actor.
template <class Interface, class Self, class Msg, class OnValue, class OnError>
class asking_child : public std::enable_shared_from_this<
                       asking_child<Interface, Self, Msg, OnValue, OnError>> {
public:
  asking_child(Self* self, const actor_context& context, actor_name supervisor,
               actor_name child, caf::timespan deadline, Msg msg,
               OnValue on_value, OnError on_error)
      : self_(self),
        context_(context),
        supervisor_(std::move(supervisor)),
        child_(std::move(child)),
        round_(deadline / 3),
        until_(self->clock().now() + deadline),
        msg_(std::move(msg)),
        on_value_(std::move(on_value)),
        on_error_(std::move(on_error)) {}

  /// Has the child started, then asks it. A child that has ended in between is
  /// started once more.
  void attempt() {
    auto me = this->shared_from_this();
    ask<supervisor_actor>(self_, context_, supervisor_, left(),
                          start_child{child_.text})
      .then([me](const child_info&) { me->request(); },
            [me](const caf::error& why) { me->on_error_(why); });
  }

private:
  caf::timespan left() const {
    auto rest = std::chrono::duration_cast<caf::timespan>(
      until_ - self_->clock().now());
    return std::max<caf::timespan>(rest, std::chrono::milliseconds{1});
  }

  void request() {
    auto me = this->shared_from_this();
    ask<Interface>(self_, context_, child_, std::min(left(), round_), msg_)
      .then([me](const auto& value) { me->on_value_(value); },
            [me](const caf::error& why) {
              auto code = to_ao_error(why).code;
              auto unheard = code == ec::not_reachable || code == ec::timed_out;
              if (unheard && me->self_->clock().now() < me->until_)
                me->attempt();
              else
                me->on_error_(why);
            });
  }

  Self* self_;
  actor_context context_;
  actor_name supervisor_;
  actor_name child_;
  caf::timespan round_;
  caf::actor_clock::time_point until_;
  Msg msg_;
  OnValue on_value_;
  OnError on_error_;
};

} // namespace detail

/// Asks a child of a dynamic supervisor that may not be there at present: has
/// it started first, and again when it is gone by the time it is asked (its
/// supervisor may have been started anew without it). Exactly one of the two
/// is called, within the deadline. As with `ask`, what changes something
/// carries a request id.
template <class Interface, class Self, class Rep, class Period, class Msg,
          class OnValue, class OnError>
void ask_child(Self* self, const actor_context& context, actor_name supervisor,
               actor_name child, std::chrono::duration<Rep, Period> deadline,
               Msg msg, OnValue on_value, OnError on_error) {
  using asking = detail::asking_child<Interface, Self, Msg, OnValue, OnError>;
  std::make_shared<asking>(
    self, context, std::move(supervisor), std::move(child),
    std::chrono::duration_cast<caf::timespan>(deadline), std::move(msg),
    std::move(on_value), std::move(on_error))
    ->attempt();
}

} // namespace ao
