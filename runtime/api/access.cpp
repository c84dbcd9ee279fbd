#include "runtime/api/access.hpp"

namespace ao::api {
namespace {

/// What each role may do with one route; a column for each role.
struct rule {
  std::string_view method;
  std::string_view pattern;
  reach worker;
  reach orchestrator;
  reach mediator;
  reach reviewer;
  reach manual;
};

constexpr auto none = reach::none;
constexpr auto own = reach::own;
constexpr auto proj = reach::project;
constexpr auto any = reach::any;

// Whatever is not here is the operator's alone.
constexpr rule rules[] = {
  // method, pattern                worker orch. mediator reviewer manual
  {"GET", "/health", any, any, any, any, any},
  {"GET", "/status", proj, proj, proj, proj, proj},
  {"GET", "/tasks", proj, proj, proj, proj, proj},
  {"GET", "/tasks/{id}", proj, proj, proj, proj, proj},
  {"GET", "/sessions", own, proj, own, own, own},
  {"GET", "/sessions/{id}", own, proj, own, own, own},
  {"GET", "/sessions/{id}/output", own, proj, own, own, own},
  {"GET", "/changes", own, proj, proj, proj, own},
  {"GET", "/changes/{id}", own, proj, proj, proj, own},
  {"GET", "/changes/{id}/reviews", own, proj, proj, proj, own},
  {"POST", "/changes/{id}/claim", own, proj, none, none, none},
  {"POST", "/changes/{id}/reviews", none, none, none, own, none},
  {"GET", "/incidents", own, proj, proj, none, own},
  {"GET", "/incidents/{id}", own, proj, proj, none, own},
  {"POST", "/incidents/{id}/resolve", own, own, own, none, own},
  {"GET", "/events", own, proj, own, own, own},
  {"GET", "/nodes", none, any, none, none, none},
  {"GET", "/summary", none, proj, none, none, none},
  {"POST", "/tasks", none, proj, none, none, none},
  {"POST", "/tasks/import", none, proj, none, none, none},
  {"POST", "/tasks/resolve", none, proj, none, none, none},
  {"POST", "/sessions", none, proj, none, none, none},
  {"POST", "/sessions/{id}/reports", own, own, own, own, own},
  {"POST", "/sessions/{id}/messages", none, proj, none, none, none},
  {"POST", "/questions", any, none, any, any, any},
  {"GET", "/messages", own, proj, own, own, own},
  {"POST", "/changes", own, none, none, none, own},
  {"POST", "/hooks/pre-receive", any, any, any, any, any},
  {"POST", "/hooks/post-receive", any, any, any, any, any},
};

reach column(const rule& r, session_role role) {
  switch (role) {
  case session_role::worker:
    return r.worker;
  case session_role::orchestrator:
    return r.orchestrator;
  case session_role::mediator:
    return r.mediator;
  case session_role::reviewer:
    return r.reviewer;
  case session_role::manual:
    return r.manual;
  }
  return reach::none;
}

/// `host` of `host:port` and `[::1]:port`; the port may be absent.
std::string_view name_of(std::string_view address) {
  if (!address.empty() && address[0] == '[')
    return address.substr(0, address.find(']') + 1);
  return address.substr(0, address.rfind(':'));
}

std::string_view port_of(std::string_view address) {
  auto name = name_of(address);
  return address.size() > name.size() ? address.substr(name.size() + 1)
                                      : std::string_view{};
}

/// An address in digits: of IPv4 or, in brackets, of IPv6.
bool is_numeric(std::string_view host) {
  auto only = [host](std::string_view letters) {
    return host.find_first_not_of(letters) == std::string_view::npos;
  };
  if (host.size() > 2 && host[0] == '[' && host.back() == ']')
    return only("0123456789abcdefABCDEF:.[]");
  return !host.empty() && only("0123456789.");
}

bool is_own_host(std::string_view host, std::string_view listen) {
  auto name = name_of(host);
  return port_of(host) == port_of(listen)
    && (is_numeric(name) || name == "localhost" || name == name_of(listen));
}

} // namespace

result<caller> identify(const http::request& what, const home_secret& secret,
                        const peer_token& token_of_peer) {
  std::string token{what.bearer()};
  if (token.empty() && what.listener == "hub") {
    if (what.peer && what.peer->pid > 0)
      if (auto found = token_of_peer(what.peer->pid))
        token = std::move(*found);
    if (token.empty())
      return caller{};
  }
  auto claims = verify_token(secret, token);
  if (!claims)
    return fail(claims.error());
  return caller{std::move(*claims)};
}

result<void> check_tcp(const http::request& what, const tcp_guard& guard) {
  std::string host{what.header("host")};
  if (!is_own_host(host, guard.listen))
    return fail(ec::not_allowed,
                "Host: \"" + host + "\" is not this API, expected "
                  + guard.listen);
  auto origin = what.header("origin");
  if (!origin.empty() && origin != "http://" + host)
    return fail(ec::not_allowed,
                "Origin: \"" + std::string{origin} + "\" is another site");
  if (!equal_in_constant_time(what.bearer(), guard.token))
    return fail(ec::bad_token,
                "expected Authorization: Bearer and the token of the hub's "
                "api.token");
  return {};
}

result<void> check_fresh(const token_claims& who, const row_view& rows) {
  auto row = rows.find<session>(who.session.text);
  if (!row)
    return fail(ec::no_such_session,
                who.session.text + " is not a session of this hub");
  if (row->epoch == who.epoch && row->run == who.run)
    return {};
  error stale{ec::stale_epoch,
              who.session.text + " is at epoch " + std::to_string(row->epoch)
                + ", run " + std::to_string(row->run) + "; this token is of "
                + "epoch " + std::to_string(who.epoch) + ", run "
                + std::to_string(who.run)};
  stale.details = {{"session", who.session.text},
                   {"epoch", std::to_string(who.epoch)},
                   {"current", std::to_string(row->epoch)},
                   {"run", std::to_string(who.run)}};
  return fail(std::move(stale));
}

reach reach_of(session_role role, std::string_view method,
               std::string_view pattern) {
  for (const auto& r : rules)
    if (r.method == method && r.pattern == pattern)
      return column(r, role);
  return reach::none;
}

bool within(reach r, const token_claims& who, const target& what) {
  switch (r) {
  case reach::none:
    return false;
  case reach::own:
    return (!what.session.empty() && what.session == who.session)
      || (!what.task.empty() && what.task == who.task);
  case reach::project:
    return !what.project.empty() && what.project == who.project;
  case reach::any:
    return true;
  }
  return false;
}

error refusal(const token_claims& who, std::string_view what) {
  error out{ec::not_allowed,
            "session " + who.session.text + " (" + who.role + ") may not "
              + std::string{what}};
  out.details = {{"session", who.session.text}, {"role", who.role}};
  return out;
}

} // namespace ao::api
