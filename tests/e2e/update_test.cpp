// Programs are replaced under a home that is at work: agents live on under
// their shims, an older database is brought up to date with its rows, and one
// of a newer version is refused and left as it was.

#include "runtime/process/process_table.hpp"
#include "runtime/store/migrations.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/places.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <sqlite3.h>

#include <set>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t agents = 3;

/// A database, by SQL; its hub does not run.
class database_file {
public:
  explicit database_file(const fs::path& file) {
    EXPECT_EQ(sqlite3_open(file.c_str(), &db_), SQLITE_OK);
  }
  ~database_file() { sqlite3_close(db_); }
  database_file(const database_file&) = delete;
  database_file& operator=(const database_file&) = delete;

  void run(const std::string& sql) {
    char* problem = nullptr;
    EXPECT_EQ(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &problem),
              SQLITE_OK)
      << problem;
    sqlite3_free(problem);
  }

  std::string text(const std::string& sql) {
    std::string out;
    auto take = [](void* to, int, char** values, char**) {
      *static_cast<std::string*>(to) = values[0] ? values[0] : "";
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(db_, sql.c_str(), take, &out, nullptr), SQLITE_OK);
    return out;
  }

private:
  sqlite3* db_ = nullptr;
};

class Update : public testing::Test {
protected:
  Update() {
    w.add_agent("patient", scripts::patient);
    w.write_config();
    install();
    expect_ok(installed({"start"}));
    for (std::size_t i = 0; i < agents; ++i) {
      tasks.push_back(w.add_task("Task " + std::to_string(i)));
      sessions.push_back(w.ask({"spawn", tasks.back()}).value("id", ""));
    }
    before = pids();
    EXPECT_EQ(before.size(), agents);
  }

  /// Puts programs in place as a package does: new files of the same names.
  void install() {
    auto to = w.root() / "installed";
    fs::create_directories(to);
    for (const auto* name : {"ao", "ao-hub", "ao-node", "ao-shim"}) {
      fs::copy_file(program_path(name), to / (std::string{name} + ".new"));
      fs::rename(to / (std::string{name} + ".new"), to / name);
    }
  }

  finished installed(std::vector<std::string> words) {
    process_spec spec;
    words.insert(words.begin(), (w.root() / "installed/ao").string());
    spec.argv = std::move(words);
    spec.env = w.variables().to_vector();
    spec.cwd = w.checkout().string();
    auto end = run(spec, world::patience);
    EXPECT_TRUE(end);
    return end.value_or(finished{});
  }

  static void expect_ok(const finished& end) {
    EXPECT_EQ(end.status.code, 0) << end.err;
  }

  /// The agents' own processes, as the hub knows them.
  std::set<pid_t> pids() const {
    std::set<pid_t> out;
    for (const auto& session : sessions) {
      auto pid = w.ask({"session", "show", session})["runtime"]["pid"];
      if (pid.is_number())
        out.insert(pid.get<pid_t>());
    }
    return out;
  }

  void expect_agents_live() const {
    for (auto pid : before)
      EXPECT_EQ(environ_value(pid, "HOME"), w.user().string());
  }

  void expect_merged() {
    w.touch("go");
    for (const auto& task : tasks) {
      w.await("task_closed", "task:" + task);
      EXPECT_EQ(w.ask({"task", "show", task})["state"], "merged");
    }
    for (const auto& session : sessions) {
      auto shown = w.ask({"session", "show", session});
      EXPECT_EQ(shown["run"], 1);
      EXPECT_EQ(shown["restarts"], 0);
    }
  }

  fs::path database() const { return w.home() / "ao.db"; }

  world w;
  std::vector<std::string> tasks;
  std::vector<std::string> sessions;
  std::set<pid_t> before;
};

TEST_F(Update, BringsAnOlderDatabaseForwardUnderLiveAgents) {
  expect_ok(installed({"stop"}));
  {
    // What later versions have added is taken away again.
    database_file db{database()};
    for (const auto* table : {"breakers", "nodes", "join_tokens", "reviews",
                              "incidents", "notifications"})
      db.run("DROP TABLE " + std::string{table});
    db.run("PRAGMA user_version=2");
  }
  install();
  expect_ok(installed({"start"}));
  expect_agents_live();
  EXPECT_EQ(pids(), before);
  for (const auto& task : tasks)
    EXPECT_EQ(w.ask({"task", "show", task})["state"], "claimed");
  auto hub = w.ask({"status"})["meta"]["hub"]["pid"].get<pid_t>();
  EXPECT_EQ(fs::read_symlink("/proc/" + std::to_string(hub) + "/exe"),
            w.root() / "installed/ao-hub");
  expect_merged();
  expect_ok(installed({"stop"}));
  database_file db{database()};
  EXPECT_EQ(db.text("PRAGMA user_version"),
            std::to_string(schema_migrations().size()));
  EXPECT_EQ(db.text("SELECT count(*) FROM tasks"), std::to_string(agents));
  EXPECT_EQ(db.text("PRAGMA integrity_check"), "ok");
}

TEST_F(Update, RefusesANewerDatabaseAndLeavesIt) {
  expect_ok(installed({"stop"}));
  auto ours = std::to_string(schema_migrations().size());
  { database_file{database()}.run("PRAGMA user_version=77"); }
  auto bytes = content_of(database());
  auto refused = installed({"start"});
  EXPECT_EQ(refused.status.code, 1) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("schema version 77"));
  EXPECT_THAT(refused.err, HasSubstr("install the newer ao"));
  EXPECT_EQ(refused.out, "");
  EXPECT_EQ(content_of(database()), bytes);
  expect_agents_live();
  { database_file{database()}.run("PRAGMA user_version=" + ours); }
  expect_ok(installed({"start"}));
  EXPECT_EQ(pids(), before);
  expect_merged();
}

} // namespace
