#include "actors/config_keeper.hpp"

#include "actors/job.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/api/objects.hpp"
#include "runtime/config/reload.hpp"
#include "runtime/notify/telegram_updates.hpp"
#include "runtime/rules/event_data.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace ao {
namespace {

using self_pointer = config_actor::stateful_pointer<config_keeper_state>;

/// A file on a network that does not answer.
constexpr std::chrono::seconds reading_limit{5};

/// An attempt to notify that is under way is given up.
constexpr std::chrono::seconds child_deadline{3};

void begin(self_pointer self);

/// Goes on with the next wish.
void finish(self_pointer self) {
  self->state.wishes.pop_front();
  if (!self->state.wishes.empty())
    begin(self);
}

/// Makes it part of the record, then goes on; a store that takes no writes
/// must not keep a configuration from counting.
void record(self_pointer self, event_kind kind, const event_data& data,
            std::function<void()> go_on) {
  auto& context = self->state.context;
  store_write write;
  write.events.push_back(
    make_event(kind, context.now(), "hub", "config", 0, data));
  ask<store_actor>(self, context, "store"_name, store_deadline,
                   std::move(write))
    .then([go_on](const store_written&) { go_on(); },
          [self, kind, go_on](const caf::error& lost) {
            self->state.context.say(
              log_level::error,
              "event_lost kind=" + std::string{to_string(kind)} + " reason=\""
                + to_string(to_ao_error(lost)) + "\"");
            go_on();
          });
}

void refuse(self_pointer self, const error& why) {
  auto& st = self->state;
  auto line = why.context;
  std::replace(line.begin(), line.end(), '\n', ';');
  st.context.say(log_level::warn, "config_refused reason=\"" + line + "\"");
  event_data data;
  data.with("by", st.wishes.front().order.actor)
    .with("error", std::string{to_string(why.code)})
    .with("why", why.context);
  record(self, event_kind::config_refused, data, [self, why] {
    self->state.wishes.front().promise.deliver(make_error(why));
    finish(self);
  });
}

void tell_success(self_pointer self, msg::config_reloaded done) {
  auto& st = self->state;
  // Queued sessions may fit by now, tasks may start by themselves.
  tell<dispatcher_actor>(st.context, "dispatcher"_name, look_atom{});
  st.context.say(log_level::info,
                 "config_reloaded file=" + done.file
                   + " changed=" + std::to_string(done.changed.size()));
  event_data data;
  data.with("by", st.wishes.front().order.actor)
    .with("file", done.file)
    .with_value("count", done.changed.size())
    .with_value("changed", api::changed_keys(done.changed));
  record(self, event_kind::config_reloaded, data, [self, done] {
    self->state.wishes.front().promise.deliver(done);
    finish(self);
  });
}

// -- notifiers ----------------------------------------------------------------

/// An order to the supervisor of a notifier's actors.
template <class Order>
struct child_order {
  actor_name supervisor;
  Order order;
};

/// Gives all orders at once, then goes on; what fails is said.
template <class Order>
void give_orders(self_pointer self,
                 const std::vector<child_order<Order>>& orders,
                 std::function<void()> go_on) {
  auto& st = self->state;
  st.asked = orders.size();
  if (orders.empty())
    return go_on();
  auto answered = [self, go_on] {
    if (--self->state.asked == 0)
      go_on();
  };
  for (const auto& o : orders)
    ask<supervisor_actor>(self, st.context, o.supervisor, child_deadline,
                          o.order)
      .then([answered](const child_info&) { answered(); },
            [self, answered, id = o.order.id](const caf::error& why) {
              self->state.context.say(log_level::error,
                                      "notifier_not_changed child=" + id
                                        + " reason=\""
                                        + to_string(to_ao_error(why)) + "\"");
              answered();
            });
}

std::vector<child_order<stop_child>>
ends_of(const std::vector<std::string>& notifiers) {
  std::vector<child_order<stop_child>> out;
  for (const auto& id : notifiers) {
    out.push_back({"outboxes"_name, {"outbox/" + id}});
    out.push_back({"chats"_name, {"chat/" + id}});
  }
  return out;
}

std::vector<child_order<start_child>>
starts_of(const settings& all, const std::vector<std::string>& notifiers) {
  std::vector<child_order<start_child>> out;
  for (const auto& id : notifiers)
    if (all.notifiers.count(id) > 0)
      out.push_back({"outboxes"_name, {"outbox/" + id}});
  // Of several with one bot the first answers: it may be another one now.
  if (!notifiers.empty())
    for (const auto& bot : chat_bots(all.notifiers))
      out.push_back({"chats"_name, {"chat/" + bot.id}});
  return out;
}

// -- the reload ---------------------------------------------------------------

void apply(self_pointer self, const config_outcome& read) {
  auto& st = self->state;
  auto plan = std::make_shared<reload_plan>(
    plan_reload(*st.context.config, *st.source.shown, read));
  auto notifiers = notifiers_in(plan->changed);
  msg::config_reloaded done;
  done.file = read.file;
  done.changed = plan->changed;
  for (const auto& note : read.notes)
    done.notes.push_back(to_string(note));
  // Nobody may look for the settings of a notifier that is gone.
  give_orders(self, ends_of(notifiers), [self, plan, notifiers, done] {
    auto& st = self->state;
    auto next = std::make_shared<const settings>(std::move(plan->next));
    st.context.config.replace(next);
    *st.source.shown = plan->shown;
    if (st.source.applied)
      st.source.applied(*next);
    give_orders(self, starts_of(*next, notifiers),
                [self, done] { tell_success(self, done); });
  });
}

/// Every error of a file, one a line.
error as_error(const config_outcome& read) {
  error out{ec::bad_input, ""};
  for (const auto& e : read.errors)
    out.context += (out.context.empty() ? "" : "\n") + to_string(e);
  return out;
}

void begin(self_pointer self) {
  auto& st = self->state;
  run_job(
    self, st.context, reading_limit, st.source.read,
    [self](const config_outcome& read) {
      if (read.value)
        apply(self, read);
      else
        refuse(self, as_error(read));
    },
    [self](const caf::error& why) { refuse(self, to_ao_error(why)); });
}

} // namespace

config_actor::behavior_type
config_keeper(self_pointer self, hub_context context, config_source source) {
  harden(self, context);
  self->state.context = std::move(context);
  self->state.source = std::move(source);
  return {
    [self](
      const msg::reload_config& order) -> caf::result<msg::config_reloaded> {
      auto& st = self->state;
      auto promise = self->make_response_promise<msg::config_reloaded>();
      st.wishes.push_back({order, promise});
      if (st.wishes.size() == 1)
        begin(self);
      return promise;
    },
  };
}

} // namespace ao
