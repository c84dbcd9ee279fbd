#include "actors/inventory.hpp"

#include "actors/finding_report.hpp"
#include "actors/job.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/node/inventory.hpp"

#include <algorithm>
#include <utility>

namespace ao {
namespace {

using self_pointer = inventory_actor::stateful_pointer<inventory_state>;

constexpr std::chrono::seconds retry_delay{30};

void tell_hub(self_pointer self, const finding& f) {
  auto& st = self->state;
  auto ghost = f.what == finding_kind::ghost;
  st.context.say(log_level::warn,
                 std::string{ghost ? "ghost_found" : "foreign_found"}
                   + " session=" + f.session.text + " parts=\"" + f.parts
                   + "\"");
  auto report = report_of_finding(ghost ? event_kind::ghost_found
                                        : event_kind::foreign_found,
                                  f.session, st.context.node, f.parts);
  ask<uplink_actor>(self, st.context, "uplink"_name, registry_deadline, report)
    .then([](std::uint64_t) {},
          [self](const caf::error& why) {
            self->state.context.say(log_level::error,
                                    "finding_not_told reason=\""
                                      + to_string(to_ao_error(why)) + "\"");
          });
}

/// Has what is left of an ended session stopped.
void stop_ghost(self_pointer self, const session& row) {
  msg::stop_order order;
  order.session = row.id;
  order.epoch = row.epoch;
  order.run = row.run;
  ask<uplink_actor>(self, self->state.context, "uplink"_name, registry_deadline,
                    order)
    .then([](const session_id&) {},
          [self, id = row.id](const caf::error& why) {
            self->state.context.say(log_level::error,
                                    "ghost_not_stopped session=" + id.text
                                      + " reason=\""
                                      + to_string(to_ao_error(why)) + "\"");
          });
}

void compare(self_pointer self, std::vector<found_session> found,
             const msg::pane_list& panes) {
  for (const auto& pane : panes.panes) {
    auto known = std::find_if(found.begin(), found.end(), [&](const auto& f) {
      return f.session == pane.session;
    });
    if (known == found.end())
      known = found.insert(found.end(), found_session{pane.session});
    known->pane = true;
  }
  const auto& rows = *self->state.context.rows;
  auto row_of = [&rows](const session_id& id) -> std::optional<session> {
    auto row = rows.find<session>(id.text);
    return row ? std::optional<session>{*row} : std::nullopt;
  };
  for (const auto& f : settle_inventory(found, row_of)) {
    tell_hub(self, f);
    if (f.what == finding_kind::ghost)
      stop_ghost(self, *row_of(f.session));
  }
}

/// An inventory that cannot be taken holds nothing up: sessions are adopted
/// one by one anyway, and a terminal that does not answer may do so later.
auto try_later(self_pointer self) {
  return [self](const caf::error& why) {
    self->state.context.say(log_level::error,
                            "inventory_failed reason=\""
                              + to_string(to_ao_error(why)) + "\"");
    self->delayed_send(self, retry_delay, look_atom::value);
  };
}

void look(self_pointer self) {
  auto& st = self->state;
  run_job(
    self, st.context, std::chrono::minutes{5},
    [place = st.context.place] { return look_around(*place); },
    [self](const std::vector<found_session>& found) {
      ask<tmux_actor>(self, self->state.context, "tmux"_name, registry_deadline,
                      msg::list_panes{})
        .then([self, found](
                const msg::pane_list& panes) { compare(self, found, panes); },
              try_later(self));
    },
    try_later(self));
}

} // namespace

inventory_actor::behavior_type inventory(self_pointer self,
                                         node_context context) {
  harden(self, context);
  self->state.context = std::move(context);
  look(self);
  return {[self](look_atom) { look(self); }};
}

} // namespace ao
