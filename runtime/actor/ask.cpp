#include "runtime/actor/ask.hpp"

#include "messages/time.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/response_promise.hpp>
#include <caf/sec.hpp>

namespace ao {
namespace {

using pause_over_atom = caf::atom_constant<caf::atom("over")>;

caf::behavior pausing(caf::event_based_actor* self, caf::timespan pause) {
  return {
    [=](caf::atom_value) {
      auto promise = self->make_response_promise();
      self->become([=](pause_over_atom) mutable {
        promise.deliver(true);
        self->quit();
      });
      self->delayed_send(self, pause, pause_over_atom::value);
    },
  };
}

} // namespace

bool worth_another_try(const caf::error& why) {
  return why == caf::sec::request_timeout
    || why == caf::sec::request_receiver_down
    || why.category() == caf::atom("exit");
}

caf::error ask_failure(const actor_name& target, caf::timespan deadline,
                       bool reached) {
  auto ms = std::chrono::duration_cast<milliseconds>(deadline);
  if (!reached)
    return make_error(ec::not_reachable, "nobody is called " + target.text);
  return make_error(ec::timed_out,
                    target.text + " did not answer within "
                      + format_duration(ms));
}

caf::actor spawn_pause(caf::local_actor* self, caf::timespan pause) {
  return self->system().spawn(pausing, pause);
}

} // namespace ao
