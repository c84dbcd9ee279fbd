#include "actors/job.hpp"
#include "actors/link_parts.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/node/capacity.hpp"
#include "runtime/rules/node_facts.hpp"

namespace ao::link_parts {
namespace {

/// Of all programs together; one that says nothing is given up sooner.
constexpr std::chrono::minutes probe_limit{5};
constexpr std::chrono::seconds tell_limit{10};

void tell_facts(self_pointer self) {
  auto& st = self->state;
  if (!st.greeted || !st.facts || !worth_telling(st.told_facts, *st.facts))
    return;
  st.told_facts = st.facts;
  self
    ->request(door_of(self), tell_limit,
              call_of(self, msg::verb::facts, msg::to_wire(*st.facts)))
    .then([](const msg::wire_reply&) {},
          [self](const caf::error&) {
            // The next look tells it again.
            self->state.told_facts.reset();
          });
}

void probe(self_pointer self) {
  auto& st = self->state;
  st.probing = true;
  st.probed_at = self->clock().now();
  run_job(
    self, st.context, probe_limit,
    [probe = st.host.probe, settings = st.settings]()
      -> result<msg::node_facts> { return probe(settings); },
    [self](const msg::node_facts& found) {
      auto& st = self->state;
      st.probing = false;
      st.facts = found;
      tell_facts(self);
    },
    [self](const caf::error& why) {
      auto& st = self->state;
      st.probing = false;
      st.context.say(log_level::warn,
                     "agents_not_probed reason=\"" + to_string(to_ao_error(why))
                       + "\"");
    });
}

} // namespace

void look_at_facts(self_pointer self) {
  auto& st = self->state;
  auto now = self->clock().now();
  if (!st.greeted || st.probing)
    return;
  auto pause = st.facts
    ? pause_of_probe(*st.facts, st.context.config->breaker.half_open)
    : milliseconds{probe_pause};
  if (!st.probed_at || now >= *st.probed_at + pause)
    return probe(self);
  if (!st.facts || now < st.weigh_at)
    return;
  st.weigh_at = now + weigh_pause;
  st.facts->memory = free_capacity(st.context.place->root()).memory;
  tell_facts(self);
}

void look_anew(self_pointer self, reply_promise promise) {
  auto& st = self->state;
  st.told_facts.reset();
  st.probed_at.reset();
  look_at_facts(self);
  promise.deliver(msg::wire_reply{"{}", {}});
}

void tell_facts_again(self_pointer self) {
  auto& st = self->state;
  st.told_facts.reset();
  // The settings may name other agents by now.
  st.probed_at.reset();
}

} // namespace ao::link_parts
