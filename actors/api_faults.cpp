#include "actors/api_call.hpp"

namespace ao {

/// `GET /actors`: the names in the directory.
void get_actors(api_pointer self, api_call_ptr call) {
  auto out = json::array();
  for (const auto& name : self->state.context.names->all())
    out.push_back(json{{"name", name.text}});
  call->answer(200, api::list_of(std::move(out)));
}

/// `POST /faults {actor}`: has an actor throw, so that its supervisor can be
/// seen at work. 202 when the exception is on its way.
void post_fault(api_pointer self, api_call_ptr call) {
  auto& st = self->state;
  if (!st.host.faults)
    return call->refuse(error{ec::not_allowed,
                              "this hub plants no faults; start it with "
                              "AO_FAULTS=1, never where work matters"});
  auto wanted = api::text_of(call->body, "actor");
  if (!wanted)
    return call->refuse(wanted.error());
  auto holder = st.context.names->find(actor_name{*wanted});
  if (!holder)
    return call->refuse(
      error{ec::not_reachable,
            "no actor is called \"" + *wanted + "\"; GET /actors lists them"});
  st.context.say(log_level::warn, "fault_planted actor=" + *wanted);
  call->answer(202, {{"actor", *wanted}});
  caf::anon_send(caf::actor_cast<caf::actor>(holder),
                 planted_fault{"planted fault"});
}

} // namespace ao
