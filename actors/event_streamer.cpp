#include "actors/event_streamer.hpp"

#include "messages/interfaces/store.hpp"
#include "messages/json.hpp"
#include "runtime/actor/harden.hpp"

namespace ao {
namespace {

using self_pointer
  = event_streamer_actor::stateful_pointer<event_streamer_state>;

/// Events written at once; well below what a reader may be behind.
constexpr std::size_t page_size = 256;

/// Between two pages of the past, for the reader to keep up: the stream tells
/// when it has ended, but not when it has drained.
constexpr std::chrono::milliseconds page_pause{20};

void open_stream(self_pointer self) {
  auto& st = self->state;
  st.opened = true;
  st.out = st.wish.respond.stream();
  // The stream holds the actor, and lets go of it when the reader leaves.
  event_streamer_actor me = self;
  st.out.on_close([me] { caf::anon_send(me, look_atom::value); });
}

/// Writes a page, given oldest first; false when the reader has left.
bool write(self_pointer self, const event& e) {
  auto& st = self->state;
  st.cursor = e.seq;
  return st.out.write(e.seq, to_string(e.kind), dump(json(e)));
}

void take(self_pointer self, const std::vector<event_ptr>& page,
          std::uint64_t newest) {
  auto& st = self->state;
  if (!st.opened)
    open_stream(self);
  for (const auto& e : page)
    if (!write(self, *e))
      return self->quit();
  if (page.size() == page_size)
    return self->delayed_send(self, page_pause, look_atom::value);
  // Nothing else of this subject up to there.
  st.cursor = std::max(st.cursor, newest);
  if (st.context.rows->events().last_seq() > st.cursor
      && !st.woken->exchange(true))
    self->send(self, look_atom::value);
}

void give_up(self_pointer self, const caf::error& why) {
  auto& st = self->state;
  if (st.opened)
    st.out.close();
  else
    st.wish.respond(to_ao_error(why));
  self->quit();
}

void look(self_pointer self) {
  auto& st = self->state;
  if (st.opened && st.out.closed())
    return self->quit();
  if (st.reading)
    return;
  const auto& feed = st.context.rows->events();
  auto newest = feed.last_seq();
  if (auto page = feed.events_after(st.cursor, page_size, st.wish.subject))
    return take(self, *page, newest);
  st.reading = true;
  ask<store_actor>(self, st.context, actor_name{"store"}, store_deadline,
                   msg::read_events{st.cursor, page_size, st.wish.subject})
    .then(
      [self, newest](const msg::event_page& read) {
        self->state.reading = false;
        std::vector<event_ptr> page;
        for (const auto& e : read.events)
          page.push_back(std::make_shared<const event>(e));
        take(self, page, newest);
      },
      [self](const caf::error& why) { give_up(self, why); });
}

void listen(self_pointer self) {
  auto& st = self->state;
  st.woken = std::make_shared<std::atomic<bool>>(false);
  auto me = self->address();
  st.news = st.context.rows->events().subscribe(
    [me, woken = st.woken](std::uint64_t) {
      if (woken->exchange(true))
        return;
      if (auto there = caf::actor_cast<caf::strong_actor_ptr>(me))
        caf::anon_send(caf::actor_cast<event_streamer_actor>(there),
                       look_atom::value);
    });
}

} // namespace

event_streamer_actor::behavior_type
event_streamer(self_pointer self, hub_context context, caf::actor_addr parent,
               event_wish wish) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  st.wish = std::move(wish);
  st.cursor = st.wish.after;
  self->set_down_handler([self](const caf::down_msg&) {
    self->state.out.close();
    self->quit();
  });
  self->monitor(parent);
  listen(self);
  self->send(self, look_atom::value);
  return {
    [self](look_atom) {
      self->state.woken->store(false);
      look(self);
    },
  };
}

} // namespace ao
