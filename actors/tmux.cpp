#include "actors/tmux.hpp"

#include "runtime/actor/harden.hpp"

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

result<msg::pane_opened> open(tmux_servers& servers,
                              const msg::open_pane& order) {
  const auto& name = order.session.text;
  auto window = "run-" + std::to_string(order.run);
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

} // namespace

tmux_actor::behavior_type tmux(self_pointer self, node_context context) {
  harden(self, context);
  auto& st = self->state;
  st.context = std::move(context);
  st.servers.emplace(st.context.place->run_dir(),
                     st.context.programs + "/ao-shim");
  return {
    [self](const msg::open_pane& order) -> caf::result<msg::pane_opened> {
      auto opened = open(*self->state.servers, order);
      if (!opened)
        return make_error(opened.error());
      return std::move(*opened);
    },
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
  };
}

} // namespace ao
