#include "runtime/rules/incidents.hpp"

#include "runtime/rules/event_data.hpp"
#include "runtime/rules/incident_texts.hpp"
#include "runtime/rules/sessions.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace ao {
namespace {

constexpr std::size_t longest_history = 32;
constexpr std::size_t longest_tail = 40;
/// Silent or invalid so often, a round ends.
constexpr std::uint32_t most_misses = 2;

bool is_open(const incident& i) {
  return i.state == incident_state::open;
}

/// Its last try, if that goes on.
const incident_attempt* present_try(const incident& i) {
  return i.history.empty() || i.history.back().ended_at ? nullptr
                                                        : &i.history.back();
}

/// Names what the last entry of the history has the agent told; one message.
std::string step_key(const incident& i) {
  const auto& last = i.history.back();
  return std::string{to_string(last.tier)} + "/" + std::to_string(last.number);
}

/// Another word about the same head is another message.
heal_agent telling_of_failure(const incident& i) {
  return {self_heal_text(i), step_key(i) + "/" + hash_of(i.text)};
}

verdict verdict_in(const incident_attempt& a) {
  auto read = read_verdict(nlohmann::json::parse(a.detail, nullptr, false));
  return read ? *read : verdict{};
}

/// What the agent and the registry are to do now.
void effects_of(const incident& i, const verdict& v,
                std::vector<incident_effect>& out) {
  switch (v.kind) {
  case verdict_kind::redesign:
    out.emplace_back(redesign_task{v.title, v.body});
    [[fallthrough]];
  case verdict_kind::advise:
    out.emplace_back(tell_agent{verdict_text(i, v), step_key(i)});
    break;
  case verdict_kind::retry:
    out.emplace_back(retry_session{});
    out.emplace_back(tell_agent{verdict_text(i, v), step_key(i)});
    break;
  case verdict_kind::split:
    out.emplace_back(split_task{v});
    break;
  case verdict_kind::reassign:
    out.emplace_back(reassign_task{v.agent, v.node});
    break;
  case verdict_kind::abandon:
    out.emplace_back(abandon_task{});
    break;
  case verdict_kind::ask_human:
    break;
  }
}

void effects_of_answer(const incident& i, std::vector<incident_effect>& out) {
  if (i.answer == answer_abandon) {
    out.emplace_back(abandon_task{});
    return;
  }
  if (i.answer == answer_retry)
    out.emplace_back(retry_session{});
  // No agent has asked for a node.
  if (i.cause != incident_cause::node_lost)
    out.emplace_back(tell_agent{answer_text(i), step_key(i)});
}

/// What the end of a closed one leads to.
std::vector<incident_effect> closing_effects(const incident& i) {
  if (i.state == incident_state::abandoned)
    return {abandon_task{}};
  if (i.state == incident_state::resolved && !i.history.empty()
      && i.history.back().verdict == to_string(verdict_kind::split))
    return {split_task{verdict_in(i.history.back())}};
  return {};
}

/// One input on its way through the machine.
class machine {
public:
  machine(const incident& row, const escalation_policy& policy, wall_time now,
          const std::string& code)
      : policy_(policy), now_(now), code_(code) {
    out_.next = row;
  }

  incident_step finish() {
    if (out_.changed) {
      if (is_open(i()))
        i().settled = false;
      i().version += 1;
      i().updated_at = now_;
    }
    return std::move(out_);
  }

  // -- the cause --------------------------------------------------------------

  void operator()(const failure_seen& x) {
    if (i().state == incident_state::abandoned)
      return drop("is abandoned");
    auto heard = knows(x.session)
      && std::all_of(x.others.begin(), x.others.end(),
                     [this](const auto& id) { return knows(id); });
    auto same = i().sha == x.sha && i().text == x.text && heard && is_open(i());
    if (same && !i().history.empty())
      return drop("knows that");
    auto fresh = i().history.empty() || !is_open(i());
    auto moved = i().sha != x.sha;
    take(x);
    if (fresh)
      return begin();
    // Another word about the same head is no new try.
    if (!moved && present_try(i()) != nullptr) {
      if (i().tier == incident_tier::self_heal)
        effect(telling_of_failure(i()));
      return;
    }
    switch (i().tier) {
    case incident_tier::self_heal:
      end_try("red");
      return heal();
    case incident_tier::mediation:
      if (awaits_verdict(i()))
        return;
      end_try("red");
      return mediate();
    case incident_tier::human:
      if (awaits_answer(i()))
        return;
      end_try("red");
      return ask(question_text(i()), options_for(i().cause));
    }
  }

  void operator()(const cause_gone& x) {
    if (!is_open(i()))
      return drop("is closed");
    end_try("green");
    close(incident_state::resolved, x.by, x.why);
  }

  void operator()(const incident_due&) {
    if (!is_open(i()) || !i().deadline || now_ < *i().deadline)
      return drop("is not due");
    change();
    i().deadline.reset();
    switch (i().tier) {
    case incident_tier::self_heal:
      end_try("overdue");
      return heal();
    case incident_tier::mediation: {
      auto waited = awaits_verdict(i());
      end_try("overdue");
      return waited ? ask_in_place_of_mediator() : mediate();
    }
    case incident_tier::human:
      if (awaits_answer(i()))
        return raise_again();
      end_try("overdue");
      return ask(question_text(i()), options_for(i().cause));
    }
  }

  // -- mediation --------------------------------------------------------------

  void operator()(const mediator_opened& x) {
    if (!awaits_verdict(i()) || x.round != i().rounds || !i().mediator.empty())
      return drop("wants no mediator for round " + std::to_string(x.round));
    change();
    i().mediator = x.session;
    i().history.back().session = x.session;
  }

  void operator()(const try_failed& x) {
    const auto* now = present_try(i());
    if (!is_open(i()) || now == nullptr || now->tier != x.tier
        || now->number != x.number)
      return drop("has no such try");
    change();
    if (x.tier == incident_tier::self_heal) {
      end_try("unreachable", x.why);
      return mediate();
    }
    end_try("missing", x.why);
    ask_in_place_of_mediator();
  }

  void operator()(const mediator_told& x) {
    // A standing orchestrator comes and goes as it likes.
    if (!awaits_verdict(i()) || x.now.id != i().mediator
        || x.now.role != session_role::mediator)
      return drop("does not wait for " + x.now.id.text);
    auto over = is_terminal(x.now) || x.now.runtime == runtime_state::parked;
    auto silent
      = x.now.runtime == runtime_state::exited && !awaits_restart(x.now);
    if (!over && !silent)
      return drop("waits for " + x.now.id.text);
    if (!over && x.now.run == i().mediator_run)
      return drop("has reminded " + x.now.id.text);
    change();
    i().mediator_run = x.now.run;
    if (!over && i().misses + 1 < most_misses) {
      i().misses += 1;
      return effect(remind_mediator{i().mediator});
    }
    end_try("silent", over ? x.now.id.text + " is over" : "");
    ask_in_place_of_mediator();
  }

  void operator()(const verdict_given& x) {
    if (auto why = not_for(x.by))
      return refuse(std::move(*why));
    change();
    if (x.by.empty()) {
      end_try("overruled");
      begin_try(incident_tier::human, next_number(incident_tier::human));
    }
    end_try(std::string{to_string(x.what.kind)},
            to_json(x.what).dump(-1, ' ', false,
                                 nlohmann::json::error_handler_t::replace));
    dismiss("its verdict is in");
    clear_question();
    record(event_kind::incident_answered,
           data()
             .with("by", name_of_asker(x.by))
             .with("verdict", std::string{to_string(x.what.kind)}));
    auto by = name_of_asker(x.by);
    switch (x.what.kind) {
    case verdict_kind::ask_human:
      return ask(x.what.question, x.what.options);
    case verdict_kind::split:
      close(incident_state::resolved, by, "split into other tasks");
      break;
    case verdict_kind::abandon:
      close(incident_state::abandoned, by, x.what.why);
      break;
    default:
      i().deadline = now_ + policy_.heal_deadline;
    }
    effects_of(i(), x.what, out_.effects);
  }

  void operator()(const verdict_refused& x) {
    if (not_for(x.by) || x.by.empty())
      return drop("wants no verdict of it");
    change();
    i().misses += 1;
    if (i().misses < most_misses)
      return;
    end_try("invalid", x.why);
    ask_in_place_of_mediator();
  }

  // -- people -----------------------------------------------------------------

  void operator()(const answer_given& x) {
    if (x.code && !awaits_answer(i()) && i().answered_at && is_open(i()))
      return refuse(ec::already_answered,
                    "was answered by " + i().answered_by + ": " + i().answer);
    if (!is_open(i()))
      return refuse(ec::incident_closed, closed());
    if (!awaits_answer(i()))
      return i().answered_at
        ? refuse(ec::already_answered,
                 "was answered by " + i().answered_by + ": " + i().answer)
        : refuse(ec::wrong_state, "asks nobody at present");
    if (x.code && *x.code != i().code)
      return refuse(ec::not_allowed, "has another code than that");
    change();
    i().answer = x.text;
    i().answered_by = x.by;
    i().answered_at = now_;
    end_try("answered", x.text);
    record(event_kind::incident_answered,
           data().with("by", x.by).with("answer", x.text));
    effects_of_answer(i(), out_.effects);
    clear_question();
    if (x.text == answer_abandon)
      return close(incident_state::abandoned, x.by, "abandoned by its answer");
    i().deadline = now_ + policy_.heal_deadline;
  }

  void operator()(const question_acked&) {
    if (!is_open(i()))
      return refuse(ec::incident_closed, closed());
    if (!awaits_answer(i()))
      return refuse(ec::wrong_state, "asks nobody at present");
    if (i().acked_at)
      return drop("was acknowledged");
    change();
    i().acked_at = now_;
    i().deadline.reset();
  }

  void operator()(const closed_by_hand& x) {
    if (!is_open(i()))
      return refuse(ec::incident_closed, closed());
    end_try("closed");
    close(incident_state::resolved, x.by, x.why);
  }

  void operator()(const effects_done&) {
    if (is_open(i()) || i().settled)
      return drop("has nothing to settle");
    change();
    i().settled = true;
  }

  void operator()(const reopen_wanted& x) {
    if (is_open(i()))
      return refuse(ec::wrong_state, "is open");
    change();
    i().state = incident_state::open;
    i().since = now_;
    i().closed_at.reset();
    i().closed_by.clear();
    i().why.clear();
    record(event_kind::incident_opened,
           data().with("by", x.by).with_value("again", true));
    ask(question_text(i()), options_for(i().cause));
  }

private:
  // -- moves ------------------------------------------------------------------

  bool knows(const session_id& id) const {
    const auto& row = out_.next;
    return row.session == id
      || std::find(row.others.begin(), row.others.end(), id)
      != row.others.end();
  }

  void take(const failure_seen& x) {
    change();
    take_sessions(x);
    if (!x.change.empty())
      i().change = x.change;
    i().sha = x.sha;
    i().text = x.text;
    i().log_tail = x.log_tail;
    if (i().log_tail.size() > longest_tail)
      i().log_tail.erase(i().log_tail.begin(),
                         i().log_tail.end() - longest_tail);
  }

  /// A task has one session at a time; a cause without task may have many.
  void take_sessions(const failure_seen& x) {
    if (!i().task.empty()) {
      if (!x.session.empty())
        i().session = x.session;
      return;
    }
    // It is about others this time; how many they are is in `incident_opened`.
    if (i().history.empty() || !is_open(i())) {
      i().session = x.session;
      i().others = x.others;
      return;
    }
    if (i().session.empty())
      i().session = x.session;
    else if (!x.session.empty() && !knows(x.session))
      join(x.session);
    for (const auto& id : x.others)
      if (!knows(id))
        join(id);
  }

  /// One more session is stopped by the same cause.
  void join(const session_id& who) {
    i().others.push_back(who);
    record(event_kind::incident_joined,
           data().with("session", who).with_value("count", count_of(i())));
  }

  /// The first time, or again after it was closed.
  void begin() {
    auto again = !is_open(i());
    i().state = incident_state::open;
    i().since = now_;
    i().closed_at.reset();
    i().closed_by.clear();
    i().why.clear();
    auto opened = data();
    if (again)
      opened.with_value("again", true);
    if (i().task.empty())
      opened.with_value("count", count_of(i()));
    record(event_kind::incident_opened, opened);
    switch (std::max(i().tier, policy_.first)) {
    case incident_tier::self_heal:
      return heal();
    case incident_tier::mediation:
      return mediate();
    case incident_tier::human:
      return ask(question_text(i()), options_for(i().cause));
    }
  }

  /// The next try of the agent, if it has one left.
  void heal() {
    i().max_attempts = policy_.self_heals;
    auto time_is_up = policy_.heal_for && now_ - i().since >= *policy_.heal_for;
    if (i().attempts >= policy_.self_heals || time_is_up)
      return mediate();
    i().attempts += 1;
    i().tier = incident_tier::self_heal;
    begin_try(incident_tier::self_heal, i().attempts);
    i().deadline = now_ + policy_.heal_deadline;
    if (policy_.heal_for)
      i().deadline = std::min(*i().deadline, i().since + *policy_.heal_for);
    effect(telling_of_failure(i()));
  }

  void mediate() {
    if (i().rounds >= policy_.rounds)
      return ask(question_text(i()), options_for(i().cause));
    i().rounds += 1;
    i().misses = 0;
    i().mediator = {};
    i().mediator_run = 0;
    i().tier = incident_tier::mediation;
    begin_try(incident_tier::mediation, i().rounds);
    i().deadline = now_ + policy_.mediation_deadline;
    record(event_kind::incident_escalated,
           data().with_value("round", i().rounds));
  }

  void ask_in_place_of_mediator() {
    dismiss("a person is asked");
    ask(question_text(i()), options_for(i().cause));
  }

  void ask(const std::string& question, std::vector<std::string> options) {
    change();
    if (i().tier != incident_tier::human)
      record(event_kind::incident_escalated, data().with("to", "human"));
    i().tier = incident_tier::human;
    begin_try(incident_tier::human, next_number(incident_tier::human));
    i().question = question;
    i().options = std::move(options);
    i().code = code_;
    i().raised = 1;
    i().asked_at = now_;
    i().acked_at.reset();
    i().answered_at.reset();
    i().answer.clear();
    i().answered_by.clear();
    raise();
  }

  void raise_again() {
    if (i().acked_at)
      return;
    i().raised += 1;
    raise();
  }

  void raise() {
    record(event_kind::incident_asked,
           data()
             .with("question", i().question)
             .with_value("options", i().options)
             .with_value("raised", i().raised));
    notify(policy_.urgency, event_kind::incident_asked,
           notification_text(i(), policy_.urgency, "incident_asked"));
    i().deadline.reset();
    if (i().raised <= policy_.re_raise.size())
      i().deadline = i().asked_at + policy_.re_raise[i().raised - 1];
  }

  void close(incident_state to, const std::string& by, const std::string& why) {
    change();
    dismiss("the incident is over");
    i().state = to;
    i().deadline.reset();
    i().closed_at = now_;
    i().closed_by = by;
    i().why = why;
    record(event_kind::incident_closed,
           data()
             .with("state", std::string{to_string(to)})
             .with("by", by)
             .with("why", why));
    // Whoever was asked hears that no answer is needed.
    if (i().raised > 0 && by != i().answered_by)
      notify(priority::info, event_kind::incident_closed, closing_text(i()));
    i().raised = 0;
    i().settled = closing_effects(i()).empty();
    clear_question();
  }

  void notify(priority p, event_kind kind, const std::string& text) {
    i().notifications += 1;
    // The end of a question is told where the question was.
    auto at = policy_.channels.find(
      kind == event_kind::incident_closed ? policy_.urgency : p);
    if (at == policy_.channels.end())
      return;
    for (const auto& channel : at->second) {
      notification n;
      n.version = 1;
      n.channel = channel;
      n.subject = i().id.text;
      n.number = i().notifications;
      n.id = channel + "/" + n.subject + "/" + std::to_string(n.number);
      n.priority = p;
      n.project = i().project;
      n.session = i().session;
      n.kind = std::string{to_string(kind)};
      n.text = text;
      // Of a question alone: buttons stand for them.
      if (kind == event_kind::incident_asked)
        n.options = i().options;
      n.key = notification_key(n.subject, n.number, text);
      n.created_at = now_;
      n.updated_at = now_;
      out_.notifications.push_back(std::move(n));
    }
  }

  // -- tries ------------------------------------------------------------------

  void begin_try(incident_tier tier, std::uint32_t number) {
    change();
    auto& h = i().history;
    if (h.size() >= longest_history)
      h.erase(h.begin());
    incident_attempt a;
    a.tier = tier;
    a.number = number;
    a.sha = i().sha;
    a.log_tail = i().log_tail;
    a.at = now_;
    h.push_back(std::move(a));
  }

  /// One more than the last of this tier that is remembered.
  std::uint32_t next_number(incident_tier tier) {
    std::uint32_t last = 0;
    for (const auto& a : i().history)
      if (a.tier == tier)
        last = a.number;
    return last + 1;
  }

  void end_try(const std::string& verdict, const std::string& detail = {}) {
    change();
    if (present_try(i()) == nullptr)
      return;
    auto& last = i().history.back();
    last.verdict = verdict;
    last.detail = detail;
    last.ended_at = now_;
  }

  void clear_question() {
    i().question.clear();
    i().options.clear();
    i().code.clear();
    i().acked_at.reset();
  }

  void dismiss(const std::string& why) {
    if (i().mediator.empty())
      return;
    effect(dismiss_mediator{i().mediator, why});
    i().mediator = {};
  }

  // -- questions --------------------------------------------------------------

  /// Why this asker may give no verdict now.
  std::optional<error> not_for(const session_id& by) {
    auto said = [&](ec code, const std::string& why) {
      return std::optional<error>{error{code, i().id.text + " " + why}};
    };
    if (!is_open(i()))
      return said(ec::incident_closed, closed());
    if (by.empty())
      return std::nullopt;
    if (!awaits_verdict(i()))
      return said(ec::wrong_state, "waits for no verdict");
    if (by != i().mediator)
      return said(ec::not_allowed,
                  "is mediated by "
                    + (i().mediator.empty() ? "nobody yet" : i().mediator.text)
                    + ", not by " + by.text);
    return std::nullopt;
  }

  std::string closed() {
    return "is " + std::string{to_string(i().state)}
    + (i().closed_by.empty() ? "" : " by " + i().closed_by)
      + (i().why.empty() ? "" : ": " + i().why);
  }

  static std::string name_of_asker(const session_id& by) {
    return by.empty() ? "api" : "session/" + by.text;
  }

  // -- the step ---------------------------------------------------------------

  incident& i() { return out_.next; }

  void change() { out_.changed = true; }

  event_data data() {
    event_data d;
    d.with("project", i().project)
      .with("task", i().task)
      .with("session", i().session)
      .with("change", i().change)
      .with("cause", std::string{to_string(i().cause)})
      .with("tier", std::string{to_string(i().tier)})
      .with_value("attempts", i().attempts);
    return d;
  }

  void record(event_kind kind, const event_data& data) {
    out_.events.push_back(make_event(kind, now_, "incident:" + i().id.text,
                                     "incident/" + i().id.text, 0, data));
  }

  void effect(incident_effect e) { out_.effects.push_back(std::move(e)); }

  void drop(const std::string& why) { out_.dropped = i().id.text + " " + why; }

  void refuse(ec code, const std::string& why) {
    refuse(error{code, i().id.text + " " + why});
  }

  void refuse(error why) {
    out_.dropped = why.context;
    out_.refused = std::move(why);
  }

  const escalation_policy& policy_;
  wall_time now_;
  const std::string& code_;
  incident_step out_;
};

} // namespace

std::string incident_key(const project_id& project, const task_id& task,
                         incident_cause cause, const std::string& face) {
  auto whose = !task.empty() ? task.text
    : !project.empty()       ? "project/" + project.text
                             : std::string{"hub"};
  auto out = whose + "/" + std::string{to_string(cause)};
  return face.empty() ? out : out + "/" + face;
}

incident new_incident(incident_id id, std::string fingerprint,
                      incident_cause cause, const project_id& project,
                      const task_id& task, wall_time now) {
  incident i;
  i.id = std::move(id);
  i.fingerprint = std::move(fingerprint);
  i.cause = cause;
  i.project = project;
  i.task = task;
  i.opened_at = now;
  i.since = now;
  i.updated_at = now;
  return i;
}

incident_step next_incident(const incident& row, const incident_input& input,
                            const escalation_policy& policy, wall_time now,
                            const std::string& code) {
  machine m{row, policy, now, code};
  std::visit(m, input);
  return m.finish();
}

std::vector<incident_effect> unfinished_effects(const incident& row) {
  std::vector<incident_effect> out;
  if (row.history.empty())
    return out;
  if (!is_open(row))
    return row.settled ? out : closing_effects(row);
  const auto& last = row.history.back();
  if (last.tier == incident_tier::self_heal) {
    if (!last.ended_at)
      out.emplace_back(telling_of_failure(row));
  } else if (last.verdict == "answered") {
    if (!row.answer.empty())
      effects_of_answer(row, out);
  } else if (last.ended_at && !last.detail.empty()
             && last.detail.front() == '{') {
    effects_of(row, verdict_in(last), out);
  }
  return out;
}

bool awaits_verdict(const incident& row) {
  const auto* now = present_try(row);
  return is_open(row) && row.tier == incident_tier::mediation && now != nullptr
    && now->tier == incident_tier::mediation;
}

bool awaits_answer(const incident& row) {
  const auto* now = present_try(row);
  return is_open(row) && row.tier == incident_tier::human && now != nullptr
    && now->tier == incident_tier::human;
}

} // namespace ao
