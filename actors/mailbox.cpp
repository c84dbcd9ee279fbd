#include "actors/mailbox.hpp"

#include "actors/store_trouble.hpp"
#include "actors/uplink_name.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/deliver.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/agents/launch.hpp"
#include "runtime/api/requests.hpp"

#include <stdexcept>
#include <utility>

namespace ao {
namespace {

using self_pointer = mailbox_actor::stateful_pointer<mailbox_actor_state>;
using answer_type = std::function<void(result<message>)>;

void work(self_pointer self);

const session_id& session_of(self_pointer self) {
  return self->state.box.receiver.id;
}

// -- effects, after the commit ------------------------------------------------

struct perform {
  self_pointer self;

  void operator()(const deliver_letter& order) const {
    const auto& m = order.letter;
    auto& st = self->state;
    ask<uplink_actor>(
      self, st.context, uplink_of(st.box.receiver.node), registry_deadline,
      msg::deliver_message{m.id, m.session, m.epoch, m.run, m.mode, m.text})
      .then([](const session_id&) {},
            [self = self](const caf::error& why) {
              // Asked again when the rule wants to look.
              self->state.context->say(log_level::warn,
                                       "message_not_taken session="
                                         + session_of(self).text + " reason=\""
                                         + to_string(to_ao_error(why)) + "\"");
            });
  }

  void operator()(const start_with_letter& order) const {
    tell<session_actor>(self->state.context,
                        make_actor_name("session", session_of(self).text),
                        msg::message_waits{order.id, order.run});
  }
};

/// Arms one timer for the moment that the rule wants to look at.
void arm(self_pointer self) {
  auto& st = self->state;
  auto next = next_look(st.box);
  if (!next || (st.armed && *st.armed <= *next))
    return;
  st.armed = next;
  auto delay = std::max(*next - st.context->now(), milliseconds{0});
  self->delayed_send(self, delay, look_atom::value);
}

// -- decide, commit, do, tell -------------------------------------------------

void conclude(self_pointer self, const mailbox_step& step) {
  auto& st = self->state;
  st.box = step.next;
  for (const auto& effect : step.effects)
    std::visit(perform{self}, effect);
  arm(self);
  if (is_terminal(st.box.receiver) && st.box.letters.empty()
      && st.turns.waiting.empty())
    self->quit();
}

/// @param asked The message that is answered.
void commit(self_pointer self, mailbox_step step,
            mailbox_actor_state::call call, const message_id& asked) {
  auto& st = self->state;
  auto done = [self, step, answer = call.answer, asked] {
    conclude(self, step);
    if (!answer)
      return;
    auto row = self->state.context->rows->find<message>(asked.text);
    answer(row ? *row : message{});
  };
  if (step.rows.empty() && step.events.empty())
    return done();
  store_write write;
  for (const auto& m : step.rows)
    write.rows.emplace_back(m);
  write.events = step.events;
  write_in_turn(
    self, *st.context, st.turns, std::move(write), std::move(call),
    [done](const store_written&) { done(); }, [self] { work(self); });
}

/// What is to be posted; the answer at once when the message is known.
result<message_posted> to_post(self_pointer self,
                               const msg::send_message& order) {
  auto& st = self->state;
  if (const auto* agent = st.context->agent(st.box.receiver.agent))
    if (auto ok = check_prompt(*agent, order.text); !ok)
      return fail(ok.error());
  message_posted out;
  out.draft.mode = order.mode;
  out.draft.text = order.text;
  out.draft.sender = order.sender;
  out.draft.topic = order.topic;
  out.draft.deadline = order.deadline;
  return out;
}

/// The same request id is the same message, however often it comes.
void post(self_pointer self, const msg::send_message& order,
          const mailbox_actor_state::call& call) {
  auto& st = self->state;
  message_id id{api::ulid_of(order.request)};
  if (auto known = st.context->rows->find<message>(id.text)) {
    if (known->session == session_of(self))
      return call.answer(*known);
    return call.answer(
      fail(ec::bad_input,
           "requestId: it was used for a message to " + known->session.text));
  }
  auto input = to_post(self, order);
  if (!input)
    return call.answer(fail(input.error()));
  input->draft.id = id;
  auto step = next_mail(st.box, *input, st.context->now());
  if (step.refused)
    return call.answer(fail(*step.refused));
  commit(self, std::move(step), call, id);
}

void take(self_pointer self, const mailbox_actor_state::call& call) {
  auto& st = self->state;
  if (const auto* order = std::get_if<msg::send_message>(&call.what))
    return post(self, *order, call);
  auto step
    = next_mail(st.box, std::get<mailbox_input>(call.what), st.context->now());
  if (!step.dropped.empty())
    st.context->say(log_level::debug,
                    "input_dropped session=" + session_of(self).text
                      + " reason=\"" + step.dropped + "\"");
  commit(self, std::move(step), call, {});
}

void work(self_pointer self) {
  auto& st = self->state;
  while (has_turn(st.turns)) {
    auto by = st.clock.since_last(st.context->now(), self->clock().now());
    if (by.count() != 0) {
      if (st.armed)
        *st.armed += by;
      take(self, {mailbox_input{clock_set{by}}, {}});
      continue;
    }
    take(self, next_turn(st.turns));
  }
}

void enqueue(self_pointer self, mailbox_actor_state::call call) {
  line_up(self->state.turns, std::move(call));
  work(self);
}

void submit(self_pointer self, mailbox_input input, answer_type answer = {}) {
  enqueue(self, {std::move(input), std::move(answer)});
}

/// What the SESSION told may have been lost on a restart of one of us: the row
/// says what it is now.
void look_at_receiver(self_pointer self) {
  const auto& st = self->state;
  auto row = st.context->rows->find<session>(session_of(self).text);
  if (row && row->version > st.box.receiver.version)
    submit(self, receiver_told{*row, false});
}

/// Begins with what the rows say.
void recover(self_pointer self, const session& receiver) {
  auto& st = self->state;
  st.box.receiver = receiver;
  for (const auto& m : st.context->rows->messages_of(receiver.id)) {
    st.box.last_number = m->number;
    if (is_open(*m))
      st.box.letters.push_back(*m);
  }
  submit(self, mailbox_recovered{});
}

} // namespace

mailbox_actor::behavior_type
mailbox(self_pointer self, shared_context<hub_context> context, session_id id) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  auto row = st.context->rows->find<session>(id.text);
  if (!row)
    throw std::runtime_error("no row of session " + id.text);
  recover(self, *row);
  return {
    [self](const msg::send_message& order) -> caf::result<message> {
      auto promise = self->make_response_promise<message>();
      look_at_receiver(self);
      enqueue(self, {order, delivering(promise)});
      return promise;
    },
    [self](const msg::session_changed& news) {
      submit(self, receiver_told{news.now, news.started});
    },
    [self](const msg::message_report& r) -> caf::result<message_id> {
      auto promise = self->make_response_promise<message_id>();
      submit(
        self,
        delivery_told{r.message, r.run, r.state, r.last, r.source, r.detail},
        delivering(promise, [id = r.message](const message&) { return id; }));
      return promise;
    },
    [self](look_atom) {
      self->state.armed.reset();
      look_at_receiver(self);
      submit(self, mail_due{});
    },
  };
}

} // namespace ao
