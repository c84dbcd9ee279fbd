#pragma once

#include "actors/node_context.hpp"
#include "actors/runner_mail.hpp"
#include "messages/boxed.hpp"
#include "messages/interfaces/sessions.hpp"
#include "runtime/actor/askers.hpp"
#include "runtime/actor/shared_context.hpp"
#include "runtime/agents/transcript_reader.hpp"
#include "runtime/node/session_dir.hpp"
#include "runtime/shim/link.hpp"

#include <caf/actor_clock.hpp>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ao {

/// What a RUNNER is doing.
enum class runner_phase : std::uint8_t {
  /// Reads what an earlier life has left; orders wait.
  adopting,
  /// No agent of this session lives here.
  idle,
  provisioning,
  /// The shim is there; the link tells of the end.
  alive,
  /// The run is over and its leftovers are looked at; orders wait.
  ending,
  stopping,
};

/// What changes while an agent does anything; compared, never interpreted.
struct life_signs {
  /// When its pane last had output, as tmux tells it.
  std::int64_t last_output = 0;
  /// Clock ticks that its processes have spent.
  std::uint64_t cpu_time = 0;

  friend bool operator!=(const life_signs& a, const life_signs& b) {
    return a.last_output != b.last_output || a.cpu_time != b.cpu_time;
  }
};

/// What is kept of an order while its run lives; the texts that only its start
/// needs are not: there may be very many runs.
struct run_spec {
  project_id project;
  task_id task;
  session_role role = session_role::worker;
  epoch_no epoch = 0;
  run_no run = 0;
  std::string branch;
  std::string base;
  std::string head;
  std::string agent;
  milliseconds hang_after{0};
};

/// An order that has to wait; whoever repeats it meanwhile gets its answer.
struct waiting_order {
  /// What it wants, of which run.
  std::string what;
  std::function<result<session_id>()> take;
  askers<session_id> waiting;
};

/// State of the RUNNER.
struct runner_state {
  static inline const char* name = "runner";
  shared_context<node_context> context;
  session_id id;
  runner_phase phase = runner_phase::adopting;
  /// Counts what was begun with a run: its saga, the undoing of that, its end,
  /// its stop. What a step of an earlier one comes to leads nowhere.
  std::uint64_t course = 0;
  /// Counts the links to shims; words of an earlier one are not heard.
  std::uint64_t dials = 0;

  /// The order that is (or was last) carried out.
  std::optional<run_spec> spec;
  /// The same whole, until its agent lives.
  std::unique_ptr<msg::session_spec> order;

  /// The step of provisioning under way; names it when it fails.
  std::string step;
  msg::worktree_made made;
  bool pane_made = false;

  /// Marks every process of the run; empty when it was never launched.
  std::string mark;
  /// The prompt is typed once the agent lives.
  bool paste_prompt = false;
  std::unique_ptr<shim_link> link;

  /// The agent's pids once the shim has said hello.
  std::optional<msg::fact::agent_alive> alive;

  /// How the present run ended, once it has.
  boxed<exit_info> end;
  /// The same as it was told, with what was found in its worktree then.
  boxed<msg::fact::agent_exited> told_end;

  /// The stop that waits for the end of the run.
  boxed<msg::stop_order> stop;
  /// Another order has taken its place, which may want more than what is being
  /// done.
  bool stop_renewed = false;

  /// The ref that holds what is about to be removed.
  std::string parked;

  /// The run whose signs of life are looked for; 0 = none.
  run_no watched_run = 0;
  life_signs signs;
  caf::actor_clock::time_point signs_changed{};
  /// When they are looked for next; nothing = that is not planned.
  std::optional<caf::actor_clock::time_point> next_look;
  /// What the worktree changes, as last told to the hub.
  std::vector<hunk> told_work;
  bool reading_work = false;
  /// Agents below it that `ao` has not started, as told to the hub.
  std::vector<pid_t> strangers;
  /// The run is being ended because it hangs.
  bool hung = false;

  /// Orders that wait for the end of adoption or of a run, oldest first.
  std::list<waiting_order> waiting;
  /// They are being taken.
  bool taking = false;

  /// Reports that the hub has not taken yet, oldest first.
  std::list<msg::session_report> reports;
  bool reporting = false;
  /// The next try is on its way.
  bool telling_later = false;
  /// Whose branch is being pushed, by epoch and run: a push that waits for the
  /// hub is one, however often it was ordered.
  std::set<std::pair<epoch_no, run_no>> publishing;

  /// What the agent program writes down of its conversation.
  struct {
    std::unique_ptr<transcript_reader::following> following;
    /// The run whose transcript is or was followed; 0 = none.
    run_no run = 0;
    activity_state activity = activity_state::unknown;
    /// What was reported last.
    boxed<conversation_state> told;
    /// The text of the dialog that is on the screen instead; empty = none is.
    std::string screen;
    /// The file that is noted down.
    std::string file;
  } transcript;

  /// Messages to the agent.
  runner_mail mail;
};

/// Carries out orders for one session:
///
///   ensure --> worktree --> checkout --> launch --> pane --> agent
///          --> alive --exit--> ending --> idle
///          a step fails: undo what this order made, report, idle
///   stop   --> end the run --> (save, remove) --> idle
///
/// At its own start it adopts: what the files say is dialled, and a run that
/// lives is alive again without being touched. What it reports is what is the
/// case: after a crash the same facts are found in the files again, so no
/// report needs a journal.
///
/// The saga is in runner_saga, the life of a run in runner_run, messages to the
/// agent in runner_mail.
///
/// @param self The actor handle.
/// @param context The node.
/// @param id The session.
runner_actor::behavior_type
runner(runner_actor::stateful_pointer<runner_state> self,
       shared_context<node_context> context, session_id id);

} // namespace ao
