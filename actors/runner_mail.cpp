#include "actors/job.hpp"
#include "actors/runner_parts.hpp"
#include "runtime/node/letter_note.hpp"
#include "runtime/rules/transcript.hpp"

#include <list>
#include <utility>

namespace ao::runner_parts {
namespace {

/// A report that the hub cannot take now is sent again this often.
constexpr int most_tries = 5;

/// The source of proof by a transcript, as the rule of typing names it.
constexpr const char* from_transcript = "transcript";

void feed(self_pointer self, const typing_input& input);

// -- reports ------------------------------------------------------------------

/// Sends the oldest report; one at a time keeps their order. One that is lost
/// is no harm: the MAILBOX asks again, and the note answers.
void send_mail_reports(self_pointer self, int tries = most_tries) {
  auto& mail = self->state.mail;
  if (mail.reporting || mail.reports.empty())
    return;
  mail.reporting = true;
  auto next = [self] {
    self->state.mail.reporting = false;
    self->state.mail.reports.pop_front();
    send_mail_reports(self);
  };
  ask<uplink_actor>(self, self->state.context, "uplink"_name, registry_deadline,
                    mail.reports.front())
    .then([next](const message_id&) { next(); },
          [self, next, tries](const caf::error& why) {
            self->state.context->say(log_level::warn,
                                     "message_report_not_taken session="
                                       + self->state.id.text + " reason=\""
                                       + to_string(to_ao_error(why)) + "\"");
            if (tries <= 1)
              return next();
            self->state.mail.reporting = false;
            send_mail_reports(self, tries - 1);
          });
}

void tell_hub(self_pointer self, const msg::deliver_message& order,
              message_state state, bool last, std::string source,
              std::string detail) {
  msg::message_report r;
  r.message = order.message;
  r.session = order.session;
  r.run = order.run;
  r.state = state;
  r.last = last;
  r.source = std::move(source);
  r.detail = std::move(detail);
  self->state.mail.reports.push_back(std::move(r));
  send_mail_reports(self);
}

// -- effects ------------------------------------------------------------------

/// Writes the note, or takes it back, then goes on.
template <class Next>
void note_then(self_pointer self, message_state state, std::string detail,
               Next next) {
  auto& st = self->state;
  letter_note note{st.mail.delivery->order.message, st.mail.delivery->order.run,
                   state, std::move(detail)};
  run_job(
    self, st.context, step_deadline,
    [dir = files_of(self).path(), note]() -> result<bool> {
      if (auto ok = write_note(dir, note); !ok)
        return fail(ok.error());
      return true;
    },
    [next](bool) { next(std::string{}); },
    [next](const caf::error& why) { next(to_string(to_ao_error(why))); });
}

auto typing_failure(self_pointer self) {
  return [self](const caf::error& why) {
    auto problem = to_ao_error(why);
    feed(self,
         typing_failed{problem.code == ec::not_reachable, to_string(problem)});
  };
}

/// The delivery is over: its end is noted before the hub hears of it.
void conclude(self_pointer self, const tell_delivery& word) {
  auto& mail = self->state.mail;
  auto order = mail.delivery->order;
  // Without proof its text may still stand in the program's input line; the
  // line of a terminal in line mode was taken with Enter.
  auto entered = word.state == message_state::submitted;
  if (word.state == message_state::unknown
      || (entered && !mail.delivery->typing.line_mode))
    mail.uncertain_run = order.run;
  else if (word.state == message_state::acknowledged)
    mail.uncertain_run = 0;
  const auto& typing = mail.delivery->typing;
  auto in_pane = typing.pasted || typing.resumed;
  if (word.source == about_dialog)
    look_at_screen(self);
  auto finish = [self, order, word, &mail] {
    auto answered = mail.delivery->answered;
    mail.delivery.reset();
    tell_hub(self, order, word.state, true, word.source, word.detail);
    if (word.state != message_state::acknowledged
        || word.source != from_transcript)
      return;
    mail.to_answer.push_back(order);
    if (answered)
      complete_turn(self);
  };
  if (word.state != message_state::queued)
    return note_then(self, word.state, word.detail,
                     [finish](const std::string&) { finish(); });
  // What may stand in the input line behind a dialog is resumed by its note.
  if (in_pane && word.source == about_dialog)
    return finish();
  run_job(
    self, self->state.context, step_deadline,
    [dir = files_of(self).path(), id = order.message]() -> result<bool> {
      if (auto ok = remove_note(dir, id); !ok)
        return fail(ok.error());
      return true;
    },
    [finish](bool) { finish(); }, [finish](const caf::error&) { finish(); });
}

struct perform {
  self_pointer self;

  void operator()(const look_after& x) const {
    self->delayed_send(
      self, x.delay, msg::typing_due{self->state.mail.delivery->order.message});
  }

  void operator()(const paste_letter&) const {
    auto go = [self = self](const std::string& problem) {
      if (!problem.empty())
        return feed(self, typing_failed{true, problem});
      const auto& order = self->state.mail.delivery->order;
      ask<tmux_actor>(self, self->state.context, "tmux"_name, registry_deadline,
                      msg::type_text{order.session, order.run, order.text})
        .then(
          [self](const session_id&) {
            note_then(
              self, message_state::written, "",
              [self](const std::string&) { feed(self, typing_done{}); });
          },
          typing_failure(self));
    };
    note_then(self, message_state::queued, "", go);
  }

  void operator()(const press_letter_key& x) const {
    const auto& order = self->state.mail.delivery->order;
    ask<tmux_actor>(self, self->state.context, "tmux"_name, registry_deadline,
                    msg::press_key{order.session, order.run, x.key})
      .then(
        [self = self, submits = x.submits](const session_id&) {
          if (!submits)
            return feed(self, typing_done{});
          note_then(self, message_state::submitted, "",
                    [self](const std::string&) { feed(self, typing_done{}); });
        },
        typing_failure(self));
  }

  void operator()(const tell_delivery& x) const {
    if (x.last)
      return conclude(self, x);
    tell_hub(self, self->state.mail.delivery->order, x.state, false, x.source,
             x.detail);
  }
};

void feed(self_pointer self, const typing_input& input) {
  auto& mail = self->state.mail;
  if (!mail.delivery)
    return;
  auto& typing = mail.delivery->typing;
  auto step = next_typing(typing, input, std::chrono::steady_clock::now());
  typing = std::move(step.next);
  for (const auto& effect : step.effects)
    std::visit(perform{self}, effect);
}

void look_at_pane(self_pointer self) {
  const auto& order = self->state.mail.delivery->order;
  ask<tmux_actor>(self, self->state.context, "tmux"_name, registry_deadline,
                  msg::look_at_pane{order.session, order.run})
    .then(
      [self](const msg::seen_pane& view) {
        feed(self, pane_looked{view});
        // What an agent leaves on the screen is its last word; of one that
        // keeps a transcript, what is written there.
        if (self->state.phase != runner_phase::alive
            && !self->state.transcript.following)
          feed(self, pane_lost{"the agent has ended"});
      },
      [self](const caf::error& why) {
        // The end of its transcript decides.
        if (!self->state.transcript.following)
          feed(self, pane_lost{to_string(to_ao_error(why))});
      });
}

// -- orders -------------------------------------------------------------------

/// Why nothing can be typed into the run of this order; empty when it can.
std::string obstacle(self_pointer self, const msg::deliver_message& order) {
  const auto& st = self->state;
  if (!st.spec || st.spec->run != order.run || st.spec->epoch != order.epoch)
    return "run " + std::to_string(order.run) + " is over";
  if (st.phase != runner_phase::alive || st.stop)
    return "run " + std::to_string(order.run) + " has no live agent";
  return {};
}

bool is_begun(const letter_note& note) {
  return note.state == message_state::queued
    || note.state == message_state::written;
}

/// An earlier try was noted to its end, or its run is over.
void tell_from_note(self_pointer self, const msg::deliver_message& order,
                    const letter_note& note) {
  auto state = note.state;
  auto detail = note.detail;
  if (is_begun(note)) {
    state = message_state::unknown;
    detail = "its run ended while the message was being typed";
  }
  tell_hub(self, order, state, true, "note", detail);
}

/// The keys that are to be pressed before this order's text.
std::list<std::string> keys_before(self_pointer self,
                                   const msg::deliver_message& order) {
  const auto& st = self->state;
  std::list<std::string> keys;
  if (order.mode == message_mode::stop) {
    if (const auto* agent = st.context->agent(st.spec->agent))
      keys.push_back(interrupt_key(*agent));
  }
  if (st.mail.uncertain_run == order.run)
    keys.emplace_back(clear_line_key);
  return keys;
}

void begin(self_pointer self, const msg::deliver_message& order) {
  auto& st = self->state;
  if (auto why = obstacle(self, order); !why.empty()) {
    st.mail.delivery.reset();
    return tell_hub(self, order, message_state::queued, true, "node",
                    "nothing was typed: " + why);
  }
  auto& typing = st.mail.delivery->typing;
  typing.text = order.text;
  typing.by_transcript = st.transcript.run == order.run;
  // What was heard before is of somebody else.
  st.mail.heard.clear();
  typing.keys_before = keys_before(self, order);
  const auto* agent = st.context->agent(st.spec->agent);
  if (order.mode == message_mode::stop && agent != nullptr)
    typing.kept = kept_after_interrupt(*agent);
  look_at_pane(self);
}

/// The node ended while it typed this, or before there was proof.
void resume(self_pointer self, const msg::deliver_message& order,
            const letter_note& note) {
  auto& st = self->state;
  auto& typing = st.mail.delivery->typing;
  typing.text = order.text;
  typing.resumed = true;
  typing.entered = note.state == message_state::submitted;
  typing.by_transcript = st.transcript.run == order.run;
  hear_texts(self, std::exchange(st.mail.heard, {}));
  if (st.mail.delivery)
    look_at_pane(self);
}

} // namespace

result<session_id> deliver(self_pointer self,
                           const msg::deliver_message& order) {
  auto& st = self->state;
  if (st.mail.delivery) {
    if (st.mail.delivery->order.message == order.message)
      return st.id;
    return fail(ec::wrong_state, st.id.text + " is being typed to");
  }
  st.mail.delivery = std::make_unique<runner_delivery>();
  st.mail.delivery->order = order;
  run_job(
    self, st.context, step_deadline,
    [dir = files_of(self).path(), id = order.message] {
      return read_note(dir, id);
    },
    [self, order](const std::optional<letter_note>& note) {
      if (!note || note->run != order.run)
        return begin(self, order);
      if ((is_begun(*note) || note->state == message_state::submitted)
          && obstacle(self, order).empty())
        return resume(self, order, *note);
      self->state.mail.delivery.reset();
      tell_from_note(self, order, *note);
    },
    [self, order](const caf::error& why) {
      self->state.mail.delivery.reset();
      tell_hub(self, order, message_state::unknown, true, "note",
               to_string(to_ao_error(why)));
    });
  return st.id;
}

void hear_texts(self_pointer self, const std::vector<std::string>& texts) {
  auto& mail = self->state.mail;
  for (const auto& text : texts) {
    if (mail.delivery && mail.delivery->typing.by_transcript
        && mail.delivery->typing.phase != typing_phase::done
        && is_same_text(text, mail.delivery->order.text)) {
      feed(self, text_heard{});
    } else {
      mail.heard.push_back(text);
    }
  }
}

void complete_turn(self_pointer self) {
  auto& mail = self->state.mail;
  // Its proof is being noted; that is told first.
  if (mail.delivery && mail.delivery->typing.by_transcript
      && mail.delivery->typing.phase == typing_phase::done)
    mail.delivery->answered = true;
  for (const auto& order : std::exchange(mail.to_answer, {}))
    tell_hub(self, order, message_state::answered, true, from_transcript,
             "the agent has completed its turn");
}

void end_deliveries(self_pointer self, const std::string& why) {
  self->state.mail.heard.clear();
  self->state.mail.to_answer.clear();
  feed(self, pane_lost{why});
}

void go_on_typing(self_pointer self, const message_id& id) {
  const auto& delivery = self->state.mail.delivery;
  if (delivery && delivery->order.message == id)
    look_at_pane(self);
}

} // namespace ao::runner_parts
