#pragma once

#include "messages/error.hpp"
#include "messages/supervision.hpp"
#include "messages/time.hpp"
#include "runtime/rules/restart_window.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace ao {

/// How a child has ended, as far as the rule cares.
enum class exit_class : std::uint8_t {
  /// It was finished.
  normal,
  /// It was asked to end.
  shutdown,
  /// Anything else, `kill` too.
  error,
  /// The runtime lost it: a defect of ours, which a restart would repeat
  /// thousands of times a second.
  unreachable,
};

/// What becomes of a child that has ended by itself.
enum class after_exit : std::uint8_t {
  restart,
  /// It stays down; its specification is kept (dynamic: removed).
  keep,
  /// Its specification goes as well.
  remove,
  /// Reported and never restarted.
  give_up,
};

/// The restart decision; one table, see the source.
after_exit decide_exit(restart_kind kind, exit_class how);

/// How a supervisor treats its children.
struct supervision_rule {
  restart_strategy strategy = restart_strategy::one_for_one;
  /// Of the supervisor; under `dynamic`, of each child.
  restart_limits limits = {};
  /// How long a killed child may take to die before it is abandoned.
  milliseconds kill_grace = std::chrono::seconds{1};
};

/// A child, as far as the rule cares.
struct child_rule {
  std::string id;
  restart_kind kind = restart_kind::permanent;
  /// `milliseconds::max()` = no limit.
  milliseconds start_within = milliseconds::max();
  /// `milliseconds::max()` = no limit, zero = kill at once.
  milliseconds stop_within = std::chrono::seconds{5};
};

/// The life of a supervisor without its actor: events in, effects out. No
/// clock, no randomness, no I/O. The behaviour is that of OTP's `supervisor`,
/// made asynchronous:
///
/// - ordered strategies start left to right, each when the one before is
///   ready, and stop right to left, each when the one behind has ended;
/// - a start that fails at first fails the supervisor; at a restart it counts
///   as one more restart;
/// - more than `intensity` restarts within `period` stop everything and fail
///   with the last reason;
/// - `dynamic` starts and stops all at once and counts per child; a child over
///   its limit, also one that never comes up, is given up alone;
/// - a stop is asked for, after `stop_within` enforced by kill, and after
///   `kill_grace` the child is abandoned: counted, and no longer waited for.
///
/// Each event costs O(log children) plus its effects.
class supervision {
public:
  // -- events -----------------------------------------------------------------

  /// Starts the children given to the constructor. The first event.
  struct begin {};
  /// The child is ready.
  struct started {
    std::string id;
    std::uint64_t incarnation;
  };
  /// The child's process is gone, or could not be made.
  struct ended {
    std::string id;
    std::uint64_t incarnation;
    exit_class how = exit_class::error;
    error reason = {};
  };
  /// The time of an `arm` has come.
  struct fired {
    std::uint64_t timer;
  };
  /// Adds a child and starts it. Repeatable, see `running`.
  struct start_child {
    child_rule rule;
  };
  struct stop_child {
    std::string id;
  };
  /// Starts a child again that is `stopped`.
  struct restart_child {
    std::string id;
  };
  /// Forgets a child that is `stopped`.
  struct delete_child {
    std::string id;
  };
  /// Stops everything; the last word is `done`, or `failed` when a failure
  /// came first.
  struct stop {};

  using event = std::variant<begin, started, ended, fired, start_child,
                             stop_child, restart_child, delete_child, stop>;

  // -- effects ----------------------------------------------------------------

  struct start {
    std::string id;
    std::uint64_t incarnation;
  };
  struct ask_stop {
    std::string id;
    std::uint64_t incarnation;
  };
  struct kill {
    std::string id;
    std::uint64_t incarnation;
  };
  /// Forget this process: it does not die. Its end is ignored.
  struct abandon {
    std::string id;
    std::uint64_t incarnation;
  };
  /// Send `fired{timer}` at that time. Timers that became pointless are
  /// ignored when they fire.
  struct arm {
    std::uint64_t timer;
    mono_time at;
  };
  /// The child is ready. Also the answer to `start_child` of one that was.
  struct running {
    std::string id;
    std::uint64_t incarnation;
  };
  /// The child is down and stays down. Also the answer to `stop_child` of one
  /// that was. `removed`: its specification is gone.
  struct stopped {
    std::string id;
    bool removed;
  };
  /// A start that was asked for by `start_child` (`removed`) or
  /// `restart_child` has failed.
  struct start_failed {
    std::string id;
    error reason;
    bool removed;
  };
  /// The child will be started again after the delay.
  struct restarting {
    std::string id;
    error reason;
    std::uint32_t restarts;
    milliseconds delay;
  };
  /// Dynamic: the child is over its limit and removed.
  struct given_up {
    std::string id;
    error reason;
  };
  /// A command that does not apply; nothing has changed.
  struct refused {
    std::string id;
    error why;
  };
  /// All children of `begin` have been started.
  struct up {};
  /// All is down after a failure of this child: end with its last reason.
  struct failed {
    std::string id;
    error reason;
  };
  /// All is down after `stop`.
  struct done {};

  using effect = std::variant<start, ask_stop, kill, abandon, arm, running,
                              stopped, start_failed, restarting, given_up,
                              refused, up, failed, done>;
  using effects = std::vector<effect>;

  // -- life -------------------------------------------------------------------

  /// @param children In start order; a second one of the same id is ignored.
  supervision(supervision_rule rule, std::vector<child_rule> children);

  /// Takes one event.
  /// @param now Never goes back.
  /// @param draw A number of 0..1 for the jitter of a restart.
  effects on(const event& e, mono_time now, double draw = 0.5);

  // -- observers --------------------------------------------------------------

  /// All children in start order.
  std::vector<child_info> children() const;

  std::optional<child_info> find(const std::string& id) const;

  /// Children abandoned so far.
  std::uint64_t abandoned() const { return abandoned_; }

  /// Whether it stops or has stopped, and takes no new children.
  bool closing() const { return closing_; }

  /// Children looked at so far: what an event costs, for tests of growth.
  std::uint64_t steps() const { return steps_; }

private:
  /// Place in the start order.
  using place = std::uint64_t;

  /// There may be very many, hence one node each and no second copy of the id.
  struct child {
    place where = 0;
    std::uint64_t incarnation = 0;
    /// The one timer that counts at present; 0 = none.
    std::uint64_t timer = 0;
    milliseconds start_within{0};
    milliseconds stop_within{0};
    restart_window window = {};
    restart_kind kind = restart_kind::permanent;
    child_phase phase = child_phase::stopped;
    /// `start_child` or `restart_child` waits for this start.
    bool commanded = false;
    /// The specification is new with this command.
    bool fresh = false;
    /// Killed because it was not ready in time.
    bool late = false;
    /// Counted among those whose first start `up` waits for.
    bool booting = false;
  };

  /// A group of children on its way down, or up again.
  struct walk {
    enum class stage : std::uint8_t { stopping, waiting, starting };
    stage at = stage::stopping;
    /// All from this place on.
    place from = 0;
    /// No child behind this place has a process.
    place last = std::numeric_limits<place>::max();
    milliseconds delay{0};
    std::uint64_t timer = 0;
    /// The one whose start is under way; 0 = none.
    place current = 0;
  };

  /// By id.
  using child_map = std::unordered_map<std::string, child>;
  using entry = child_map::value_type;

  bool is_dynamic() const {
    return rule_.strategy == restart_strategy::dynamic;
  }

  void handle(const begin&);
  void handle(const started&);
  void handle(const ended&);
  void handle(const fired&);
  void handle(const start_child&);
  void handle(const stop_child&);
  void handle(const restart_child&);
  void handle(const delete_child&);
  void handle(const stop&);

  /// Whether it has a process.
  static bool lives(const child& c);
  /// What others see of it.
  static child_info info_of(const entry& e);
  /// The last child of the present walk that has a process; null when none
  /// has.
  entry* last_to_stop();
  entry* lookup(const std::string& id);
  /// Null when there is one of this id already.
  entry* add(child_rule rule);
  void remove(entry& e);
  void launch(entry& e);
  /// Asks it to end, with a deadline.
  void ask(entry& e);
  /// Kills it, with a deadline.
  void enforce(entry& e);
  /// The process of the child is gone; decides what follows.
  void gone(entry& e, exit_class how, error reason);
  void gone_as_asked(entry& e);
  void gone_by_itself(entry& e, exit_class how, const error& reason);
  void start_has_failed(entry& e, exit_class how, const error& reason);
  /// The child is to be restarted, if its limit allows.
  void crashed(entry& e, const error& reason);
  /// Restarts all from `from` on, after the delay.
  void recycle(place from, milliseconds delay);
  /// Stays down; removed if nothing will want its specification.
  void settle_down(entry& e, bool removed);
  void give_up(entry& e, const error& reason);
  void close();
  void fail_with(const std::string& id, const error& reason);
  /// Takes the walk as far as it goes at present.
  void step();
  void finish_if_empty();
  void booted(child& c);
  bool descending(const child& c) const;
  /// @param whose Null = the walk's.
  void set_timer(std::uint64_t& timer, entry* whose, milliseconds after);
  void drop_timer(std::uint64_t& timer);
  void refuse(const std::string& id, ec code, const std::string& why);

  supervision_rule rule_;
  child_map children_;
  /// Their start order, where the strategy has one.
  std::map<place, entry*> order_;
  /// How many have a process.
  std::size_t live_ = 0;
  /// Those that the present walk still has to start.
  std::set<place> todo_;
  /// Armed timers and whose they are; null = the walk's.
  std::unordered_map<std::uint64_t, entry*> timers_;
  std::optional<walk> walk_;
  restart_window window_;
  place last_place_ = 0;
  std::uint64_t last_timer_ = 0;
  std::uint64_t abandoned_ = 0;
  std::uint64_t steps_ = 0;
  /// First starts that `up` waits for (dynamic).
  std::uint64_t unborn_ = 0;
  bool booting_ = false;
  bool closing_ = false;
  bool over_ = false;
  std::optional<failed> failure_;

  // Of the event under way.
  mono_time now_{};
  double draw_ = 0.5;
  effects out_;
};

/// `start a#1`, `ask a#1`, `refused a wrong_state`, for logs and tests.
std::string to_string(const supervision::effect& x);

} // namespace ao
