#include "runtime/rules/messages.hpp"

#include "runtime/rules/event_data.hpp"
#include "runtime/rules/sessions.hpp"
#include "runtime/rules/typing.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace ao {
namespace {

/// The node is asked again about a delivery of which nothing is heard.
constexpr std::chrono::seconds ask_again{15};
/// After the node could not type.
constexpr std::chrono::seconds pause{2};
/// After it found a dialog: the end of that is told by the session.
constexpr std::chrono::seconds dialog_pause{30};
/// A tty keeps at most 4096 bytes that nobody reads; from this many on a text
/// counts as unread.
constexpr std::uint64_t tty_room = 2048;

/// The session's run is over and no other has begun.
bool rests(const session& s) {
  return s.runtime == runtime_state::exited
    || s.runtime == runtime_state::parked
    || (s.runtime == runtime_state::queued && s.run > 0);
}

/// One input on its way through the machine.
class machine {
public:
  machine(const mailbox_state& state, wall_time now) : now_(now) {
    out_.next = state;
  }

  mailbox_step finish() {
    for (auto& m : letters())
      if (touched_.count(m.id) != 0) {
        m.version += 1;
        m.updated_at = now_;
        out_.rows.push_back(m);
      }
    auto& list = letters();
    list.erase(std::remove_if(list.begin(), list.end(),
                              [](const message& m) { return m.settled; }),
               list.end());
    return std::move(out_);
  }

  // -- inputs -----------------------------------------------------------------

  void operator()(const mailbox_recovered&) {
    for (auto& m : letters())
      if (m.deadline && now_ < m.created_at) {
        m.deadline = now_ + (*m.deadline - m.created_at);
        m.created_at = now_;
        touch(m);
      }
    follow_session();
    for (auto& m : letters())
      if (is_open(m) && m.delivering && !as_prompt(m))
        order(m);
    go_on();
  }

  void operator()(const message_posted& x) {
    const auto& s = receiver();
    if (is_terminal(s))
      return refuse(ec::session_closed, "has ended");
    if (s.role == session_role::manual)
      return refuse(ec::wrong_state, "has no agent");
    supersede(x.draft.topic);
    auto m = x.draft;
    m.session = s.id;
    m.version = 0;
    m.number = ++out_.next.last_number;
    m.epoch = s.epoch;
    m.run = 0;
    m.created_at = now_;
    m.delivering = m.settled = false;
    m.evidence.clear();
    letters().push_back(std::move(m));
    become(letters().back(), message_state::queued, x.draft.sender, "");
    go_on();
  }

  void operator()(const receiver_told& x) {
    if (x.now.version == receiver().version && x.started)
      return go_on();
    if (x.now.version <= receiver().version)
      return drop("knows that version of its session");
    out_.next.receiver = x.now;
    out_.next.pause_until = {};
    follow_session();
    go_on();
  }

  void operator()(const delivery_told& x) {
    auto* m = find(x.id);
    if (m == nullptr || !is_open(*m))
      return drop("has settled message " + x.id.text);
    if (x.state == message_state::answered)
      return take_answer(*m, x);
    if (!m->delivering || m->run != x.run)
      return drop("does not wait for word on " + x.id.text + " from run "
                  + std::to_string(x.run));
    take(*m, x);
    end_runs();
    go_on();
  }

  void operator()(const mail_due&) {
    if (now_ >= out_.next.pause_until)
      out_.next.pause_until = {};
    for (auto& m : letters())
      if (is_open(m) && m.delivering && !as_prompt(m)
          && now_ >= out_.next.asked_at + ask_again)
        order(m);
    go_on();
  }

  void operator()(const clock_set& x) {
    for (auto* at : {&out_.next.asked_at, &out_.next.pause_until})
      if (*at != wall_time{})
        *at += x.by;
    for (auto& m : letters())
      if (waits(m) && m.deadline) {
        *m.deadline += x.by;
        m.created_at += x.by;
        touch(m);
      }
  }

private:
  // -- what the node says -----------------------------------------------------

  void take(message& m, const delivery_told& x) {
    switch (x.state) {
    case message_state::written:
    case message_state::submitted:
    case message_state::acknowledged:
      if (x.state > m.state)
        become(m, x.state, x.source, x.detail);
      else if (!x.last)
        return drop("knows that of " + x.id.text);
      if (x.last)
        delivered(m);
      return;
    case message_state::queued:
      return give_back(m, x.source, x.detail);
    case message_state::undeliverable:
    case message_state::unknown:
      become(m, x.state, x.source, x.detail);
      return settle(m);
    default:
      return drop(std::string{to_string(x.state)} + " is no word of a node");
    }
  }

  /// The turn that had it is complete.
  void take_answer(message& m, const delivery_told& x) {
    if (m.state != message_state::acknowledged || m.run != x.run)
      return drop("has no proof of " + x.id.text + " in run "
                  + std::to_string(x.run));
    become(m, message_state::answered, x.source, x.detail);
    settle(m);
    go_on();
  }

  /// The node has done what it can.
  void delivered(message& m) {
    m.delivering = false;
    touch(m);
  }

  /// Nothing of it counts: it waits again. What is known already is not told
  /// again.
  void give_back(message& m, const std::string& source,
                 const std::string& detail) {
    auto known = m.state == message_state::queued && !m.evidence.empty()
      && m.evidence.back().source == source
      && m.evidence.back().detail == detail;
    m.delivering = false;
    m.run = 0;
    if (known)
      touch(m);
    else
      become(m, message_state::queued, source, detail);
    out_.next.pause_until
      = now_ + (source == about_dialog ? dialog_pause : pause);
  }

  // -- what the session is ----------------------------------------------------

  void follow_session() {
    for (auto& m : letters())
      if (is_open(m))
        follow_prompt(m);
    end_runs();
  }

  /// What the end of a run means to those that it got; decided when the node
  /// has said its last word on each.
  void end_runs() {
    if (std::any_of(letters().begin(), letters().end(), [&](const message& m) {
          return is_open(m) && m.delivering && !as_prompt(m) && is_over(m.run);
        }))
      return;
    give_back_unread();
    for (auto& m : letters())
      if (is_open(m) && m.run != 0 && !m.delivering && is_over(m.run))
        run_over(m);
  }

  /// The session says which message is the prompt of its run.
  void follow_prompt(message& m) {
    const auto& s = receiver();
    // Its run waits for a slot.
    if (is_bound(m) && s.runtime == runtime_state::queued)
      return;
    if (!as_prompt(m)) {
      if (m.state == message_state::written && m.delivering && prompt_run(m))
        give_back(m, "session",
                  "run " + std::to_string(m.run) + " was not started with it");
      return;
    }
    auto began = s.runtime == runtime_state::alive
      || (rests(s) && s.exit && s.exit->run == s.run
          && s.exit->cause != "start_failed" && s.exit->cause != "disk");
    if (m.state == message_state::acknowledged) {
      if (began && m.run != s.run) {
        m.run = s.run;
        become(m, message_state::acknowledged, "session",
               "again the prompt of run " + std::to_string(s.run));
      }
      return;
    }
    if (m.run != s.run || m.state == message_state::queued) {
      m.run = s.run;
      m.epoch = s.epoch;
      m.delivering = true;
      become(m, message_state::written, "session", prompt_of_run(s.run));
    }
    if (began) {
      m.delivering = false;
      become(m, message_state::acknowledged, "session",
             "run " + std::to_string(s.run) + " started with it as prompt");
    }
  }

  /// What lay in the tty when the run ended was typed, but never read: the
  /// newest of the texts.
  void give_back_unread() {
    const auto& s = receiver();
    if (!rests(s) || !s.exit || s.exit->run != s.run)
      return;
    auto left = s.exit->unread;
    for (auto i = letters().rbegin(); i != letters().rend(); ++i) {
      auto& m = *i;
      if (!is_open(m) || m.run != s.run || m.delivering || as_prompt(m)
          || m.state == message_state::queued)
        continue;
      auto size = static_cast<std::uint64_t>(m.text.size()) + 1;
      if (left < std::min(size, tty_room))
        return;
      left -= std::min(left, size);
      give_back(m, "tty",
                "run " + std::to_string(s.run) + " ended without reading it");
      out_.next.pause_until = {};
    }
  }

  /// The run that has the letter is over.
  void run_over(message& m) {
    const auto& s = receiver();
    auto known = s.exit && s.exit->run == m.run;
    auto completed = known && s.exit->code == 0 && !s.exit->signal
      && s.exit->failure.empty();
    if (m.state == message_state::acknowledged && completed)
      become(m, message_state::answered, "exit",
             "run " + std::to_string(m.run) + " completed its turn");
    // A restart after a failure has the same prompt again.
    else if (as_prompt(m) && !is_terminal(s))
      return;
    // One of a topic speaks of what is the case: heard twice it does no harm.
    else if (m.state == message_state::submitted && !m.topic.empty()
             && !is_terminal(s)) {
      give_back(m, "exit",
                "run " + std::to_string(m.run)
                  + " ended before anything showed that it was read");
      out_.next.pause_until = {};
      return;
    } else if (m.state == message_state::submitted)
      become(m, message_state::unknown, "exit",
             "run " + std::to_string(m.run)
               + " ended before anything showed that it was read");
    settle(m);
  }

  // -- what follows -----------------------------------------------------------

  void go_on() {
    if (is_terminal(receiver()))
      return close();
    expire();
    if (std::any_of(letters().begin(), letters().end(), [](const message& m) {
          return is_open(m) && m.delivering;
        }))
      return;
    const auto& s = receiver();
    if (s.runtime == runtime_state::exited && !awaits_restart(s)) {
      if (auto* m = first_waiting(); m != nullptr) {
        out_.next.asked_at = now_;
        effect(start_with_letter{m->id, s.run});
      }
      return;
    }
    if (s.runtime != runtime_state::alive || now_ < out_.next.pause_until)
      return;
    if (auto* m = first_typable(); m != nullptr) {
      m->delivering = true;
      m->run = s.run;
      m->epoch = s.epoch;
      touch(*m);
      order(*m);
    }
  }

  /// The session has ended: nothing can be delivered any more.
  void close() {
    for (auto& m : letters()) {
      if (!is_open(m))
        continue;
      if (m.delivering && !as_prompt(m)
          && (m.state == message_state::queued
              || m.state == message_state::written))
        become(m, message_state::unknown, "session",
               "it ended while the message was being typed");
      else if (m.state == message_state::queued
               || m.state == message_state::written)
        become(m, message_state::undeliverable, "session", end_of_session());
      settle(m);
    }
  }

  void expire() {
    for (auto& m : letters())
      if (waits(m) && m.deadline && *m.deadline <= now_) {
        become(m, message_state::expired, "deadline", where_it_waited());
        settle(m);
      }
  }

  void supersede(const std::string& topic) {
    if (topic.empty())
      return;
    for (auto& m : letters())
      if (waits(m) && m.topic == topic) {
        become(m, message_state::superseded, "topic",
               "a newer message of " + topic);
        settle(m);
      }
  }

  void order(const message& m) {
    out_.next.asked_at = now_;
    effect(deliver_letter{m});
  }

  // -- questions --------------------------------------------------------------

  bool waits(const message& m) {
    return is_open(m) && m.state == message_state::queued && !m.delivering
      && !is_bound(m);
  }

  /// The session has it as the prompt of a run that is not there yet.
  bool is_bound(const message& m) {
    auto r = receiver().runtime;
    return as_prompt(m) && m.state == message_state::queued
      && (r == runtime_state::queued || r == runtime_state::provisioning
          || r == runtime_state::starting);
  }

  message* first_waiting() {
    for (auto& m : letters())
      if (waits(m))
        return &m;
    return nullptr;
  }

  /// A busy agent hears what is for its next turn when that comes. Whether a
  /// dialog is in the way the node sees when it is about to type.
  message* first_typable() {
    auto activity = receiver().activity;
    for (auto& m : letters())
      if (waits(m)
          && (m.mode != message_mode::turn
              || activity != activity_state::active))
        return &m;
    return nullptr;
  }

  bool as_prompt(const message& m) { return receiver().prompt == m.id; }

  /// It was to be the prompt of its run, as its last evidence says.
  static bool prompt_run(const message& m) {
    return !m.evidence.empty() && m.evidence.back().source == "session";
  }

  bool is_over(run_no run) {
    const auto& s = receiver();
    return run < s.run || rests(s) || is_terminal(s);
  }

  std::string where_it_waited() {
    const auto& s = receiver();
    return "the session was " + std::string{to_string(s.runtime)}
    + (s.reason.empty() ? "" : " (" + s.reason + ")");
  }

  std::string end_of_session() {
    const auto& s = receiver();
    return "the session is " + std::string{to_string(s.end)}
    + (s.end_reason.empty() ? "" : ": " + s.end_reason);
  }

  static std::string prompt_of_run(run_no run) {
    return "prompt of run " + std::to_string(run);
  }

  message* find(const message_id& id) {
    for (auto& m : letters())
      if (m.id == id)
        return &m;
    return nullptr;
  }

  // -- the step ---------------------------------------------------------------

  std::vector<message>& letters() { return out_.next.letters; }
  const session& receiver() { return out_.next.receiver; }

  void touch(const message& m) { touched_.insert(m.id); }

  void settle(message& m) {
    m.delivering = false;
    m.settled = true;
    touch(m);
  }

  void become(message& m, message_state state, const std::string& source,
              const std::string& detail) {
    m.state = state;
    m.evidence.push_back({state, now_, source, detail});
    touch(m);
    record(m);
  }

  void record(const message& m) {
    const auto& s = receiver();
    event_data d;
    d.with("project", s.project)
      .with("task", s.task)
      .with("session", s.id)
      .with("change", s.change)
      .with("message", m.id)
      .with("mode", std::string{to_string(m.mode)})
      .with("sender", m.sender)
      .with("source", m.evidence.back().source)
      .with("detail", m.evidence.back().detail);
    if (m.run != 0)
      d.with_value("run", m.run);
    out_.events.push_back(make_event(kind_of(m.state), now_, subject_of(s.id),
                                     "mailbox/" + s.id.text, s.epoch, d));
  }

  static event_kind kind_of(message_state s) {
    switch (s) {
    case message_state::queued:
      return event_kind::message_queued;
    case message_state::written:
      return event_kind::message_written;
    case message_state::submitted:
      return event_kind::message_submitted;
    case message_state::acknowledged:
      return event_kind::message_acknowledged;
    case message_state::answered:
      return event_kind::message_answered;
    case message_state::expired:
      return event_kind::message_expired;
    case message_state::undeliverable:
      return event_kind::message_undeliverable;
    case message_state::superseded:
      return event_kind::message_superseded;
    case message_state::unknown:
      break;
    }
    return event_kind::message_unknown;
  }

  void effect(mailbox_effect e) { out_.effects.push_back(std::move(e)); }

  void drop(const std::string& why) {
    out_.dropped = "mailbox of " + receiver().id.text + " " + why;
  }

  void refuse(ec code, const std::string& why) {
    out_.refused = error{code, receiver().id.text + " " + why};
  }

  wall_time now_;
  mailbox_step out_;
  std::set<message_id> touched_;
};

} // namespace

mailbox_step next_mail(const mailbox_state& state, const mailbox_input& input,
                       wall_time now) {
  machine m{state, now};
  std::visit(m, input);
  return m.finish();
}

std::optional<wall_time> next_look(const mailbox_state& state) {
  std::optional<wall_time> next;
  auto consider = [&](wall_time t) { next = next ? std::min(*next, t) : t; };
  auto delivering = false;
  auto waiting = false;
  for (const auto& m : state.letters) {
    if (!is_open(m))
      continue;
    if (m.delivering && state.receiver.prompt != m.id)
      delivering = true;
    if (m.state != message_state::queued || m.delivering)
      continue;
    waiting = true;
    if (m.deadline)
      consider(*m.deadline);
  }
  const auto& s = state.receiver;
  if (delivering
      || (waiting && s.runtime == runtime_state::exited && !awaits_restart(s)))
    consider(state.asked_at + ask_again);
  else if (waiting && s.runtime == runtime_state::alive
           && state.pause_until > wall_time{})
    consider(state.pause_until);
  return next;
}

} // namespace ao
