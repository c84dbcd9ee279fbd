#include "actors/outbox.hpp"

#include "actors/job.hpp"
#include "actors/secrets.hpp"
#include "messages/interfaces.hpp"
#include "messages/json.hpp"
#include "runtime/actor/deliver.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/notify/send.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace ao {
namespace {

using self_pointer = outbox_actor::stateful_pointer<outbox_actor_state>;
using answer_type = std::function<void(result<notification>)>;

void work(self_pointer self);

const notifier_settings& settings_of(self_pointer self) {
  return self->state.context.config->notifiers.at(self->state.id);
}

outbox_policy policy_of(self_pointer self) {
  const auto& to = settings_of(self);
  outbox_policy out;
  out.retry_delay = to.retry_delay;
  out.retry_max_delay = to.retry_max_delay;
  out.quiet_hours = to.quiet_hours;
  out.utc_offset = utc_offset_at(self->state.context.now());
  out.digest = to.digest;
  return out;
}

void submit(self_pointer self, outbox_input input) {
  line_up(self->state.turns, {std::move(input), {}});
  work(self);
}

// -- effects, after the commit ------------------------------------------------

void end_attempt(self_pointer self, const std::string& id,
                 send_outcome outcome) {
  std::uniform_real_distribution<double> draw{0, 1};
  submit(self, send_ended{id, std::move(outcome), draw(self->state.dice)});
}

/// One attempt, in a thread of its own.
void attempt(self_pointer self, const notification& n) {
  constexpr std::chrono::seconds slack{10};
  auto& st = self->state;
  auto work
    = [config = st.context.config, id = st.id, n, env = st.env, stop = st.stop,
       secrets = secrets_of(st.context)]() -> result<send_outcome> {
    auto clean = n;
    clean.text = secrets.redact(n.text);
    return notify::send(config->notifiers.at(id), clean, env, stop);
  };
  run_job(
    self, st.context, notify::longest_send(settings_of(self)) + slack, work,
    [self, id = n.id](const send_outcome& outcome) {
      end_attempt(self, id, outcome);
    },
    [self, id = n.id, form = n.form](const caf::error& why) {
      send_outcome outcome;
      outcome.error = to_string(to_ao_error(why));
      outcome.form = form;
      end_attempt(self, id, std::move(outcome));
    });
}

/// Arms one timer for the moment that the rule wants to look at.
void arm(self_pointer self) {
  auto& st = self->state;
  auto next = next_look(st.box, policy_of(self), st.context.now());
  if (!next || (st.armed && *st.armed <= *next))
    return;
  st.armed = next;
  auto delay = std::max(*next - st.context.now(), milliseconds{0});
  self->delayed_send(self, delay, look_atom::value);
}

// -- decide, commit, do, tell -------------------------------------------------

void conclude(self_pointer self, const outbox_step& step) {
  auto& st = self->state;
  st.box = step.next;
  for (const auto& n : step.rows)
    st.context.say(log_level::info,
                   "notification_" + std::string{to_string(n.state)}
                     + " id=" + n.id + " attempts=" + std::to_string(n.attempts)
                     + (n.last_error.empty()
                          ? std::string{}
                          : " reason=\"" + n.last_error + "\""));
  for (const auto& why : step.alerts)
    st.context.say(log_level::error,
                   "channel_failed channel=" + st.id + " reason=\"" + why
                     + "\"");
  for (const auto& n : step.sends)
    attempt(self, n);
  arm(self);
}

/// The row that a request has led to, also when it is repeated.
result<notification> row_called(self_pointer self, const std::string& id) {
  auto row = self->state.context.rows->find<notification>(id);
  if (!row)
    return fail(ec::no_such_notification, "no notification is called " + id);
  return *row;
}

std::string id_in(const std::string& answer) {
  auto body = parse_json(answer, "answer");
  return body ? body->value("id", "") : std::string{};
}

/// @param request Of whoever asked; empty for decisions of our own.
/// @param about The row that is answered.
void commit(self_pointer self, outbox_step step, outbox_actor_state::call call,
            const request_id& request, const std::string& about) {
  auto& st = self->state;
  if (step.rows.empty() && step.events.empty()) {
    conclude(self, step);
    if (call.answer)
      call.answer(row_called(self, about));
    return;
  }
  store_write write;
  write.request = request;
  if (!request.empty())
    write.answer = dump(json{{"id", about}});
  for (const auto& n : step.rows)
    write.rows.emplace_back(n);
  write.events = step.events;
  write_in_turn(
    self, st.context, st.turns, std::move(write), call,
    [self, step, call, about](const store_written& written) {
      // A repeat has changed nothing.
      if (!written.repeated)
        conclude(self, step);
      if (call.answer)
        call.answer(
          row_called(self, written.repeated ? id_in(written.answer) : about));
    },
    [self] { work(self); });
}

std::vector<notification>
copies(const std::vector<row_ptr<notification>>& rows) {
  std::vector<notification> out;
  for (const auto& n : rows)
    out.push_back(*n);
  return out;
}

/// What the rule is asked, with the request and the row that it is about.
struct question {
  outbox_input input;
  request_id request;
  std::string about;
};

/// The rows are read when it is an input's turn, so that they are not older
/// than what was decided before.
struct asking_rule {
  self_pointer self;

  result<question> operator()(const outbox_input& input) const {
    return question{input, {}, {}};
  }

  result<question> operator()(const outbox_actor_state::look&) const {
    const auto& st = self->state;
    return question{
      notifications_seen{copies(st.context.rows->pending_notifications(st.id))},
      {},
      {}};
  }

  result<question> operator()(const msg::test_notification& order) const {
    const auto& st = self->state;
    std::uint64_t number = 1;
    // The numbers are few; the rows are in their natural order.
    while (st.context.rows->find<notification>(st.id + "/" + test_case(number)
                                               + "/1"))
      ++number;
    auto row = test_notification(st.id, number, order.priority, order.text,
                                 st.context.now());
    return question{notification_wanted{row}, order.request, row.id};
  }

  result<question> operator()(const msg::retry_notification& order) const {
    auto row = row_called(self, order.notification);
    if (!row)
      return fail(row.error());
    return question{retry_wanted{*row}, order.request, row->id};
  }
};

void take(self_pointer self, outbox_actor_state::call call) {
  auto& st = self->state;
  auto asked = std::visit(asking_rule{self}, call.what);
  if (!asked)
    return call.answer(fail(asked.error()));
  auto step
    = next_outbox(st.box, asked->input, policy_of(self), st.context.now());
  if (!step.dropped.empty())
    st.context.say(log_level::debug,
                   "input_dropped channel=" + st.id + " reason=\""
                     + step.dropped + "\"");
  if (step.refused && call.answer)
    return call.answer(fail(*step.refused));
  commit(self, std::move(step), std::move(call), asked->request, asked->about);
}

void work(self_pointer self) {
  auto& st = self->state;
  while (has_turn(st.turns)) {
    auto by = st.clock.since_last(st.context.now(), self->clock().now());
    if (by.count() != 0) {
      if (st.armed)
        *st.armed += by;
      take(self, {outbox_clock_set{by}, {}});
      continue;
    }
    take(self, next_turn(st.turns));
  }
}

template <class Order>
caf::result<notification> answer(self_pointer self, const Order& order) {
  auto promise = self->make_response_promise<notification>();
  line_up(self->state.turns, {order, delivering(promise)});
  work(self);
  return promise;
}

} // namespace

outbox_actor_state::outbox_actor_state()
    : dice(std::random_device{}()), stop(std::make_shared<stop_signal>()) {}

outbox_actor_state::~outbox_actor_state() {
  stop->raise();
}

outbox_actor::behavior_type outbox(self_pointer self, hub_context context,
                                   std::string id) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  st.id = std::move(id);
  if (st.context.config->notifiers.count(st.id) == 0)
    throw std::runtime_error("no notifier is called " + st.id);
  // What `notify-send` needs beside the usual.
  st.env = environment::inherited(
    {"DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"});
  st.box.channel = st.id;
  submit(self,
         outbox_recovered{copies(st.context.rows->notifications_of(st.id))});
  return {
    [self](look_atom) {
      self->state.armed.reset();
      line_up(self->state.turns, {outbox_actor_state::look{}, {}});
      work(self);
    },
    [self](const msg::test_notification& order) { return answer(self, order); },
    [self](const msg::retry_notification& order) {
      return answer(self, order);
    },
  };
}

} // namespace ao
