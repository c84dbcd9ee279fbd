#include "actors/agent_probe.hpp"
#include "actors/api_call.hpp"

namespace ao {
namespace {

const actor_name registry_name{"registry"};

/// The task of the path's `{id}`, or a refusal.
row_ptr<task> task_in_path(api_pointer self, const api_call& call) {
  auto& context = self->state.context;
  auto id = call.param("id");
  auto t = api::resolve_task(*context.rows, *context.config, id,
                             api::place{"", "", call.own_project()});
  if (!t) {
    call.refuse(error{ec::no_such_task, "no task is called " + id});
    return nullptr;
  }
  return call.admits(target_of(**t), "change " + (*t)->id.text) ? *t : nullptr;
}

template <class Message>
void ask_registry(api_pointer self, api_call_ptr call, int status,
                  Message order) {
  ask<registry_actor>(self, self->state.context, registry_name, answer_deadline,
                      std::move(order))
    .then(
      [self, call, status](const task& t) {
        call->answer(status,
                     api::task_object(*self->state.context.rows, t,
                                      &*self->state.context.config));
      },
      refuse_by(call));
}

/// The session that holds the task made for this very request: in a project
/// that dispatches by itself the DISPATCHER may have been faster.
row_ptr<session> taken_for_us(api_pointer self, const error& why) {
  if (why.code == ec::task_already_claimed)
    for (const auto& [name, value] : why.details)
      if (name == "holder")
        return self->state.context.rows->find<session>(value);
  return nullptr;
}

void open(api_pointer self, api_call_ptr call, msg::open_session order,
          bool task_is_ours) {
  ask<registry_actor>(self, self->state.context, registry_name, answer_deadline,
                      std::move(order))
    .then(
      [self, call](const msg::opened_session& made) {
        answer_session(self, call, made.repeated ? 200 : 201,
                       std::make_shared<const session>(made.opened));
      },
      [self, call, task_is_ours](const caf::error& why) {
        auto refused = to_ao_error(why);
        if (task_is_ours)
          if (auto holder = taken_for_us(self, refused))
            return answer_session(self, call, 201, std::move(holder));
        call->refuse(refused);
      });
}

/// Makes what the plan wants: the task, then its session.
void carry_out(api_pointer self, api_call_ptr call, api::spawn_plan plan) {
  if (!plan.add)
    return open(self, call, std::move(plan.open), false);
  ask<registry_actor>(self, self->state.context, registry_name, answer_deadline,
                      std::move(*plan.add))
    .then(
      [self, call, order = plan.open](const task& added) mutable {
        order.task = added.id;
        open(self, call, std::move(order), true);
      },
      refuse_by(call));
}

/// Whether the registry will refuse it anyway, or knows it already.
bool is_taken(const api::spawn_plan& plan) {
  const auto& t = plan.existing;
  return t != nullptr && t->state != task_state::ready
    && t->state != task_state::blocked;
}

void spawn(api_pointer self, api_call_ptr call, const api::place& where,
           const std::optional<error>& backlog) {
  auto& context = self->state.context;
  auto plan = api::plan_spawn(*context.rows, *context.config, call->body,
                              call->id, where);
  if (!plan)
    return call->refuse(not_found(plan.error(), backlog));
  if (!call->admits({plan->project, {}, {}}, "spawn in " + plan->project.text))
    return;
  if (is_taken(*plan))
    return carry_out(self, call, std::move(*plan));
  // Nothing is made for an agent that could not start.
  when_agent_is_ready(
    self, context, plan->open.agent, plan->project, answer_deadline,
    [self, call, plan = *plan] { carry_out(self, call, plan); },
    refuse_by(call));
}

} // namespace

void post_task(api_pointer self, api_call_ptr call) {
  auto where = api::place_of(call->body, call->own_project());
  auto needs = api::list_of_texts(call->body, "needs");
  if (!where || !needs)
    return call->refuse(!where ? where.error() : needs.error());
  learn_tasks(self, *call, *needs, *where,
              [self, call, where = *where](auto backlog) {
                auto& context = self->state.context;
                auto order = api::plan_task(*context.rows, *context.config,
                                            call->body, call->id, where);
                if (!order)
                  return call->refuse(not_found(order.error(), backlog));
                if (call->admits({order->project, {}, {}},
                                 "add to " + order->project.text))
                  ask_registry(self, call, 201, std::move(*order));
              });
}

void cancel_task_of(api_pointer self, api_call_ptr call) {
  auto cascade = api::flag_of(call->body, "cascade");
  if (!cascade)
    return call->refuse(cascade.error());
  if (auto t = task_in_path(self, *call))
    ask_registry(self, call, 200,
                 msg::cancel_task{call->id, t->id, *cascade, "api"});
}

void retry_task_of(api_pointer self, api_call_ptr call) {
  if (auto t = task_in_path(self, *call))
    ask_registry(self, call, 200, msg::retry_task{call->id, t->id, "api"});
}

void claim_task(api_pointer self, api_call_ptr call) {
  auto t = task_in_path(self, *call);
  if (!t)
    return;
  auto order = api::plan_claim(*self->state.context.config, *t, call->id);
  if (!order)
    return call->refuse(order.error());
  ask<registry_actor>(self, self->state.context, registry_name, answer_deadline,
                      std::move(*order))
    .then(
      [call](const msg::opened_session& made) {
        const auto& s = made.opened;
        call->answer(made.repeated ? 200 : 201,
                     {{"task", s.task.text},
                      {"session", s.id.text},
                      {"node", s.node.empty() ? json() : json(s.node.text)},
                      {"epoch", s.epoch}});
      },
      refuse_by(call));
}

void post_session(api_pointer self, api_call_ptr call) {
  auto where = api::place_of(call->body, call->own_project());
  auto issue = api::text_of(call->body, "issue");
  if (!where || !issue)
    return call->refuse(!where ? where.error() : issue.error());
  std::vector<std::string> names;
  if (!issue->empty())
    names.push_back(*issue);
  learn_tasks(self, *call, names, *where,
              [self, call, where = *where](auto backlog) {
                spawn(self, call, where, backlog);
              });
}

} // namespace ao
