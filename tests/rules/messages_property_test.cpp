// The mailbox against a node, a session and a hub that fail wherever they
// can. What counts is what the agent got: each text at most once per evidence
// that says so, and none lost without a word.

#include "runtime/rules/messages.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <set>

using namespace ao;
using namespace std::chrono_literals;

namespace {

constexpr message_state states[] = {
  message_state::queued,        message_state::written,
  message_state::submitted,     message_state::acknowledged,
  message_state::answered,      message_state::expired,
  message_state::undeliverable, message_state::superseded,
  message_state::unknown,
};

constexpr runtime_state runtimes[] = {
  runtime_state::queued, runtime_state::provisioning, runtime_state::starting,
  runtime_state::alive,  runtime_state::exited,       runtime_state::lost,
  runtime_state::parked,
};

bool is_end(message_state s) {
  return s == message_state::answered || s == message_state::expired
    || s == message_state::undeliverable || s == message_state::superseded
    || s == message_state::unknown;
}

/// What holds of every step, whatever the input.
void check(const mailbox_state& before, const mailbox_step& step) {
  std::map<message_id, message> old;
  for (const auto& m : before.letters)
    old[m.id] = m;
  std::size_t changes = 0;
  for (const auto& m : step.rows) {
    const auto& was = old[m.id];
    ASSERT_EQ(m.version, was.version + 1);
    ASSERT_FALSE(was.settled);
    ASSERT_GE(m.evidence.size(), was.evidence.size());
    changes += m.evidence.size() - was.evidence.size();
    for (std::size_t i = 0; i < was.evidence.size(); ++i)
      ASSERT_EQ(m.evidence[i].state, was.evidence[i].state);
    ASSERT_FALSE(m.evidence.empty());
    ASSERT_EQ(m.evidence.back().state, m.state);
    ASSERT_EQ(is_end(m.state), m.settled && is_end(m.state));
    ASSERT_FALSE(m.settled && m.delivering);
    ASSERT_NE(m.number, 0u);
  }
  // Each change of state is an event, and nothing else is.
  ASSERT_EQ(step.events.size(), changes);
  int delivering = 0;
  for (const auto& m : step.next.letters) {
    ASSERT_FALSE(m.settled);
    delivering += m.delivering;
    ASSERT_TRUE(!m.delivering || m.run != 0);
  }
  ASSERT_LE(delivering, 1);
  for (const auto& e : step.effects) {
    if (auto d = std::get_if<deliver_letter>(&e)) {
      ASSERT_TRUE(d->letter.delivering);
      ASSERT_NE(d->letter.run, 0u);
    } else {
      // Never while something is being typed.
      ASSERT_EQ(delivering, 0);
    }
  }
  ASSERT_TRUE(!step.refused || (step.rows.empty() && step.effects.empty()));
}

} // namespace

TEST(MailboxExhaustive, HoldsItsInvariantsInEachStateUnderEachInput) {
  wall_time now{milliseconds{1'000'000}};
  std::size_t steps = 0;
  for (auto runtime : runtimes)
    for (auto end : {session_end::open, session_end::merged})
      for (auto role : {session_role::worker, session_role::manual})
        for (auto activity : {activity_state::unknown, activity_state::active,
                              activity_state::blocked})
          for (auto state :
               {message_state::queued, message_state::written,
                message_state::submitted, message_state::acknowledged})
            for (bool delivering : {false, true})
              for (bool prompt : {false, true})
                for (bool exited : {false, true}) {
                  mailbox_state box;
                  box.receiver.id = session_id{"app-1"};
                  box.receiver.version = 1;
                  box.receiver.run = 2;
                  box.receiver.runtime = runtime;
                  box.receiver.end = end;
                  box.receiver.role = role;
                  box.receiver.activity = activity;
                  if (exited) {
                    box.receiver.exit.emplace();
                    box.receiver.exit->run = 2;
                    box.receiver.exit->code = 0;
                    box.receiver.exit->unread = 2;
                  }
                  message m;
                  m.id = message_id{"A"};
                  m.version = 1;
                  m.number = 1;
                  m.text = "x";
                  m.state = state;
                  m.delivering = delivering;
                  m.run = delivering || state != message_state::queued ? 2 : 0;
                  m.evidence = {{state, now, "session", ""}};
                  m.deadline = now + 1ms;
                  if (prompt)
                    box.receiver.prompt = m.id;
                  box.letters.push_back(m);
                  box.last_number = 1;
                  std::vector<mailbox_input> inputs{mailbox_recovered{},
                                                    mail_due{}};
                  message_posted posted;
                  posted.draft.id = message_id{"B"};
                  posted.draft.text = "y";
                  inputs.emplace_back(posted);
                  for (auto next : runtimes) {
                    auto told = box.receiver;
                    told.version = 2;
                    told.runtime = next;
                    inputs.emplace_back(receiver_told{told});
                    told.run = 3;
                    told.exit.reset();
                    inputs.emplace_back(receiver_told{told});
                  }
                  for (auto s : states)
                    for (bool last : {false, true})
                      inputs.emplace_back(
                        delivery_told{m.id, 2, s, last, "pane", ""});
                  for (const auto& input : inputs)
                    for (auto at : {now, now + 1min}) {
                      auto step = next_mail(box, input, at);
                      ASSERT_NO_FATAL_FAILURE(check(box, step));
                      ++steps;
                    }
                }
  EXPECT_GT(steps, 40'000u);
}

namespace {

/// One agent, its node and its session, as the mailbox's neighbours.
class neighbours {
public:
  explicit neighbours() {
    row.id = session_id{"app-1"};
    row.version = 1;
    row.run = 1;
    row.runtime = runtime_state::alive;
    box.receiver = row;
  }

  void feed(const mailbox_input& input) {
    auto step = next_mail(box, input, now);
    check(box, step);
    if (testing::Test::HasFatalFailure())
      RC_FAIL("an invariant does not hold");
    for (const auto& m : step.rows)
      rows[m.id] = m;
    box = step.next;
    for (const auto& e : step.effects)
      todo.push_back(e);
  }

  void post(int n) {
    message_posted p;
    p.draft.id = message_id{"M" + std::to_string(n)};
    p.draft.text = "text " + std::to_string(n);
    feed(p);
  }

  /// The hub dies: what is committed is all that is left.
  void crash() {
    todo.clear();
    mailbox_state fresh;
    fresh.receiver = row;
    for (const auto& [id, m] : rows) {
      fresh.last_number = std::max(fresh.last_number, m.number);
      if (is_open(m))
        fresh.letters.push_back(m);
    }
    std::sort(
      fresh.letters.begin(), fresh.letters.end(),
      [](const message& a, const message& b) { return a.number < b.number; });
    box = fresh;
    feed(mailbox_recovered{});
  }

  /// Carries out the oldest effect; `luck` says how far.
  void perform(int luck) {
    if (todo.empty())
      return;
    auto e = todo.front();
    todo.pop_front();
    if (luck == 0)
      return; // lost
    if (auto d = std::get_if<deliver_letter>(&e))
      type(d->letter, luck);
    else
      start(std::get<start_with_letter>(e));
  }

  void type(const message& m, int luck) {
    auto say = [&](message_state s, bool last) {
      feed(delivery_told{m.id, m.run, s, last, "pane", ""});
    };
    auto note = notes.find({m.id, m.run});
    if (note != notes.end())
      return say(note->second, true);
    if (row.runtime != runtime_state::alive || row.run != m.run)
      return say(message_state::queued, true);
    if (luck == 1) { // the node dies between paste and Enter
      notes[{m.id, m.run}] = message_state::unknown;
      maybe.insert(m.id);
      return;
    }
    ++got[m.id];
    say(message_state::written, false);
    say(message_state::submitted, false);
    auto end
      = luck == 2 ? message_state::submitted : message_state::acknowledged;
    notes[{m.id, m.run}] = end;
    typed.push_back(m.id);
    if (luck != 3) // its last word is lost
      say(end, true);
  }

  void start(const start_with_letter& s) {
    if (row.runtime != runtime_state::exited || row.run != s.run
        || row.end != session_end::open)
      return;
    row.run += 1;
    row.exit.reset();
    row.prompt = s.id;
    row.runtime = runtime_state::starting;
    typed.clear();
    tell();
  }

  void tell() {
    row.version += 1;
    feed(receiver_told{row});
  }

  void go_on(int what) {
    if (row.runtime == runtime_state::starting) {
      row.runtime = runtime_state::alive;
      if (!row.prompt.empty() && prompted != row.run) {
        prompted = row.run;
        ++got[row.prompt];
      }
      return tell();
    }
    if (row.runtime != runtime_state::alive)
      return;
    exit_info e;
    e.run = row.run;
    e.code = 0;
    if (what == 1 && !typed.empty()) { // it never read the last text
      e.unread = rows[typed.back()].text.size() + 1;
      --got[typed.back()];
    }
    row.exit = e;
    row.runtime = runtime_state::exited;
    tell();
  }

  session row;
  mailbox_state box;
  std::map<message_id, message> rows;
  std::deque<mailbox_effect> todo;
  std::map<std::pair<message_id, run_no>, message_state> notes;
  std::vector<message_id> typed;
  run_no prompted = 0;
  /// How often the agent got it; what it may have got besides.
  std::map<message_id, int> got;
  std::set<message_id> maybe;
  wall_time now{milliseconds{1'000'000}};
};

} // namespace

RC_GTEST_PROP(MailboxProperty, LosesNothingAndRepeatsNothing, ()) {
  neighbours w;
  auto moves = *rc::gen::resize(
    80,
    rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(0, 8), rc::gen::inRange(0, 6))));
  int posted = 0;
  for (auto [kind, detail] : moves) {
    if (kind == 0)
      w.post(++posted);
    else if (kind == 1)
      w.crash();
    else if (kind <= 5)
      w.perform(detail);
    else if (kind == 6)
      w.go_on(detail);
    else {
      w.now += 20s;
      w.feed(mail_due{});
    }
    for (const auto& [id, times] : w.got)
      RC_ASSERT(times <= 1);
  }
  // From here on everything works: whatever is open gets through.
  for (int i = 0; i < 400; ++i) {
    while (!w.todo.empty())
      w.perform(5);
    w.now += 20s;
    w.feed(mail_due{});
    w.go_on(0);
  }
  for (int n = 1; n <= posted; ++n) {
    const auto& m = w.rows[message_id{"M" + std::to_string(n)}];
    if (w.maybe.count(m.id) != 0 && w.got[m.id] == 0)
      RC_ASSERT(m.state == message_state::unknown);
    else
      RC_ASSERT(w.got[m.id] == 1);
  }
}
