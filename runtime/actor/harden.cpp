#include "runtime/actor/harden.hpp"

#include "messages/interfaces/supervision.hpp"
#include "runtime/actor/error.hpp"

#include <caf/message_view.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/sec.hpp>

#include <memory>
#include <stdexcept>
#include <string>

namespace ao {
namespace {

std::string line(caf::scheduled_actor* self, const char* verb) {
  return std::string{verb} + " actor=" + self->name() + "#"
    + std::to_string(self->id());
}

} // namespace

void harden(caf::scheduled_actor* self, const actor_context& given) {
  // One for the three of them: there are many actors.
  auto shared = std::make_shared<const actor_context>(given);
  self->set_exception_handler(
    [shared](caf::scheduled_actor* me, std::exception_ptr& thrown) {
      auto what = describe(thrown);
      shared->say(log_level::error,
                  line(me, "actor_threw") + " reason=" + to_string(what));
      return make_error(what);
    });
  self->set_default_handler(
    [shared](caf::scheduled_actor* me,
             caf::message_view& mail) -> caf::result<caf::message> {
      if (mail.content().match_elements<planted_fault>())
        throw std::runtime_error(mail.content().get_as<planted_fault>(0).why);
      shared->say(log_level::error, line(me, "message_unexpected"));
      return caf::sec::unexpected_message;
    });
  self->set_down_handler([shared](caf::scheduled_actor* me, caf::down_msg&) {
    shared->say(log_level::warn, line(me, "down_unexpected"));
  });
}

} // namespace ao
