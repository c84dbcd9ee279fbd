#include "actors/api_call.hpp"

namespace ao {
namespace {

json reload_document(const msg::config_reloaded& done) {
  return {{"file", done.file.empty() ? json(nullptr) : json(done.file)},
          {"changed", api::changed_keys(done.changed)},
          {"notes", done.notes}};
}

} // namespace

/// `GET /config`: what counts at present.
void get_config(api_pointer self, api_call_ptr call) {
  call->answer(200, api::config_object(*self->state.context.config));
}

/// `POST /config/reload`: 200 with what has changed; 400 with every line that
/// is wrong, and nothing has changed.
void post_reload(api_pointer self, api_call_ptr call) {
  ask<config_actor>(self, self->state.context, "config"_name, answer_deadline,
                    msg::reload_config{"api"})
    .then(
      [call](const msg::config_reloaded& done) {
        call->answer(200, reload_document(done));
      },
      refuse_by(call));
}

} // namespace ao
