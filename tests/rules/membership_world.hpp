#pragma once

#include "runtime/rules/membership.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace ao::membership_world {

using std::chrono::milliseconds;

/// The rule as hub and nodes use it; a test replaces a part to plant a defect.
struct rule {
  decltype(&after_start) start = after_start;
  decltype(&hear_hello) hello = hear_hello;
  decltype(&hear_beat) beat = hear_beat;
  decltype(&may_regrant) regrant = may_regrant;
  decltype(&lease_renewed) renewed = lease_renewed;
  decltype(&has_to_fence) fence = has_to_fence;
  std::uint64_t (*next_epoch)(std::uint64_t)
    = [](std::uint64_t x) { return x + 1; };
  /// When a greeting that was sent at the first moment and answered at the
  /// second counts from.
  mono_time (*counts_from)(mono_time, mono_time)
    = [](mono_time sent, mono_time) { return sent; };
  /// Nodes tell, and a hub heeds, the highest epochs that were seen.
  bool remembers = true;
  /// A node's clock stands still while its host sleeps.
  bool clock_sleeps = false;
};

/// What must never be seen.
struct findings {
  /// An agent works, its node does, and its task was granted to another.
  bool two_work = false;
  /// One epoch of a task was granted to two.
  bool epoch_reused = false;
  /// An agent that another has followed was let push.
  bool stale_push = false;
  /// A beat of an earlier life was heard.
  bool stale_renewal = false;
  /// A node was lost sooner than `lost_after` after it was heard.
  bool false_loss = false;
  /// Long after all was well again somebody is not back, or a task has not
  /// its one agent.
  bool unsettled = false;

  /// Not wrong: how often a node was lost.
  int losses = 0;

  bool any() const {
    return two_work || epoch_reused || stale_push || stale_renewal || false_loss
      || unsettled;
  }
};

/// (what happens, to which node, how much); see `world::act`.
using action = std::tuple<int, int, int>;
constexpr int kinds_of_action = 12;

constexpr int nodes = 3;
constexpr milliseconds tick{100};
constexpr milliseconds hello_limit{10'000};
/// Enough for every limit there is, and then to be back.
constexpr milliseconds time_to_settle{60'000};

/// One hub, three nodes with one task each, and a network between them that is
/// silent in one direction or both, delays and loses; hosts that sleep,
/// processes that are killed and start again, a hub that is put back to an
/// older database. All of it under a time of its own; the clocks of nodes are
/// off, and run at another pace.
class world {
public:
  world(rule with, milliseconds stop_after, unsigned seed)
      : rule_(with), stop_after_(stop_after), random_(seed) {
    for (int i = 0; i < nodes; ++i) {
      nodes_[i].offset = milliseconds{3'600'000 * (i + 1)};
      grant(i, i, 1);
    }
    run(milliseconds{3'000});
    backup_ = records_;
  }

  void run(milliseconds length) {
    for (auto until = now_ + length; now_ < until;) {
      now_ += tick;
      turn();
    }
  }

  /// One thing happens, then time passes.
  void act(const action& what, milliseconds pause) {
    auto [kind, which, amount] = what;
    auto& n = nodes_[which % nodes];
    auto& net = net_[which % nodes];
    switch (kind) {
    case 0:
      net[to_hub].silent = true;
      break;
    case 1:
      net[to_node].silent = true;
      break;
    case 2:
      net[to_hub].silent = net[to_node].silent = true;
      break;
    case 3:
      net = {};
      break;
    case 4:
      net[amount % 2].delay = milliseconds{100 * amount};
      break;
    case 5:
      net[amount % 2].loss = amount % 100;
      break;
    case 6:
      n.asleep = true;
      break;
    case 7:
      wake(n);
      break;
    case 8:
      n.runs = false;
      break;
    case 9:
      begin_life(n);
      break;
    case 10:
      hub_runs_ = false;
      break;
    default:
      start_hub();
      break;
    }
    run(pause);
  }

  /// The hub's database is put back to what it was at the beginning.
  void put_back() {
    records_ = backup_;
    start_hub();
  }

  /// All is well from now on; whoever is gone is started.
  void settle() {
    net_ = {};
    if (!hub_runs_)
      start_hub();
    for (auto& n : nodes_) {
      wake(n);
      if (!n.runs)
        begin_life(n);
    }
    run(time_to_settle);
    for (int i = 0; i < nodes; ++i)
      if (hub_[i].link != node_link::alive || !nodes_[i].greeted) {
        seen_.unsettled = true;
        if (getenv("DBG"))
          printf("node %d link %d greeted %d runs %d\n", i, (int)hub_[i].link,
                 nodes_[i].greeted, nodes_[i].runs);
      }
    for (const auto& [task, held] : records_.tasks)
      for (int i = 0; i < nodes; ++i) {
        auto has = nodes_[i].agents.count(task) != 0;
        if (has != (i == held.node)
            || (has && nodes_[i].agents.at(task) != held.epoch)) {
          seen_.unsettled = true;
          if (getenv("DBG"))
            printf("task %d at %d e %d; node %d has %d\n", task, held.node,
                   (int)held.epoch, i, has);
        }
      }
  }

  /// Whether any agent is on this node.
  bool works(int which) const { return !nodes_[which].agents.empty(); }

  const findings& seen() const { return seen_; }

private:
  enum direction { to_hub, to_node };

  struct way {
    bool silent = false;
    milliseconds delay{0};
    /// Percent.
    int loss = 0;
  };

  struct node {
    milliseconds offset{0};
    mono_time::duration slept{0};
    bool runs = true;
    /// The host: nothing on it moves.
    bool asleep = false;
    std::optional<mono_time> woke_at;
    std::uint64_t life = 1;
    std::uint64_t version = 0;
    bool greeted = false;
    std::optional<mono_time> hello_at;
    own_lease lease;
    mono_time beat_at{};
    std::optional<mono_time> killed_at;
    /// By task, their epochs; they outlive the node's process.
    std::map<int, std::uint64_t> agents;
    /// On the node's disk.
    std::map<int, std::uint64_t> highest;
  };

  struct letter {
    direction way;
    mono_time due;
    int node;
    std::uint64_t life;
    bool is_hello;
    /// On the node's clock.
    mono_time sent;
    /// Of what the node was told to have.
    std::uint64_t version = 0;
    /// Of an answer.
    bool refused = false;
    /// Of a hello: what the node has and has seen. Of a welcome: what is its
    /// own.
    std::map<int, std::uint64_t> agents;
    std::map<int, std::uint64_t> highest;
  };

  static constexpr int nobody = -1;

  struct holding {
    int node;
    std::uint64_t epoch;
  };

  /// What the hub's database has.
  struct records {
    std::map<int, holding> tasks;
    std::array<cluster_node, nodes> rows;
  };

  // -- the nodes --------------------------------------------------------------

  mono_time clock(const node& n) const {
    auto since = now_ - mono_time{};
    // Half a percent fast.
    auto out = mono_time{} + n.offset + since + since / 200;
    return rule_.clock_sleeps ? out - n.slept : out;
  }

  static void forget_hub(node& n) {
    n.greeted = false;
    n.hello_at.reset();
    n.lease = {};
    n.killed_at.reset();
  }

  void wake(node& n) const {
    if (std::exchange(n.asleep, false))
      n.woke_at = now_;
  }

  void begin_life(node& n) const {
    wake(n);
    n.runs = true;
    n.life += 1;
    forget_hub(n);
  }

  void turn_of(int which) {
    auto& n = nodes_[which];
    if (n.asleep)
      n.slept += tick;
    if (n.asleep || !n.runs)
      return;
    auto here = clock(n);
    if (n.killed_at && here >= *n.killed_at) {
      n.agents.clear();
      n.killed_at.reset();
      // What it is to have it is told anew.
      n.greeted = false;
    }
    // As the LINK: without a greeting of this life there is no lease to end.
    if (n.lease.renewed && !n.lease.fenced
        && rule_.fence(n.lease, stop_after_, here)) {
      n.lease.fenced = true;
      // It takes its time, but not more than it may.
      n.killed_at = here + fence_takes - 4 * tick;
    }
    if (here < n.beat_at)
      return;
    n.beat_at = here + times_.heartbeat;
    if (n.hello_at && here - *n.hello_at < hello_limit)
      return;
    auto greets = !n.greeted || n.lease.fenced;
    // What is to be killed is not told as alive.
    if (greets && n.killed_at)
      return;
    if (greets)
      n.hello_at = here;
    post({to_hub,
          {},
          which,
          n.life,
          greets,
          here,
          n.version,
          false,
          n.agents,
          n.highest});
  }

  void take_answer(const letter& x) {
    auto& n = nodes_[x.node];
    if (!n.runs || x.life != n.life)
      return;
    auto here = clock(n);
    if (x.refused) {
      // As the LINK: it says hello instead.
      n.greeted = false;
      n.hello_at.reset();
      return;
    }
    if (!x.is_hello) {
      // Later nobody waits for it.
      if (here - x.sent <= times_.heartbeat)
        n.lease = rule_.renewed(n.lease, x.sent);
      return;
    }
    if (!n.hello_at || *n.hello_at != x.sent || here - x.sent > hello_limit)
      return;
    n.hello_at.reset();
    n.greeted = true;
    n.lease = lease_granted(rule_.counts_from(x.sent, here));
    n.agents = x.agents;
    n.version = x.version;
    for (const auto& [task, epoch] : n.agents)
      n.highest[task] = std::max(n.highest[task], epoch);
  }

  // -- the hub ----------------------------------------------------------------

  void start_hub() {
    hub_runs_ = true;
    for (int i = 0; i < nodes; ++i) {
      hub_[i] = rule_.start(records_.rows[i], times_, now_);
      heard_[i] = now_;
      peers_[i] = false;
    }
  }

  void note_row(int which) {
    records_.rows[which].link = hub_[which].link;
    records_.rows[which].incarnation = hub_[which].incarnation;
  }

  void grant(int task, int to, std::uint64_t epoch) {
    if (!granted_.emplace(task, epoch).second)
      seen_.epoch_reused = true;
    last_[task] = {to, epoch};
    records_.tasks[task] = {to, epoch};
    // Told with its next greeting; a real hub calls at once.
    ++versions_[to];
  }

  void hub_turn() {
    for (int i = 0; i < nodes; ++i) {
      auto step = look_at(hub_[i], times_, now_);
      hub_[i] = step.next;
      note_row(i);
      if (step.news == membership_news::lost) {
        seen_.losses += 1;
        seen_.false_loss
          = seen_.false_loss || now_ - heard_[i] < times_.lost_after;
      }
      auto other = somebody_there();
      if (!other || !rule_.regrant(hub_[i], now_))
        continue;
      for (const auto& [task, held] : std::map{records_.tasks})
        if (held.node == i)
          grant(task, *other, rule_.next_epoch(held.epoch));
    }
    grant_anew();
  }

  /// What was taken from everybody, once all have said what they know.
  void grant_anew() {
    if (std::count(peers_.begin(), peers_.end(), true) < nodes)
      return;
    for (const auto& [task, held] : std::map{records_.tasks})
      if (auto other = somebody_there(); other && held.node == nobody)
        grant(task, *other, rule_.next_epoch(held.epoch));
  }

  std::optional<int> somebody_there() const {
    for (int i = 0; i < nodes; ++i)
      if (hub_[i].link == node_link::alive)
        return i;
    return std::nullopt;
  }

  void take_call(const letter& x) {
    auto& m = hub_[x.node];
    auto& known = peers_[x.node];
    auto step = x.is_hello ? rule_.hello(m, x.life, times_, now_)
                           : rule_.beat(m, x.life, times_, now_);
    auto back = x;
    back.way = to_node;
    back.refused = step.refused || !(known || x.is_hello);
    if (!back.refused) {
      seen_.stale_renewal = seen_.stale_renewal || x.life < m.incarnation;
      m = step.next;
      known = true;
      heard_[x.node] = now_;
      note_row(x.node);
      if (x.is_hello)
        back.agents = welcome(x);
      else
        back.refused = x.version != versions_[x.node];
      back.version = versions_[x.node];
    }
    post(std::move(back));
  }

  /// What is the node's own: what it has and was not given away, and what it
  /// was given.
  std::map<int, std::uint64_t> welcome(const letter& x) {
    std::map<int, std::uint64_t> out;
    for (auto& [task, held] : records_.tasks) {
      auto seen = x.highest.find(task);
      // Of that nobody here knows: what was granted after the records were.
      if (rule_.remembers && seen != x.highest.end()
          && seen->second > held.epoch) {
        if (held.node != nobody)
          ++versions_[held.node];
        held = {nobody, seen->second};
      }
      if (held.node == x.node)
        out[task] = held.epoch;
    }
    return out;
  }

  // -- time and network -------------------------------------------------------

  void post(letter x) {
    auto& w = net_[x.node][x.way];
    if (w.silent || (w.loss > 0 && static_cast<int>(random_() % 100) < w.loss))
      return;
    // One may overtake another: they come by different connections.
    x.due = now_ + w.delay * static_cast<int>(random_() % 101) / 100;
    letters_.push_back(std::move(x));
  }

  void turn() {
    auto arrived = std::move(letters_);
    letters_.clear();
    for (auto& x : arrived) {
      auto waits = x.due > now_ || (x.way == to_node && nodes_[x.node].asleep);
      if (waits)
        letters_.push_back(std::move(x));
      else if (x.way == to_node)
        take_answer(x);
      else if (hub_runs_)
        take_call(x);
    }
    for (int i = 0; i < nodes; ++i)
      turn_of(i);
    if (hub_runs_)
      hub_turn();
    judge();
  }

  void judge() {
    for (int i = 0; i < nodes; ++i) {
      const auto& n = nodes_[i];
      // Who wakes up is given the time that a fence takes.
      if (n.asleep || (n.woke_at && now_ - *n.woke_at <= fence_takes))
        continue;
      for (const auto& [task, epoch] : n.agents) {
        auto latest = last_[task];
        auto follows = latest.node != i || latest.epoch != epoch;
        // Where no `ao-node` lives that was greeted, only the epoch guards.
        if (n.runs && n.lease.renewed && latest.node != i)
          seen_.two_work = true;
        const auto& held = records_.tasks[task];
        if (follows && hub_runs_ && held.epoch == epoch && held.node != nobody
            && lease_holds(hub_[held.node], now_))
          seen_.stale_push = true;
      }
    }
  }

  rule rule_;
  milliseconds stop_after_;
  std::mt19937 random_;
  cluster_times times_;
  mono_time now_{std::chrono::hours{1}};

  std::array<node, nodes> nodes_;
  std::array<std::array<way, 2>, nodes> net_;
  std::vector<letter> letters_;

  bool hub_runs_ = true;
  std::array<membership, nodes> hub_;
  std::array<mono_time, nodes> heard_{};
  /// Who has greeted this life of the hub.
  std::array<bool, nodes> peers_{};
  std::array<std::uint64_t, nodes> versions_{};
  records records_;
  records backup_;

  /// What really happened, whatever the records say.
  std::set<std::pair<int, std::uint64_t>> granted_;
  std::map<int, holding> last_;
  findings seen_;
};

} // namespace ao::membership_world
