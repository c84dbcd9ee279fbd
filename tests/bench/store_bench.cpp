#include "tests/bench/store_bench.hpp"

#include "runtime/store/store.hpp"
#include "runtime/store/tables.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <utility>
#include <vector>

namespace ao::bench {
namespace {

using sizes = std::vector<std::size_t>;

/// The n-th claim, of one of `tasks` tasks; its `round` of that task.
store_write claim_write(std::size_t n, std::size_t tasks) {
  auto id = make_task_id(1 + n % tasks);
  auto round = static_cast<std::uint64_t>(n / tasks + 1);
  task t;
  t.id = id;
  t.version = round;
  t.key = "app/file:backlog.md#" + id.text;
  t.project.text = "app";
  t.title = "Make the parser refuse duplicate keys";
  t.body = std::string(400, 'b');
  t.state = task_state::claimed;
  t.session.text = "app-" + std::to_string(n);
  t.epoch = round;
  claim c;
  c.subject = id.text;
  c.version = round;
  c.session = t.session;
  c.node.text = "local";
  c.epoch = round;
  c.held = true;
  event e;
  e.at = wall_now();
  e.subject = subject_of(id);
  e.kind = event_kind::task_claimed;
  e.actor = "registry";
  e.epoch = round;
  e.data = R"({"project":"app","task":")" + id.text + R"(","session":")"
    + t.session.text + "\"}";
  store_write w;
  w.request.text = make_ulid();
  w.answer = R"({"task":")" + id.text + "\"}";
  w.rows = {t, c};
  w.events = {e};
  return w;
}

std::vector<store_write> all_writes(std::size_t n) {
  std::vector<store_write> out;
  for (std::size_t i = 0; i < n; ++i)
    out.push_back(claim_write(i, 2'000));
  return out;
}

template <class F>
double per_second(std::size_t n, F&& f) {
  auto start = std::chrono::steady_clock::now();
  f();
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return static_cast<double>(n) / took.count();
}

void forget(const std::string& path) {
  for (auto end : {"", "-wal", "-journal"})
    std::filesystem::remove(path + end);
}

/// The store's rate; also what sizes it has recorded.
double run_store(const std::string& path,
                 const std::vector<store_write>& writes, const sizes& groups,
                 sizes& recorded) {
  forget(path);
  auto db = store::open(path);
  if (!db)
    throw std::runtime_error(to_string(db.error()));
  // Cut outside the measured time, as the mailbox does it.
  std::vector<std::vector<store_write>> cut;
  auto next = writes.begin();
  for (auto n : groups) {
    cut.emplace_back(next, next + static_cast<std::ptrdiff_t>(n));
    next += static_cast<std::ptrdiff_t>(n);
  }
  auto rate = per_second(writes.size(), [&] {
    for (const auto& group : cut)
      for (const auto& x : db->commit(group))
        if (!x)
          throw std::runtime_error(to_string(x.error()));
  });
  recorded.clear();
  for (std::size_t n = 0; n < db->group_sizes().size(); ++n)
    recorded.insert(recorded.end(), db->group_sizes()[n], n);
  return rate;
}

/// SQLite alone: raw calls, texts ready, no checks.
class bare_loop {
public:
  explicit bare_loop(const std::string& path) {
    forget(path);
    // The same schema; only the store makes it.
    if (auto made = store::open(path); !made)
      throw std::runtime_error(to_string(made.error()));
    check(sqlite3_open_v2(path.c_str(), &db_,
                          SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                          nullptr));
    run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=FULL;"
        "PRAGMA journal_mode=WAL");
    begin_ = prepare("BEGIN IMMEDIATE");
    commit_ = prepare("COMMIT");
    task_ = prepare("INSERT OR REPLACE INTO tasks VALUES(?1,?2,?3)");
    claim_ = prepare("INSERT OR REPLACE INTO claims VALUES(?1,?2,?3,?4,?5)");
    event_ = prepare("INSERT INTO events VALUES(?1,?2,?3,?4,?5,?6,?7,?8)");
    request_ = prepare("INSERT INTO requests VALUES(?1,?2,?3)");
  }

  ~bare_loop() {
    for (auto* s : {begin_, commit_, task_, claim_, event_, request_})
      sqlite3_finalize(s);
    sqlite3_close(db_);
  }

  void begin() { step(begin_); }
  void commit() { step(commit_); }

  void put(const store_write& w, const std::string& task_doc,
           const std::string& claim_doc) {
    const auto& t = std::get<task>(w.rows[0]);
    const auto& c = std::get<claim>(w.rows[1]);
    const auto& e = w.events[0];
    text(task_, 1, t.id.text), number(task_, 2, t.version);
    text(task_, 3, task_doc), step(task_);
    text(claim_, 1, c.subject), number(claim_, 2, c.version);
    text(claim_, 3, claim_doc), number(claim_, 4, c.epoch);
    number(claim_, 5, c.held), step(claim_);
    auto at = static_cast<std::uint64_t>(e.at.time_since_epoch().count());
    number(event_, 1, ++seq_), number(event_, 2, at);
    text(event_, 3, e.subject), text(event_, 4, to_string(e.kind));
    text(event_, 5, e.actor), number(event_, 6, e.cause);
    number(event_, 7, e.epoch), text(event_, 8, e.data), step(event_);
    text(request_, 1, w.request.text), number(request_, 2, at);
    text(request_, 3, w.answer), step(request_);
  }

private:
  void check(int rc) {
    if (rc != SQLITE_OK && rc != SQLITE_DONE)
      throw std::runtime_error(sqlite3_errmsg(db_));
  }
  void run(const char* sql) {
    check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr));
  }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* out = nullptr;
    check(sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &out,
                             nullptr));
    return out;
  }
  void text(sqlite3_stmt* s, int i, std::string_view x) {
    sqlite3_bind_text(s, i, x.data(), static_cast<int>(x.size()),
                      SQLITE_STATIC);
  }
  void number(sqlite3_stmt* s, int i, std::uint64_t x) {
    sqlite3_bind_int64(s, i, static_cast<sqlite3_int64>(x));
  }
  void step(sqlite3_stmt* s) {
    auto rc = sqlite3_step(s);
    sqlite3_reset(s);
    check(rc);
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  sqlite3_stmt* task_ = nullptr;
  sqlite3_stmt* claim_ = nullptr;
  sqlite3_stmt* event_ = nullptr;
  sqlite3_stmt* request_ = nullptr;
  std::uint64_t seq_ = 0;
};

double run_bare(const std::string& path, const std::vector<store_write>& writes,
                const sizes& groups) {
  std::vector<std::pair<std::string, std::string>> docs;
  for (const auto& w : writes)
    docs.emplace_back(doc_of(w.rows[0]), doc_of(w.rows[1]));
  bare_loop db{path};
  return per_second(writes.size(), [&] {
    std::size_t i = 0;
    for (auto n : groups) {
      db.begin();
      for (auto end = i + n; i < end; ++i)
        db.put(writes[i], docs[i].first, docs[i].second);
      db.commit();
    }
  });
}

sizes equal_groups(std::size_t writes, std::size_t n) {
  sizes out(writes / n, n);
  if (writes % n != 0)
    out.push_back(writes % n);
  return out;
}

/// 1, 2, 4, … 128 and again.
sizes mixed_groups(std::size_t writes) {
  sizes out;
  for (std::size_t n = 1; writes > 0; n = n == 128 ? 1 : 2 * n) {
    out.push_back(std::min(n, writes));
    writes -= out.back();
  }
  return out;
}

double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x[x.size() / 2];
}

/// Both contenders in turn, so that a slow moment of the disk meets both.
nlohmann::json against_bare(const store_bench_options& o,
                            const std::vector<store_write>& writes,
                            const sizes& groups) {
  std::vector<double> ours;
  std::vector<double> bare;
  std::vector<double> ratio;
  sizes recorded;
  for (int i = 0; i < o.rounds; ++i) {
    ours.push_back(
      run_store(o.directory + "/store.db", writes, groups, recorded));
    bare.push_back(run_bare(o.directory + "/bare.db", writes, recorded));
    ratio.push_back(ours.back() / bare.back());
  }
  return {
    {"store", median(ours)}, {"bare", median(bare)}, {"ratio", median(ratio)}};
}

} // namespace

nlohmann::json run_store_bench(const store_bench_options& o) {
  auto writes = all_writes(o.writes);
  auto groups64 = against_bare(o, writes, equal_groups(o.writes, 64));
  auto mixed = against_bare(o, writes, mixed_groups(o.writes));
  // One commit per write takes longer; fewer of them say as much.
  writes.resize(o.writes / 8);
  std::vector<double> single;
  sizes recorded;
  for (int i = 0; i < o.rounds; ++i)
    single.push_back(run_store(o.directory + "/single.db", writes,
                               sizes(writes.size(), 1), recorded));
  auto gain = groups64["store"].get<double>() / median(single);
  return {{"groups64", groups64},
          {"mixed", mixed},
          {"single", {{"store", median(single)}, {"gain", gain}}}};
}

} // namespace ao::bench
