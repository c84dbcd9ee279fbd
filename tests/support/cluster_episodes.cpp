#include "tests/support/cluster_episodes.hpp"

#include "messages/json.hpp"
#include "runtime/process/process_table.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>

namespace ao {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;
using way = network_hosts::way;

/// Works for a few seconds, by its task longer or shorter, and says all the
/// while under which epoch and where; pushes meanwhile, as agents do. What was
/// done by an earlier run is kept.
constexpr const char* worker = R"(
n=${AO_TASK#T}
left=$((4 + n % 5))
while [ "$left" -gt 0 ]; do
  echo "$AO_TASK $AO_EPOCH $AO_RUN $(date +%s%3N) $PWD" >> "$HOME/at-work"
  echo "$AO_EPOCH" >> draft
  sleep 0.9
  left=$((left - 1))
  if [ "$left" = 2 ]; then
    echo "by $AO_TASK" > "$AO_TASK.txt"
    git add "$AO_TASK.txt"
    git diff --cached --quiet || git commit --quiet --message "Work of $AO_TASK"
    [ $((n % 3)) != 0 ] || git push --quiet || true
  fi
done
rm -f draft
git add --all
git diff --cached --quiet || git commit --quiet --message "Rest of $AO_TASK"
)";

world_options options_for(const cluster_episodes::plan& what) {
  world_options o;
  o.settings = "limits: {sessions: " + std::to_string(what.agents)
    + ", spawnsPerMinute: 0, minFreeMemory: 1MiB, minFreeDisk: 1MiB}\n"
      "restart: {intensity: 100, period: 5s, delay: 50ms, maxDelay: 200ms}\n"
      "breaker: {halfOpen: 300ms, probation: 300ms, stagger: 20ms}\n";
  o.project = ", dispatch: auto";
  return o;
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<milliseconds>(
           std::chrono::system_clock::now().time_since_epoch())
    .count();
}

std::string at(const json& x, const char* name) {
  auto found = x.find(name);
  return found != x.end() && found->is_string() ? found->get<std::string>()
                                                : std::string{};
}

/// Of `name=value` in a line of a log.
std::string value_in(const std::string& line, const std::string& name) {
  auto begin = line.find(" " + name + "=");
  if (begin == std::string::npos)
    return {};
  begin += name.size() + 2;
  return line.substr(begin, line.find(' ', begin) - begin);
}

} // namespace

cluster_episodes::cluster_episodes(const plan& what)
    : plan_(what),
      random_(what.seed),
      c_(what.nodes, options_for(what),
         {"heartbeat: 200ms, suspectAfter: 1s, lostAfter: 3s, lease: 5s",
          "3500ms"}) {}

const std::vector<cluster_episodes::kind>& cluster_episodes::kinds() {
  using self = cluster_episodes;
  static const std::vector<kind> all
    = {{"cut", &self::cut_both},
       {"cut to the hub", &self::cut_to_hub},
       {"cut to the node", &self::cut_to_node},
       {"flapping", &self::flap},
       {"asleep", &self::sleep},
       {"node killed", &self::kill_node},
       {"hub killed", &self::kill_hub},
       {"hub killed in a cut", &self::kill_hub_in_cut}};
  return all;
}

int cluster_episodes::random(int below) {
  return std::uniform_int_distribution<int>{0, below - 1}(random_);
}

void cluster_episodes::begin() {
  auto& w = c_.hub();
  w.add_agent("worker", worker);
  // Restarts and moves must not find one node full.
  c_.begin(plan_.agents);
  for (int i = 1; i <= plan_.tasks; ++i)
    w.add_task("Task " + std::to_string(i));
}

void cluster_episodes::pass(int episodes) {
  auto deck = kinds();
  for (int i = 0; i < episodes; ++i) {
    auto n = static_cast<std::size_t>(i) % deck.size();
    if (n == 0)
      std::shuffle(deck.begin(), deck.end(), random_);
    auto node = random(c_.size());
    story_.push_back(std::string{deck[n].name} + " "
                     + network_cluster::name_of(node));
    std::cerr << "episode " << i + 1 << ": " << story_.back() << std::endl;
    (this->*deck[n].run)(node);
  }
}

// -- episodes -----------------------------------------------------------------

void cluster_episodes::pass_a_fault() {
  constexpr int lengths[] = {500, 1'500, 4'000, 7'000};
  auto most = lengths[random(4)];
  ::usleep(static_cast<useconds_t>(most / 2 + random(most / 2)) * 1000);
}

void cluster_episodes::cut(int node, way which) {
  c_.net().cut(node, which);
  pass_a_fault();
  c_.net().heal(node);
}

void cluster_episodes::flap(int node) {
  c_.net().flap(node, 5, 600, random_);
}

void cluster_episodes::sleep(int node) {
  c_.put_to_sleep(node);
  pass_a_fault();
  woken_.emplace(network_cluster::name_of(node), now_ms());
  c_.wake_up(node);
}

void cluster_episodes::kill_node(int node) {
  c_.node(node).kill();
  pass_a_fault();
  c_.node(node).start({"--slots", std::to_string(plan_.agents)});
}

void cluster_episodes::kill_hub(int) {
  restart_hub(-1);
}

void cluster_episodes::kill_hub_in_cut(int node) {
  c_.net().cut(node, way::both);
  pass_a_fault();
  restart_hub(node);
  c_.net().heal(node);
}

std::map<std::string, json> cluster_episodes::live_sessions() const {
  std::map<std::string, json> out;
  auto& w = const_cast<network_cluster&>(c_).hub();
  auto listed = w.ask({"status"});
  for (const auto& row : listed["data"])
    if (row["runtime"]["state"] == "alive")
      out[at(row, "name")] = row;
  return out;
}

/// Waits until every node, except maybe one, is there.
void cluster_episodes::await_return(std::uint64_t after, int except) {
  for (int i = 0; i < c_.size(); ++i)
    if (i != except)
      c_.hub().await(
        [name = network_cluster::name_of(i)](const json& e) {
          return e["kind"] == "node_returned" && e["subject"] == "node:" + name;
        },
        after);
}

/// Whether a node has ended its agents by itself since then.
bool cluster_episodes::has_fenced(int node, const std::string& since) const {
  std::istringstream log{const_cast<network_cluster&>(c_).node(node).log()};
  for (std::string line; std::getline(log, line);)
    if (line.find(" fenced ") != std::string::npos && line > since)
      return true;
  return false;
}

/// Agents of nodes that have nothing else must not notice.
void cluster_episodes::restart_hub(int except) {
  auto& w = c_.hub();
  auto before = live_sessions();
  auto began = w.last_event();
  auto since = format_time(wall_now());
  w.kill_hub();
  c_.start_hub();
  await_return(began, except);
  std::set<std::string> unwell;
  std::map<std::string, json> started;
  for (const auto& e : w.events()) {
    if (e["seq"].get<std::uint64_t>() <= began)
      continue;
    if (e["kind"] == "node_lost")
      unwell.insert(at(e["data"], "node"));
    if (e["kind"] == "agent_started" || e["kind"] == "agent_exited")
      started[at(e, "subject")] = e;
  }
  // A hub that is away for longer than they may be without it is another fault.
  for (int i = 0; i < c_.size(); ++i)
    if (i == except || has_fenced(i, since))
      unwell.insert(network_cluster::name_of(i));
  for (const auto& [id, row] : before) {
    auto node = at(row, "node");
    auto again = started.find("session:" + id);
    // One that came to its own end has exited.
    if (unwell.count(node) == 0 && again != started.end()
        && again->second["kind"] == "agent_started")
      object("the hub's restart started " + id + " of " + node
             + " again: " + row.dump() + " " + again->second.dump());
  }
}

/// What happened to a task and its sessions, and where these are now.
std::string cluster_episodes::story_of(const std::string& task) {
  auto& w = c_.hub();
  auto out = w.ask({"task", "show", task.substr(5)}).dump();
  std::set<std::string> subjects{task};
  for (const auto& e : w.events()) {
    if (at(e["data"], "task") == task.substr(5))
      subjects.insert(at(e, "subject"));
    if (subjects.count(at(e, "subject")) != 0)
      out += "\n  " + e.dump();
  }
  for (const auto& one : subjects)
    if (one.rfind("session:", 0) == 0)
      out += "\n  " + w.ask({"session", "show", one.substr(8)}).dump();
  return out;
}

// -- the end ------------------------------------------------------------------

std::vector<std::string> cluster_episodes::objections() {
  auto& w = c_.hub();
  for (int i = 0; i < c_.size(); ++i) {
    c_.net().heal(i);
    c_.wake_up(i);
  }
  std::set<std::string> open;
  for (int i = 1; i <= plan_.tasks; ++i)
    open.insert("task:T" + std::to_string(i));
  for (std::uint64_t seq = 0; !open.empty();) {
    auto closed = w.await(
      [&](const json& e) {
        return (e["kind"] == "task_closed" || e["kind"] == "task_parked")
          && open.count(at(e, "subject")) != 0;
      },
      seq);
    if (closed.is_null())
      break;
    seq = closed["seq"];
    open.erase(at(closed, "subject"));
  }
  for (const auto& task : open)
    object(task + " is not over: " + story_of(task));
  await_agreement();
  look_at_merges();
  look_at_events();
  look_at_pushes();
  look_at_agents();
  look_at_kept_work();
  figures_["episodes"] = story_.size();
  figures_["seed"] = plan_.seed;
  figures_["tasks"] = plan_.tasks;
  figures_["agents"] = plan_.agents;
  figures_["nodes"] = plan_.nodes;
  if (!against_.empty())
    for (int i = 0; i < c_.size(); ++i)
      std::cerr << "--- " << network_cluster::name_of(i) << "\n"
                << c_.node(i).log();
  return against_;
}

void cluster_episodes::look_at_merges() {
  auto& w = c_.hub();
  std::map<std::string, int> merged;
  std::istringstream log{w.git(
    w.forge(), {"log", "--format=%(trailers:key=Ao-Task,valueonly)", "main"})};
  for (std::string line; std::getline(log, line);)
    if (!line.empty())
      ++merged[line];
  auto tasks = w.ask({"task", "ls"});
  std::map<std::string, std::string> states;
  for (const auto& t : tasks["data"])
    states[at(t, "id")] = at(t, "state");
  for (int i = 1; i <= plan_.tasks; ++i) {
    auto id = "T" + std::to_string(i);
    if (states[id] != "merged")
      object(id + " is " + states[id]);
    if (merged[id] != 1)
      object(id + " was merged " + std::to_string(merged[id]) + " times");
    auto work = w.try_git(w.forge(), {"show", "main:" + id + ".txt"});
    if (work.out != "by " + id + "\n")
      object("the work of " + id + " is \"" + work.out + "\"");
  }
  auto total = std::to_string(plan_.tasks + 1);
  if (auto n = w.git(w.forge(), {"rev-list", "--count", "main"}); n != total)
    object("main has " + n + " commits and not " + total);
}

void cluster_episodes::look_at_events() {
  std::map<std::string, std::uint64_t> epochs;
  std::set<std::string> runs;
  std::map<std::string, int> counts;
  for (const auto& e : c_.hub().events()) {
    auto kind = at(e, "kind");
    auto subject = at(e, "subject");
    auto epoch = e["epoch"].get<std::uint64_t>();
    ++counts[kind];
    if (kind == "task_claimed") {
      if (epoch <= epochs[subject])
        object(subject + " was granted epoch " + std::to_string(epoch)
               + " after " + std::to_string(epochs[subject]));
      epochs[subject] = epoch;
    } else if (kind == "agent_started") {
      auto run = subject + " epoch " + std::to_string(epoch) + " run "
        + e["data"]["run"].dump();
      if (!runs.insert(run).second)
        object(run + " was started twice");
    }
  }
  for (const auto* kind :
       {"push_refused", "node_lost", "node_suspect", "node_returned",
        "session_disowned", "agent_started", "session_reconciled",
        "session_adopted", "merged", "hub_started"})
    figures_[kind] = counts[kind];
}

/// What the forge took was under the newest grant of that moment, as its log
/// and the record say.
void cluster_episodes::look_at_pushes() {
  auto& w = c_.hub();
  std::map<std::string, std::map<std::string, std::uint64_t>> grants;
  for (const auto& e : w.events())
    if (e["kind"] == "task_claimed")
      grants[at(e, "subject").substr(5)][at(e, "at")]
        = e["epoch"].get<std::uint64_t>();
  std::ifstream log{w.home() / "logs/hub.log"};
  int accepted = 0;
  for (std::string line; std::getline(log, line);) {
    if (line.find(" push_accepted ") == std::string::npos)
      continue;
    ++accepted;
    auto when = line.substr(0, line.find(' '));
    auto task = value_in(line, "task");
    auto epoch = value_in(line, "epoch");
    std::uint64_t newest = 0;
    for (const auto& [granted, e] : grants[task])
      if (granted < when)
        newest = e;
    if (std::to_string(newest) != epoch)
      object("a push was taken under an epoch that is not "
             + std::to_string(newest) + ": " + line);
  }
  if (accepted < plan_.tasks)
    object("the forge's log has " + std::to_string(accepted) + " pushes only");
  figures_["pushesAccepted"] = accepted;
}

/// No agent works under an older epoch once another does under a newer one,
/// but in the moment in which a host that has slept finds out.
void cluster_episodes::look_at_agents() {
  constexpr std::int64_t moment = 3'000;
  std::map<std::string, int> newest;
  std::ifstream in{c_.hub().user() / "at-work"};
  int late = 0;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words{line};
    std::string task;
    std::string where;
    int epoch = 0;
    int run = 0;
    std::int64_t when = 0;
    words >> task >> epoch >> run >> when >> where;
    auto& known = newest[task];
    known = std::max(known, epoch);
    if (epoch == known)
      continue;
    auto excused
      = std::any_of(woken_.begin(), woken_.end(), [&](const auto& w) {
          return where.find("/" + w.first + "/") != std::string::npos
            && when >= w.second - 100 && when <= w.second + moment;
        });
    if (excused)
      ++late;
    else
      object("two agents at a time: " + line + " after epoch "
             + std::to_string(known));
  }
  figures_["lateSteps"] = late;
}

/// What an agent had begun under a grant that went to another node is there
/// under a ref, unless the next agent that begins there has gone on with it.
void cluster_episodes::look_at_kept_work() {
  auto& w = c_.hub();
  std::map<std::string, std::string> refs;
  std::set<std::string> owed;
  /// Of a session: grants of agents that began there, by node.
  std::map<std::string, std::map<std::string, std::string>> open;
  int returns = 0;
  for (const auto& e : w.events()) {
    auto epoch = e["epoch"].get<int>();
    auto id = at(e, "subject");
    auto where = id + " epoch " + std::to_string(epoch);
    if (e["kind"] == "session_disowned") {
      auto node = at(e["data"], "node");
      auto ref = at(e["data"], "ref");
      auto found
        = w.try_git(w.root() / node / "repos/app.git",
                    {"rev-parse", "--verify", "--quiet", ref + "^{commit}"});
      if (!found.ok())
        object(ref + " is not in the repository of " + node);
      refs[where] = ref;
    }
    if (e["kind"] == "agent_started") {
      for (const auto& [node, grant] : open[id])
        if (grant != where)
          owed.insert(grant);
      auto& here = open[id][at(e["data"], "node")];
      // Nobody has parked it meanwhile: it is in the worktree yet.
      if (!here.empty() && here != where && refs.count(here) == 0
          && owed.erase(here) != 0)
        ++returns;
      here = where;
    }
  }
  for (const auto& one : owed)
    if (refs.count(one) == 0)
      object("the work of " + one + " is kept nowhere");
  figures_["moves"] = owed.size();
  figures_["returns"] = returns;
}

/// Where hub and nodes, or what is there and what should be, differ.
std::vector<std::string> cluster_episodes::differences() {
  auto& w = c_.hub();
  std::vector<std::string> out;
  auto nodes = w.ask({"node", "ls"});
  for (const auto& n : nodes["data"]) {
    auto name = at(n, "name");
    if (at(n, "state") != "alive" || !n["sessions"].empty())
      out.push_back("the hub sees " + n.dump());
    auto home = w.root() / name;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator{home / "worktrees", none})
      out.push_back("worktree left: " + entry.path().string());
    auto branches
      = w.git(home / "repos/app.git",
              {"for-each-ref", "--format=%(refname)", "refs/heads/"});
    if (!branches.empty())
      out.push_back("branches left on " + name + ": " + branches);
  }
  for (int i = 0; i < c_.size(); ++i)
    for (auto pid : c_.net().processes_on(i))
      if (environ_value(pid, mark_variable))
        out.push_back("process " + std::to_string(pid) + " left on "
                      + network_cluster::name_of(i));
  auto status = w.ask({"status"});
  if (!status["data"].empty())
    out.push_back("sessions left: " + status["data"].dump());
  return out;
}

void cluster_episodes::await_agreement() {
  auto until = std::chrono::steady_clock::now() + world::patience;
  auto differing = differences();
  while (!differing.empty() && std::chrono::steady_clock::now() < until) {
    ::usleep(200'000);
    differing = differences();
  }
  for (const auto& one : differing)
    object(one);
}

} // namespace ao
