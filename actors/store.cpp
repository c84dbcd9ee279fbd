#include "actors/store.hpp"

#include "runtime/actor/harden.hpp"
#include "runtime/home/files.hpp"
#include "runtime/rules/event_data.hpp"
#include "runtime/store/backup.hpp"

#include <algorithm>

namespace ao {
namespace {

using self_pointer = store_actor::stateful_pointer<store_state>;

constexpr std::chrono::milliseconds first_pause{500};
constexpr std::chrono::milliseconds longest_pause{10'000};
/// A failure so soon after the last one is the same one.
constexpr std::chrono::minutes relapse{1};
/// Room for more than one commit, so that a full disk does not come and go.
constexpr std::size_t probe_size = 256 * 1024;

/// Opens the database and shows its rows.
result<void> open_database(self_pointer self) {
  auto& st = self->state;
  auto opened = store::open(st.context.place->database());
  if (!opened)
    return fail(opened.error());
  st.db.emplace(std::move(*opened));
  auto rows = st.db->load();
  if (!rows)
    return fail(rows.error());
  auto tail = st.db->last_events(event_feed::capacity);
  if (!tail)
    return fail(tail.error());
  st.context.rows->load(std::move(*rows), std::move(*tail), st.db->last_seq());
  st.context.rows->set_trouble({});
  return {};
}

// -- a disk that takes no writes ----------------------------------------------

void probe_later(self_pointer self) {
  auto& st = self->state;
  self->delayed_send(self, st.probe_pause, probe_atom::value);
  st.probe_pause = std::min(2 * st.probe_pause, longest_pause);
}

void degrade(self_pointer self, const error& why) {
  auto& st = self->state;
  if (st.context.rows->trouble())
    return;
  auto now = self->clock().now();
  if (!st.recovered_at || now - *st.recovered_at > relapse)
    st.probe_pause = first_pause;
  store_trouble trouble{st.context.now(), why.context};
  // The database's own words for it are few.
  if (st.db->broken())
    if (auto ok = try_to_write(st.context.place->root(), probe_size); !ok)
      trouble.why += "; " + ok.error().context;
  st.context.say(log_level::error,
                 "store_degraded reason=\"" + trouble.why + "\"");
  st.context.rows->set_trouble(std::move(trouble));
  probe_later(self);
}

/// What a write gets during a failure.
error refusal_of(const store_trouble& trouble) {
  return {ec::store_failed,
          trouble.why
            + "; nothing was written, and writing is tried again by itself"};
}

/// The failure and its end, told when they can be.
store_write story_of(const hub_context& context, const store_trouble& trouble) {
  event_data data;
  data.with("reason", trouble.why);
  auto now = context.now();
  store_write write;
  write.events
    = {make_event(event_kind::store_degraded, trouble.since, "hub", "store", 0,
                  data),
       make_event(event_kind::store_recovered, now, "hub", "store", 0, data)};
  return write;
}

/// Opens a connection that is broken anew. False: the database holds something
/// else than everybody believes.
result<bool> reopen(self_pointer self) {
  auto& st = self->state;
  if (st.db && !st.db->broken())
    return true;
  st.db.reset();
  auto opened = store::open(st.context.place->database());
  if (!opened)
    return fail(opened.error());
  auto rows = opened->load();
  if (!rows)
    return fail(rows.error());
  auto same = st.context.rows->shows(*rows, opened->last_seq());
  st.db.emplace(std::move(*opened));
  return same;
}

/// Commits the story of the failure, which is the proof that it is over.
result<void> tell_story(self_pointer self, const store_trouble& trouble) {
  auto& st = self->state;
  std::vector<store_write> group{story_of(st.context, trouble)};
  auto written = st.db->commit(group);
  if (!written.front())
    return fail(written.front().error());
  st.context.rows->publish(std::move(group), written);
  return {};
}

void probe(self_pointer self) {
  auto& st = self->state;
  auto trouble = st.context.rows->trouble();
  if (!trouble)
    return;
  auto go_on = [&](const error& why) {
    st.context.say(log_level::debug,
                   "store_still_degraded reason=\"" + why.context + "\"");
    probe_later(self);
  };
  // First, so that a broken connection, which still reads, stays until it can
  // be replaced.
  if (auto ok = try_to_write(st.context.place->root(), probe_size); !ok)
    return go_on(ok.error());
  auto same = reopen(self);
  if (!same)
    return go_on(same.error());
  if (!*same) {
    st.context.rows->set_trouble({});
    return self->quit(make_error(
      ec::store_failed, "the database holds other rows than were committed"));
  }
  if (auto ok = tell_story(self, *trouble); !ok)
    return go_on(ok.error());
  st.context.rows->set_trouble({});
  st.recovered_at = self->clock().now();
  st.context.say(log_level::warn, "store_recovered");
  for (auto& promise : std::exchange(st.stalled, {}))
    promise.deliver(st.db->last_seq());
}

// -- commits ------------------------------------------------------------------

void refuse_all(self_pointer self, const error& why) {
  auto& st = self->state;
  st.waiting.clear();
  for (auto& asker : std::exchange(st.askers, {}))
    asker.deliver(make_error(why));
}

/// One COMMIT for everything that waits.
void flush(self_pointer self) {
  auto& st = self->state;
  if (auto trouble = st.context.rows->trouble())
    return refuse_all(self, refusal_of(*trouble));
  auto writes = std::exchange(st.waiting, {});
  auto askers = std::exchange(st.askers, {});
  auto outcomes = st.db->commit(writes);
  st.context.rows->publish(std::move(writes), outcomes);
  for (const auto& outcome : outcomes)
    if (!outcome && (st.db->broken() || st.db->full()))
      degrade(self, outcome.error());
  auto trouble = st.context.rows->trouble();
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i])
      askers[i].deliver(std::move(*outcomes[i]));
    else if (trouble)
      askers[i].deliver(make_error(refusal_of(*trouble)));
    else
      askers[i].deliver(make_error(outcomes[i].error()));
  }
  // A checkpoint may fail after all is well.
  if (st.db->broken())
    degrade(self,
            {ec::store_failed,
             "database " + st.context.place->database()
               + ": it has to be opened again"});
}

// -- the past -----------------------------------------------------------------

caf::result<msg::purged_past> purge(self_pointer self,
                                    const msg::purge_past& asked) {
  auto& st = self->state;
  if (auto trouble = st.context.rows->trouble())
    return make_error(refusal_of(*trouble));
  auto events = st.db->purge_events(asked.events_before);
  auto answers = events ? st.db->purge_requests(asked.answers_before)
                        : result<std::size_t>{fail(events.error())};
  if (!answers) {
    if (st.db->broken() || st.db->full())
      degrade(self, answers.error());
    return make_error(answers.error());
  }
  if (*events > 0) {
    // What is gone is not shown from memory either.
    auto tail = st.db->last_events(event_feed::capacity);
    if (!tail)
      return make_error(tail.error());
    st.context.rows->events().load(std::move(*tail), st.db->last_seq());
  }
  return msg::purged_past{*events, *answers};
}

caf::result<msg::backed_up> back_up(self_pointer self,
                                    const std::string& path) {
  auto& st = self->state;
  if (auto trouble = st.context.rows->trouble())
    return make_error(refusal_of(*trouble));
  auto bytes = back_up_into(*st.db, path);
  if (!bytes)
    return make_error(bytes.error());
  st.context.say(log_level::info,
                 "database_backed_up path=" + path
                   + " bytes=" + std::to_string(*bytes));
  return msg::backed_up{path, *bytes};
}

} // namespace

store_actor::behavior_type store_keeper(self_pointer self,
                                        hub_context context) {
  harden(self, context);
  self->state.context = std::move(context);
  // Whoever starts the hub reads this reason.
  if (auto ok = open_database(self); !ok)
    self->quit(make_error(ok.error()));
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
      if (!st.db)
        return make_error(refusal_of(*st.context.rows->trouble()));
      auto events = st.db->events(asked.after, asked.limit, asked.subject);
      if (!events && st.db->broken())
        degrade(self, events.error());
      if (!events)
        return make_error(events.error());
      return msg::event_page{std::move(*events)};
    },
    [self](const msg::recall_request& asked) -> caf::result<store_written> {
      auto& st = self->state;
      if (!st.db)
        return make_error(refusal_of(*st.context.rows->trouble()));
      auto answer = st.db->answer(asked.request);
      if (!answer && st.db->broken())
        degrade(self, answer.error());
      if (!answer)
        return make_error(answer.error());
      return store_written{0, answer->has_value(), answer->value_or("")};
    },
    [self](const msg::purge_past& asked) -> caf::result<msg::purged_past> {
      return purge(self, asked);
    },
    [self](const msg::back_up& asked) -> caf::result<msg::backed_up> {
      return back_up(self, asked.path);
    },
    [self](writable_atom) -> caf::result<std::uint64_t> {
      auto& st = self->state;
      if (!st.context.rows->trouble())
        return st.db->last_seq();
      st.stalled.push_back(self->make_response_promise<std::uint64_t>());
      return st.stalled.back();
    },
    [self](flush_atom) {
      if (!self->state.waiting.empty())
        flush(self);
    },
    [self](probe_atom) { probe(self); },
  };
}

} // namespace ao
