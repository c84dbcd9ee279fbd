#pragma once

#include "runtime/actor/context.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/actor/error.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/duration.hpp>
#include <caf/local_actor.hpp>
#include <caf/message.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace ao {

/// One request to a name and the tries that it may cost.
struct ask_plan {
  const directory* names = nullptr;
  actor_name target;
  /// Over all tries.
  caf::timespan deadline{0};
  /// For one try; a third of the deadline, so that an answer that was dropped
  /// by a dying actor leaves time for two more.
  caf::timespan try_for{0};
};

/// Splits the deadline into tries.
ask_plan plan_ask(const directory& names, actor_name target,
                  caf::timespan deadline);

/// Whether `why` says that nobody has answered, so that another try may help.
/// An answer of the target, and an exception that the request itself raised,
/// are final.
bool worth_another_try(const caf::error& why);

/// Spawns the actor that repeats `request` until the plan's deadline (10 ms
/// doubling to 500 ms between tries) and answers the first message it gets.
/// It ends with its answer or with `asker`.
/// @param left What is left of the plan's deadline.
caf::actor spawn_asker(caf::local_actor* asker, ask_plan plan,
                       caf::timespan left, caf::message request);

/// A request under way; `then` says what to do with its answer.
template <class Interface, class Self, class Msg>
class pending_ask {
public:
  pending_ask(Self* self, ask_plan plan, Msg msg)
    : self_(self), plan_(std::move(plan)), msg_(std::move(msg)) {
    // nop
  }

  pending_ask(const pending_ask&) = delete;
  pending_ask& operator=(const pending_ask&) = delete;

  /// Sends the request. Exactly one of the two is called, within the deadline
  /// and a moment: `on_value` with the answer (no argument for `reacts_to`),
  /// or `on_error` with the target's own error, `timed_out` or
  /// `not_reachable`.
  template <class OnValue, class OnError>
  void then(OnValue on_value, OnError on_error) && {
    using handle_type = typename Interface::super;
    auto* self = self_;
    auto holder = plan_.names->template find<handle_type>(plan_.target);
    if (!holder) {
      repeat(self, plan_, plan_.deadline, std::move(msg_), std::move(on_value),
             std::move(on_error));
      return;
    }
    auto began = self->clock().now();
    self->request(holder, plan_.try_for, msg_)
      .then(on_value, [=, plan = plan_, msg = msg_](caf::error& why) mutable {
        auto left = plan.deadline - (self->clock().now() - began);
        if (!worth_another_try(why))
          on_error(static_cast<const caf::error&>(why));
        else
          repeat(self, plan, std::max(left, caf::timespan{0}), std::move(msg),
                 std::move(on_value), std::move(on_error));
      });
  }

private:
  template <class OnValue, class OnError>
  static void repeat(Self* self, const ask_plan& plan, caf::timespan left,
                     Msg msg, OnValue on_value, OnError on_error) {
    auto asker = spawn_asker(self, plan, left,
                             caf::make_message(std::move(msg)));
    // The asker answers by its own deadline; ours only guards against it.
    self->request(asker, left + std::chrono::seconds{1}, caf::atom("ask"))
      .then(std::move(on_value),
            [on_error = std::move(on_error)](caf::error& why) mutable {
              on_error(static_cast<const caf::error&>(why));
            });
  }

  Self* self_;
  ask_plan plan_;
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
  return {self,
          plan_ask(names, std::move(target),
                   std::chrono::duration_cast<caf::timespan>(deadline)),
          std::move(msg)};
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
