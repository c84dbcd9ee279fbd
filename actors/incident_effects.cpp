#include "actors/incident_mail.hpp"
#include "actors/incident_parts.hpp"
#include "runtime/rules/tasks.hpp"

#include <utility>

namespace ao::incident_parts {
namespace {

/// An effect has begun; one of the two ends it.
auto done(self_pointer self) {
  self->state.pending += 1;
  return [self](const auto&) { settle(self); };
}

auto unless_final(self_pointer self, const char* what) {
  return [self, what](const caf::error& why) {
    say(self, what, why);
    if (may_pass(to_ao_error(why).code)) {
      self->state.again = true;
      look_later(self);
    }
    settle(self);
  };
}

struct perform {
  self_pointer self;

  const incident& row() const { return self->state.row; }
  const hub_context& context() const { return self->state.context; }

  void mail(const session_id& to, const std::string& key,
            const std::string& text, const char* failed) const {
    send_incident_mail(self, context(), row(), to, key, text, done(self),
                       unless_final(self, failed));
  }

  template <class OnDone>
  void order_session(const session_id& id, msg::session_order::kind what,
                     const std::string& key, const char* failed,
                     OnDone on_done) const {
    msg::session_order order;
    order.what = what;
    order.request = incident_request(row(), key);
    order.actor = "incident/" + row().id.text;
    ask_child<session_actor>(self, context(), "sessions"_name,
                             make_actor_name("session", id.text),
                             registry_deadline, std::move(order),
                             std::move(on_done), unless_final(self, failed));
  }

  template <class Message, class OnDone>
  void ask_registry(Message message, const char* failed, OnDone on_done) const {
    ask<registry_actor>(self, context(), "registry"_name, registry_deadline,
                        std::move(message))
      .then(std::move(on_done), unless_final(self, failed));
  }

  /// As `done`; what follows may be due then, or once others have heard.
  auto done_and_look() const {
    return [self = self, end = done(self)](const auto& value) {
      look_later(self);
      end(value);
    };
  }

  void operator()(const tell_agent& order) const {
    mail(row().session, order.key, order.text, "agent_not_told");
  }

  /// Those that have not gone elsewhere by themselves, as their projects do not
  /// want that.
  void replace_lost() const {
    auto all = row().others;
    all.push_back(row().session);
    for (const auto& id : all) {
      auto s = context().rows->find<session>(id.text);
      const auto* project = s ? context().project(s->project) : nullptr;
      if (project != nullptr && !project->disconnect.replace && !is_terminal(*s)
          && s->runtime == runtime_state::lost)
        order_session(s->id, msg::session_order::kind::restore,
                      "restore/" + std::to_string(row().history.size()) + "/"
                        + id.text,
                      "session_not_replaced", done(self));
    }
  }

  /// The work of SELF HEAL, which is told the row.
  void operator()(const heal_agent&) const {}

  void operator()(const remind_mediator& order) const {
    mail(order.session, "reminder/" + std::to_string(row().rounds),
         "No verdict has come from you, and nothing else counts. Write one of "
         "the verdicts that\nyour prompt names to a file and give it:\n\n"
         "  ao incident resolve "
           + row().id.text + " --file verdict.json\n",
         "mediator_not_reminded");
  }

  /// Its SESSION reads from the row that it is not needed; this wakes it.
  void operator()(const dismiss_mediator& order) const {
    tell<session_actor>(context(),
                        make_actor_name("session", order.session.text),
                        look_atom::value);
  }

  void operator()(const retry_session&) const {
    if (row().cause == incident_cause::auth) {
      tell<breakers_actor>(context(), "breakers"_name, probe_atom::value);
      return;
    }
    if (row().cause == incident_cause::node_lost)
      return replace_lost();
    auto s = context().rows->find<session>(row().session.text);
    if (!s || is_terminal(*s) || s->runtime != runtime_state::parked)
      return;
    order_session(s->id, msg::session_order::kind::restore,
                  "restore/" + std::to_string(row().history.size()),
                  "session_not_restored", done(self));
  }

  void operator()(const abandon_task&) const {
    if (row().task.empty())
      return;
    msg::cancel_task cancel;
    cancel.request = incident_request(row(), "abandon");
    cancel.task = row().task;
    cancel.actor = "incident/" + row().id.text;
    ask_registry(std::move(cancel), "task_not_cancelled", done(self));
  }

  /// The parts in its place: the task itself is cancelled once they exist.
  void operator()(const split_task& order) const {
    auto of = context().rows->find<task>(row().task.text);
    if (!of)
      return;
    msg::add_tasks batch;
    batch.request = incident_request(row(), "split");
    batch.actor = "incident/" + row().id.text;
    auto key_of_part = [&](std::size_t n) {
      return of->project.text + "/incident:" + row().id.text + "#"
        + std::to_string(n + 1);
    };
    const auto& parts = order.how.parts;
    for (std::size_t n = 0; n < parts.size(); ++n) {
      msg::add_task one;
      one.project = of->project;
      one.key = key_of_part(n);
      one.title = parts[n].title;
      one.body = parts[n].body;
      one.priority = of->priority;
      one.labels = of->labels;
      one.agent = of->agent;
      one.needs = of->needs;
      one.actor = batch.actor;
      for (const auto& need : parts[n].needs)
        for (std::size_t other = 0; other < parts.size(); ++other)
          if (other != n && parts[other].title == need)
            one.needs.emplace_back(key_of_part(other));
      batch.items.push_back(std::move(one));
    }
    ask_registry(std::move(batch), "task_not_split",
                 [self = self, end = done(self)](const msg::tasks_added& made) {
                   perform{self}(abandon_task{});
                   end(made);
                 });
  }

  void operator()(const redesign_task& order) const {
    if (row().task.empty())
      return;
    msg::revise_task wanted;
    wanted.request = incident_request(
      row(), "revise/" + std::to_string(row().history.size()));
    wanted.task = row().task;
    wanted.title = order.title;
    wanted.body = order.body;
    wanted.actor = "incident/" + row().id.text;
    ask_registry(std::move(wanted), "task_not_revised", done(self));
  }

  /// Its session ends, its claim is given back, and the task goes to another
  /// agent, whose session begins where the branch is.
  void operator()(const reassign_task& order) const {
    auto of = context().rows->find<task>(row().task.text);
    auto s = context().rows->find<session>(row().session.text);
    const auto* project = context().project(row().project);
    if (!of || !s || project == nullptr)
      return;
    if (!is_terminal(*s))
      return order_session(s->id, msg::session_order::kind::kill,
                           "reassign/" + std::to_string(row().history.size()),
                           "session_not_ended", done_and_look());
    if (of->state == task_state::parked) {
      msg::retry_task retry;
      retry.request = incident_request(row(), "reassign-retry/" + s->id.text);
      retry.task = of->id;
      retry.actor = "incident/" + row().id.text;
      return ask_registry(std::move(retry), "task_not_retried",
                          done_and_look());
    }
    if (of->session == s->id
        && (of->state == task_state::claimed
            || of->state == task_state::in_review)) {
      // Its TASK has not heard of the end yet.
      look_later(self);
      return;
    }
    if (of->state != task_state::ready && of->state != task_state::blocked)
      return;
    msg::open_session wanted;
    wanted.request = incident_request(row(), "reassign/" + s->id.text);
    wanted.task = of->id;
    wanted.project = of->project;
    wanted.session_prefix = project->session_prefix;
    wanted.branch_template = project->branch;
    wanted.base = project->default_branch;
    wanted.agent = order.agent.empty() ? s->agent : order.agent;
    wanted.node = order.node.empty() ? s->node : node_name{order.node};
    wanted.actor = "incident/" + row().id.text;
    ask_registry(std::move(wanted), "task_not_reassigned", done(self));
  }
};

} // namespace

void carry_out(self_pointer self, const incident_effect& effect) {
  std::visit(perform{self}, effect);
}

} // namespace ao::incident_parts
