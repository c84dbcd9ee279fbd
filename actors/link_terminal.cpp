#include "actors/link_parts.hpp"

namespace ao::link_parts {
namespace {

/// Longer than TERMINALS waits; the hub waits longer still.
constexpr std::chrono::seconds terminal_limit{8};

} // namespace

void use_terminal(self_pointer self, const msg::wire_call& call,
                  reply_promise promise) {
  auto& st = self->state;
  auto what = msg::read_wire<msg::use_terminal>(call.body);
  if (!what) {
    promise.deliver(make_error(what.error()));
    return;
  }
  what->bytes = call.bytes;
  auto answer = [promise](const msg::terminal_part& part) mutable {
    promise.deliver(msg::wire_reply{msg::to_wire(part), part.bytes});
  };
  auto refuse
    = [promise](const caf::error& why) mutable { promise.deliver(why); };
  // A node that has just reached its hub is still starting this.
  if (what->deed == msg::terminal_deed::open)
    return ask<terminals_actor>(self, st.context, "terminals"_name,
                                terminal_limit, std::move(*what))
      .then(answer, refuse);
  // Asked once: what waits for output is not to be asked anew meanwhile.
  auto holder = st.context.names->find<terminals_actor>("terminals"_name);
  if (!holder) {
    promise.deliver(make_error(ec::not_reachable,
                               "node " + st.host.hub.name.text
                                 + " is just being started; try again"));
    return;
  }
  self->request(holder, terminal_limit, std::move(*what)).then(answer, refuse);
}

} // namespace ao::link_parts
