#pragma once

#include "messages/store.hpp"
#include "runtime/store/migrations.hpp"
#include "runtime/store/sqlite.hpp"
#include "runtime/store/tables.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// The most writes that a caller should put into one group.
constexpr std::size_t max_group = 256;

/// How to open; the defaults are what the hub uses.
struct open_options {
  /// The registered SQLite VFS; empty = the system's. Tests let it fail.
  std::string vfs;
  /// Version n -> n + 1 in order, from 0. Tests add to it.
  std::vector<migration> migrations = schema_migrations();
  /// Pages in the write-ahead log at which they move into the database.
  int checkpoint_pages = 1000;
};

/// The database: rows of the present, events of the past, answers to requests.
/// Blocking, and for one thread at a time; one detached actor owns it.
///
///   open --> commit(group) --> answers, each write for itself
///              |  disk full: the whole group failed, the next may succeed
///              |  fsync, I/O, corruption: the whole group failed, broken()
///              v
///           broken: every call fails; the owner closes it and opens again
///
/// Durable means durable: WAL, synchronous=FULL, and the answer comes after
/// COMMIT. The file belongs to one process at a time. An fsync that failed is
/// never tried again on the same pages, which the kernel may have dropped;
/// closing moves into the database only what was durable before. If the
/// process dies before it has closed a broken store, the failed group may turn
/// up later, and then whole, exactly as if only its answer had been lost.
class store {
public:
  /// Opens or creates the database, takes it for this process, and brings its
  /// schema up to date. Creates files with mode 0600 and tightens wider ones.
  /// Errors, each leaving the file as it is: `hub_already_running` (another
  /// process has it), `store_too_new`, `store_failed` (no database, of another
  /// program, of another user, corrupt, unreadable).
  static result<store> open(const std::string& path, open_options options = {});

  store(store&&) noexcept;
  store& operator=(store&&) noexcept;
  ~store();

  /// Commits the group in one transaction and gives each write its own answer:
  /// what it became, or `guard_failed` (a guard or a version does not hold;
  /// nothing of this write is kept, the others are). A write sees the ones
  /// before it in the group. If the transaction itself fails, every write gets
  /// `store_failed` and nothing of the group is kept.
  std::vector<result<store_written>>
  commit(const std::vector<store_write>& group);

  /// All rows, in no particular order. Errors: `store_failed` naming the row.
  result<store_rows> load();

  /// At most `limit` events after the cursor, oldest first; those of one
  /// subject when it is given. Errors: `cursor_too_old` when events after the
  /// cursor have been purged (the cursor 0 means the oldest kept),
  /// `store_failed`.
  result<std::vector<event>> events(std::uint64_t after, std::size_t limit,
                                    const std::optional<std::string>& subject
                                    = std::nullopt);

  /// The newest `limit` events, oldest first. Errors: `store_failed`.
  result<std::vector<event>> last_events(std::size_t limit);

  /// The cursor of the newest event; 0 = none yet.
  std::uint64_t last_seq() const;

  /// The oldest event that is still kept; 0 = none. Errors: `store_failed`.
  result<std::uint64_t> oldest_seq();

  /// The answer kept for a request, if there is one. Errors: `store_failed`.
  result<std::optional<std::string>> answer(const request_id& id);

  /// Forgets the answers given before `before`; says how many.
  /// Errors: `store_failed`.
  result<std::size_t> purge_requests(wall_time before);

  /// Forgets the events before `before`, but never the newest one, so that no
  /// seq is given twice; says how many. Errors: `store_failed`.
  result<std::size_t> purge_events(wall_time before);

  /// Writes a consistent copy to `path`, which must not exist yet.
  /// Errors: `store_failed`.
  result<void> backup(const std::string& path);

  /// True after a failure that this object cannot get over.
  bool broken() const;

  /// True when the last commit failed for want of space.
  bool full() const;

  /// `[n]` = how many groups of n writes were committed; larger groups count
  /// as `max_group`.
  using group_sizes_type = std::array<std::uint64_t, max_group + 1>;
  const group_sizes_type& group_sizes() const;

private:
  struct impl;
  explicit store(std::unique_ptr<impl> x);
  std::unique_ptr<impl> impl_;
};

} // namespace ao
