#include "runtime/store/migrations.hpp"

namespace ao {
namespace {

/// Rows are documents under a key; `version` makes each write a
/// compare-and-swap. Claims also show what guards read.
constexpr auto version_1 = R"(
CREATE TABLE tasks(key TEXT PRIMARY KEY, version INTEGER NOT NULL,
  doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE claims(key TEXT PRIMARY KEY, version INTEGER NOT NULL,
  doc TEXT NOT NULL, epoch INTEGER NOT NULL, held INTEGER NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE TABLE sessions(key TEXT PRIMARY KEY, version INTEGER NOT NULL,
  doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE changes(key TEXT PRIMARY KEY, version INTEGER NOT NULL,
  doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE ci(key TEXT PRIMARY KEY, version INTEGER NOT NULL,
  doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE counters(key TEXT PRIMARY KEY, version INTEGER NOT NULL,
  doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE events(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL,
  subject TEXT NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL,
  cause INTEGER NOT NULL, epoch INTEGER NOT NULL, data TEXT NOT NULL) STRICT;
CREATE INDEX events_of_subject ON events(subject, seq);
CREATE TABLE requests(id TEXT PRIMARY KEY, at INTEGER NOT NULL,
  answer TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX requests_by_time ON requests(at);
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL)
  STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES('created_at', strftime('%Y-%m-%dT%H:%M:%fZ'));
)";

/// Messages to agents.
constexpr auto version_2 = R"(
CREATE TABLE messages(key TEXT PRIMARY KEY, version INTEGER NOT NULL,
  doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
)";

/// Reviews of changes.
constexpr auto version_3 = R"(
CREATE TABLE reviews(key TEXT PRIMARY KEY, version INTEGER NOT NULL,
  doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
)";

/// Incidents, and what people are told.
constexpr auto version_4 = R"(
CREATE TABLE incidents(key TEXT PRIMARY KEY, version INTEGER NOT NULL,
  doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE notifications(key TEXT PRIMARY KEY, version INTEGER NOT NULL,
  doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
)";

/// Breakers of agents' accounts.
constexpr auto version_5 = R"(
CREATE TABLE breakers(key TEXT PRIMARY KEY, version INTEGER NOT NULL,
  doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
)";

/// Nodes of the cluster, and the tokens that they join with.
constexpr auto version_6 = R"(
CREATE TABLE nodes(key TEXT PRIMARY KEY, version INTEGER NOT NULL,
  doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE join_tokens(key TEXT PRIMARY KEY, version INTEGER NOT NULL,
  doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
)";

} // namespace

std::vector<migration> schema_migrations() {
  return {
    [](database& db) { return db.run(version_1); },
    [](database& db) { return db.run(version_2); },
    [](database& db) { return db.run(version_3); },
    [](database& db) { return db.run(version_4); },
    [](database& db) { return db.run(version_5); },
    [](database& db) { return db.run(version_6); },
  };
}

} // namespace ao
