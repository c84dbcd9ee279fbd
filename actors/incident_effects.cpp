#include "actors/incident_parts.hpp"
#include "actors/mail.hpp"
#include "runtime/config/load.hpp"
#include "runtime/log/redactor.hpp"
#include "runtime/rules/tasks.hpp"

#include <utility>

namespace ao::incident_parts {
namespace {

request_id request_of(const incident& i, const std::string& what) {
  return request_id{"incident/" + i.id.text + "/" + what};
}

/// What is final: the other side has taken it, or never will.
bool is_final(const caf::error& why) {
  switch (to_ao_error(why).code) {
  case ec::timed_out:
  case ec::not_reachable:
  case ec::store_failed:
  case ec::shutting_down:
  case ec::request_in_flight:
    return false;
  default:
    return true;
  }
}

auto unless_final(self_pointer self, const char* what) {
  return [later = try_later(self, what), self, what](const caf::error& why) {
    if (!is_final(why))
      return later(why);
    auto& st = self->state;
    st.context.say(log_level::warn,
                   std::string{what} + " incident=" + st.row.id.text
                     + " reason=\"" + to_string(to_ao_error(why)) + "\"");
  };
}

struct perform {
  self_pointer self;

  const incident& row() const { return self->state.row; }
  const hub_context& context() const { return self->state.context; }

  void mail(const session_id& to, const std::string& key, std::string text,
            const char* failed) const {
    redactor secrets{secrets_in(*context().config, process_environment())};
    msg::send_message order;
    order.request = request_of(row(), key);
    order.session = to;
    order.text = secrets.redact(text);
    order.topic = "incident:" + row().id.text;
    order.sender = "incident/" + row().id.text;
    send_mail(
      self, context(), registry_deadline, std::move(order),
      [](const message&) {}, unless_final(self, failed));
  }

  void order_session(const session_id& id, msg::session_order::kind what,
                     const std::string& key, const char* failed) const {
    msg::session_order order;
    order.what = what;
    order.request = request_of(row(), key);
    order.actor = "incident/" + row().id.text;
    ask_child<session_actor>(
      self, context(), "sessions"_name, make_actor_name("session", id.text),
      registry_deadline, std::move(order),
      [self = self](const session&) {
        // What follows from it may be due then.
        self->delayed_send(self, retry_delay, look_atom::value);
      },
      unless_final(self, failed));
  }

  void operator()(const tell_agent& order) const {
    mail(row().session, order.key, order.text, "agent_not_told");
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
    auto s = context().rows->find<session>(row().session.text);
    if (!s || is_terminal(*s) || s->runtime != runtime_state::parked)
      return;
    order_session(s->id, msg::session_order::kind::restore,
                  "restore/" + std::to_string(row().history.size()),
                  "session_not_restored");
  }

  void operator()(const abandon_task& order) const {
    if (row().task.empty())
      return;
    msg::cancel_task cancel;
    cancel.request = request_of(row(), "abandon");
    cancel.task = row().task;
    cancel.actor = "incident/" + row().id.text;
    (void)order;
    ask<registry_actor>(self, context(), "registry"_name, registry_deadline,
                        std::move(cancel))
      .then([](const task&) {}, unless_final(self, "task_not_cancelled"));
  }

  /// The parts in its place: the task itself is cancelled once they exist.
  void operator()(const split_task& order) const {
    auto of = context().rows->find<task>(row().task.text);
    if (!of)
      return;
    msg::add_tasks batch;
    batch.request = request_of(row(), "split");
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
            one.needs.push_back(task_id{key_of_part(other)});
      batch.items.push_back(std::move(one));
    }
    ask<registry_actor>(self, context(), "registry"_name, registry_deadline,
                        std::move(batch))
      .then(
        [self = self](const msg::tasks_added&) {
          perform{self}(abandon_task{"split"});
        },
        unless_final(self, "task_not_split"));
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
                           "session_not_ended");
    if (of->state == task_state::parked) {
      msg::retry_task retry;
      retry.request = request_of(row(), "reassign-retry/" + s->id.text);
      retry.task = of->id;
      retry.actor = "incident/" + row().id.text;
      ask<registry_actor>(self, context(), "registry"_name, registry_deadline,
                          std::move(retry))
        .then(
          [self = self](const task&) { self->send(self, look_atom::value); },
          unless_final(self, "task_not_retried"));
      return;
    }
    if (of->session == s->id
        && (of->state == task_state::claimed
            || of->state == task_state::in_review)) {
      // Its TASK has not heard of the end yet.
      self->delayed_send(self, retry_delay, look_atom::value);
      return;
    }
    if (of->state != task_state::ready && of->state != task_state::blocked)
      return;
    msg::open_session wanted;
    wanted.request = request_of(row(), "reassign/" + s->id.text);
    wanted.task = of->id;
    wanted.project = of->project;
    wanted.session_prefix = project->session_prefix;
    wanted.branch_template = project->branch;
    wanted.base = project->default_branch;
    wanted.agent = order.agent.empty() ? s->agent : order.agent;
    wanted.node = order.node.empty() ? s->node : node_name{order.node};
    wanted.actor = "incident/" + row().id.text;
    ask<registry_actor>(self, context(), "registry"_name, registry_deadline,
                        std::move(wanted))
      .then([](const msg::opened_session&) {},
            unless_final(self, "task_not_reassigned"));
  }
};

} // namespace

void carry_out(self_pointer self, const incident_effect& effect) {
  std::visit(perform{self}, effect);
}

} // namespace ao::incident_parts
