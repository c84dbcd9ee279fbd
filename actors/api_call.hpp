#pragma once

#include "actors/api.hpp"
#include "actors/ask_child.hpp"
#include "messages/interfaces.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/api/access.hpp"
#include "runtime/api/objects.hpp"
#include "runtime/api/requests.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What the files of the API share; for them alone.
namespace ao {

using api_pointer = api_actor::stateful_pointer<api_state>;

/// Our own answer comes before the server's 504, which knows no request id.
constexpr std::chrono::seconds answer_deadline
  = api_deadline - std::chrono::seconds{1};

/// One request under way: well-formed, of a known caller who may use the
/// route.
struct api_call {
  http::request what;
  http::respond_once respond;
  api::caller who;
  /// How far the caller's role reaches with this route.
  api::reach reach = api::reach::any;
  json body;
  /// Of a POST.
  request_id id;

  void answer(int status, const json& document) const {
    respond(http::json_response(status, document));
  }

  void refuse(const error& why) const { respond(why); }

  /// Refuses what came of an ask.
  void refuse(const caf::error& why) const { respond(to_ao_error(why)); }

  /// Whether the caller may see or touch this.
  bool reaches(const api::target& thing) const {
    return who.is_operator() || api::within(reach, *who.session, thing);
  }

  /// The same, and refuses when not.
  bool admits(const api::target& thing, std::string_view to) const {
    auto yes = reaches(thing);
    if (!yes)
      refuse(api::refusal(*who.session, to));
    return yes;
  }

  /// The project of the asking session; empty for the operator.
  project_id own_project() const {
    return who.session ? who.session->project : project_id{};
  }

  std::string param(const char* name) const {
    auto at = what.params.find(name);
    return at == what.params.end() ? std::string{} : at->second;
  }
};

using api_call_ptr = std::shared_ptr<const api_call>;

/// What an ask does with an error.
inline auto refuse_by(api_call_ptr call) {
  return [call](const caf::error& why) { call->refuse(why); };
}

inline api::target target_of(const session& s) {
  return {s.project, s.id, s.task};
}
inline api::target target_of(const task& t) {
  return {t.project, t.session, t.id};
}
inline api::target target_of(const change& c) {
  return {c.project, c.session, c.task};
}

/// Reads events of the past: from the ring, else from the STORE.
void read_past(api_pointer self, msg::read_events what,
               std::function<void(result<std::vector<event>>)> done);

/// Hands on the session as `GET /sessions/<id>` shows it.
void show_session(api_pointer self, row_ptr<session> row,
                  std::function<void(json)> done);

/// Answers with that, and `status`.
void answer_session(api_pointer self, api_call_ptr call, int status,
                    row_ptr<session> row);

/// The row of the path's `{id}`, or a refusal.
row_ptr<session> session_in_path(api_pointer self, const api_call& call);

// One function for each route, by file.

// api_reads.cpp
void get_health(api_pointer self, api_call_ptr call);
void get_status(api_pointer self, api_call_ptr call);
void get_tasks(api_pointer self, api_call_ptr call);
void get_task(api_pointer self, api_call_ptr call);
void get_sessions(api_pointer self, api_call_ptr call);
void get_session(api_pointer self, api_call_ptr call);
void get_changes(api_pointer self, api_call_ptr call);

// api_nodes.cpp
void get_nodes(api_pointer self, api_call_ptr call);
void get_node(api_pointer self, api_call_ptr call);
void post_node_token(api_pointer self, api_call_ptr call);
void cordon_node(api_pointer self, api_call_ptr call);
void uncordon_node(api_pointer self, api_call_ptr call);
void drain_node(api_pointer self, api_call_ptr call);
void revoke_node(api_pointer self, api_call_ptr call);

// api_config.cpp
void get_config(api_pointer self, api_call_ptr call);
void post_reload(api_pointer self, api_call_ptr call);

// api_events.cpp

/// The number that `text`, a value of the query called `name`, is; `otherwise`
/// when it is empty. Errors: `bad_input`.
result<std::uint64_t> read_number(const std::string& name,
                                  const std::string& text,
                                  std::uint64_t otherwise);
void get_events(api_pointer self, api_call_ptr call);

// api_tasks.cpp
void post_task(api_pointer self, api_call_ptr call);
void cancel_task_of(api_pointer self, api_call_ptr call);
void retry_task_of(api_pointer self, api_call_ptr call);
void claim_task(api_pointer self, api_call_ptr call);
void post_session(api_pointer self, api_call_ptr call);

// api_backlog.cpp
void post_import(api_pointer self, api_call_ptr call);
void resolve_tasks(api_pointer self, api_call_ptr call);

/// Has the backlogs read that may know these names, as far as the caller
/// reaches, and goes on with what went wrong on the way, if anything did. Goes
/// on at once when all are known.
void learn_tasks(api_pointer self, const api_call& call,
                 const std::vector<std::string>& names, const api::place& where,
                 std::function<void(std::optional<error>)> go_on);

/// What is said of a task that nobody knows, `backlog` being what went wrong
/// while it was looked for.
error not_found(error unknown, const std::optional<error>& backlog);

// api_sessions.cpp
void kill_session_of(api_pointer self, api_call_ptr call);
void restore_session_of(api_pointer self, api_call_ptr call);
void post_report(api_pointer self, api_call_ptr call);
void post_shutdown(api_pointer self, api_call_ptr call);

// api_output.cpp

/// Shorter than one try of an ask, so that the node's own error is told.
constexpr std::chrono::seconds part_limit{10};

/// Whether the session is on the hub's own node.
bool is_here(const session& s);

/// Who speaks to the node of the session, while that is connected: asked at
/// once rather than until the deadline, as a node that is away may stay so.
/// Errors: `not_reachable`.
result<node_proxy_actor::super> proxy_of(api_pointer self, const session& s);

void get_output(api_pointer self, api_call_ptr call);

// api_terminal.cpp
void open_terminal(api_pointer self, api_call_ptr call);
void read_terminal(api_pointer self, api_call_ptr call);
void type_terminal(api_pointer self, api_call_ptr call);
void close_terminal(api_pointer self, api_call_ptr call);

// api_messages.cpp
void post_message(api_pointer self, api_call_ptr call);
void post_question(api_pointer self, api_call_ptr call);
void get_messages(api_pointer self, api_call_ptr call);

// api_notifications.cpp
void get_notifications(api_pointer self, api_call_ptr call);
void test_notifiers(api_pointer self, api_call_ptr call);
void retry_notification_of(api_pointer self, api_call_ptr call);

// api_changes.cpp

/// The row of the path's `{id}`, or a refusal.
row_ptr<change> change_in_path(api_pointer self, const api_call& call);
void get_change(api_pointer self, api_call_ptr call);
void post_change(api_pointer self, api_call_ptr call);
void post_merge(api_pointer self, api_call_ptr call);

// api_takeovers.cpp
void claim_change(api_pointer self, api_call_ptr call);

// api_reviews.cpp
void post_review(api_pointer self, api_call_ptr call);
void get_reviews(api_pointer self, api_call_ptr call);

// api_incidents.cpp

/// What people are asked at present, as far as the caller reaches.
json open_questions(api_pointer self, const api_call& call);

void get_incidents(api_pointer self, api_call_ptr call);
void get_incident(api_pointer self, api_call_ptr call);
void post_answer(api_pointer self, api_call_ptr call);
void post_ack(api_pointer self, api_call_ptr call);
void post_reopen(api_pointer self, api_call_ptr call);
void post_resolve(api_pointer self, api_call_ptr call);

// api_orchestrators.cpp
void post_orchestrators(api_pointer self, api_call_ptr call);

// api_cleanup.cpp
void post_cleanup(api_pointer self, api_call_ptr call);

// api_summary.cpp
void get_summary(api_pointer self, api_call_ptr call);

// api_backup.cpp
void post_backup(api_pointer self, api_call_ptr call);

// api_metrics.cpp
void get_metrics(api_pointer self, api_call_ptr call);

// api_faults.cpp
void get_actors(api_pointer self, api_call_ptr call);
void post_fault(api_pointer self, api_call_ptr call);

// api_hooks.cpp
void pre_receive(api_pointer self, api_call_ptr call);
void post_receive(api_pointer self, api_call_ptr call);

/// Has the SESSION started when it is not there, then asks it.
template <class Message>
void ask_session(api_pointer self, const session_id& id, Message order,
                 std::function<void(const session&)> done,
                 std::function<void(const caf::error&)> failed) {
  ask_child<session_actor>(self, self->state.context, "sessions"_name,
                           make_actor_name("session", id.text), answer_deadline,
                           std::move(order), std::move(done),
                           std::move(failed));
}

} // namespace ao
