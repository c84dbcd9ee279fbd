#include "actors/chat.hpp"

#include "actors/ask_child.hpp"
#include "actors/job.hpp"
#include "actors/store_trouble.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/notify/telegram_updates.hpp"
#include "runtime/rules/event_data.hpp"
#include "runtime/rules/outbox.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace ao {
namespace {

using self_pointer = chat_actor::stateful_pointer<chat_state>;

/// The least from one poll that brings nothing to the next.
constexpr std::chrono::seconds least_poll{1};

/// How often an answer is offered to an INCIDENT that fails of it.
constexpr std::uint32_t most_tries = 5;

void work(self_pointer self);

const notifier_settings& settings_of(self_pointer self) {
  return self->state.context.config->notifiers.at(self->state.bot.id);
}

double throw_dice(self_pointer self) {
  return std::uniform_real_distribution<double>{0, 1}(self->state.dice);
}

// -- polls --------------------------------------------------------------------

/// Tells the person with the next poll.
void tell_later(self_pointer self, const chat_update& u,
                const std::string& text, bool alarm) {
  self->state.tellings.push_back(
    notify::telling_call(settings_of(self), u, text, alarm));
}

/// Over as soon as somebody hears of it, in the log at least.
void alert(self_pointer self, const std::string& why) {
  auto& st = self->state;
  if (!st.alerted.insert(why).second)
    return;
  st.context.say(log_level::error,
                 "chat_failed channel=" + st.bot.id + " reason=\"" + why
                   + "\"");
  event_data data;
  data.with("channel", st.bot.id).with("error", why).with_value("alert", true);
  store_write write;
  write.events.push_back(make_event(event_kind::notification_failed,
                                    st.context.now(), "hub",
                                    "chat/" + st.bot.id, 0, data));
  ask<store_actor>(self, st.context, "store"_name, store_deadline,
                   std::move(write))
    .then([](const store_written&) {},
          [self, why](const caf::error& failed) {
            self->state.alerted.erase(why);
            self->state.context.say(log_level::warn,
                                    "alert_not_recorded reason=\""
                                      + to_string(to_ao_error(failed)) + "\"");
          });
}

void take_failure(self_pointer self, const poll_failure& failure) {
  auto& st = self->state;
  st.failures += 1;
  // An answer that is too long is not read, however often it comes.
  if (failure.status == 200)
    st.most = std::max(st.most / 2, 1u);
  auto rest = rest_after(failure, st.failures, throw_dice(self));
  st.context.say(log_level::warn,
                 "chat_not_heard channel=" + st.bot.id
                   + " failures=" + std::to_string(st.failures) + " reason=\""
                   + failure.why + "\"");
  if (rest.alert)
    alert(self, failure.why);
  self->delayed_send(self, rest.pause, look_atom::value);
}

void take_updates(self_pointer self, const std::vector<chat_update>& updates) {
  auto& st = self->state;
  st.failures = 0;
  st.most = most_updates;
  st.alerted.clear();
  st.confirm.reset();
  auto repeats = std::exchange(st.first, false);
  for (const auto& u : updates) {
    if (repeats && was_heard(u, st.heard.last))
      st.confirm = u.id;
    else
      st.waiting.push_back(u);
  }
  auto pause = least_poll - (self->clock().now() - st.polled_at);
  if (updates.empty() && pause.count() > 0)
    self->delayed_send(self, pause, look_atom::value);
  else
    work(self);
}

/// What a poll has brought, and what could not be told.
struct poll_end {
  notify::http_reply reply;
  std::vector<std::string> untold;
};

void poll(self_pointer self) {
  constexpr std::chrono::seconds slack{10};
  auto& st = self->state;
  auto tellings = std::exchange(st.tellings, {});
  auto call = notify::updates_call(settings_of(self), st.confirm, st.most);
  auto limit = call.timeout + slack
    + settings_of(self).timeout * static_cast<int>(tellings.size());
  st.polled_at = self->clock().now();
  run_job(
    self, st.context, limit,
    [perform = st.perform, stop = st.stop, call,
     tellings]() -> result<poll_end> {
      poll_end out;
      for (const auto& one : tellings)
        if (auto told = perform(one, stop); told.status != 200)
          out.untold.push_back(told.status == 0
                                 ? told.failure
                                 : "HTTP " + std::to_string(told.status));
      out.reply = perform(call, stop);
      return out;
    },
    [self](const poll_end& end) {
      auto& st = self->state;
      for (const auto& why : end.untold)
        st.context.say(log_level::warn,
                       "chat_not_told channel=" + st.bot.id + " reason=\"" + why
                         + "\"");
      auto got
        = notify::read_updates(settings_of(self), end.reply, st.context.now());
      if (auto* updates = std::get_if<std::vector<chat_update>>(&got))
        take_updates(self, *updates);
      else
        take_failure(self, std::get<poll_failure>(got));
    },
    [self](const caf::error& why) {
      take_failure(self, {0, to_string(to_ao_error(why)), {}});
    });
}

// -- updates ------------------------------------------------------------------

void finish(self_pointer self) {
  auto& st = self->state;
  st.done = st.waiting.front().id;
  st.waiting.pop_front();
  st.tries = 0;
  work(self);
}

/// Whether another try may be heard: also one that the INCIDENT failed of.
bool may_be_heard(ec code) {
  return may_pass(code) || code == ec::guard_failed || code == ec::internal;
}

void not_handed_over(self_pointer self, const chat_update& u,
                     const incident_id& to, const caf::error& failed) {
  auto& st = self->state;
  auto why = to_ao_error(failed);
  // A disk that takes no writes is nobody's fault, and is waited for.
  auto patient = store_is_down(st.context, failed) || st.tries < most_tries;
  if (may_be_heard(why.code) && patient) {
    st.tries += 1;
    return try_again(self, st.context, failed,
                     retry_pause({}, st.tries, throw_dice(self)),
                     look_atom::value);
  }
  st.context.say(log_level::info,
                 "chat_answer_refused channel=" + st.bot.id + " incident="
                   + to.text + " reason=\"" + to_string(why) + "\"");
  tell_later(self, u,
             may_be_heard(why.code)
               ? "It could not be taken at present, please use: "
                 "ao incident answer"
               : why.context,
             true);
  finish(self);
}

/// @param by The notifier whose chat has answered.
void hand_over(self_pointer self, const chat_update& u,
               const chat_decision& what, const std::string& by) {
  auto& st = self->state;
  if (!st.context.rows->find<incident>(what.incident.text)) {
    tell_later(self, u, "No incident is called " + what.incident.text, true);
    return finish(self);
  }
  msg::answer_incident order;
  order.request.text = st.heard.name + "/" + std::to_string(u.id);
  order.incident = what.incident;
  order.text = what.text;
  order.code = what.code;
  order.by = "telegram/" + by;
  ask_child<incident_actor>(
    self, st.context, "incidents"_name,
    make_actor_name("incident", what.incident.text), registry_deadline,
    std::move(order),
    [self, u, what, by](const incident&) {
      self->state.context.say(log_level::info,
                              "chat_answered channel=" + by
                                + " incident=" + what.incident.text);
      tell_later(self, u, "Answered " + what.incident.text + ": " + what.text,
                 false);
      finish(self);
    },
    [self, u, what](const caf::error& why) {
      not_handed_over(self, u, what.incident, why);
    });
}

/// Deals with the first update; false when its end is told later.
bool take(self_pointer self) {
  auto& st = self->state;
  const auto& u = st.waiting.front();
  std::vector<row_ptr<notification>> told;
  std::string by;
  for (const auto& ear : st.bot.ears)
    if (is_at(u, ear.place)) {
      if (by.empty())
        by = ear.notifier;
      for (auto& n : st.context.rows->notifications_of(ear.notifier))
        told.push_back(std::move(n));
    }
  if (by.empty()) {
    constexpr std::size_t most_strangers = 1'000;
    if (u.what != chat_update::kind::other
        && st.strangers.size() < most_strangers
        && st.strangers.insert(u.where.chat).second)
      st.context.say(log_level::warn,
                     "chat_ignored channel=" + st.bot.id
                       + " chat=" + std::to_string(u.where.chat)
                       + " update=" + std::to_string(u.id));
    return true;
  }
  auto decided = decide_chat(u, told);
  switch (decided.what) {
  case chat_decision::kind::ignore:
    return true;
  case chat_decision::kind::refuse:
    st.worth_a_commit = true;
    tell_later(self, u, decided.why, true);
    return true;
  case chat_decision::kind::answer:
    st.worth_a_commit = true;
    hand_over(self, u, decided, by);
    return false;
  }
  return true;
}

/// What was dealt with is never dealt with again.
void commit(self_pointer self) {
  auto& st = self->state;
  auto row = st.heard;
  row.version += 1;
  row.last = static_cast<std::uint64_t>(st.done);
  store_write write;
  write.rows.emplace_back(row);
  ask<store_actor>(self, st.context, "store"_name, store_deadline,
                   std::move(write))
    .then(
      [self, row](const store_written&) {
        self->state.heard = row;
        self->state.worth_a_commit = false;
        work(self);
      },
      [self](const caf::error& why) {
        if (store_is_down(self->state.context, why))
          when_store_writes(self, self->state.context, [self] { work(self); });
        else
          self->quit(why);
      });
}

void work(self_pointer self) {
  auto& st = self->state;
  while (!st.waiting.empty()) {
    auto id = st.waiting.front().id;
    if (!take(self))
      return;
    st.done = id;
    st.waiting.pop_front();
  }
  if (st.worth_a_commit)
    return commit(self);
  if (const auto done = std::exchange(st.done, 0); done > 0)
    st.confirm = done;
  poll(self);
}

} // namespace

chat_state::chat_state()
    : stop(std::make_shared<stop_signal>()), dice(std::random_device{}()) {}

chat_state::~chat_state() {
  stop->raise();
}

chat_actor::behavior_type chat(self_pointer self, hub_context context,
                               std::string id, http_performer perform) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  st.perform = std::move(perform);
  for (auto& bot : chat_bots(st.context.config->notifiers))
    if (bot.id == id)
      st.bot = std::move(bot);
  if (st.bot.id.empty())
    throw std::runtime_error("no bot that may answer is called " + id);
  // Another bot counts its updates by itself.
  auto number = bot_number(settings_of(self).token);
  auto name = "telegram/" + (number.empty() ? st.bot.id : number);
  if (auto known = st.context.rows->find<counter>(name))
    st.heard = *known;
  st.heard.name = name;
  poll(self);
  return {
    [self](look_atom) { work(self); },
  };
}

} // namespace ao
