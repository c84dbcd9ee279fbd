#include "actors/backlog.hpp"

#include "actors/job.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/rules/event_data.hpp"
#include "runtime/tracker/backlog_file.hpp"
#include "runtime/tracker/plan.hpp"

#include <algorithm>
#include <functional>

namespace ao {
namespace {

using self_pointer = backlog_actor::stateful_pointer<backlog_state>;
using on_imported = std::function<void(result<msg::backlog_imported>)>;

/// A file that does not answer (of a network) must not hold the hub's start.
constexpr std::chrono::seconds reading_limit{3};

/// Has the REGISTRY add what `text` says.
void add(self_pointer self, const msg::import_backlog& order,
         const backlog_text& text, on_imported done) {
  const auto& context = self->state.context;
  const auto* project = context.project(order.project);
  auto what = parse_backlog(
    text.bytes, backlog_format_of(text.source, text.bytes), text.source);
  if (!what)
    return done(fail(what.error()));
  auto items
    = plan_import(*context.rows, *context.config, *project, *what, text.source);
  if (!items)
    return done(fail(items.error()));
  if (items->empty())
    return done(msg::backlog_imported{text.source, {}, {}});
  msg::add_tasks batch{order.request, *items, order.actor};
  ask<registry_actor>(self, context, "registry"_name, registry_deadline,
                      std::move(batch))
    .then(
      [items = std::move(*items), source = text.source,
       done](msg::tasks_added& added) {
        done(msg::backlog_imported{source, items, std::move(added)});
      },
      [source = text.source, done](const caf::error& why) {
        auto refused = to_ao_error(why);
        refused.context = source + ": " + refused.context;
        done(fail(std::move(refused)));
      });
}

void take_in(self_pointer self, const msg::import_backlog& order,
             on_imported done) {
  const auto& context = self->state.context;
  const auto* project = context.project(order.project);
  if (project == nullptr)
    return done(
      fail(ec::no_such_project, "no project is called " + order.project.text));
  if (order.text)
    return add(self, order, {backlog_source(*project, order.file), *order.text},
               done);
  run_job(
    self, context, reading_limit,
    [config = context.config, id = order.project] {
      return read_backlog(config->projects.at(id));
    },
    [self, order, done](const backlog_text& text) {
      add(self, order, text, done);
    },
    [done](const caf::error& why) { done(fail(to_ao_error(why))); });
}

/// A backlog that is wrong does not stop the hub; it is said where people look.
/// @param done Called when that is durable, or lost.
void complain(self_pointer self, const project_id& project, const error& why,
              std::function<void()> done) {
  auto& context = self->state.context;
  auto line = why.context;
  std::replace(line.begin(), line.end(), '\n', ';');
  context.say(log_level::warn,
              "backlog_refused project=" + project.text + " reason=\"" + line
                + "\"");
  event_data data;
  data.with("project", project)
    .with("error", std::string{to_string(why.code)})
    .with("why", why.context);
  store_write write;
  write.events.push_back(make_event(event_kind::backlog_refused, context.now(),
                                    "hub", "backlog", 0, data));
  ask<store_actor>(self, context, "store"_name, store_deadline,
                   std::move(write))
    .then([done](const store_written&) { done(); },
          [self, project, done](const caf::error& lost) {
            done();
            self->state.context.say(log_level::error,
                                    "event_lost kind=backlog_refused project="
                                      + project.text + " reason=\""
                                      + to_string(to_ao_error(lost)) + "\"");
          });
}

/// One of the first readings is over.
void read_once(self_pointer self) {
  auto& st = self->state;
  if (--st.reading > 0)
    return;
  for (auto& promise : std::exchange(st.waiting, {}))
    promise.deliver(child_list{});
}

void read_all(self_pointer self) {
  auto& st = self->state;
  std::vector<project_id> projects;
  for (const auto& [id, project] : st.context.config->projects)
    if (project.tracker && project.tracker->plugin == tracker_kind::file)
      projects.push_back(id);
  st.reading = projects.size();
  for (const auto& id : projects) {
    msg::import_backlog order;
    order.project = id;
    order.actor = "backlog";
    take_in(self, order, [self, id](const auto& outcome) {
      if (outcome)
        read_once(self);
      else
        complain(self, id, outcome.error(), [self] { read_once(self); });
    });
  }
}

} // namespace

backlog_actor::behavior_type backlog_keeper(self_pointer self,
                                            hub_context context) {
  harden(self, context);
  self->state.context = std::move(context);
  read_all(self);
  return {
    [self](ready_atom) -> caf::result<child_list> {
      auto& st = self->state;
      if (st.reading == 0)
        return child_list{};
      st.waiting.emplace_back(self->make_response_promise<child_list>());
      return st.waiting.back();
    },
    [self](
      const msg::import_backlog& order) -> caf::result<msg::backlog_imported> {
      auto promise = self->make_response_promise<msg::backlog_imported>();
      take_in(self, order, [promise](auto outcome) mutable {
        if (outcome)
          promise.deliver(std::move(*outcome));
        else
          promise.deliver(make_error(outcome.error()));
      });
      return promise;
    },
  };
}

} // namespace ao
