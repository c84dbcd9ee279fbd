#include "cli/demo/play.hpp"

#include "cli/commands/common.hpp"
#include "cli/demo/follower.hpp"
#include "runtime/home/lock.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <deque>
#include <future>
#include <map>
#include <set>

namespace ao::cli::demo {
namespace {

using nlohmann::json;
using clock = std::chrono::steady_clock;

/// How often the picture's clock is drawn.
constexpr milliseconds tick{200};
/// A killed process ends at once, but for one in the kernel.
constexpr milliseconds kill_limit{5'000};
/// How long an actor may be away that is to throw, and between two looks.
constexpr milliseconds fault_limit{10'000};
constexpr milliseconds fault_pause{20};

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int one : {SIGINT, SIGTERM, SIGHUP})
    sigaddset(&set, one);
  return set;
}

/// `what: the last line of its standard error`.
std::string complaint(const std::string& what, const answer& how) {
  auto detail = text_at(how.body, "detail");
  return what + ": exit " + std::to_string(how.code)
    + (detail.empty() ? "" : ", " + detail);
}

/// One play, from the hub's start to the last event.
class player {
public:
  player(const scenario& what, stage& where, const cast& crew, progress& view,
         person& reader, interrupts& signals, milliseconds allowed)
      : what_(what),
        where_(where),
        crew_(crew),
        view_(view),
        person_(reader),
        signals_(signals),
        until_(clock::now() + allowed),
        done_(what.acts.size()) {}

  seen run() {
    if (start_hub() && add_nodes() && add_tasks() && follow())
      claim_tasks() && watch();
    out_.notified = person_.notified();
    return std::move(out_);
  }

private:
  /// Notes a problem; false, for who goes no further.
  bool trouble(std::string what) {
    out_.problems.push_back(std::move(what));
    return false;
  }

  bool interrupted() { return signals_.caught() != 0; }

  bool start_hub() {
    auto started = where_.ask_ao({"start"});
    if (!started)
      return trouble("ao start: " + to_string(started.error()));
    if (started->code != 0)
      return trouble(complaint("ao start", *started));
    view_.say("hub " + shown(started->body, "pid") + " runs in "
              + where_.root());
    return !interrupted();
  }

  /// Has the nodes join, and waits until the hub has heard all of them.
  bool add_nodes() {
    for (const auto& name : crew_.names) {
      if (auto added = crew_.workers.add(name, crew_.door); !added)
        return trouble(name + ": " + to_string(added.error()));
      out_.nodes += 1;
      if (interrupted())
        return false;
    }
    if (crew_.names.empty())
      return true;
    if (!follow())
      return false;
    while (out_.events.nodes_here().size() < crew_.names.size())
      if (interrupted() || !wait())
        return false;
    events_.stop();
    view_.say("nodes join: " + std::to_string(crew_.names.size()));
    return true;
  }

  bool add_tasks() {
    for (const auto& one : what_.tasks) {
      std::vector<std::string> words
        = {"task", "add", one.title, "--body", one.body};
      for (const auto& need : one.needs) {
        words.emplace_back("--needs");
        words.push_back(id_of(need));
      }
      if (!one.agent.empty())
        words.insert(words.end(), {"--agent", one.agent});
      auto added = where_.ask_ao(std::move(words));
      if (!added)
        return trouble("ao task add: " + to_string(added.error()));
      auto id = text_at(added->body, "id");
      if (added->code != 0 || id.empty())
        return trouble(complaint("ao task add \"" + one.title + "\"", *added));
      out_.events.follow(id, one.title);
      if (interrupted())
        return false;
    }
    return true;
  }

  std::string id_of(const std::string& title) const {
    for (const auto& one : out_.events.tasks())
      if (one.title == title)
        return one.id;
    return "";
  }

  bool follow() {
    auto started = events_.start(where_, out_.events.last());
    return started || trouble("ao events: " + to_string(started.error()));
  }

  /// On a machine that crawls an API that is being started anew looks like no
  /// hub to who follows.
  bool follow_again() {
    auto holder = find_lock_holder(where_.where());
    if (!holder || !*holder)
      return trouble("ao events --follow has ended");
    return follow();
  }

  /// All claims at once, each by a process of its own, as if by people who do
  /// not know of each other.
  bool claim_tasks() {
    std::vector<std::future<result<answer>>> asked;
    std::vector<const scene_task*> whose;
    for (const auto& one : what_.tasks)
      for (unsigned n = 0; n < one.claims; ++n) {
        whose.push_back(&one);
        asked.push_back(
          std::async(std::launch::async, [this, id = id_of(one.title), &one] {
            std::vector<std::string> words{"spawn", id, "--no-wait"};
            if (!one.node.empty())
              words.insert(words.end(), {"--node", one.node});
            return where_.ask_ao(std::move(words));
          }));
      }
    std::map<const scene_task*, unsigned> granted;
    std::map<const scene_task*, std::string> holder;
    std::vector<std::pair<const scene_task*, std::string>> refused;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      auto how = asked[i].get();
      auto name = "ao spawn \"" + whose[i]->title + "\"";
      if (!how)
        trouble(name + ": " + to_string(how.error()));
      else if (how->code == 0) {
        granted[whose[i]] += 1;
        holder[whose[i]] = text_at(how->body, "id");
      } else if (how->code == info(ec::task_already_claimed).exit_code
                 && text_at(how->body, "error") == "task_already_claimed")
        refused.emplace_back(whose[i], text_at(how->body, "holder"));
      else
        trouble(complaint(name, *how));
    }
    for (const auto& one : what_.tasks)
      if (granted[&one] != 1)
        trouble("\"" + one.title + "\" was granted "
                + std::to_string(granted[&one]) + " times");
    for (const auto& [task, named] : refused) {
      if (named != holder[task])
        trouble("the refused claim of \"" + task->title + "\" names \"" + named
                + "\", not " + holder[task]);
      else
        out_.refused_duplicates += 1;
    }
    return !interrupted();
  }

  /// Whether no deed is due, and the last one is got over.
  bool is_calm() const {
    return due_.empty() && out_.events.faults_survived() == out_.faults.size();
  }

  bool is_over() const {
    return out_.events.settled() && is_calm() && !person_.is_involved()
      && std::all_of(restored_.begin(), restored_.end(), [this](const auto& n) {
             return out_.events.nodes_here().count(n) > 0;
           });
  }

  bool watch() {
    while (!is_over()) {
      if (interrupted())
        return false;
      if (!wait())
        return false;
      // An answer may end an actor that is to throw.
      if (!is_calm())
        continue;
      if (auto told = person_.pass_on(out_.events); !told)
        return trouble(to_string(told.error()));
    }
    return true;
  }

  /// Waits until something happens, and takes it.
  bool wait() {
    auto left = std::chrono::ceil<milliseconds>(until_ + person_.thought()
                                                - clock::now());
    if (person_.is_asked())
      left = milliseconds{-1};
    else if (left.count() <= 0)
      return trouble(out_.events.settled()
                       ? "an answered question's end was not told in time"
                       : "the tasks have not ended in time");
    else if (view_.is_live())
      left = std::min(left, tick);
    pollfd all[] = {{signals_.fd(), POLLIN, 0},
                    {events_.fd(), POLLIN, 0},
                    {person_.phone(), POLLIN, 0},
                    {person_.is_asked() ? STDIN_FILENO : -1, POLLIN, 0}};
    auto n = ::poll(all, std::size(all), static_cast<int>(left.count()));
    if (n < 0 && errno != EINTR)
      return trouble(errno_text("poll"));
    if (n == 0)
      view_.tick(out_.events);
    if (n <= 0)
      return true;
    if (all[1].revents != 0 && !take_events())
      return false;
    if (all[2].revents != 0)
      person_.read_messages();
    if (all[3].revents != 0)
      if (auto typed = person_.read_line(); !typed)
        return trouble(to_string(typed.error()));
    return true;
  }

  bool take_events() {
    std::vector<json> events;
    auto more = events_.read(events);
    for (const auto& event : events) {
      out_.events.take(event);
      learn_limit(event);
      view_.show(event, out_.events);
      note_deeds(event);
      if (text_at(event, "data.state") == "abandoned")
        person_.forget(out_.events.incident_of(event));
    }
    if (!more && !follow_again())
      return false;
    return do_deeds();
  }

  /// Asks once how often an incident's agent may try; no event says so.
  void learn_limit(const json& event) {
    if (text_at(event, "kind") != "incident_opened")
      return;
    http::api_client api{where_.where().hub_socket()};
    auto id = out_.events.incident_of(event);
    auto now = api.call("GET", api_root + "/incidents/" + id);
    if (!now)
      out_.problems.push_back(id + ": " + to_string(now.error()));
    else
      out_.events.limit(id, now->body.value("maxAttempts", 0u));
  }

  /// Notes the deeds that are due by this event.
  void note_deeds(const json& event) {
    const auto* task = out_.events.of(event);
    for (std::size_t i = 0; i < what_.acts.size(); ++i) {
      const auto& one = what_.acts[i];
      if (done_[i] || !task || (one.task != "*" && task->title != one.task)
          || text_at(event, "kind") != one.when
          || (one.hub != 0 && one.hub != out_.hub_kills + 1)
          || (one.epoch != 0
              && one.epoch != event.value("epoch", std::uint64_t{0})))
        continue;
      done_[i] = true;
      due_.push_back({&one, event});
    }
  }

  /// One after the other: an actor that is to be started again would take the
  /// next fault along.
  bool do_deeds() {
    while (!due_.empty()
           && out_.events.faults_survived() == out_.faults.size()) {
      auto next = std::move(due_.front());
      due_.pop_front();
      if (!perform(*next.act, next.event))
        return false;
    }
    return true;
  }

  bool perform(const scene_act& act, const json& event) {
    switch (act.what) {
    case deed::kill_hub:
      if (!kill_hub())
        return false;
      break;
    case deed::throw_in:
      if (!plant_fault(act.in, event))
        return false;
      break;
    case deed::open_gate:
      break;
    case deed::cut_node:
    case deed::return_node:
    case deed::kill_node:
    case deed::drain_node:
    case deed::revoke_node:
      if (!treat_node(act.what, act.in))
        return false;
      break;
    }
    if (act.opens.empty())
      return true;
    auto opened = where_.open_gate(act.opens);
    return opened || trouble(to_string(opened.error()));
  }

  bool treat_node(deed what, const std::string& name) {
    auto done = result<void>{};
    if (what == deed::cut_node) {
      done = crew_.workers.cut(name);
      out_.nodes_cut += 1;
      view_.say("node " + name + " is cut off; its agents go on");
    } else if (what == deed::return_node) {
      done = crew_.workers.restore(name);
      restored_.insert(name);
      view_.say("node " + name + " is connected again");
    } else if (what == deed::kill_node) {
      view_.say("node " + name + " is killed with all that runs there");
      done = crew_.workers.kill(name);
      out_.nodes_killed += 1;
    } else if (what == deed::revoke_node) {
      view_.say("node " + name + " is revoked: it does not come back");
      return order_node("revoke", name);
    } else {
      view_.say("node " + name + " is drained: it takes nothing new");
      out_.nodes_drained += 1;
      return order_node("drain", name);
    }
    return done || trouble("node " + name + ": " + to_string(done.error()));
  }

  bool order_node(const std::string& order, const std::string& name) {
    auto done = where_.ask_ao({"node", order, name});
    if (!done)
      return trouble("ao node " + order + ": " + to_string(done.error()));
    if (done->code != 0)
      return trouble(complaint("ao node " + order + " " + name, *done));
    return true;
  }

  bool kill_hub() {
    auto holder = find_lock_holder(where_.where());
    if (!holder || !*holder || (*holder)->pid == 0)
      return trouble("there is no hub to kill");
    auto pid = (*holder)->pid;
    auto process = open_pidfd(pid);
    if (!process)
      return trouble(to_string(process.error()));
    if (auto sent = send_signal(process->get(), SIGKILL); !sent)
      return trouble(to_string(sent.error()));
    if (!wait_ended(process->get(), kill_limit))
      return trouble("hub " + std::to_string(pid) + " survives SIGKILL");
    view_.say("hub " + std::to_string(pid)
              + " is killed (SIGKILL); the agents go on");
    events_.stop();
    if (!start_hub() || !follow())
      return false;
    out_.hub_kills += 1;
    return true;
  }

  /// The actor of this role that has to do with the event; a role with a `/`
  /// is a whole name.
  std::string actor_of(const std::string& role, const json& event) const {
    static const std::map<std::string, std::string> members
      = {{"session", "data.session"},
         {"runner", "data.session"},
         {"mailbox", "data.session"},
         {"task", "data.task"},
         {"ci-watcher", "data.change"}};
    static const std::set<std::string> of_project
      = {"forge", "ci-runners", "merge-queue", "repository", "watchers"};
    static const std::set<std::string> of_incident
      = {"incident", "self-heal", "mediation", "human"};
    if (of_incident.count(role) > 0)
      return role + "/" + out_.events.incident_of(event);
    if (auto found = members.find(role); found != members.end())
      return role + "/" + text_at(event, found->second);
    return of_project.count(role) > 0 ? role + "/" + what_.project : role;
  }

  bool plant_fault(const std::string& role, const json& event) {
    auto name = actor_of(role, event);
    http::api_client api{where_.where().hub_socket()};
    auto ask = [&] {
      return api.call("POST", api_root + "/faults", json{{"actor", name}});
    };
    auto until = clock::now() + fault_limit;
    auto planted = ask();
    // An earlier one may have taken it along, or the API.
    while (!planted && clock::now() < until && !interrupted()) {
      pollfd signal{signals_.fd(), POLLIN, 0};
      ::poll(&signal, 1, static_cast<int>(fault_pause.count()));
      planted = ask();
    }
    if (!planted)
      return trouble("no fault in " + name + ": " + to_string(planted.error()));
    out_.faults.push_back(role);
    view_.say("an exception is thrown in " + name);
    return true;
  }

  const scenario& what_;
  stage& where_;
  const cast& crew_;
  /// Nodes that were cut off, and have to come back.
  std::set<std::string> restored_;
  progress& view_;
  person& person_;
  interrupts& signals_;
  clock::time_point until_;
  /// Which acts are done, or due.
  std::vector<bool> done_;
  /// An act whose moment has come, with the event that said so.
  struct due_act {
    const scene_act* act;
    json event;
  };
  std::deque<due_act> due_;
  follower events_;
  seen out_;
};

} // namespace

interrupts::interrupts() {
  auto set = handled_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

// The signals stay blocked: one that comes this late has nothing to end.
interrupts::~interrupts() = default;

int interrupts::caught() {
  signalfd_siginfo one{};
  while (::read(fd_.get(), &one, sizeof one) == sizeof one)
    if (first_ == 0)
      first_ = static_cast<int>(one.ssi_signo);
  return first_;
}

seen play(const scenario& what, stage& where, const cast& crew, progress& view,
          person& reader, interrupts& signals, milliseconds allowed) {
  return player{what, where, crew, view, reader, signals, allowed}.run();
}

} // namespace ao::cli::demo
