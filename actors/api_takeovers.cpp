#include "actors/agent_probe.hpp"
#include "actors/api_call.hpp"
#include "actors/uplink_name.hpp"
#include "messages/interfaces/sessions.hpp"
#include "runtime/api/takeovers.hpp"
#include "runtime/rules/membership.hpp"

namespace ao {
namespace {

/// The part of the answer's deadline that a look at a worktree may take.
constexpr std::chrono::seconds look_limit{10};

/// `{change, session, tookOverFrom, gaveUp, already}`.
void answer_claim(api_pointer self, const api_call_ptr& call, int status,
                  row_ptr<session> row, const session_id& gave_up,
                  bool already) {
  auto from = row->took_over;
  auto id = row->change;
  show_session(self, std::move(row), [=](const json& shown) {
    auto c = self->state.context.rows->find<change>(id.text);
    auto or_null = [](const session_id& x) {
      return x.empty() ? json(nullptr) : json(x.text);
    };
    call->answer(status,
                 {{"change", c ? api::change_object(*c) : json()},
                  {"session", shown},
                  {"tookOverFrom", or_null(from)},
                  {"gaveUp", or_null(gave_up)},
                  {"already", already}});
  });
}

/// A request that was executed before is not refused when it comes again, as
/// what it was about has gone on since.
void refuse_new(api_pointer self, const api_call_ptr& call, const error& why) {
  ask<store_actor>(self, self->state.context, actor_name{"store"},
                   store_deadline, msg::recall_request{call->id})
    .then(
      [self, call, why](const store_written& known) {
        auto first = known.repeated ? parse_json(known.answer, "stored answer")
                                    : result<json>{fail(why)};
        auto opened = first
          ? self->state.context.rows->find<session>(first->value("session", ""))
          : nullptr;
        if (opened)
          answer_claim(self, call, 200, std::move(opened), {}, false);
        else
          call->refuse(why);
      },
      refuse_by(call));
}

void open(api_pointer self, const api_call_ptr& call,
          const api::takeover_plan& plan) {
  ask<registry_actor>(self, self->state.context, actor_name{"registry"},
                      answer_deadline, plan.open)
    .then(
      [self, call,
       gave_up = plan.open.gives_up](const msg::opened_session& made) {
        answer_claim(self, call, made.repeated ? 200 : 201,
                     std::make_shared<const session>(made.opened), gave_up,
                     false);
      },
      refuse_by(call));
}

void open_when_ready(api_pointer self, const api_call_ptr& call,
                     const api::takeover_plan& plan) {
  when_agent_is_ready(
    self, self->state.context, plan.open.agent, plan.project, answer_deadline,
    [self, call, plan] { open(self, call, plan); }, refuse_by(call));
}

/// What is in its worktree and in no commit would be out of its agent's sight
/// afterwards.
void open_when_clean(api_pointer self, const api_call_ptr& call,
                     const api::takeover_plan& plan) {
  const auto& mover = plan.mover;
  if (!mover || mover->run == 0)
    return open_when_ready(self, call, plan);
  ask<uplink_actor>(
    self, self->state.context, uplink_of(mover->node), look_limit,
    msg::inspect_worktree{mover->id, mover->project, mover->base})
    .then(
      [self, call, plan](const worktree_facts& seen) {
        if (auto clean = api::check_clean(*plan.mover, seen); !clean)
          return refuse_new(self, call, clean.error());
        open_when_ready(self, call, plan);
      },
      refuse_by(call));
}

/// The change of the path: its id, or its number in the project that is meant.
result<row_ptr<change>> change_meant(api_pointer self, const api_call& call) {
  const auto& context = self->state.context;
  auto name = call.param("id");
  if (auto c = context.rows->find<change>(name))
    return c;
  auto unknown = error{ec::no_such_change, "no change is called " + name};
  auto digits = name.substr(name.find_first_not_of('#') == 1 ? 1 : 0);
  if (digits.empty()
      || digits.find_first_not_of("0123456789") != std::string::npos)
    return fail(unknown);
  auto where = api::place_of(call.body, call.own_project());
  if (!where)
    return fail(where.error());
  auto project = api::resolve_project(*context.config, where->project,
                                      where->cwd, where->of_session);
  if (!project)
    return fail(project.error());
  auto c = context.rows->find<change>((*project)->id.text + "#" + digits);
  if (!c)
    return fail(unknown);
  return c;
}

/// Whoever is on a node that is lost may work on until its lease is over.
bool may_still_work(api_pointer self, const session& holder) {
  auto seen = self->state.context.nodes->find(holder.node);
  return seen && seen->now.link == node_link::lost
    && !may_regrant(seen->now, self->clock().now());
}

} // namespace

/// `POST /changes/<id>/claim`.
void claim_change(api_pointer self, api_call_ptr call) {
  auto& context = self->state.context;
  auto meant = change_meant(self, *call);
  if (!meant)
    return call->refuse(meant.error());
  const auto& c = *meant;
  if (!call->admits(target_of(*c), "take over " + c->id.text))
    return;
  auto plan = api::plan_takeover(*context.rows, *context.config, *c, call->body,
                                 call->id);
  if (!plan)
    return refuse_new(self, call, plan.error());
  if (plan->own)
    return answer_claim(self, call, 200, plan->own, {}, true);
  // A worker has its own task, and that alone.
  if (call->reach == api::reach::own && !call->who.is_operator())
    return call->refuse(
      api::refusal(*call->who.session, "hand " + c->id.text + " over"));
  if (plan->holder && may_still_work(self, *plan->holder))
    return call->refuse(error{ec::not_reachable,
                              "node " + plan->holder->node.text
                                + " is lost and may still work for a moment; "
                                  "try again when its lease is over"});
  open_when_clean(self, call, *plan);
}

} // namespace ao
