#include "actors/api_call.hpp"

#include <memory>
#include <utility>

namespace ao {
namespace {

/// The longest text of a test, in bytes.
constexpr std::size_t longest_test = 3'000;

error no_channel(const std::string& name) {
  return {ec::bad_input,
          "channel: \"" + name + "\" is no notifier of the configuration"};
}

/// The channels that a test is for: the one named, else all.
result<std::vector<std::string>> channels_in(api_pointer self,
                                             const json& body) {
  const auto& known = self->state.context.config->notifiers;
  auto named = api::text_of(body, "channel");
  if (!named)
    return fail(named.error());
  if (!named->empty()) {
    if (known.count(*named) == 0)
      return fail(no_channel(*named));
    return std::vector<std::string>{*named};
  }
  std::vector<std::string> out;
  for (const auto& [id, n] : known)
    out.push_back(id);
  if (out.empty())
    return fail(ec::bad_input, "the configuration has no notifiers");
  return out;
}

result<msg::test_notification> plan_test(const api_call& call) {
  msg::test_notification out;
  auto text = api::text_of(call.body, "text");
  auto urgency = api::text_of(call.body, "priority");
  if (!text || !urgency)
    return fail((text ? urgency : text).error());
  if (text->size() > longest_test)
    return fail(ec::bad_input,
                "text: expected at most " + std::to_string(longest_test)
                  + " bytes");
  out.text = text->empty() ? "This is a test. Nothing is to be done." : *text;
  if (urgency->empty())
    return out;
  auto known = priority_from(*urgency);
  if (!known)
    return fail(ec::bad_input,
                "priority: \"" + *urgency
                  + "\" is unknown, expected urgent, action, warning or info");
  out.priority = *known;
  return out;
}

/// The answers of several OUTBOXES, in the order of their names.
struct collected {
  std::map<std::string, json> rows;
  std::size_t missing = 0;
  std::optional<error> failed;
};

} // namespace

void get_notifications(api_pointer self, api_call_ptr call) {
  auto channel = call->what.query_or("channel", "");
  auto state = call->what.query_or("state", "");
  if (!state.empty() && !notification_state_from(state))
    return call->refuse(
      error{ec::bad_input,
            "state: \"" + state
              + "\" is unknown, expected pending, accepted, delivered or "
                "dead"});
  auto out = json::array();
  for (const auto& n : self->state.context.rows->all<notification>())
    if ((channel.empty() || n->channel == channel)
        && (state.empty() || to_string(n->state) == state))
      out.push_back(api::notification_object(*n));
  call->answer(200, api::list_of(std::move(out)));
}

void test_notifiers(api_pointer self, api_call_ptr call) {
  auto channels = channels_in(self, call->body);
  auto order = plan_test(*call);
  if (!channels)
    return call->refuse(channels.error());
  if (!order)
    return call->refuse(order.error());
  auto got = std::make_shared<collected>();
  got->missing = channels->size();
  auto done = [call, got] {
    if (--got->missing > 0)
      return;
    if (got->failed)
      return call->refuse(*got->failed);
    auto rows = json::array();
    for (auto& [id, row] : got->rows)
      rows.push_back(std::move(row));
    call->answer(202, api::list_of(std::move(rows)));
  };
  for (const auto& channel : *channels) {
    auto mine = *order;
    mine.request = request_id{call->id.text + "/" + channel};
    ask<outbox_actor>(self, self->state.context,
                      make_actor_name("outbox", channel), answer_deadline,
                      std::move(mine))
      .then(
        [got, done](const notification& n) {
          got->rows[n.id] = api::notification_object(n);
          done();
        },
        [got, done](const caf::error& why) {
          got->failed = to_ao_error(why);
          done();
        });
  }
}

void retry_notification_of(api_pointer self, api_call_ptr call) {
  auto id = call->param("id");
  const auto& context = self->state.context;
  auto n = context.rows->find<notification>(id);
  if (!n)
    return call->refuse(
      error{ec::no_such_notification, "no notification is called " + id});
  if (context.config->notifiers.count(n->channel) == 0)
    return call->refuse(
      error{ec::wrong_state,
            "the notifier " + n->channel + " is not configured any more"});
  ask<outbox_actor>(self, context, make_actor_name("outbox", n->channel),
                    answer_deadline, msg::retry_notification{call->id, n->id})
    .then(
      [call](const notification& now) {
        call->answer(200, api::notification_object(now));
      },
      refuse_by(call));
}

} // namespace ao
