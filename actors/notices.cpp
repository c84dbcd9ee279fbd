#include "actors/notices.hpp"

#include "actors/secrets.hpp"
#include "actors/store_trouble.hpp"
#include "messages/interfaces/store.hpp"
#include "messages/json.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/rules/incident_texts.hpp"
#include "runtime/rules/notices.hpp"

#include <utility>

namespace ao {
namespace {

using self_pointer = notices_actor::stateful_pointer<notices_state>;

constexpr std::size_t page_size = 256;
/// The place is written at least so often, so that a start has little to read.
constexpr std::uint64_t longest_unrecorded = 1'000;
constexpr std::chrono::hours oldest_news{24};
constexpr std::chrono::seconds retry_delay{1};

void look(self_pointer self);

work_at_hand work_now(const hub_context& context) {
  work_at_hand out;
  for (const auto& s : context.rows->all<session>())
    count(out, *s);
  for (const auto& t : context.rows->all<task>()) {
    const auto* project = context.project(t->project);
    count(out, *t, project ? project->dispatch : dispatch_mode::manual);
  }
  return out;
}

row_ptr<change> change_in(const hub_context& context, const event& e) {
  if (!is_about_a_change(e.kind))
    return nullptr;
  auto data = nlohmann::json::parse(e.data, nullptr, false);
  return data.is_object() ? context.rows->find<change>(data.value("change", ""))
                          : nullptr;
}

void add(self_pointer self, store_write& write, const notice& n,
         std::uint64_t seq) {
  const auto& st = self->state;
  const auto& all = *st.context.config;
  auto secrets = secrets_of(st.context);
  for (const auto& channel : notifiers_for(all, n.priority)) {
    notification row;
    row.version = 1;
    row.channel = channel;
    row.subject = n.subject;
    // Grows with time, as those of one subject are delivered in order.
    row.number = seq;
    row.id = channel + "/" + n.subject + "/" + std::to_string(seq);
    row.priority = n.priority;
    row.project = n.project;
    row.session = n.session;
    row.kind = n.kind;
    row.text = secrets.redact(n.text);
    row.key = notification_key(row.subject, row.number, row.text);
    row.created_at = st.context.now();
    row.updated_at = row.created_at;
    write.rows.emplace_back(std::move(row));
  }
}

/// What follows from one event.
void take(self_pointer self, const event& e, store_write& write) {
  auto& st = self->state;
  st.cursor = e.seq;
  const auto& all = *st.context.config;
  if (st.context.now() - e.at > oldest_news || all.notifiers.empty())
    return;
  if (e.kind == event_kind::agent_started)
    st.at_work.last = 1;
  if (auto c = change_in(st.context, e))
    if (auto n = notice_of(e, all, *c))
      add(self, write, *n, e.seq);
  if (st.at_work.last == 0 || !may_end_work(e.kind))
    return;
  auto work = work_now(st.context);
  if (work.active > 0)
    return;
  st.at_work.last = 0;
  if (auto n = all_complete(all, work); !n.text.empty())
    add(self, write, n, e.seq);
}

void start_anew(self_pointer self, const caf::error& why) {
  auto& st = self->state;
  if (!store_is_down(st.context, why))
    return self->quit(why);
  // Decided again from what is on record.
  for (auto* c : {&st.recorded, &st.at_work})
    if (auto known = st.context.rows->find<counter>(c->name))
      *c = *known;
  st.cursor = st.recorded.last;
  when_store_writes(self, st.context, [self] {
    self->state.busy = false;
    look(self);
  });
}

/// Writes notifications and place, where there is something to write, and
/// looks for more.
void record(self_pointer self, store_write write) {
  auto& st = self->state;
  auto known = st.context.rows->find<counter>(st.at_work.name);
  auto turned = (known ? known->last : 0) != st.at_work.last;
  if (write.rows.empty() && !turned
      && st.cursor - st.recorded.last < longest_unrecorded)
    return self->send(self, look_atom::value);
  std::vector<std::string> channels;
  for (const auto& row : write.rows)
    channels.push_back(std::get<notification>(row).channel);
  st.recorded.version += 1;
  st.recorded.last = st.cursor;
  write.rows.emplace_back(st.recorded);
  if (turned) {
    st.at_work.version += 1;
    write.rows.emplace_back(st.at_work);
  }
  st.busy = true;
  ask<store_actor>(self, st.context, "store"_name, store_deadline,
                   std::move(write))
    .then(
      [self, channels](const store_written&) {
        auto& st = self->state;
        st.busy = false;
        for (const auto& channel : channels)
          tell<outbox_actor>(st.context, make_actor_name("outbox", channel),
                             look_atom::value);
        look(self);
      },
      [self](const caf::error& why) { start_anew(self, why); });
}

void take_page(self_pointer self, const std::vector<event_ptr>& page) {
  if (page.empty())
    return;
  store_write write;
  for (const auto& e : page)
    take(self, *e, write);
  record(self, std::move(write));
}

void look(self_pointer self) {
  auto& st = self->state;
  st.woken->store(false);
  if (st.busy)
    return;
  if (auto page = st.context.rows->events().events_after(st.cursor, page_size))
    return take_page(self, *page);
  st.busy = true;
  ask<store_actor>(self, st.context, "store"_name, store_deadline,
                   msg::read_events{st.cursor, page_size, {}})
    .then(
      [self](const msg::event_page& read) {
        self->state.busy = false;
        std::vector<event_ptr> page;
        for (const auto& e : read.events)
          page.push_back(std::make_shared<const event>(e));
        take_page(self, page);
      },
      [self](const caf::error& why) {
        self->state.busy = false;
        self->state.context.say(log_level::warn,
                                "events_not_read reason=\""
                                  + to_string(to_ao_error(why)) + "\"");
        self->delayed_send(self, retry_delay, look_atom::value);
      });
}

void listen(self_pointer self) {
  auto& st = self->state;
  auto me = self->address();
  st.news = st.context.rows->events().subscribe(
    [me, woken = st.woken](std::uint64_t) {
      if (woken->exchange(true))
        return;
      if (auto there = caf::actor_cast<caf::strong_actor_ptr>(me))
        caf::anon_send(caf::actor_cast<notices_actor>(there), look_atom::value);
    });
}

/// Where it was; nothing of the past when it never was.
void find_place(self_pointer self) {
  auto& st = self->state;
  auto find = [&](counter& c, const char* name) {
    auto known = st.context.rows->find<counter>(name);
    if (known)
      c = *known;
    c.name = name;
    return known != nullptr;
  };
  auto was_here = find(st.recorded, "notices");
  find(st.at_work, "notices/at-work");
  st.cursor
    = was_here ? st.recorded.last : st.context.rows->events().last_seq();
}

} // namespace

notices_actor::behavior_type notices(self_pointer self, hub_context context) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  st.woken = std::make_shared<std::atomic<bool>>(false);
  find_place(self);
  listen(self);
  self->send(self, look_atom::value);
  return {
    [self](look_atom) { look(self); },
  };
}

} // namespace ao
