#include "runtime/rules/registry.hpp"
#include "tests/support/shared_row.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>

using namespace ao;

namespace {

const wall_time now{milliseconds{1000}};

/// What the STORE promises, and the claims about its rows that must hold
/// whatever is committed.
class model_store {
public:
  enum class outcome { written, repeated, refused };

  outcome commit(const store_write& w, std::string& answer) {
    if (!w.request.empty()) {
      auto i = answers.find(w.request.text);
      if (i != answers.end()) {
        answer = i->second;
        return outcome::repeated;
      }
    }
    for (const auto& g : w.guards) {
      RC_ASSERT(g.in == table::counters);
      if (counters[g.key].version != g.equals)
        return outcome::refused;
    }
    for (const auto& r : w.rows)
      if (!fits(r))
        return outcome::refused;
    for (const auto& r : w.rows)
      std::visit([this](const auto& x) { put(x); }, r);
    if (!w.request.empty())
      answers[w.request.text] = w.answer;
    answer = w.answer;
    return outcome::written;
  }

  std::map<std::string, task> tasks;
  std::map<std::string, claim> claims;
  std::map<std::string, counter> counters;
  std::map<std::string, session> sessions;
  std::map<std::string, std::string> answers;

private:
  bool fits(const row& r) {
    if (auto x = std::get_if<task>(&r))
      return x->version == tasks[x->id.text].version + 1;
    if (auto x = std::get_if<claim>(&r))
      return x->version == claims[x->subject].version + 1;
    if (auto x = std::get_if<counter>(&r))
      return x->version == counters[x->name].version + 1;
    return true;
  }

  void put(const task& x) { tasks[x.id.text] = x; }

  void put(const claim& x) {
    const auto& was = claims[x.subject];
    RC_ASSERT(x.epoch >= was.epoch);
    if (x.held) {
      // A grant: a new epoch, and nobody else's while it is held.
      RC_ASSERT(x.epoch > was.epoch);
      RC_ASSERT(!was.held || was.session == x.session);
      RC_ASSERT(
        holders_.emplace(std::make_pair(x.subject, x.epoch), x.session.text)
          .second);
    } else {
      RC_ASSERT(x.epoch == was.epoch);
      RC_ASSERT(was.held);
    }
    claims[x.subject] = x;
  }

  void put(const counter& x) {
    RC_ASSERT(x.last > counters[x.name].last);
    counters[x.name] = x;
  }

  void put(const session& x) {
    RC_ASSERT(sessions.emplace(x.id.text, x).second);
  }

  void put(const change&) { RC_FAIL("not the registry's"); }
  void put(const ci_run&) { RC_FAIL("not the registry's"); }
  void put(const change_review&) { RC_FAIL("not the registry's"); }
  void put(const incident&) { RC_FAIL("not the registry's"); }
  void put(const notification&) { RC_FAIL("not the registry's"); }
  void put(const breaker&) { RC_FAIL("not the registry's"); }
  void put(const message&) { RC_FAIL("not the registry's"); }
  void put(const cluster_node&) { RC_FAIL("not the registry's"); }
  void put(const join_token&) { RC_FAIL("not the registry's"); }

  std::map<std::pair<std::string, epoch_no>, std::string> holders_;
};

struct op {
  int kind = 0;
  int a = 0;
  int b = 0;
};

void showValue(const op& x, std::ostream& out) {
  out << "{" << x.kind << ", " << x.a << ", " << x.b << "}";
}

/// The REGISTRY around the book, under the harshest schedule: writes commit in
/// order but late, acknowledgements come in any order, it dies at any point.
class world {
public:
  world() { restart(); }

  void run(const op& x) {
    switch (x.kind) {
    case 0: {
      add_task request;
      request.project = project_id{"app"};
      request.title = "t";
      if (x.a % 2 == 0)
        request.key = "app/" + std::to_string(x.b % 4);
      if (auto t = pick(x.a); t != nullptr && x.b % 2 == 0)
        request.needs = {t->id.text};
      send(request, {});
      return;
    }
    case 1:
    case 2:
    case 3:
      return spawn(x, {});
    // The same request again, whatever it was.
    case 4:
      return spawn(x, request_id{"r" + std::to_string(x.b)});
    case 5:
    case 6: {
      auto c = pick_claim(x.a);
      if (c == nullptr)
        return;
      // Sometimes the word of an older epoch.
      auto epoch = c->epoch - std::min<epoch_no>(x.b % 3, c->epoch);
      auto sent = send(release_claim{c->subject, epoch, "", x.kind == 6}, {});
      RC_ASSERT(!sent || (epoch == c->epoch && c->held));
      return;
    }
    case 7:
    case 8: {
      auto t = pick(x.a);
      if (t == nullptr)
        return;
      const task_state to[]
        = {task_state::in_review, task_state::claimed, task_state::merged,
           task_state::done,      task_state::failed,  task_state::parked,
           task_state::cancelled};
      auto stale = x.b % 4 == 3;
      auto epoch = t->epoch - (stale && t->epoch > 0 ? 1 : 0);
      auto present = t->epoch;
      auto sent = send(move_task{t->id, epoch, to[x.b % 7], "", {}}, {});
      RC_ASSERT(!sent || epoch == present);
      return;
    }
    case 9:
      if (auto t = pick(x.a))
        send(retry_task{t->id}, {});
      return;
    case 10:
      if (auto t = pick(x.a))
        send(x.b % 2 ? registry_request(cancel_task{t->id, ""})
                     : registry_request(park_task{t->id, ""}));
      return;
    case 11:
      if (auto c = pick_claim(x.a))
        send(regrant_claim{c->subject, c->session, node_name{"n2"}, ""}, {});
      return;
    case 12:
    case 13:
    case 14:
      return commit_next();
    case 15:
    case 16:
      return acknowledge(x.a);
    case 17:
      return settle_one(x.a);
    default:
      return restart();
    }
  }

  /// Everything under way ends, then nothing may be left to settle.
  void come_to_rest() {
    while (!in_flight_.empty() || !to_settle_.empty()) {
      while (std::any_of(in_flight_.begin(), in_flight_.end(),
                         [](const auto& f) { return !f.committed; }))
        commit_next();
      while (!in_flight_.empty())
        acknowledge(0);
      if (!to_settle_.empty())
        settle_one(0);
    }
  }

  void check() {
    for (const auto& entry : store_.tasks) {
      const auto& t = entry.second;
      auto closed
        = std::all_of(t.needs.begin(), t.needs.end(), [&](const task_id& n) {
            return frees_dependents(store_.tasks.at(n.text).state);
          });
      if (t.state == task_state::ready)
        RC_ASSERT(closed);
      if (t.state == task_state::blocked)
        RC_ASSERT(!closed);
      auto c = store_.claims.find(t.id.text);
      auto held = c != store_.claims.end() && c->second.held;
      if (t.state == task_state::claimed || t.state == task_state::in_review)
        RC_ASSERT(held);
      if (t.state != task_state::claimed && t.state != task_state::in_review
          && t.state != task_state::blocked)
        RC_ASSERT(!held);
      if (held)
        RC_ASSERT(t.epoch == c->second.epoch);
    }
    // What was acknowledged is there, or a later decision has ended it.
    for (const auto& entry : acknowledged_) {
      const auto& c = store_.claims.at(entry.first);
      RC_ASSERT(c.epoch >= entry.second.epoch);
      if (c.epoch == entry.second.epoch)
        RC_ASSERT(c.session == entry.second.session);
    }
    for (const auto& s : told_)
      RC_ASSERT(store_.sessions.count(s) == 1u);
  }

private:
  struct flight {
    registry_decision decision;
    bool committed = false;
    bool repeated = false;
    std::string answer;
  };

  using registry_request = std::variant<cancel_task, park_task>;

  void send(const registry_request& request) {
    std::visit([this](const auto& x) { send(x, {}); }, request);
  }

  void spawn(const op& x, request_id id) {
    open_session request;
    request.prefix = "app";
    request.node = node_name{"n1"};
    if (auto t = pick(x.a)) {
      request.task = t->id;
    } else {
      request.subject = "role/x";
      request.project = project_id{"app"};
    }
    send(request, std::move(id));
  }

  /// True when a decision with something to write is under way.
  template <class Request>
  bool send(const Request& request, request_id id) {
    auto d = book_->decide(request, now);
    if (!d)
      return false;
    // `task_ready` is decided on needs that are closed as far as is known.
    for (const auto& e : d->write.events)
      if (e.kind == event_kind::task_ready)
        for (const auto& r : d->write.rows)
          if (auto t = std::get_if<task>(&r);
              t != nullptr && subject_of(t->id) == e.subject)
            for (const auto& n : t->needs)
              RC_ASSERT(frees_dependents(book_->find_task(n.text)->state));
    if (d->empty() && id.empty()) {
      book_->abandon(*d);
      return false;
    }
    d->write.request = std::move(id);
    if (auto s = std::get_if<session_opened>(&d->answer))
      d->write.answer = s->session.id.text;
    else if (auto e = std::get_if<error>(&d->answer))
      d->write.answer = to_string(*e);
    in_flight_.push_back({std::move(*d), false, false, {}});
    return true;
  }

  void commit_next() {
    auto f = std::find_if(in_flight_.begin(), in_flight_.end(),
                          [](const auto& x) { return !x.committed; });
    if (f == in_flight_.end())
      return;
    std::string answer;
    for (const auto& w : f->decision.reserve)
      RC_ASSERT(store_.commit(w, answer) == model_store::outcome::written);
    auto outcome = store_.commit(f->decision.write, f->answer);
    // Nobody else writes these rows, so no guard may ever fail.
    RC_ASSERT(outcome != model_store::outcome::refused);
    f->repeated = outcome == model_store::outcome::repeated;
    f->committed = true;
  }

  void acknowledge(int a) {
    std::vector<std::size_t> ripe;
    for (std::size_t i = 0; i < in_flight_.size(); ++i)
      if (in_flight_[i].committed)
        ripe.push_back(i);
    if (ripe.empty())
      return;
    auto at = ripe[static_cast<std::size_t>(a) % ripe.size()];
    auto f = std::move(in_flight_[at]);
    in_flight_.erase(in_flight_.begin() + static_cast<std::ptrdiff_t>(at));
    const auto& request = f.decision.write.request;
    if (!request.empty())
      RC_ASSERT(answers_.emplace(request.text, f.answer).first->second
                == f.answer);
    if (f.repeated) {
      book_->abandon(f.decision);
      return;
    }
    if (auto s = std::get_if<session_opened>(&f.decision.answer)) {
      acknowledged_[s->claim.subject] = s->claim;
      RC_ASSERT(told_.insert(s->session.id.text).second);
    }
    for (const auto& e : book_->adopt(f.decision))
      if (e.what == registry_effect::kind::settle)
        to_settle_.push_back(e.task);
  }

  void settle_one(int a) {
    if (to_settle_.empty())
      return;
    auto at = static_cast<std::size_t>(a) % to_settle_.size();
    auto id = to_settle_[at];
    if (book_->busy(id.text))
      return;
    to_settle_.erase(to_settle_.begin() + static_cast<std::ptrdiff_t>(at));
    send(settle_task{id}, {});
  }

  /// Dies and comes back from what is committed.
  void restart() {
    in_flight_.clear();
    to_settle_.clear();
    book_ = std::make_unique<registry_book>();
    auto values = [](const auto& rows) {
      std::vector<row_ptr<typename std::decay_t<decltype(rows)>::mapped_type>>
        out;
      for (const auto& entry : rows)
        if (entry.second.version > 0)
          out.push_back(shared(entry.second));
      return out;
    };
    book_->load(values(store_.tasks), values(store_.claims),
                values(store_.counters));
    for (const auto& e : book_->recover())
      to_settle_.push_back(e.task);
  }

  const task* pick(int a) {
    const auto& tasks = book_->tasks();
    auto at = static_cast<std::size_t>(a) % (tasks.size() + 1);
    if (at == tasks.size())
      return nullptr;
    return std::next(tasks.begin(), static_cast<std::ptrdiff_t>(at))
      ->second.get();
  }

  const claim* pick_claim(int a) {
    if (store_.claims.empty())
      return nullptr;
    auto at = static_cast<std::size_t>(a) % store_.claims.size();
    auto i = std::next(store_.claims.begin(), static_cast<std::ptrdiff_t>(at));
    return book_->find_claim(i->first);
  }

  model_store store_;
  std::unique_ptr<registry_book> book_;
  std::deque<flight> in_flight_;
  std::vector<task_id> to_settle_;
  std::map<std::string, claim> acknowledged_;
  std::set<std::string> told_;
  std::map<std::string, std::string> answers_;
};

} // namespace

namespace rc {
template <>
struct Arbitrary<op> {
  static Gen<op> arbitrary() {
    return gen::build<op>(gen::set(&op::kind, gen::inRange(0, 19)),
                          gen::set(&op::a, gen::inRange(0, 12)),
                          gen::set(&op::b, gen::inRange(0, 28)));
  }
};
} // namespace rc

RC_GTEST_PROP(RegistryModel, OneHolderPerEpochWhateverDiesWhen, ()) {
  // At full size from the first case on; short runs get nowhere.
  auto ops = *rc::gen::resize(200, rc::gen::arbitrary<std::vector<op>>());
  world w;
  for (const auto& x : ops)
    w.run(x);
  w.come_to_rest();
  w.check();
  // And once more from the rows alone.
  w.run({18, 0, 0});
  w.come_to_rest();
  w.check();
}
