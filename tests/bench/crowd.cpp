#include "tests/bench/crowd.hpp"

#include "messages/json.hpp"
#include "runtime/home/home.hpp"
#include "runtime/process/process_table.hpp"
#include "runtime/rules/changes.hpp"
#include "runtime/shim/protocol.hpp"
#include "runtime/store/store.hpp"
#include "runtime/store/tables.hpp"
#include "tests/bench/process_cost.hpp"
#include "tests/bench/rows.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace ao::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t group = 250;

world_options options() {
  world_options o;
  o.settings = "limits: {sessions: 20000, spawnsPerMinute: 0, minFreeMemory: "
               "1MiB, minFreeDisk: 1MiB}\nhang: {after: 12h}\n";
  o.project = ", ci: {command: [make, test], timeout: 10m}, merge: "
              "{requireReview: true}";
  return o;
}

std::string name_of(std::size_t n) {
  return "app-" + std::to_string(n);
}

/// A title that looks like no other's, as those of people do.
std::string title_of(std::size_t n) {
  static const char* const words[]
    = {"parser", "index", "header", "socket", "queue",  "colour", "report",
       "merge",  "clock", "signal", "cursor", "bundle", "filter", "letter"};
  std::string out = "Change";
  for (auto rest = n * 2'654'435'761u % 1'000'003; rest > 0;
       rest /= std::size(words))
    out += std::string{" "} + words[rest % std::size(words)];
  return out + " " + std::to_string(n);
}

std::string sha_of(std::size_t n) {
  auto digits = std::to_string(n);
  return std::string(40 - digits.size(), 'a') + digits;
}

event event_of(std::size_t n, event_kind kind) {
  event e;
  e.at = wall_now();
  e.subject = "session:" + name_of(n);
  e.kind = kind;
  e.actor = "session/" + name_of(n);
  e.epoch = 1;
  e.data = dump(json{{"project", "app"},
                     {"session", name_of(n)},
                     {"task", make_task_id(n).text},
                     {"run", 1}});
  return e;
}

task task_row(std::size_t n, bool open) {
  task t;
  t.id = make_task_id(n);
  t.version = 1;
  t.key = "app/task:" + std::to_string(n);
  t.project.text = "app";
  t.title = title_of(n);
  t.body = t.title;
  for (std::size_t i = 1; i < 6; ++i)
    t.body += ". " + title_of(n * 7 + i * 10'007);
  t.state = open ? task_state::in_review : task_state::merged;
  t.session.text = name_of(n);
  t.epoch = 1;
  t.change = make_change_id(t.project, n);
  t.created_at = t.updated_at = wall_now();
  if (!open)
    t.closed_at = t.updated_at;
  return t;
}

claim claim_row(std::size_t n, bool open) {
  claim c;
  c.subject = make_task_id(n).text;
  c.version = 1;
  c.session.text = name_of(n);
  c.node.text = "local";
  c.epoch = 1;
  c.held = open;
  c.since = wall_now();
  return c;
}

session session_row(std::size_t n, bool open, const world& w) {
  session s;
  s.id.text = name_of(n);
  s.version = 1;
  s.project.text = "app";
  s.task = make_task_id(n);
  s.subject = s.task.text;
  s.epoch = 1;
  s.run = 1;
  s.node.text = "local";
  s.agent = "waiting";
  s.branch = "ao/" + s.id.text;
  s.base = "main";
  s.runtime = open ? runtime_state::alive : runtime_state::exited;
  s.agent_pid = s.shim_pid = open ? ::getpid() : 0;
  s.workspace_path = w.worktree(s.id.text).string();
  s.change = make_change_id(s.project, n);
  s.created_at = s.updated_at = s.since = wall_now();
  s.started_at = s.created_at;
  if (open)
    return s;
  s.end = session_end::merged;
  s.end_reason = "merged";
  s.cleaned = true;
  s.ended_at = s.updated_at;
  s.exit.emplace();
  s.exit->run = 1;
  s.exit->code = 0;
  s.exit->cause = "exited";
  s.exit->last_lines = {"All checks pass.", "Done: 3 files changed."};
  return s;
}

change change_row(std::size_t n, bool open) {
  change c;
  c.number = n;
  c.project.text = "app";
  c.id = make_change_id(c.project, n);
  c.version = 1;
  c.session.text = name_of(n);
  c.task = make_task_id(n);
  c.epoch = 1;
  c.title = title_of(n);
  c.branch = "ao/" + c.session.text;
  c.base = "main";
  c.head_sha = sha_of(n);
  c.state = open ? change_state::open : change_state::merged;
  c.ci = ci_state::passed;
  c.review = open ? review_state::pending : review_state::approved;
  c.created_at = c.updated_at = wall_now();
  if (!open)
    c.merged_sha = sha_of(n + 1'000'000);
  return c;
}

ci_run check_row(std::size_t n) {
  ci_run r;
  r.change = make_change_id(project_id{"app"}, n);
  r.sha = sha_of(n);
  r.key = ci_key(r.change, r.sha, false);
  r.version = 1;
  r.state = ci_state::passed;
  r.command = {"make", "test"};
  r.exit_code = 0;
  r.cause = "exited";
  r.started_at = wall_now();
  r.finished_at = r.started_at;
  return r;
}

counter counter_row(const std::string& name, std::size_t last) {
  counter c;
  c.name = name;
  c.version = 1;
  c.last = last;
  return c;
}

void put(store& db, std::vector<store_write>& writes) {
  for (const auto& done : db.commit(writes))
    if (!done)
      throw std::runtime_error(to_string(done.error()));
  writes.clear();
}

/// Calls `take(table, key, doc)` for each row.
template <class Take>
void read_rows(const fs::path& file, Take take) {
  sqlite3* db = nullptr;
  auto check = [&](int rc) {
    if (rc != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(db));
  };
  check(sqlite3_open_v2(file.c_str(), &db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr));
  for (std::size_t i = 0; i < table_count; ++i) {
    auto which = static_cast<table>(i);
    auto sql = "SELECT key, doc FROM " + std::string{to_string(which)};
    sqlite3_stmt* query = nullptr;
    check(sqlite3_prepare_v2(db, sql.c_str(), -1, &query, nullptr));
    auto text = [query](int column) {
      return std::string_view{
        reinterpret_cast<const char*>(sqlite3_column_text(query, column)),
        static_cast<std::size_t>(sqlite3_column_bytes(query, column))};
    };
    while (sqlite3_step(query) == SQLITE_ROW)
      take(which, text(0), text(1));
    sqlite3_finalize(query);
  }
  sqlite3_close(db);
}

} // namespace

crowd::crowd(std::size_t sessions, crowd_kind kind)
    : size_(sessions), world_(options()) {
  world_.add_agent("waiting", "exec sleep 600\n");
  start();
  stop();
  // The first one has made the home.
  empty_start_ = start();
  auto hub = hub_pid(world_);
  await_rest(hub);
  empty_hub_ = resident_bytes(hub);
  stop();
  write_rows(kind);
  if (kind == crowd_kind::alive)
    write_files();
}

double crowd::start() {
  world_.write_config();
  return timed([this] {
    hub_ = world_.start_ao({"hub"});
    await_api();
  });
}

void crowd::await_api() const {
  auto until = std::chrono::steady_clock::now() + world::patience;
  while (std::chrono::steady_clock::now() < until) {
    if (world_.api().call("GET", "/api/v1/health", {}))
      return;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  throw std::runtime_error("the hub does not answer");
}

void crowd::stop() {
  if (auto end = world_.ao({"stop"}); !end.ok())
    throw std::runtime_error(end.err);
  (void)reap(hub_.pidfd.get());
}

void crowd::await_links() const {
  auto until = std::chrono::steady_clock::now() + world::patience;
  while (std::chrono::steady_clock::now() < until) {
    if (shims_->links() >= size_)
      return;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  throw std::runtime_error("only " + std::to_string(shims_->links())
                           + " shims were dialled");
}

void crowd::write_rows(crowd_kind kind) {
  auto db = store::open((world_.home() / "ao.db").string());
  if (!db)
    throw std::runtime_error(to_string(db.error()));
  auto open = kind == crowd_kind::alive;
  std::vector<store_write> writes;
  for (std::size_t n = 1; n <= size_; ++n) {
    store_write w;
    w.rows = {task_row(n, open), claim_row(n, open),
              session_row(n, open, world_), change_row(n, open), check_row(n)};
    for (auto kind_of : {event_kind::session_spawned, event_kind::agent_started,
                         event_kind::change_opened})
      w.events.push_back(event_of(n, kind_of));
    writes.push_back(std::move(w));
    if (writes.size() == group)
      put(*db, writes);
  }
  store_write counters;
  for (const auto* name : {"task", "session/app", "change/app"})
    counters.rows.emplace_back(counter_row(name, size_));
  writes.push_back(std::move(counters));
  put(*db, writes);
}

void crowd::write_files() {
  auto place = locate_home(world_.home().string());
  auto variables = world_.variables();
  std::vector<std::string> names;
  for (std::size_t n = 1; n <= size_; ++n) {
    auto name = name_of(n);
    names.push_back(name);
    auto dir = fs::path{place.sessions()} / name;
    fs::create_directories(dir);
    fs::create_directory(world_.worktree(name));
    json spec{{"protocol", launch_protocol},
              {"session", name},
              {"project", "app"},
              {"task", make_task_id(n).text},
              {"role", "worker"},
              {"epoch", 1},
              {"run", 1},
              {"resume", "none"},
              {"branch", "ao/" + name},
              {"base", "main"},
              {"title", "Make the parser refuse duplicate keys"},
              {"agent", "waiting"},
              {"issue", ""}};
    std::ofstream{dir / "spec.json"} << spec;
    launch_spec launch;
    launch.session.text = name;
    launch.epoch = 1;
    launch.argv = {"/bin/true"};
    launch.cwd = world_.worktree(name).string();
    launch.socket = place.shim_socket(name);
    launch.mark = make_ulid();
    launch.boot = boot_mark();
    for (const auto& [key, value] : variables.values())
      launch.env.emplace(key, value);
    std::ofstream{launch_path(dir.string())} << to_json(launch) << "\n";
    std::ofstream{lock_path(dir.string())} << "1";
  }
  shims_ = std::make_unique<shim_crowd>(
    fs::path{place.shim_socket("any")}.parent_path().string(), names);
}

double crowd::scan() const {
  std::size_t bytes = 0;
  return timed([&] {
    read_rows(world_.home() / "ao.db",
              [&](table, std::string_view key, std::string_view doc) {
                bytes += std::string{key}.size() + std::string{doc}.size();
              });
  });
}

double crowd::scan_and_parse() const {
  store_rows rows;
  return timed([&] {
    read_rows(world_.home() / "ao.db",
              [&](table which, std::string_view key, std::string_view doc) {
                if (auto ok = add_row(rows, which, key, doc); !ok)
                  throw std::runtime_error(to_string(ok.error()));
              });
  });
}

} // namespace ao::bench
