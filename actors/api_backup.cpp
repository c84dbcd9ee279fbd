#include "actors/api_call.hpp"

namespace ao {

/// `POST /backups {path}`: 201 when the copy of the database is durable.
void post_backup(api_pointer self, api_call_ptr call) {
  auto path = api::text_of(call->body, "path");
  if (!path)
    return call->refuse(path.error());
  ask<store_actor>(self, self->state.context, "store"_name, answer_deadline,
                   msg::back_up{*path})
    .then(
      [call](const msg::backed_up& done) {
        call->answer(201, {{"path", done.path}, {"bytes", done.bytes}});
      },
      refuse_by(call));
}

} // namespace ao
