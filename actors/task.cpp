#include "actors/task.hpp"

#include "actors/store_trouble.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/harden.hpp"

#include <stdexcept>
#include <variant>

namespace ao {
namespace {

using self_pointer = task_actor::stateful_pointer<task_actor_state>;

constexpr std::chrono::seconds retry_delay{2};

void pursue(self_pointer self);

/// Takes in the committed row that this one is, or a newer one.
template <class Row>
bool take_in(self_pointer self, const Row& row) {
  auto& st = self->state;
  return st.view->tell(st.context->rows->find<Row>(row.id.text));
}

/// A closed task has no incident any more; an INCIDENT that does not hear it
/// sees it at its next start.
void leave(self_pointer self) {
  auto& st = self->state;
  const auto& row = st.view->row();
  tell<escalation_actor>(
    st.context, "escalation"_name,
    msg::report_recovered{{},
                          row.project,
                          row.id,
                          {},
                          row.id.text + " is "
                            + std::string{to_string(row.state)}});
  self->quit();
}

void take_row(self_pointer self, const task& row) {
  auto& st = self->state;
  st.asking = false;
  take_in(self, row);
  if (is_closed(st.view->row().state))
    leave(self);
  else
    pursue(self);
}

template <class Message>
void request(self_pointer self, Message message) {
  auto& st = self->state;
  st.asking = true;
  ask<registry_actor>(self, st.context, "registry"_name, registry_deadline,
                      std::move(message))
    .then([self](const task& row) { take_row(self, row); },
          [self](const caf::error& why) {
            auto& st = self->state;
            st.asking = false;
            st.context->say(log_level::warn,
                            "task_not_moved task=" + st.view->row().id.text
                              + " reason=\"" + to_string(to_ao_error(why))
                              + "\"");
            try_again(self, st.context, why, retry_delay, look_atom::value);
          });
}

/// Asks for what the rows say, unless it is being asked for.
void pursue(self_pointer self) {
  auto& st = self->state;
  if (st.asking)
    return;
  auto wish = st.view->wish();
  if (auto* move = std::get_if<move_task>(&wish)) {
    msg::move_task order;
    order.task = move->task;
    order.epoch = move->epoch;
    order.to = move->to;
    order.why = move->why;
    order.change = move->change;
    order.actor = "task/" + move->task.text;
    request(self, std::move(order));
  } else if (auto* release = std::get_if<release_claim>(&wish)) {
    request(self,
            msg::release_claim{task_id{release->subject}, release->epoch,
                               release->why});
  }
}

} // namespace

task_actor::behavior_type task_keeper(self_pointer self,
                                      shared_context<hub_context> context,
                                      task_id id) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  auto row = st.context->rows->find<task>(id.text);
  if (!row)
    throw std::runtime_error("no row of task " + id.text);
  st.view.emplace(row);
  if (auto holder = st.context->rows->find<session>(row->session.text)) {
    st.view->tell(holder);
    st.view->tell(st.context->rows->find<change>(holder->change.text));
  }
  self->send(self, look_atom::value);
  return {
    [self](const msg::session_changed& told) {
      if (take_in(self, told.now))
        pursue(self);
    },
    [self](const msg::change_changed& told) {
      if (take_in(self, told.now))
        pursue(self);
    },
    [self](const msg::task_changed& told) {
      auto& st = self->state;
      take_in(self, told.now);
      if (is_closed(st.view->row().state))
        leave(self);
    },
    [self](look_atom) { pursue(self); },
  };
}

} // namespace ao
