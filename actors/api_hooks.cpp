#include "actors/api_call.hpp"
#include "runtime/rules/event_data.hpp"

namespace ao {
namespace {

/// What git's client shows begins with `ao: `, which the hook's program puts
/// in front of every line of its own.
std::string without_prefix(std::string line) {
  constexpr std::string_view prefix = "ao: ";
  return line.rfind(prefix, 0) == 0 ? line.substr(prefix.size()) : line;
}

event refused_event(const hub_context& context, const api::push& what,
                    const api_call& call, const error& why) {
  event_data data;
  data.with("project", what.project).with("reason", why.context);
  std::string subject = "hub";
  epoch_no epoch = 0;
  if (call.who.session) {
    const auto& who = *call.who.session;
    data.with("session", who.session).with("task", who.task);
    subject = subject_of(who.session);
    epoch = who.epoch;
  }
  auto refs = json::array();
  for (const auto& update : what.updates)
    refs.push_back(update.ref);
  data.with_value("refs", refs);
  return make_event(event_kind::push_refused, context.now(), subject,
                    api_name.text, epoch, data);
}

/// Every push that the forge is told to take, with the grant that it was judged
/// by.
void log_accepted(const hub_context& context, const api::push& what,
                  const token_claims& who) {
  for (const auto& update : what.updates)
    context.say(log_level::info,
                "push_accepted project=" + what.project.text
                  + " session=" + who.session.text + " task=" + who.task.text
                  + " epoch=" + std::to_string(who.epoch)
                  + " run=" + std::to_string(who.run) + " ref=" + update.ref
                  + " commit=" + update.new_sha);
}

} // namespace

void pre_receive(api_pointer self, api_call_ptr call) {
  auto& context = self->state.context;
  auto what = api::read_push(call->body);
  if (!what)
    return call->refuse(what.error());
  auto refused = api::refuse_push_of(
    *what, call->who.session, *context.rows, *context.config,
    [&](const node_name& node) {
      return context.nodes->lease_holds(node, self->clock().now());
    });
  if (!refused) {
    log_accepted(context, *what, *call->who.session);
    return call->answer(200, {{"allowed", true}});
  }
  store_write write;
  write.events.push_back(refused_event(context, *what, *call, *refused));
  refused->details.emplace_back("line", refused->context);
  refused->context = without_prefix(refused->context);
  ask<store_actor>(self, context, actor_name{"store"}, store_deadline,
                   std::move(write))
    .then([call, why = *refused](const store_written&) { call->refuse(why); },
          [self, call, why = *refused](const caf::error& unwritten) {
            self->state.context.say(log_level::error,
                                    "refusal_not_recorded reason=\""
                                      + to_string(to_ao_error(unwritten))
                                      + "\"");
            call->refuse(why);
          });
}

void post_receive(api_pointer self, api_call_ptr call) {
  constexpr std::string_view heads = "refs/heads/";
  auto what = api::read_push(call->body);
  if (!what)
    return call->refuse(what.error());
  auto forge = make_actor_name("forge", what->project.text);
  for (const auto& update : what->updates) {
    if (update.deletes() || update.ref.rfind(heads, 0) != 0)
      continue;
    // A forge that is just being restarted looks at its branches itself.
    tell<forge_actor>(
      self->state.context, forge,
      msg::branch_pushed{update.ref.substr(heads.size()), update.new_sha});
  }
  call->answer(200, {{"seen", what->updates.size()}});
}

} // namespace ao
