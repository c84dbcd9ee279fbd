#include "actors/registry.hpp"

#include "actors/store_trouble.hpp"
#include "messages/interfaces.hpp"
#include "messages/json.hpp"
#include "runtime/actor/harden.hpp"

#include <utility>

namespace ao {
namespace {

using self_pointer = registry_actor::stateful_pointer<registry_state>;

/// Told when a decision is durable: what it came to, or why it failed.
using on_decided
  = std::function<void(result<decltype(registry_decision::answer)>)>;

void perform(self_pointer self, const std::vector<registry_effect>& effects);

/// Runs the waiting requests whose subjects are free now.
void run_waiting(self_pointer self) {
  auto& st = self->state;
  auto calls = std::exchange(st.waiting, {});
  for (auto& call : calls) {
    if (!st.stalled && st.book.busy(call.subject))
      st.waiting.push_back(std::move(call));
    else
      call.run();
  }
}

void load_book(self_pointer self);

/// The rows are as they were, and the book goes back to them when writing is
/// possible again; nothing is decided until then. All writes under way fail
/// before that, as they were sent before the question.
void stall(self_pointer self, const caf::error& why) {
  auto& st = self->state;
  if (st.stalled)
    return;
  st.stalled = to_ao_error(why);
  when_store_writes(self, st.context, [self] {
    auto& st = self->state;
    st.stalled.reset();
    st.book = registry_book{};
    load_book(self);
    perform(self, st.book.recover());
    run_waiting(self);
  });
}

/// A write without which the book no longer matches the rows.
void fall(self_pointer self, const caf::error& why) {
  if (store_is_down(self->state.context, why))
    stall(self, why);
  else
    self->quit(why);
}

/// The book holds what was committed as everybody else does.
void share_rows(self_pointer self, const std::vector<row>& written) {
  auto& st = self->state;
  for (const auto& r : written)
    if (const auto* t = std::get_if<task>(&r))
      st.book.share(st.context.rows->find<task>(t->id.text));
    else if (const auto* c = std::get_if<claim>(&r))
      st.book.share(st.context.rows->find<claim>(c->subject));
}

/// What is kept to answer a repeat: the error, or the ids that were made.
std::string stored_answer(const registry_decision& decision) {
  if (auto* refused = std::get_if<error>(&decision.answer)) {
    json out{{"error", std::string{to_string(refused->code)}},
             {"context", refused->context}};
    for (const auto& [name, value] : refused->details)
      out["details"][name] = value;
    return dump(out);
  }
  if (auto* opened = std::get_if<session_opened>(&decision.answer))
    return dump(json{{"session", opened->session.id.text}});
  if (auto* added = std::get_if<tasks_added>(&decision.answer)) {
    auto ids = json::array();
    for (const auto& t : added->tasks)
      ids.push_back(t.id.text);
    return dump(json{{"tasks", std::move(ids)}, {"fresh", added->fresh}});
  }
  if (auto* changed = std::get_if<task_changed>(&decision.answer))
    return dump(json{{"task", changed->task.id.text}});
  return "{}";
}

void write(self_pointer self, registry_decision decision, on_decided done) {
  auto& st = self->state;
  for (auto& reserve : decision.reserve)
    ask<store_actor>(self, st.context, "store"_name, store_deadline,
                     std::move(reserve))
      .then([](const store_written&) {},
            [self](const caf::error& why) { fall(self, why); });
  decision.reserve.clear();
  if (decision.empty() && decision.write.request.empty()) {
    auto effects = st.book.adopt(decision);
    done(std::move(decision.answer));
    perform(self, effects);
    return run_waiting(self);
  }
  decision.write.answer = stored_answer(decision);
  ask<store_actor>(self, st.context, "store"_name, store_deadline,
                   decision.write)
    .then(
      [self, decision, done](const store_written& written) {
        auto& st = self->state;
        if (written.repeated) {
          st.book.abandon(decision);
          done(fail(ec::request_in_flight, written.answer));
        } else {
          auto effects = st.book.adopt(decision);
          share_rows(self, decision.write.rows);
          done(decision.answer);
          perform(self, effects);
        }
        run_waiting(self);
      },
      [self, done](const caf::error& why) {
        done(fail(to_ao_error(why)));
        fall(self, why);
        // They hear the same.
        if (self->state.stalled)
          run_waiting(self);
      });
}

/// Decides `request` now, or as soon as its subject is free.
template <class Request>
void decide(self_pointer self, std::string subject, request_id id,
            Request request, on_decided done) {
  auto& st = self->state;
  auto run = [self, subject, id, request, done] {
    auto& st = self->state;
    if (st.stalled)
      return done(fail(*st.stalled));
    auto decision = st.book.decide(request, st.context.now());
    if (!decision) {
      // Locked by something else than its name tells (a key, a needed task).
      if (decision.error().code == ec::request_in_flight) {
        st.waiting.push_back({subject, [self, subject, id, request, done] {
                                decide(self, subject, id, request, done);
                              }});
        return;
      }
      return done(fail(decision.error()));
    }
    decision->write.request = id;
    write(self, std::move(*decision), done);
  };
  if (!st.stalled && st.book.busy(subject))
    st.waiting.push_back({subject, run});
  else
    run();
}

// -- effects ------------------------------------------------------------------

/// Has the child of a dynamic supervisor started; it may run already.
void start(self_pointer self, const char* supervisor, const std::string& id) {
  ask<supervisor_actor>(self, self->state.context, actor_name{supervisor},
                        registry_deadline, start_child{id})
    .then([](const child_info&) {},
          [self, id](const caf::error& why) {
            // Found again from its row when the supervisor starts anew.
            self->state.context.say(log_level::error,
                                    "child_not_started id=" + id + " reason=\""
                                      + to_string(to_ao_error(why)) + "\"");
          });
}

/// Tells a session what its task is now. One that is not there reads it from
/// the rows when it starts.
void tell_session(self_pointer self, const session_id& id, const task* t) {
  if (t != nullptr && !id.empty())
    tell<session_actor>(self->state.context,
                        make_actor_name("session", id.text),
                        msg::task_changed{*t});
}

void perform(self_pointer self, const registry_effect& effect) {
  auto& st = self->state;
  const auto* t = st.book.find_task(effect.task.text);
  switch (effect.what) {
  case registry_effect::kind::settle:
    return decide(self, effect.task.text, {}, settle_task{effect.task},
                  [](const auto&) {});
  case registry_effect::kind::start_session:
    return start(self, "sessions", "session/" + effect.session.text);
  case registry_effect::kind::task_ready:
    tell<dispatcher_actor>(st.context, "dispatcher"_name, look_atom{});
    return;
  case registry_effect::kind::end_session:
    if (auto row = st.context.rows->find<session>(effect.session.text))
      tell_session(self, effect.session, st.book.find_task(row->task.text));
    return;
  case registry_effect::kind::tell_task:
    if (t && !is_closed(t->state))
      start(self, "tasks", "task/" + t->id.text);
    if (t)
      tell<task_actor>(st.context, make_actor_name("task", t->id.text),
                       msg::task_changed{*t});
    if (t)
      tell_session(self, t->session, t);
    // Its session is in the queue and has to say what it waits for now.
    if (t && t->state == task_state::blocked && !t->session.empty())
      tell<dispatcher_actor>(st.context, "dispatcher"_name, look_atom{});
    return;
  }
}

void perform(self_pointer self, const std::vector<registry_effect>& effects) {
  for (const auto& effect : effects)
    perform(self, effect);
}

// -- answers ------------------------------------------------------------------

/// The first answer to a request that came again.
result<json> first_answer(const error& repeated) {
  auto first = parse_json(repeated.context, "stored answer");
  if (first && first->contains("error")) {
    error why{ec_from_name(first->at("error").get<std::string>()),
              first->value("context", ""),
              {}};
    if (first->contains("details"))
      for (const auto& [name, value] : first->at("details").items())
        why.details.emplace_back(name, value.template get<std::string>());
    return fail(std::move(why));
  }
  return first;
}

/// What the book is asked to add.
add_task request_of(const msg::add_task& asked) {
  add_task request;
  request.project = asked.project;
  request.title = asked.title;
  request.body = asked.body;
  request.labels = asked.labels;
  request.priority = asked.priority;
  for (const auto& need : asked.needs)
    request.needs.push_back(need.text);
  request.agent = asked.agent;
  request.ref = asked.ref;
  request.key = asked.key;
  return request;
}

/// The task of a stored answer.
std::string task_named_in(const json& stored) {
  auto all = stored.value("tasks", std::vector<std::string>{});
  return all.empty() ? stored.value("task", "") : all.front();
}

/// The task that an answer is about; null when it is about none.
const task* task_in(const registry_book& book,
                    const decltype(registry_decision::answer)& answer) {
  if (auto* added = std::get_if<tasks_added>(&answer))
    return &added->tasks.front();
  if (auto* changed = std::get_if<task_changed>(&answer))
    return &changed->task;
  if (auto* changed = std::get_if<claim_changed>(&answer))
    return book.find_task(changed->claim.subject);
  return nullptr;
}

/// What a repeated batch was answered first, with the tasks as they are now.
result<msg::tasks_added> first_batch(const registry_book& book,
                                     const error& repeated) {
  auto first = first_answer(repeated);
  if (!first)
    return fail(first.error());
  msg::tasks_added out;
  for (const auto& id : first->value("tasks", std::vector<std::string>{})) {
    const auto* t = book.find_task(id);
    if (t == nullptr)
      return fail(ec::no_such_task, id + " is no longer kept");
    out.tasks.push_back(*t);
  }
  out.fresh = first->value("fresh", std::vector<bool>{});
  return out;
}

caf::result<msg::tasks_added> add_all(self_pointer self,
                                      const msg::add_tasks& asked) {
  // Nothing to add is nothing to record.
  if (asked.items.empty())
    return msg::tasks_added{};
  add_tasks request;
  for (const auto& item : asked.items)
    request.items.push_back(request_of(item));
  auto promise = self->make_response_promise<msg::tasks_added>();
  decide(self, "", asked.request, std::move(request),
         [self, promise](auto outcome) mutable {
           if (outcome) {
             auto& added = std::get<tasks_added>(*outcome);
             promise.deliver(msg::tasks_added{added.tasks, added.fresh});
             return;
           }
           auto again = outcome.error().code == ec::request_in_flight
             ? first_batch(self->state.book, outcome.error())
             : result<msg::tasks_added>{fail(outcome.error())};
           if (again)
             promise.deliver(std::move(*again));
           else
             promise.deliver(make_error(again.error()));
         });
  return promise;
}

/// Delivers a task, also as the first answer of a repeat.
on_decided answer_task(self_pointer self,
                       caf::typed_response_promise<task> promise) {
  return [self, promise](auto outcome) mutable {
    const auto& book = self->state.book;
    const task* found = nullptr;
    error why{ec::internal, "the registry has no answer", {}};
    if (!outcome) {
      why = outcome.error();
      if (why.code == ec::request_in_flight) {
        if (auto first = first_answer(why))
          found = book.find_task(task_named_in(*first));
        else
          why = first.error();
      }
    } else if (auto* refused = std::get_if<error>(&*outcome)) {
      why = *refused;
    } else {
      found = task_in(book, *outcome);
      // A role's claim has no task.
      if (!found && std::holds_alternative<claim_changed>(*outcome)) {
        promise.deliver(task{});
        return;
      }
    }
    if (found)
      promise.deliver(*found);
    else
      promise.deliver(make_error(why));
  };
}

caf::result<msg::opened_session> open(self_pointer self,
                                      const msg::open_session& asked) {
  auto& st = self->state;
  open_session request;
  request.task = asked.task;
  request.role = asked.role;
  request.prefix = asked.session_prefix;
  request.node = asked.node;
  request.agent = asked.agent;
  request.branch_template = asked.branch_template;
  request.base = asked.base;
  request.subject = asked.subject;
  request.project = asked.project;
  request.change = asked.change;
  request.head = asked.head;
  request.took_over = asked.took_over;
  request.gives_up = asked.gives_up;
  if (const auto* t = st.book.find_task(asked.task.text))
    request.project = t->project;
  auto promise = self->make_response_promise<msg::opened_session>();
  auto refuse
    = [promise](const error& why) mutable { promise.deliver(make_error(why)); };
  auto answer = [self, promise](const session& opened, bool again) mutable {
    const auto* t = self->state.book.find_task(opened.task.text);
    promise.deliver(msg::opened_session{opened, t ? *t : task{}, again});
  };
  decide(self, asked.task.empty() ? asked.subject : asked.task.text,
         asked.request, request, [self, refuse, answer](auto outcome) mutable {
           if (outcome) {
             if (auto* refused = std::get_if<error>(&*outcome))
               refuse(*refused);
             else
               answer(std::get<session_opened>(*outcome).session, false);
             return;
           }
           if (outcome.error().code != ec::request_in_flight)
             return refuse(outcome.error());
           auto first = first_answer(outcome.error());
           if (!first)
             return refuse(first.error());
           auto row = self->state.context.rows->template find<session>(
             first->value("session", ""));
           if (row)
             answer(*row, true);
           else
             refuse({ec::no_such_session, "its session is no longer kept"});
         });
  return promise;
}

caf::result<claim> regrant(self_pointer self, const msg::regrant_claim& asked) {
  auto promise = self->make_response_promise<claim>();
  regrant_claim request{asked.subject, asked.session, asked.node, asked.why};
  decide(self, asked.subject, asked.request, std::move(request),
         [promise](auto outcome) mutable {
           if (!outcome)
             promise.deliver(make_error(outcome.error()));
           else if (auto* refused = std::get_if<error>(&*outcome))
             promise.deliver(make_error(*refused));
           else
             promise.deliver(std::get<claim_changed>(*outcome).claim);
         });
  return promise;
}

/// Waits for what is being decided about, as everybody does.
caf::result<std::uint64_t> raise(self_pointer self,
                                 const msg::raise_numbers& asked) {
  auto promise = self->make_response_promise<std::uint64_t>();
  decide(self, "", {}, raise_numbers{asked.node, asked.epochs, asked.sessions},
         [promise](auto outcome) mutable {
           if (!outcome)
             promise.deliver(make_error(outcome.error()));
           else
             promise.deliver(std::get<numbers_raised>(*outcome).count);
         });
  return promise;
}

/// Decides about a task and answers with it.
template <class Request>
caf::result<task> answered(self_pointer self, const task_id& subject,
                           const request_id& id, Request request) {
  auto promise = self->make_response_promise<task>();
  decide(self, subject.text, id, std::move(request),
         answer_task(self, promise));
  return promise;
}

void load_book(self_pointer self) {
  auto& st = self->state;
  std::map<project_id, duplicate_policy> policies;
  for (const auto& [id, project] : st.context.config->projects)
    policies.emplace(id, project.duplicates);
  st.book.judge_duplicates(std::move(policies));
  const auto& rows = *st.context.rows;
  st.book.load(rows.all<task>(), rows.all<claim>(), rows.all<counter>());
}

} // namespace

registry_actor::behavior_type registry(self_pointer self, hub_context context) {
  harden(self, context);
  self->state.context = std::move(context);
  load_book(self);
  perform(self, self->state.book.recover());
  return {
    [self](const msg::add_task& asked) -> caf::result<task> {
      return answered(self, task_id{asked.key}, asked.request,
                      request_of(asked));
    },
    [self](const msg::add_tasks& asked) { return add_all(self, asked); },
    [self](const msg::open_session& asked) { return open(self, asked); },
    [self](const msg::move_task& asked) {
      move_task request{asked.task, asked.epoch, asked.to, asked.why,
                        asked.change};
      return answered(self, asked.task, {}, std::move(request));
    },
    [self](const msg::release_claim& asked) {
      release_claim request;
      request.subject = asked.task.text;
      request.epoch = asked.epoch;
      request.why = asked.why;
      return answered(self, asked.task, {}, std::move(request));
    },
    [self](const msg::regrant_claim& asked) { return regrant(self, asked); },
    [self](const msg::cancel_task& asked) {
      return answered(
        self, asked.task, asked.request,
        cancel_task{asked.task, "cancelled by " + asked.actor, asked.cascade});
    },
    [self](const msg::park_task& asked) {
      return answered(self, asked.task, asked.request,
                      park_task{asked.task, asked.why});
    },
    [self](const msg::retry_task& asked) {
      return answered(self, asked.task, asked.request, retry_task{asked.task});
    },
    [self](const msg::revise_task& asked) {
      return answered(
        self, asked.task, asked.request,
        revise_task{asked.task, asked.title, asked.body, asked.actor});
    },
    [self](const msg::suspect_tasks& asked) {
      suspect_tasks request{asked.task,          asked.session, asked.other,
                            asked.other_session, asked.score,   asked.reason};
      auto later = number_of(asked.task) > number_of(asked.other) ? asked.task
                                                                  : asked.other;
      return answered(self, later, {}, std::move(request));
    },
    [self](const msg::raise_numbers& asked) { return raise(self, asked); },
  };
}

} // namespace ao
