#include "actors/tmux.hpp"

#include "messages/json.hpp"
#include "runtime/actor/harden.hpp"
#include "runtime/io/loop.hpp"
#include "runtime/process/process.hpp"
#include "runtime/shim/protocol.hpp"

#include <algorithm>

namespace ao {
namespace {

using self_pointer = tmux_actor::stateful_pointer<tmux_state>;

/// The pane of a session, wherever it is.
std::optional<tmux_servers::located_pane> find_pane(tmux_servers& servers,
                                                    const std::string& name) {
  for (auto& found : servers.list_panes().panes)
    if (found.pane.session == name && !found.pane.dead)
      return found;
  return std::nullopt;
}

/// Why it is not known whether a pane is there: a server does not answer.
tl::unexpected<error> not_found(const tmux_servers::inventory& seen,
                                error missing) {
  for (const auto& [server, why] : seen.errors)
    if (why.code != ec::not_reachable)
      return fail(why);
  return fail(std::move(missing));
}

/// The name of the window that a run's pane is in.
std::string window_of(run_no run) {
  return "run-" + std::to_string(run);
}

result<msg::pane_opened> open(tmux_servers& servers,
                              const msg::open_pane& order) {
  const auto& name = order.session.text;
  auto window = window_of(order.run);
  if (auto there = find_pane(servers, name)) {
    auto& server = servers.at(there->server);
    if (there->pane.window == window)
      return msg::pane_opened{server.place().socket, there->pane.pane};
    // Of a run that is over: its shim is just leaving.
    if (auto gone = server.kill_session(name); !gone)
      return fail(gone.error());
  }
  auto server = servers.server_with_room();
  if (!server)
    return fail(server.error());
  auto pane
    = servers.at(*server).new_session(name, window, order.cwd, order.directory);
  if (!pane)
    return fail(pane.error());
  return msg::pane_opened{servers.at(*server).place().socket, pane->pane};
}

result<void> close(tmux_servers& servers, const std::string& name) {
  auto there = find_pane(servers, name);
  if (!there)
    return {};
  if (auto done = servers.at(there->server).kill_session(name); !done)
    return fail(done.error());
  return {};
}

/// The pane of this very run. Errors: `not_reachable` when it has none,
/// `timed_out` when its server does not say.
result<tmux_servers::located_pane>
pane_of(tmux_servers& servers, const session_id& session, run_no run) {
  auto seen = servers.list_panes();
  for (auto& found : seen.panes)
    if (found.pane.session == session.text && !found.pane.dead
        && found.pane.window == window_of(run))
      return std::move(found);
  return not_found(
    seen,
    {ec::not_reachable,
     "run " + std::to_string(run) + " of " + session.text + " has no pane"});
}

result<void> type(tmux_servers& servers, const msg::type_text& order) {
  auto there = pane_of(servers, order.session, order.run);
  if (!there)
    return fail(there.error());
  return servers.at(there->server).paste(there->pane.pane, order.text);
}

result<void> press(tmux_servers& servers, const msg::press_key& order) {
  auto there = pane_of(servers, order.session, order.run);
  if (!there)
    return fail(there.error());
  return servers.at(there->server).press(there->pane.pane, order.key);
}

std::string row_of(const std::string& screen, int row) {
  std::size_t at = 0;
  for (; row > 0 && at != std::string::npos; --row) {
    at = screen.find('\n', at);
    if (at != std::string::npos)
      ++at;
  }
  return at == std::string::npos
    ? std::string{}
    : screen.substr(at, screen.find('\n', at) - at);
}

result<msg::seen_pane> look(tmux_servers& servers,
                            const msg::look_at_pane& order) {
  auto there = pane_of(servers, order.session, order.run);
  if (!there)
    return fail(there.error());
  auto view = servers.at(there->server).look(there->pane.pane);
  if (!view)
    return fail(view.error());
  msg::seen_pane out;
  out.cursor_x = view->cursor_x;
  out.cursor_y = view->cursor_y;
  out.cursor_row = row_of(view->screen, view->cursor_y);
  out.screen = std::move(view->screen);
  out.echo = view->echo;
  out.line_mode = view->line_mode;
  return out;
}

/// Pastes the text and submits it.
result<void> deliver(tmux_servers& servers, const msg::paste_text& order) {
  auto there = find_pane(servers, order.session.text);
  if (!there)
    return fail(ec::tmux_failed, "no pane of " + order.session.text);
  auto& server = servers.at(there->server);
  if (auto ok = server.paste(there->pane.pane, order.text); !ok)
    return ok;
  return server.press_enter(there->pane.pane);
}

/// Asked by many at one moment: all get the same look, which is younger than
/// the shortest pause between two looks of one RUNNER.
constexpr std::chrono::milliseconds one_look{25};

/// Looks at the panes and the processes of all runs, unless that has just been
/// done.
result<void> look_at_activity(self_pointer self) {
  auto& st = self->state;
  if (st.looked && self->clock().now() - *st.looked < one_look)
    return {};
  if (auto ok = st.context.spent->refresh(); !ok)
    return ok;
  st.last_output.clear();
  for (const auto& found : st.servers->list_panes().panes)
    if (!found.pane.dead)
      st.last_output[session_id{found.pane.session}] = found.pane.last_output;
  st.looked = self->clock().now();
  return {};
}

result<msg::pane_activity> activity_of(self_pointer self,
                                       const session_id& session) {
  if (auto ok = look_at_activity(self); !ok)
    return fail(ok.error());
  const auto& known = self->state.last_output;
  auto i = known.find(session);
  if (i == known.end())
    return fail(ec::not_reachable, "no pane of " + session.text);
  return msg::pane_activity{i->second};
}

/// Has the end of a server told, once for each of its lives.
void watch_server(self_pointer self, tmux_server& server) {
  auto& st = self->state;
  auto pid = server.server_pid();
  if (!pid || !st.watched.insert(*pid).second)
    return;
  auto fd = open_pidfd(*pid);
  if (!fd)
    return; // it has just ended: there is nothing left to lose
  // By name: a handle kept by the loop would keep this detached actor's
  // thread, and with it the process, from ending.
  watch(
    *st.context.loop, std::move(*fd),
    [names = st.context.names, socket = server.place().socket,
     pid = *pid](std::optional<exit_status>) {
      tell<tmux_actor>(*names, "tmux"_name, msg::terminal_gone{socket, pid});
    });
}

/// Whether the run has ended by itself: its server then ends, as configured,
/// with the last pane, and our row is only about to hear of it.
bool has_ended(self_pointer self, const session& s) {
  auto end = read_exit(self->state.context.places(s.id).directory, s.run);
  return end && *end && (*end)->cause != exit_cause::hangup;
}

/// A server with sessions on it has died: one event for all of them.
void tell_end(self_pointer self, const msg::terminal_gone& gone) {
  auto& st = self->state;
  st.watched.erase(gone.pid);
  // The next server may have begun at the same place.
  auto now = st.servers->list_panes().panes;
  auto has_pane = [&now](const session& s) {
    return std::any_of(now.begin(), now.end(), [&s](const auto& one) {
      return one.pane.session == s.id.text;
    });
  };
  std::size_t sessions = 0;
  for (const auto& s : st.context.rows->all<session>())
    sessions += !is_terminal(*s) && s->runtime == runtime_state::alive
      && s->tmux_socket == gone.socket && !has_ended(self, *s) && !has_pane(*s);
  if (sessions == 0)
    return; // it ends with its last session, as configured
  st.context.say(log_level::error,
                 "terminal_lost socket=" + gone.socket
                   + " sessions=" + std::to_string(sessions));
  msg::node_report report;
  report.kind = event_kind::terminal_lost;
  report.subject = "node:" + st.context.node.text;
  report.data = dump(json{{"node", st.context.node.text},
                          {"socket", gone.socket},
                          {"pid", gone.pid},
                          {"sessions", sessions}});
  ask<uplink_actor>(self, st.context, "uplink"_name, registry_deadline, report)
    .then([](std::uint64_t) {},
          [self](const caf::error& why) {
            self->state.context.say(log_level::error,
                                    "terminal_lost_not_told reason=\""
                                      + to_string(to_ao_error(why)) + "\"");
          });
}

msg::pane_list list(self_pointer self) {
  auto& st = self->state;
  msg::pane_list out;
  for (auto& found : st.servers->list_panes().panes)
    if (!found.pane.dead)
      out.panes.push_back({session_id{found.pane.session},
                           st.servers->at(found.server).place().socket,
                           found.pane.pane});
  for (std::size_t i = 0; i < st.servers->size(); ++i)
    watch_server(self, st.servers->at(i));
  return out;
}

} // namespace

tmux_actor::behavior_type tmux(self_pointer self, node_context context) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  st.servers.emplace(st.context.place->run_dir(),
                     st.context.programs + "/ao-shim");
  return {
    [self](const msg::open_pane& order) -> caf::result<msg::pane_opened> {
      auto& servers = *self->state.servers;
      auto opened = open(servers, order);
      if (!opened)
        return make_error(opened.error());
      for (std::size_t i = 0; i < servers.size(); ++i)
        if (servers.at(i).place().socket == opened->socket)
          watch_server(self, servers.at(i));
      return std::move(*opened);
    },
    [self](const msg::list_panes&) { return list(self); },
    [self](const msg::ask_activity& asked) -> caf::result<msg::pane_activity> {
      auto seen = activity_of(self, asked.session);
      if (!seen)
        return make_error(seen.error());
      return *seen;
    },
    [self](const msg::terminal_gone& gone) { tell_end(self, gone); },
    [self](const msg::close_pane& order) -> caf::result<session_id> {
      if (auto ok = close(*self->state.servers, order.session.text); !ok)
        return make_error(ok.error());
      return order.session;
    },
    [self](const msg::paste_text& order) -> caf::result<session_id> {
      if (auto ok = deliver(*self->state.servers, order); !ok)
        return make_error(ok.error());
      return order.session;
    },
    [self](const msg::type_text& order) -> caf::result<session_id> {
      if (auto ok = type(*self->state.servers, order); !ok)
        return make_error(ok.error());
      return order.session;
    },
    [self](const msg::press_key& order) -> caf::result<session_id> {
      if (auto ok = press(*self->state.servers, order); !ok)
        return make_error(ok.error());
      return order.session;
    },
    [self](const msg::look_at_pane& order) -> caf::result<msg::seen_pane> {
      auto seen = look(*self->state.servers, order);
      if (!seen)
        return make_error(seen.error());
      return std::move(*seen);
    },
  };
}

} // namespace ao
