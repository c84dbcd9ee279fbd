#include "actors/escalation.hpp"

#include "actors/ask_child.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/deliver.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/rules/incidents.hpp"

#include <memory>
#include <utility>

namespace ao {
namespace {

using self_pointer = escalation_actor::stateful_pointer<escalation_state>;
using answer_type = std::function<void(result<incident_id>)>;

std::string key_of(const msg::report_cause& what) {
  return incident_key(what.project, what.task, what.cause, what.face);
}

/// Passes on what was reported to the INCIDENT.
void forward(self_pointer self, const incident_id& id,
             const msg::report_cause& what, const answer_type& answer) {
  ask_child<incident_actor>(
    self, self->state.context, "incidents"_name,
    make_actor_name("incident", id.text), registry_deadline, what,
    [answer](const incident_id& known) { answer(known); },
    [answer](const caf::error& why) { answer(fail(to_ao_error(why))); });
}

void work(self_pointer self);

/// Gives the cause its number and its row.
void open(self_pointer self, escalation_state::call call) {
  auto& st = self->state;
  const auto& rows = *st.context.rows;
  counter number;
  if (auto known = rows.find<counter>("incident"))
    number = *known;
  number.name = "incident";
  number.version += 1;
  number.last += 1;
  incident_id id{"inc-" + std::to_string(number.last)};
  auto row = new_incident(id, key_of(call.what), call.what.cause,
                          call.what.project, call.what.task, st.context.now());
  row.version = 1;
  store_write write;
  write.rows = {number, row};
  write_in_turn(
    self, st.context, st.turns, std::move(write), call,
    [self, id, call](const store_written&) {
      forward(self, id, call.what, call.answer);
    },
    [self] { work(self); });
}

void work(self_pointer self) {
  auto& st = self->state;
  while (has_turn(st.turns)) {
    auto call = next_turn(st.turns);
    if (auto known = st.context.rows->incident_called(key_of(call.what)))
      forward(self, known->id, call.what, call.answer);
    else
      open(self, std::move(call));
  }
}

std::vector<row_ptr<incident>> told_of(self_pointer self,
                                       const msg::report_recovered& news) {
  const auto& rows = *self->state.context.rows;
  std::vector<row_ptr<incident>> out;
  if (!news.cause) {
    out = rows.incidents_of(news.task);
  } else if (auto one = rows.incident_called(
               incident_key(news.project, news.task, *news.cause, news.face))) {
    out.push_back(std::move(one));
  }
  out.erase(std::remove_if(
              out.begin(), out.end(),
              [](const auto& i) { return i->state != incident_state::open; }),
            out.end());
  return out;
}

/// Tells each open incident that its cause is gone; answers when all have
/// heard it.
caf::result<std::uint64_t> recover(self_pointer self,
                                   const msg::report_recovered& news) {
  auto promise = self->make_response_promise<std::uint64_t>();
  auto open = told_of(self, news);
  if (open.empty()) {
    promise.deliver(std::uint64_t{0});
    return promise;
  }
  struct tally {
    std::size_t left;
    std::uint64_t total;
    caf::error failed;
  };
  auto count
    = std::make_shared<tally>(tally{open.size(), open.size(), caf::error{}});
  auto one_less = [promise, count]() mutable {
    if (--count->left > 0)
      return;
    if (count->failed)
      promise.deliver(count->failed);
    else
      promise.deliver(count->total);
  };
  for (const auto& i : open)
    ask_child<incident_actor>(
      self, self->state.context, "incidents"_name,
      make_actor_name("incident", i->id.text), registry_deadline, news,
      [one_less](std::uint64_t) mutable { one_less(); },
      [one_less, count](const caf::error& why) mutable {
        count->failed = why;
        one_less();
      });
  return promise;
}

} // namespace

escalation_actor::behavior_type escalation(self_pointer self,
                                           hub_context context) {
  harden(self, context);
  self->state.context = std::move(context);
  return {
    [self](const msg::report_cause& what) -> caf::result<incident_id> {
      auto promise = self->make_response_promise<incident_id>();
      line_up(self->state.turns, {what, delivering(promise)});
      work(self);
      return promise;
    },
    [self](const msg::report_recovered& news) { return recover(self, news); },
    [self](look_atom) { work(self); },
  };
}

} // namespace ao
