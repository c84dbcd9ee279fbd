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
  // Asked once: what waits for output is not to be asked anew meanwhile.
  auto holder = st.context.names->find<terminals_actor>("terminals"_name);
  if (!holder) {
    promise.deliver(make_error(ec::not_reachable,
                               "node " + st.host.hub.name.text
                                 + " is just being started; try again"));
    return;
  }
  self->request(holder, terminal_limit, std::move(*what))
    .then(
      [promise](const msg::terminal_part& part) mutable {
        promise.deliver(msg::wire_reply{msg::to_wire(part), part.bytes});
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
}

} // namespace ao::link_parts
