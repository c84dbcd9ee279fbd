#include "actors/store.hpp"

#include "runtime/actor/harden.hpp"

#include <stdexcept>

namespace ao {
namespace {

using self_pointer = store_actor::stateful_pointer<store_state>;

/// Opens the database and shows its rows; throws what keeps it from that, as
/// a failed start.
void open_database(self_pointer self) {
  auto& st = self->state;
  auto opened = store::open(st.context.place->database());
  if (!opened)
    throw std::runtime_error(to_string(opened.error()));
  st.db.emplace(std::move(*opened));
  auto rows = st.db->load();
  if (!rows)
    throw std::runtime_error(to_string(rows.error()));
  auto tail = st.db->last_events(event_feed::capacity);
  if (!tail)
    throw std::runtime_error(to_string(tail.error()));
  st.context.rows->load(std::move(*rows), std::move(*tail), st.db->last_seq());
}

/// An fsync that has failed is never tried again on the same connection.
void reopen(self_pointer self) {
  self->quit(make_error(ec::store_failed, "the database must be reopened"));
}

/// One COMMIT for everything that waits.
void flush(self_pointer self) {
  auto& st = self->state;
  auto writes = std::exchange(st.waiting, {});
  auto askers = std::exchange(st.askers, {});
  auto outcomes = st.db->commit(writes);
  st.context.rows->publish(std::move(writes), outcomes);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i])
      askers[i].deliver(std::move(*outcomes[i]));
    else
      askers[i].deliver(make_error(outcomes[i].error()));
  }
  if (st.db->broken())
    reopen(self);
}

} // namespace

store_actor::behavior_type store_keeper(self_pointer self,
                                        hub_context context) {
  harden(self, context);
  self->state.context = std::move(context);
  open_database(self);
  return {
    [self](store_write& write) -> caf::result<store_written> {
      auto& st = self->state;
      if (st.waiting.empty())
        self->send(self, flush_atom::value);
      st.waiting.push_back(std::move(write));
      st.askers.push_back(self->make_response_promise<store_written>());
      if (st.waiting.size() >= max_group)
        flush(self);
      return caf::delegated<store_written>{};
    },
    [self](const msg::read_events& asked) -> caf::result<msg::event_page> {
      auto& st = self->state;
      auto events = st.db->events(asked.after, asked.limit, asked.subject);
      if (st.db->broken())
        reopen(self);
      if (!events)
        return make_error(events.error());
      return msg::event_page{std::move(*events)};
    },
    [self](flush_atom) {
      if (!self->state.waiting.empty())
        flush(self);
    },
  };
}

} // namespace ao
