#pragma once

#include "messages/store.hpp"
#include "runtime/store/event_feed.hpp"
#include "runtime/store/tables.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// Why no row can change at present: the disk is full, read-only or failing.
struct store_trouble {
  /// Since when.
  wall_time since{};
  /// What failed, where, and what to do; one line.
  std::string why;
};

/// All committed rows in memory, for every thread to read, as an ETS table is
/// to Erlang: only its owner, the STORE, writes it, and only after COMMIT.
/// Readers never wait for the disk, see a group wholly or not at all, and what
/// they hold stays valid. Every lookup is O(log n) in the number of rows, plus
/// what it answers.
///
/// `T` is one of `task claim session change ci_run counter message
/// change_review incident notification breaker cluster_node join_token`.
class row_view {
public:
  row_view();
  ~row_view();

  // -- for readers ------------------------------------------------------------

  /// The row of this key (`T42`, `app-7`, `app#3`, …); null when there is none.
  template <class T>
  row_ptr<T> find(std::string_view key) const;

  /// All rows of a table in natural order of their keys (`T2` before `T10`).
  template <class T>
  std::vector<row_ptr<T>> all() const;

  /// How many rows a table has.
  template <class T>
  std::size_t count() const;

  /// By its canonical key (`app/file:backlog.md#7`) or its short id (`T42`).
  row_ptr<task> find_task_by_key(std::string_view key) const;

  /// The tasks that came after `earlier` and are suspected to be the same work,
  /// closed ones too.
  std::vector<row_ptr<task>> suspected_as(const task_id& earlier) const;

  /// All open tasks that are suspected to be the same work as an earlier one.
  std::vector<row_ptr<task>> suspected_tasks() const;

  /// The claim on this subject (`T42`, `role/…`) while somebody holds it.
  row_ptr<claim> held_claim(std::string_view subject) const;

  /// The claims held on a node, by subject.
  std::vector<row_ptr<claim>> claims_of(const node_name& node) const;

  /// The open change of a branch; null when there is none.
  row_ptr<change> open_change(const project_id& project,
                              std::string_view branch) const;

  /// The open change of a session; null when there is none.
  row_ptr<change> open_change(const session_id& session) const;

  /// All changes of a project, by number.
  std::vector<row_ptr<change>> changes_of(const project_id& project) const;

  /// The incident of this fingerprint, open or not.
  row_ptr<incident> incident_called(std::string_view fingerprint) const;

  /// The incidents of a task, open or not.
  std::vector<row_ptr<incident>> incidents_of(const task_id& task) const;

  /// All notifications of a channel, and those still to be sent.
  std::vector<row_ptr<notification>>
  notifications_of(const std::string& channel) const;
  std::vector<row_ptr<notification>>
  pending_notifications(const std::string& channel) const;

  /// The runs of a change's checks, and the reviews of its heads.
  std::vector<row_ptr<ci_run>> ci_runs_of(const change_id& change) const;
  std::vector<row_ptr<change_review>> reviews_of(const change_id& change) const;

  /// The messages to a session, oldest first.
  std::vector<row_ptr<message>> messages_of(const session_id& session) const;

  /// The newest events, and the way to hear of new ones.
  event_feed& events() { return events_; }
  const event_feed& events() const { return events_; }

  /// Set while the database takes no writes; what is read stays true.
  std::optional<store_trouble> trouble() const;

  /// Whether exactly these rows, by version, and this newest event are shown.
  bool shows(const store_rows& rows, std::uint64_t last_seq) const;

  // -- for the store's owner --------------------------------------------------

  /// Replaces everything by what the database holds, and tells subscribers.
  void load(store_rows rows, std::vector<event> tail, std::uint64_t last_seq);

  /// Takes over a group that `store::commit` has answered: the rows and events
  /// of each write that was committed now. Then tells subscribers, if there
  /// are new events.
  void publish(std::vector<store_write> writes,
               const std::vector<result<store_written>>& written);

  /// Says that the database takes no writes, or takes them again.
  void set_trouble(std::optional<store_trouble> x);

private:
  struct tables;
  std::unique_ptr<tables> tables_;
  event_feed events_;
};

} // namespace ao
