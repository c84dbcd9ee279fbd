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

/// @tparam Context Points to the context.
template <class Context>
void set_handlers(caf::scheduled_actor* self, Context context) {
  self->set_exception_handler(
    [context](caf::scheduled_actor* me, std::exception_ptr& thrown) {
      auto what = describe(thrown);
      context->say(log_level::error,
                   line(me, "actor_threw") + " reason=" + to_string(what));
      return make_error(what);
    });
  self->set_default_handler(
    [context](caf::scheduled_actor* me,
              caf::message_view& mail) -> caf::result<caf::message> {
      if (mail.content().match_elements<planted_fault>())
        throw std::runtime_error(mail.content().get_as<planted_fault>(0).why);
      context->say(log_level::error, line(me, "message_unexpected"));
      return caf::sec::unexpected_message;
    });
  self->set_down_handler([context](caf::scheduled_actor* me, caf::down_msg&) {
    context->say(log_level::warn, line(me, "down_unexpected"));
  });
}

} // namespace

void harden(caf::scheduled_actor* self, const actor_context& context) {
  set_handlers(self, std::make_shared<const actor_context>(context));
}

void harden_with(caf::scheduled_actor* self, const actor_context* context) {
  set_handlers(self, context);
}

} // namespace ao
