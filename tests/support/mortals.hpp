#pragma once

#include "tests/support/world.hpp"

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace ao {

/// A few agents that work while somebody kills everything around them, and
/// what may not come of it. Used by `tests/faults/deaths_test.cpp` and
/// `./dev soak survival`.
class mortals {
public:
  /// Steps of provisioning at which a hub can be killed.
  static const std::vector<std::string>& steps();

  explicit mortals(int agents);

  world& machine() { return w_; }
  int agents() const { return agents_; }

  /// Adds a task and remembers that it was acknowledged.
  std::string add_task(const std::string& title,
                       const std::string& agent = "patient");

  /// Starts all the agents.
  void spawn_all();

  // -- deaths; each returns once what it killed is dead -----------------------

  void kill_an_agent() { kill_one("pid"); }
  void kill_a_shim() { kill_one("shimPid"); }
  void kill_the_tmux_server();
  /// Kills the hub and starts the next one.
  void kill_the_hub();
  /// Spawns a task anew and kills the hub when the session is at `step`; the
  /// session.
  std::string kill_the_hub_at(const std::string& step);
  /// Everything at once, as a power cut does.
  void kill_everything();

  /// A moment that falls anywhere within a restart.
  void pass_a_moment();

  /// Kills the session of a task of its own, then has it done anew: the task
  /// gets an epoch more.
  void grant_once_more();

  // -- what is left -----------------------------------------------------------

  /// Lets the agents finish and says what is wrong then; empty = nothing: all
  /// work is merged once, nobody had a second writer beside him, no run was
  /// started twice, no epoch given twice, every acknowledged task is there, and
  /// no process, pane, branch or directory is left over.
  std::vector<std::string> objections();

  /// `<run> <reason>` lines of a session's agent.
  std::string runs_of(const std::string& session) const;

private:
  void kill_one(const char* member);
  nlohmann::json runtime_of(const std::string& session);
  std::string any_session();
  std::vector<pid_t> marked();
  std::string story_of(const std::string& task);
  void look_at_events(std::vector<std::string>& against);
  void look_at_rest(std::vector<std::string>& against);

  int agents_;
  std::minstd_rand random_{std::random_device{}()};
  /// Tasks that were acknowledged, with their titles.
  std::map<std::string, std::string> acknowledged_;
  /// Sessions whose work is to be merged, by task.
  std::map<std::string, std::string> expected_;
  std::string wanderer_;
  world w_;
};

} // namespace ao
