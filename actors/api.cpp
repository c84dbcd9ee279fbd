#include "actors/api.hpp"

#include "actors/api_call.hpp"
#include "runtime/api/peer.hpp"

#include <exception>

namespace ao {
namespace {

constexpr std::string_view root = "/api/v1";

/// One line of the table of routes (CONTRACT §4).
struct api_route {
  const char* method;
  const char* pattern;
  void (*handle)(api_pointer, api_call_ptr);
};

constexpr api_route routes[] = {
  {"GET", "/health", get_health},
  {"GET", "/status", get_status},
  {"GET", "/tasks", get_tasks},
  {"POST", "/tasks", post_task},
  {"POST", "/tasks/import", post_import},
  {"POST", "/tasks/resolve", resolve_tasks},
  {"GET", "/tasks/{id}", get_task},
  {"POST", "/tasks/{id}/cancel", cancel_task_of},
  {"POST", "/tasks/{id}/retry", retry_task_of},
  {"POST", "/tasks/{id}/claim", claim_task},
  {"GET", "/sessions", get_sessions},
  {"POST", "/sessions", post_session},
  {"POST", "/sessions/cleanup", post_cleanup},
  {"POST", "/orchestrators", post_orchestrators},
  {"GET", "/sessions/{id}", get_session},
  {"GET", "/sessions/{id}/output", get_output},
  {"POST", "/sessions/{id}/terminal", open_terminal},
  {"GET", "/sessions/{id}/terminal/{attachment}", read_terminal},
  {"POST", "/sessions/{id}/terminal/{attachment}", type_terminal},
  {"POST", "/sessions/{id}/terminal/{attachment}/close", close_terminal},
  {"POST", "/sessions/{id}/kill", kill_session_of},
  {"POST", "/sessions/{id}/restore", restore_session_of},
  {"POST", "/sessions/{id}/reports", post_report},
  {"POST", "/sessions/{id}/messages", post_message},
  {"POST", "/questions", post_question},
  {"GET", "/messages", get_messages},
  {"GET", "/notifications", get_notifications},
  {"POST", "/notifications/test", test_notifiers},
  {"POST", "/notifications/{id}/retry", retry_notification_of},
  {"GET", "/changes", get_changes},
  {"POST", "/changes", post_change},
  {"GET", "/changes/{id}", get_change},
  {"POST", "/changes/{id}/merge", post_merge},
  {"POST", "/changes/{id}/claim", claim_change},
  {"GET", "/changes/{id}/reviews", get_reviews},
  {"POST", "/changes/{id}/reviews", post_review},
  {"GET", "/incidents", get_incidents},
  {"GET", "/incidents/{id}", get_incident},
  {"POST", "/incidents/{id}/answer", post_answer},
  {"POST", "/incidents/{id}/ack", post_ack},
  {"POST", "/incidents/{id}/reopen", post_reopen},
  {"POST", "/incidents/{id}/resolve", post_resolve},
  {"GET", "/events", get_events},
  {"GET", "/nodes", get_nodes},
  {"POST", "/nodes/tokens", post_node_token},
  {"GET", "/nodes/{id}", get_node},
  {"POST", "/nodes/{id}/cordon", cordon_node},
  {"POST", "/nodes/{id}/uncordon", uncordon_node},
  {"POST", "/nodes/{id}/drain", drain_node},
  {"POST", "/nodes/{id}/revoke", revoke_node},
  {"GET", "/config", get_config},
  {"POST", "/config/reload", post_reload},
  {"POST", "/hooks/pre-receive", pre_receive},
  {"POST", "/hooks/post-receive", post_receive},
  {"GET", "/summary", get_summary},
  {"GET", "/metrics", get_metrics},
  {"POST", "/backups", post_backup},
  {"GET", "/actors", get_actors},
  {"POST", "/faults", post_fault},
  {"POST", "/shutdown", post_shutdown},
};

/// A hook judges stale tokens itself, with its own words.
bool judges_tokens(const api_route& route) {
  return std::string_view{route.pattern}.substr(0, 7) == "/hooks/";
}

/// Who asks, and how far that reaches.
result<void> admit(api_pointer self, const api_route& route, api_call& call) {
  auto& st = self->state;
  if (call.what.listener == "tcp")
    return api::check_tcp(call.what, st.host.tcp);
  auto socket = st.context.place->agent_socket();
  auto who = api::identify(call.what, *st.context.secret, [&socket](pid_t pid) {
    return api::token_of_process(pid, socket);
  });
  if (!who)
    return fail(who.error());
  call.who = std::move(*who);
  if (call.who.is_operator())
    return {};
  const auto& claims = *call.who.session;
  auto role = session_role_from(claims.role);
  call.reach = role ? api::reach_of(*role, route.method, route.pattern)
                    : api::reach::none;
  if (call.reach == api::reach::none)
    return fail(api::refusal(
      claims, std::string{"use "} + route.method + " " + route.pattern));
  if (judges_tokens(route))
    return {};
  return api::check_fresh(claims, *st.context.rows);
}

result<api_call_ptr> prepare(api_pointer self, const api_route& route,
                             http::request what, http::respond_once respond) {
  auto call = std::make_shared<api_call>();
  call->what = std::move(what);
  call->respond = std::move(respond);
  if (auto ok = admit(self, route, *call); !ok)
    return fail(ok.error());
  auto body = api::read_body(call->what);
  if (!body)
    return fail(body.error());
  call->body = std::move(*body);
  if (call->what.method == "POST") {
    auto id = api::request_id_of(call->what, call->body);
    if (!id)
      return fail(id.error());
    call->id = std::move(*id);
    // What a session asks for never counts as asked for by somebody else: the
    // ids of our own requests can be guessed.
    if (call->who.session)
      call->id.text
        = "session/" + call->who.session->session.text + "/" + call->id.text;
  }
  return call;
}

void serve(api_pointer self, const api_route& route, http::request what,
           http::respond_once respond) {
  try {
    auto call = prepare(self, route, std::move(what), respond);
    if (!call)
      respond(call.error());
    else
      route.handle(self, std::move(*call));
  } catch (...) {
    // A defect in one route must not take the others along.
    auto why = describe(std::current_exception());
    self->state.context.say(log_level::error,
                            std::string{"request_failed method="} + route.method
                              + " route=" + route.pattern + " reason=\""
                              + to_string(why) + "\"");
    respond(why);
  }
}

void add_routes(api_pointer self) {
  for (const auto& route : routes)
    self->state.routes.on(
      route.method, std::string{root} + route.pattern,
      [self, &route](http::request what, http::respond_once respond) {
        serve(self, route, std::move(what), std::move(respond));
      });
}

} // namespace

http::handler make_api_handler(const directory& names) {
  return [&names](http::request what, http::respond_once respond) {
    auto holder = names.find<api_actor>(api_name);
    if (!holder) {
      respond(
        error{ec::shutting_down, "the hub is starting or stopping; try again"});
      return;
    }
    auto exchange = std::make_shared<http_exchange>();
    exchange->what = std::move(what);
    exchange->respond = std::move(respond);
    caf::anon_send(holder, http_call{std::move(exchange)});
  };
}

api_actor::behavior_type api_keeper(api_pointer self, hub_context context,
                                    api_host host) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  st.host = std::move(host);
  if (st.host.started_at == wall_time{})
    st.host.started_at = st.context.now();
  add_routes(self);
  return {
    [self](const http_call& call) {
      self->state.routes(std::move(call.exchange->what),
                         std::move(call.exchange->respond));
    },
  };
}

} // namespace ao
