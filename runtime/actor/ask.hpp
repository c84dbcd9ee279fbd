#pragma once

#include "runtime/actor/context.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/actor/error.hpp"

#include <caf/actor.hpp>
#include <caf/actor_clock.hpp>
#include <caf/atom.hpp>
#include <caf/fwd.hpp>
#include <caf/local_actor.hpp>
#include <caf/response_type.hpp>
#include <caf/send.hpp>
#include <caf/timespan.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace ao {

/// Whether `why` says that nobody has answered, so that another try may help.
/// An answer of the target, and an exception that the request itself raised,
/// are final: repeating them would end the target once more.
bool worth_another_try(const caf::error& why);

/// The last word on a request: `timed_out` when the target was there and gave
/// no answer, `not_reachable` when nobody held the name.
caf::error ask_failure(const actor_name& target, caf::timespan deadline,
                       bool reached);

/// Spawns the small actor that answers `true` to its first message after
/// `pause`, and ends.
caf::actor spawn_pause(caf::local_actor* self, caf::timespan pause);

namespace detail {

/// A request under way: lives in the handlers of the asking actor, and dies
/// with them.
template <class Interface, class Self, class Msg, class OnValue, class OnError>
class asking : public std::enable_shared_from_this<
                 asking<Interface, Self, Msg, OnValue, OnError>> {
public:
  asking(Self* self, const directory& names, actor_name target,
         caf::timespan deadline, Msg msg, OnValue on_value, OnError on_error)
      : self_(self),
        names_(names),
        target_(std::move(target)),
        deadline_(deadline),
        until_(self->clock().now() + deadline),
        msg_(std::move(msg)),
        on_value_(std::move(on_value)),
        on_error_(std::move(on_error)) {
    // nop
  }

  /// Resolves the name and sends the request.
  void attempt() {
    auto left = until_ - self_->clock().now();
    if (left <= caf::timespan{0})
      return fail(ask_failure(target_, deadline_, reached_));
    auto holder = names_.template find<handle_type>(target_);
    reached_ = static_cast<bool>(holder);
    if (!reached_)
      return pause();
    // A third of the deadline, so that an answer dropped by a dying actor
    // leaves time for two more tries.
    auto try_for = std::min<caf::timespan>(left, deadline_ / 3);
    self_->request(holder, try_for, msg_)
      .then(forward(output_type{}),
            [me = this->shared_from_this()](caf::error& why) {
              if (worth_another_try(why))
                me->pause();
              else
                me->fail(why);
            });
  }

private:
  using handle_type = typename Interface::super;
  using output_type
    = caf::response_type_t<typename handle_type::signatures, Msg>;

  auto forward(caf::detail::type_list<void>) {
    return [me = this->shared_from_this()] { me->on_value_(); };
  }

  template <class... Out>
  auto forward(caf::detail::type_list<Out...>) {
    return
      [me = this->shared_from_this()](Out&... xs) { me->on_value_(xs...); };
  }

  void fail(const caf::error& why) { on_error_(why); }

  void pause() {
    caf::timespan left = until_ - self_->clock().now();
    auto length = std::max(std::min(left, pause_), caf::timespan{0});
    pause_
      = std::min<caf::timespan>(pause_ * 2, std::chrono::milliseconds{500});
    auto again = [me = this->shared_from_this()] { me->attempt(); };
    self_
      ->request(spawn_pause(self_, length), length + std::chrono::seconds{1},
                caf::atom("pause"))
      .then([again](bool) { again(); }, [again](caf::error&) { again(); });
  }

  Self* self_;
  const directory& names_;
  actor_name target_;
  caf::timespan deadline_;
  caf::actor_clock::time_point until_;
  caf::timespan pause_ = std::chrono::milliseconds{10};
  bool reached_ = false;
  Msg msg_;
  OnValue on_value_;
  OnError on_error_;
};

} // namespace detail

/// A request that is sent by `then`, which says what to do with its answer.
template <class Interface, class Self, class Msg>
class pending_ask {
public:
  pending_ask(Self* self, const directory& names, actor_name target,
              caf::timespan deadline, Msg msg)
      : self_(self),
        names_(names),
        target_(std::move(target)),
        deadline_(deadline),
        msg_(std::move(msg)) {
    // nop
  }

  /// Sends the request. Exactly one of the two is called, within the deadline:
  /// `on_value` with the answer (no argument for `reacts_to`), or `on_error`
  /// with the target's own error, `timed_out` or `not_reachable`.
  template <class OnValue, class OnError>
  void then(OnValue on_value, OnError on_error) {
    using asking = detail::asking<Interface, Self, Msg, OnValue, OnError>;
    std::make_shared<asking>(self_, names_, std::move(target_), deadline_,
                             std::move(msg_), std::move(on_value),
                             std::move(on_error))
      ->attempt();
  }

private:
  Self* self_;
  const directory& names_;
  actor_name target_;
  caf::timespan deadline_;
  Msg msg_;
};

/// Asks the actor called `target`, whoever that is at the time:
///
///   ask<forge_actor>(self, st.context, st.forge, 5s, get_checks{st.change})
///     .then([self](const ci_verdict& verdict) { ... },
///           [self](const caf::error& why) { ... });
///
/// The name is resolved at each try, and the same message is sent again while
/// nobody holds the name, its holder dies or a try gets no answer, until the
/// deadline. A request that timed out may have been executed: what changes
/// something carries a `request_id`.
/// @param self The asking actor, typed or not.
/// @param names The names of the host.
/// @param target Who is asked.
/// @param deadline For everything, from now on.
/// @param msg The request; one struct or atom of `Interface`.
template <class Interface, class Self, class Rep, class Period, class Msg>
pending_ask<Interface, Self, Msg>
ask(Self* self, const directory& names, actor_name target,
    std::chrono::duration<Rep, Period> deadline, Msg msg) {
  return {self, names, std::move(target),
          std::chrono::duration_cast<caf::timespan>(deadline), std::move(msg)};
}

template <class Interface, class Self, class Rep, class Period, class Msg>
pending_ask<Interface, Self, Msg>
ask(Self* self, const actor_context& context, actor_name target,
    std::chrono::duration<Rep, Period> deadline, Msg msg) {
  return ask<Interface>(self, *context.names, std::move(target), deadline,
                        std::move(msg));
}

/// Tells a fact to the actor called `target`, at most once and unconfirmed:
/// for level-triggered facts, which their owner tells again.
/// @returns false when nobody holds the name.
template <class Interface, class Msg>
bool tell(const directory& names, const actor_name& target, Msg msg) {
  auto holder = names.find<typename Interface::super>(target);
  if (!holder)
    return false;
  caf::anon_send(holder, std::move(msg));
  return true;
}

template <class Interface, class Msg>
bool tell(const actor_context& context, const actor_name& target, Msg msg) {
  return tell<Interface>(*context.names, target, std::move(msg));
}

} // namespace ao
