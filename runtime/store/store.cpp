#include "runtime/store/store.hpp"

#include "runtime/store/open_database.hpp"
#include "runtime/store/row_parser.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

namespace ao {
namespace {

/// Failures after which the same connection can go on.
bool gets_over(int code) {
  return code == SQLITE_FULL || code == SQLITE_NOMEM || code == SQLITE_TOOBIG;
}

std::int64_t to_number(wall_time t) {
  return t.time_since_epoch().count();
}

/// The statements of one table of rows.
struct row_statements {
  statement find;
  statement insert;
  statement update;
};

struct statements {
  std::array<row_statements, table_count> rows;
  statement find_claim;
  statement begin, commit, rollback;
  statement savepoint, release, rollback_to;
  statement insert_event;
  statement find_request, insert_request, purge_requests;
  statement events_after, events_of_subject, last_events;
  statement oldest_event, purge_events;
};

result<void> prepare_rows(database& db, table t, row_statements& out) {
  std::string name{to_string(t)};
  auto is_claim = t == table::claims;
  std::string insert = "INSERT INTO " + name
    + (is_claim ? "(key, version, doc, epoch, held) VALUES(?1,?2,?3,?4,?5)"
                : "(key, version, doc) VALUES(?1,?2,?3)")
    + " ON CONFLICT DO NOTHING";
  std::string update = "UPDATE " + name + " SET version=?2, doc=?3"
    + (is_claim ? ", epoch=?4, held=?5" : "")
    + " WHERE key=?1 AND version=?2-1";
  std::string find = "SELECT version FROM " + name + " WHERE key=?1";
  for (auto [target, sql] :
       {std::pair{&out.find, &find}, std::pair{&out.insert, &insert},
        std::pair{&out.update, &update}}) {
    auto made = db.prepare(*sql);
    if (!made)
      return fail(made.error());
    *target = std::move(*made);
  }
  return {};
}

#define AO_EVENT_COLUMNS "seq, at, subject, kind, actor, cause, epoch, data"

result<void> prepare_all(database& db, statements& s) {
  for (std::size_t i = 0; i < table_count; ++i)
    if (auto x = prepare_rows(db, static_cast<table>(i), s.rows[i]); !x)
      return x;
  const std::pair<statement*, const char*> list[] = {
    {&s.find_claim, "SELECT epoch, held FROM claims WHERE key=?1"},
    {&s.begin, "BEGIN IMMEDIATE"},
    {&s.commit, "COMMIT"},
    {&s.rollback, "ROLLBACK"},
    {&s.savepoint, "SAVEPOINT one_write"},
    {&s.release, "RELEASE one_write"},
    {&s.rollback_to, "ROLLBACK TO one_write"},
    {&s.insert_event,
     "INSERT INTO events(" AO_EVENT_COLUMNS
     ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8)"},
    {&s.find_request, "SELECT answer FROM requests WHERE id=?1"},
    {&s.insert_request,
     "INSERT INTO requests(id, at, answer) "
     "VALUES(?1,?2,?3)"},
    {&s.purge_requests, "DELETE FROM requests WHERE at<?1"},
    {&s.events_after,
     "SELECT " AO_EVENT_COLUMNS " FROM events WHERE seq>?1 "
     "ORDER BY seq LIMIT ?2"},
    {&s.events_of_subject,
     "SELECT " AO_EVENT_COLUMNS " FROM events "
     "WHERE subject=?3 AND seq>?1 ORDER BY seq LIMIT ?2"},
    {&s.last_events,
     "SELECT " AO_EVENT_COLUMNS " FROM events "
     "ORDER BY seq DESC LIMIT ?1"},
    {&s.oldest_event, "SELECT coalesce(min(seq),0) FROM events"},
    {&s.purge_events,
     "DELETE FROM events WHERE seq<coalesce((SELECT min(seq) "
     "FROM events WHERE at>=?1),(SELECT max(seq) FROM "
     "events))"},
  };
  for (auto [target, sql] : list) {
    auto made = db.prepare(sql);
    if (!made)
      return fail(made.error());
    *target = std::move(*made);
  }
  return {};
}

#undef AO_EVENT_COLUMNS

int note_log_size(void* frames, sqlite3*, const char*, int n) {
  *static_cast<int*>(frames) = n;
  return SQLITE_OK;
}

} // namespace

struct store::impl {
  explicit impl(database x) : db(std::move(x)) {}

  // Before the statements, which go first.
  database db;
  statements st;
  int checkpoint_pages = 0;
  int log_frames = 0;
  std::uint64_t last_seq = 0;
  bool broken = false;
  bool full = false;
  std::string broken_by;
  group_sizes_type group_sizes{};

  // -- failures ---------------------------------------------------------------

  /// The connection's last error; decides whether it can go on.
  error note_failure(std::string_view doing) {
    auto e = db.failure(doing).value();
    full = db.code() == SQLITE_FULL;
    if (!gets_over(db.code()) && !broken) {
      broken = true;
      broken_by = e.context;
    }
    return e;
  }

  error broken_error() const {
    return {ec::store_failed,
            "database " + db.path()
              + " has to be opened again after: " + broken_by};
  }

  void roll_back() {
    // Some errors have rolled back already.
    if (!db.autocommit() && !st.rollback.run())
      note_failure("rollback");
  }

  // -- one write --------------------------------------------------------------

  result<std::uint64_t> stored_version(table t, std::string_view key) {
    auto& find = st.rows[static_cast<std::size_t>(t)].find;
    if (!find.bind(1, key).step()) {
      if (find.failed())
        return fail(note_failure("read a version"));
      return 0;
    }
    auto version = static_cast<std::uint64_t>(find.number(0));
    find.reset();
    return version;
  }

  static tl::unexpected<error>
  refused(table t, std::string_view key, std::string_view what,
          const std::string& expected, const std::string& found) {
    return fail(ec::guard_failed,
                std::string{to_string(t)} + " " + std::string{key}
                  + ": expected " + std::string{what} + " " + expected
                  + ", found " + found);
  }

  result<void> check_epoch(const guard& g) {
    if (g.in != table::claims)
      return fail(ec::internal,
                  "a guard on the epoch of " + std::string{to_string(g.in)});
    std::string found = "no claim";
    if (st.find_claim.bind(1, g.key).step()) {
      auto epoch = static_cast<std::uint64_t>(st.find_claim.number(0));
      auto held = st.find_claim.number(1) != 0;
      st.find_claim.reset();
      if (held && epoch == g.equals)
        return {};
      found = std::to_string(epoch) + (held ? "" : " (released)");
    } else if (st.find_claim.failed()) {
      return fail(note_failure("read a claim"));
    }
    return refused(g.in, g.key, "epoch", std::to_string(g.equals), found);
  }

  result<void> check(const guard& g) {
    if (g.which == guard::field::epoch)
      return check_epoch(g);
    auto version = stored_version(g.in, g.key);
    if (!version)
      return fail(version.error());
    if (*version != g.equals)
      return refused(g.in, g.key, "version", std::to_string(g.equals),
                     std::to_string(*version));
    return {};
  }

  /// Compare-and-swap: the statement itself looks at the version.
  result<void> put(const row& r) {
    auto t = table_of(r);
    auto& s = st.rows[static_cast<std::size_t>(t)];
    auto version = version_of(r);
    const auto& key = key_of(r);
    if (key.empty())
      return fail(ec::internal,
                  "a row of " + std::string{to_string(t)} + " without a key");
    auto doc = doc_of(r);
    auto& put = version == 1 ? s.insert : s.update;
    put.bind(1, key).bind(2, version).bind(3, doc);
    if (const auto* c = std::get_if<claim>(&r))
      put.bind(4, c->epoch).bind(5, c->held);
    if (!put.run())
      return fail(note_failure("write a row"));
    if (db.changed() == 1)
      return {};
    auto found = stored_version(t, key);
    if (!found)
      return fail(found.error());
    return refused(t, key, "version", std::to_string(version - 1),
                   std::to_string(*found));
  }

  result<void> put(const event& e, std::uint64_t seq) {
    st.insert_event.bind(1, seq)
      .bind(2, to_number(e.at))
      .bind(3, e.subject)
      .bind(4, to_string(e.kind))
      .bind(5, e.actor)
      .bind(6, e.cause)
      .bind(7, e.epoch)
      .bind(8, e.data);
    if (!st.insert_event.run())
      return fail(note_failure("write an event"));
    return {};
  }

  result<std::optional<std::string>> answer_of(const request_id& id) {
    if (!st.find_request.bind(1, id.text).step()) {
      if (st.find_request.failed())
        return fail(note_failure("read a request"));
      return std::nullopt;
    }
    std::string answer{st.find_request.text(0)};
    st.find_request.reset();
    return answer;
  }

  /// Everything of one write that can be refused.
  result<void> check_and_put_rows(const store_write& w) {
    for (const auto& g : w.guards)
      if (auto x = check(g); !x)
        return x;
    for (const auto& r : w.rows)
      if (auto x = put(r); !x)
        return x;
    return {};
  }

  /// Takes back what a refused write has written. One row cannot be written
  /// and refused, so the savepoint is spared then.
  result<void> put_rows_or_nothing(const store_write& w) {
    if (w.rows.size() < 2)
      return check_and_put_rows(w);
    if (!st.savepoint.run())
      return fail(note_failure("savepoint"));
    auto done = check_and_put_rows(w);
    if (!done && done.error().code == ec::store_failed)
      return done;
    if ((!done && !st.rollback_to.run()) || !st.release.run())
      return fail(note_failure("savepoint"));
    return done;
  }

  /// `store_failed` = the whole transaction is lost.
  result<store_written> apply(const store_write& w, std::uint64_t& seq,
                              wall_time now) {
    store_written out;
    if (!w.request.empty()) {
      auto first = answer_of(w.request);
      if (!first)
        return fail(first.error());
      if (*first) {
        out.repeated = true;
        out.answer = std::move(**first);
        return out;
      }
    }
    if (auto x = put_rows_or_nothing(w); !x)
      return fail(x.error());
    if (!w.events.empty())
      out.first_seq = seq + 1;
    for (const auto& e : w.events)
      if (auto x = put(e, ++seq); !x)
        return fail(x.error());
    out.answer = w.answer;
    if (w.request.empty())
      return out;
    st.insert_request.bind(1, w.request.text)
      .bind(2, to_number(now))
      .bind(3, w.answer);
    if (!st.insert_request.run())
      return fail(note_failure("write a request"));
    return out;
  }

  // -- one group --------------------------------------------------------------

  result<std::vector<result<store_written>>>
  transaction(const std::vector<store_write>& group) {
    if (broken)
      return fail(broken_error());
    full = false;
    if (!st.begin.run())
      return fail(note_failure("begin"));
    auto seq = last_seq;
    auto now = wall_now();
    std::vector<result<store_written>> answers;
    answers.reserve(group.size());
    for (const auto& w : group) {
      answers.push_back(apply(w, seq, now));
      if (!answers.back() && answers.back().error().code == ec::store_failed)
        return fail(answers.back().error());
    }
    if (!st.commit.run())
      return fail(note_failure("commit"));
    last_seq = seq;
    return answers;
  }

  /// Moves the log into the database. What it holds is durable already, so a
  /// failure is no failure of the group before; it only ends this connection.
  void checkpoint_if_due() {
    if (log_frames < checkpoint_pages)
      return;
    log_frames = 0;
    if (sqlite3_wal_checkpoint_v2(db.raw(), "main", SQLITE_CHECKPOINT_PASSIVE,
                                  nullptr, nullptr)
        != SQLITE_OK)
      note_failure("checkpoint");
  }

  // -- reading ----------------------------------------------------------------

  /// Hands all rows of a table on, until one turns out to be wrong.
  result<void> read_rows(table t, row_parser& parser) {
    auto query
      = db.prepare("SELECT key, doc FROM " + std::string{to_string(t)});
    if (!query)
      return fail(note_failure("load"));
    while (!parser.failed() && query->step())
      parser.add(t, query->text(0), query->text(1));
    if (query->failed())
      return fail(note_failure("load"));
    return {};
  }

  result<std::vector<event>> read_events(statement& query) {
    std::vector<event> out;
    while (query.step()) {
      auto kind = event_kind_from(query.text(3));
      if (!kind) {
        auto e
          = fail(ec::store_failed,
                 "event " + std::to_string(query.number(0))
                   + " is of the unknown kind " + std::string{query.text(3)});
        query.reset();
        return e;
      }
      auto& e = out.emplace_back();
      e.seq = static_cast<std::uint64_t>(query.number(0));
      e.at = wall_time{milliseconds{query.number(1)}};
      e.subject = query.text(2);
      e.kind = *kind;
      e.actor = query.text(4);
      e.cause = static_cast<std::uint64_t>(query.number(5));
      e.epoch = static_cast<std::uint64_t>(query.number(6));
      e.data = query.text(7);
    }
    if (query.failed())
      return fail(note_failure("read events"));
    return out;
  }

  /// Runs a DELETE by itself; says how many rows are gone.
  result<std::size_t> purge(statement& deletion, wall_time before) {
    if (broken)
      return fail(broken_error());
    if (!deletion.bind(1, to_number(before)).run()) {
      auto e = note_failure("purge");
      roll_back();
      return fail(std::move(e));
    }
    auto gone = static_cast<std::size_t>(db.changed());
    checkpoint_if_due();
    return gone;
  }
};

store::store(std::unique_ptr<impl> x) : impl_(std::move(x)) {}
store::store(store&&) noexcept = default;
store& store::operator=(store&&) noexcept = default;
store::~store() = default;

result<store> store::open(const std::string& path, open_options options) {
  auto db = open_database(path, options.vfs, options.migrations);
  if (!db)
    return fail(db.error());
  auto last = db->number("SELECT max(seq) FROM events");
  if (!last)
    return fail(last.error());
  auto x = std::make_unique<impl>(std::move(*db));
  if (auto ready = prepare_all(x->db, x->st); !ready)
    return fail(ready.error());
  x->last_seq = static_cast<std::uint64_t>(*last);
  x->checkpoint_pages = options.checkpoint_pages;
  // In place of SQLite's own checkpoints, whose failures nobody hears of.
  sqlite3_wal_hook(x->db.raw(), note_log_size, &x->log_frames);
  return store{std::move(x)};
}

std::vector<result<store_written>>
store::commit(const std::vector<store_write>& group) {
  if (group.empty())
    return {};
  auto answers = impl_->transaction(group);
  if (!answers) {
    impl_->roll_back();
    return {group.size(), fail(answers.error())};
  }
  ++impl_->group_sizes[std::min(group.size(), max_group)];
  impl_->checkpoint_if_due();
  return std::move(*answers);
}

result<store_rows> store::load() {
  row_parser parser;
  result<void> read;
  for (std::size_t i = 0; i < table_count && read && !parser.failed(); ++i)
    read = impl_->read_rows(static_cast<table>(i), parser);
  auto rows = parser.finish();
  // A wrong row lies before what could not be read any more.
  if (!rows)
    return fail(ec::store_failed,
                "database " + impl_->db.path() + ": " + rows.error().context);
  if (!read)
    return fail(read.error());
  // Nobody will read them in this order again.
  impl_->db.release_pages();
  return rows;
}

result<std::vector<event>>
store::events(std::uint64_t after, std::size_t limit,
              const std::optional<std::string>& subject) {
  if (after != 0) {
    auto oldest = oldest_seq();
    if (!oldest)
      return fail(oldest.error());
    if (after + 1 < *oldest)
      return fail(ec::cursor_too_old,
                  "the events after " + std::to_string(after)
                    + " are gone, the oldest is " + std::to_string(*oldest));
  }
  auto& query = subject ? impl_->st.events_of_subject : impl_->st.events_after;
  query.bind(1, after).bind(2, static_cast<std::uint64_t>(limit));
  if (subject)
    query.bind(3, *subject);
  return impl_->read_events(query);
}

result<std::vector<event>> store::last_events(std::size_t limit) {
  impl_->st.last_events.bind(1, static_cast<std::uint64_t>(limit));
  auto out = impl_->read_events(impl_->st.last_events);
  if (out)
    std::reverse(out->begin(), out->end());
  return out;
}

std::uint64_t store::last_seq() const {
  return impl_->last_seq;
}

result<std::uint64_t> store::oldest_seq() {
  auto& query = impl_->st.oldest_event;
  if (!query.step())
    return fail(impl_->note_failure("read events"));
  auto oldest = static_cast<std::uint64_t>(query.number(0));
  query.reset();
  return oldest;
}

result<std::optional<std::string>> store::answer(const request_id& id) {
  return impl_->answer_of(id);
}

result<std::size_t> store::purge_requests(wall_time before) {
  return impl_->purge(impl_->st.purge_requests, before);
}

result<std::size_t> store::purge_events(wall_time before) {
  return impl_->purge(impl_->st.purge_events, before);
}

result<void> store::backup(const std::string& path) {
  auto copy = impl_->db.prepare("VACUUM INTO ?1");
  if (!copy)
    return fail(copy.error());
  if (!copy->bind(1, path).run())
    return impl_->db.failure("back up to " + path);
  return {};
}

bool store::broken() const {
  return impl_->broken;
}

bool store::full() const {
  return impl_->full;
}

const store::group_sizes_type& store::group_sizes() const {
  return impl_->group_sizes;
}

} // namespace ao
