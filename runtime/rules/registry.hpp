#pragma once

#include "messages/settings.hpp"
#include "messages/store.hpp"
#include "runtime/rules/duplicates.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace ao {

/// Adds one task.
struct add_task {
  project_id project;
  /// One line of valid UTF-8 without control characters, 1 to 500 bytes.
  std::string title;
  /// Valid UTF-8 without NUL, at most 1 MiB.
  std::string body;
  std::vector<std::string> labels;
  /// 0 (first) to 9.
  int priority = 5;
  /// Tasks of the registry (`T7`) or keys of the same batch.
  std::vector<std::string> needs;
  /// The agent asked for; empty = the project's.
  std::string agent;
  /// The tracker's own reference; names the task in a cycle.
  std::string ref;
  /// Canonical key; empty = `<project>/task:<n>`. Adding a key again answers
  /// with the task that has it.
  std::string key;
};

/// Adds all of them or none; `needs` may point forwards within the batch.
struct add_tasks {
  std::vector<add_task> items;
};

/// Opens a session and grants it the claim of its subject, in one commit.
struct open_session {
  /// The task to hold; empty for a role session.
  task_id task;
  /// `role/<subject>` when `task` is empty.
  std::string subject;
  session_role role = session_role::worker;
  /// Of the task where there is one.
  project_id project;
  /// The session is called `<prefix>-<n>`.
  std::string prefix;
  node_name node;
  std::string agent;
  /// `ao/{session}`; knows `{session}`, `{task}` and `{project}`.
  std::string branch_template = "ao/{session}";
  std::string base;
  /// For a reviewer: the change and the head of it that it reviews. Its
  /// template is empty then, and it has no branch.
  change_id change = {};
  std::string head = {};
  /// For a worker: it takes `change` over, which this session has worked on
  /// last. It gets the task whoever holds it, and goes on on the branch that
  /// the template is.
  session_id took_over = {};
  /// The session whose agent goes on so: the task that it holds is parked in
  /// the same commit. Empty = none.
  session_id gives_up = {};
};

/// Gives a session that exists its subject under a new epoch: a move to
/// another node, or a restore after the claim was given back. Refused while
/// another session holds the subject.
struct regrant_claim {
  std::string subject;
  session_id session;
  node_name node;
  std::string why;
};

/// Gives a claim back; a task is `ready` (or `blocked`) again. Why a claim
/// ends is told apart in the events only.
struct release_claim {
  std::string subject;
  epoch_no epoch = 0;
  std::string why;
  /// True when its node lost the lease: `claim_expired`.
  bool expired = false;
};

/// The holder's word on where its task stands; refused as `stale_epoch` from
/// any other. To close or to park releases the claim in the same commit.
struct move_task {
  task_id task;
  epoch_no epoch = 0;
  task_state to = task_state::claimed;
  std::string why;
  /// Empty = unchanged.
  change_id change;
};

/// A person's words; they need no epoch.
struct cancel_task {
  task_id task;
  std::string why;
  /// Everything that needs it as well, in the same commit.
  bool cascade = false;
};
struct park_task {
  task_id task;
  std::string why;
};
struct retry_task {
  task_id task;
};

/// A mediator's redesign: the task is called and asks for this from now on.
struct revise_task {
  task_id task;
  std::string title;
  std::string body;
  std::string by;
};

/// The live sessions of two tasks change the same lines. The later task is
/// suspected to be the same work, once; it runs already and is never held.
struct suspect_tasks {
  task_id task;
  session_id session;
  task_id other;
  session_id other_session;
  /// 0 to 100.
  int score = 0;
  std::string reason;
};

/// A node has seen numbers that are higher than the records: these are of an
/// older backup. They go on above what was seen, so that none is given twice,
/// and a claim under an older epoch is given back: whoever holds it by the
/// records has lost it since.
struct raise_numbers {
  node_name node;
  /// A task and its highest epoch.
  std::vector<std::pair<task_id, epoch_no>> epochs;
  /// A prefix and the number of its last session.
  std::vector<std::pair<std::string, std::uint64_t>> sessions;
};

/// Brings a task in line with its needs and with what it is held for; asked for
/// by `effect::settle`.
struct settle_task {
  task_id task;
};

/// What a request is answered with once its write is durable.
struct tasks_added {
  std::vector<task> tasks;
  /// Of each: false when its key was there already.
  std::vector<bool> fresh;
};
struct session_opened {
  ao::session session;
  ao::claim claim;
};
struct claim_changed {
  ao::claim claim;
};
struct task_changed {
  ao::task task;
};
struct numbers_raised {
  std::uint64_t count = 0;
};

/// A decision of the registry: what to commit, and what it means. Between
/// `decide` and `adopt` or `abandon` its subjects are locked.
struct registry_decision {
  /// Task ids, role subjects and keys that are locked.
  std::vector<std::string> subjects;
  /// Numbers taken; to be sent to the store before `write`, without request
  /// id. `write` is guarded by them, so a number is never used twice.
  std::vector<store_write> reserve;
  /// `request` and `answer` are the caller's to fill. Without rows and events
  /// there is nothing to commit.
  store_write write;
  /// An `error` is a refusal that leaves an event behind.
  std::variant<std::monostate, tasks_added, session_opened, claim_changed,
               task_changed, numbers_raised, error>
    answer;

  bool empty() const { return write.rows.empty() && write.events.empty(); }
};

/// What follows a commit; not durable, found again by `recover`.
struct registry_effect {
  enum class kind : std::uint8_t {
    /// Decide `settle_task{task}`.
    settle,
    /// Start the SESSION `session`; its row is committed.
    start_session,
    /// `task` may start: tell `session` when it has one, else the DISPATCHER.
    task_ready,
    /// `session` holds its subject no longer.
    end_session,
    /// Tell the TASK its new row.
    tell_task,
  };
  kind what = kind::settle;
  task_id task;
  session_id session;

  friend bool operator==(const registry_effect& a, const registry_effect& b) {
    return a.what == b.what && a.task == b.task && a.session == b.session;
  }
};

/// True when the holder of a task may move it from `from` to `to`.
bool may_move(task_state from, task_state to);

/// An order of `items` with needs before dependents; needs outside of the
/// list are no concern. Errors: `dependency_cycle` with `a -> b -> a`, by
/// `ref` (else key, else title).
result<std::vector<std::size_t>>
order_by_needs(const std::vector<add_task>& items);

/// All tasks, claims and counters, and every decision about them. Pure: rows
/// come in, writes go out.
///
///   decide --> (send reserve, then write) --committed--> adopt --> effects
///                                         --repeated---> abandon
///                                         --failed-----> drop the book,
///                                                        load another
///
/// Decisions of different subjects may be in flight together; the caller
/// sends them to the store in the order in which they were decided. A
/// decision for a locked subject is refused as `request_in_flight`: ask
/// `busy` first and keep the request until the lock is gone.
class registry_book {
public:
  /// @param actor The name that signs the events.
  explicit registry_book(std::string actor = "registry");

  /// What to do about tasks that look alike, by project; `warn` where nothing
  /// is said. Before `load`.
  void judge_duplicates(std::map<project_id, duplicate_policy> policies);

  /// Takes in committed rows, before the first decision; it shares them.
  void load(std::vector<row_ptr<task>> tasks,
            std::vector<row_ptr<claim>> claims,
            const std::vector<row_ptr<counter>>& counters);

  /// Shares a committed row that it has a copy of, since it adopted a decision;
  /// another version, or none, is left alone.
  void share(row_ptr<task> committed);
  void share(row_ptr<claim> committed);

  /// What may have been left undone by a crash: tasks to settle. Sessions are
  /// found again from their own rows.
  std::vector<registry_effect> recover() const;

  /// True while a decision about `subject` (task id, role subject or key) is
  /// in flight.
  bool busy(const std::string& subject) const;

  /// Errors: `bad_input`, `no_such_task`, `dependency_cycle`,
  /// `request_in_flight`.
  result<registry_decision> decide(const add_tasks& request, wall_time now);
  result<registry_decision> decide(const add_task& request, wall_time now);

  /// A claimed subject that is not taken over is answered by a decision whose
  /// answer is the error `task_already_claimed` with details `task, key,
  /// holder, epoch`. Errors: `no_such_task`, `task_closed` (also of parked and
  /// failed tasks, with the hint), `bad_input`, `request_in_flight`.
  result<registry_decision> decide(const open_session& request, wall_time now);

  /// As `open_session`; a parked task is claimed again.
  result<registry_decision> decide(const regrant_claim& request, wall_time now);

  /// Errors: `stale_epoch` (also when it is not held), `request_in_flight`.
  result<registry_decision> decide(const release_claim& request, wall_time now);

  /// To be where it is already is an empty decision. Errors: `no_such_task`,
  /// `stale_epoch`, `wrong_state`, `task_closed`.
  result<registry_decision> decide(const move_task& request, wall_time now);

  /// Errors: `no_such_task`, `task_closed` of a merged, done or failed one.
  /// Of one that is cancelled already `cascade` cancels what is left.
  result<registry_decision> decide(const cancel_task& request, wall_time now);
  result<registry_decision> decide(const park_task& request, wall_time now);

  /// Closed and parked tasks are ready or blocked again, and one that is held
  /// as a suspected duplicate is held no longer; others are an empty
  /// decision.
  result<registry_decision> decide(const retry_task& request, wall_time now);
  result<registry_decision> decide(const settle_task& request, wall_time now);

  /// An empty decision when it is so already. Errors: `no_such_task`,
  /// `bad_input` (title, body), `task_closed`, `request_in_flight`.
  result<registry_decision> decide(const revise_task& request, wall_time now);

  /// An empty decision when the pair is suspected already, one of the two is
  /// closed or the project does not want to know. Errors: `no_such_task`,
  /// `bad_input` (of two projects, or one task), `request_in_flight`.
  result<registry_decision> decide(const suspect_tasks& request, wall_time now);

  /// An empty decision when nothing was too low. Errors: `request_in_flight`.
  result<registry_decision> decide(const raise_numbers& request, wall_time now);

  /// Takes in what was committed; returns what to do now.
  std::vector<registry_effect> adopt(const registry_decision& decision);

  /// Forgets a decision whose request had been answered before.
  void abandon(const registry_decision& decision);

  /// The task called `name`: its id, its key, or, within `project`, its ref.
  const task* find_task(const std::string& name,
                        const project_id& project = {}) const;
  const claim* find_claim(const std::string& subject) const;

  /// All tasks, by number.
  const std::map<std::uint64_t, row_ptr<task>>& tasks() const { return tasks_; }

  /// The held claims of `node`: to be released when its lease is gone.
  std::vector<claim> claims_of(const node_name& node) const;

  /// Everything that waits for `task`, directly or not, in the order in which
  /// to cancel it (`cancel --cascade`).
  std::vector<task_id> dependents_of(const task_id& task) const;

private:
  struct numbers {
    std::uint64_t version = 0;
    std::uint64_t last = 0;
  };

  /// What its needs and suspicions say of a task.
  struct outlook {
    bool open = false;
    /// `waits for T1, T2 (failed)`; empty when they are closed.
    std::string why;
  };

  /// What the tasks of one `add_tasks` wait for.
  struct batch;

  const task* task_of(const task_id& id) const;
  outlook outlook_of(const task& t) const;
  duplicate_policy policy_of(const project_id& project) const;
  /// What a new task looks like, among the open ones and those before it that
  /// are being written; from here on others may look like it.
  std::vector<suspicion> suspects_of(const task& t, batch& of, wall_time now);
  event note(const suspicion& s, const task& t, wall_time now) const;
  bool held(const std::string& subject) const;
  /// What `settle_task` would make of `t`.
  task settled(const task& t) const;

  result<void> lock(registry_decision& d, const std::string& subject);
  std::uint64_t take_numbers(const std::string& name, std::uint64_t count,
                             registry_decision& d);
  /// False when the counter is as high already.
  bool raise_counter(const std::string& name, std::uint64_t to,
                     registry_decision& d);
  claim grant(const std::string& subject, const session_id& to,
              const node_name& node, wall_time now) const;
  claim withdrawn(const std::string& subject, wall_time now) const;
  event note(event_kind kind, const task& t, wall_time now) const;
  event note(event_kind kind, const claim& c, const task* t, wall_time now,
             const std::string& why) const;
  registry_decision refuse(const claim& holder, const task* t,
                           wall_time now) const;
  /// Adds to `d` that what `holder` holds, and `d` is not about, is parked.
  /// Errors: `request_in_flight`.
  result<void> give_up_tasks(const session_id& holder, const std::string& why,
                             registry_decision& d, wall_time now);
  /// The row of `t` changed by `to` and what that implies for its claim.
  result<registry_decision> put_to(const task& t, task_state to,
                                   const std::string& why,
                                   const change_id& change, wall_time now);
  /// `t` as `next`, which is held by no suspicion any more.
  result<registry_decision> let_go(const task& t, task next, wall_time now);
  void unlock(const registry_decision& decision);
  void take_in(row_ptr<task> row);
  /// Makes `open_texts_` complete.
  void read_texts();

  std::string actor_;
  std::map<std::uint64_t, row_ptr<task>> tasks_;
  std::unordered_map<std::string, std::uint64_t> by_key_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> by_ref_;
  std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> dependents_;
  /// The tasks that look like this one and wait for it.
  std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> held_back_;
  std::map<project_id, duplicate_policy> policies_;
  /// Of open tasks, and of those whose birth is being written.
  duplicate_index open_texts_;
  /// All open tasks are in there. Not before somebody asks: a hub that has just
  /// started has more urgent things to do.
  bool texts_complete_ = false;
  std::unordered_map<std::string, row_ptr<claim>> claims_;
  std::unordered_map<std::string, numbers> counters_;
  std::set<std::string> locked_;
};

} // namespace ao
