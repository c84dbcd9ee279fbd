#include "actors/api_call.hpp"
#include "actors/job.hpp"
#include "messages/wire.hpp"
#include "runtime/node/output.hpp"

namespace ao {
namespace {

/// `?run=&offset=&snapshot=`; without a run the present one.
result<msg::read_output> read_wish(const api_call& call, const session& s) {
  auto run = read_number("run", call.what.query_or("run", ""), s.run);
  auto offset = read_number("offset", call.what.query_or("offset", ""), 0);
  if (!run || !offset)
    return fail((run ? offset : run).error());
  if (*run > s.run)
    return fail(ec::bad_input,
                "run: " + s.id.text + " has had " + std::to_string(s.run));
  msg::read_output out;
  out.session = s.id;
  out.run = static_cast<run_no>(*run);
  out.offset = *offset;
  out.snapshot = call.what.query_or("snapshot", "");
  if (out.run == s.run && s.runtime == runtime_state::alive) {
    out.socket = s.tmux_socket;
    out.pane = s.tmux_pane;
  }
  return out;
}

auto answer_part(const api_call_ptr& call, const row_ptr<session>& s,
                 run_no run) {
  return [call, s, run](const msg::output_part& part) {
    call->answer(
      200,
      {{"session", s->id.text},
       {"node", s->node.empty() ? std::string{"local"} : s->node.text},
       {"run", run},
       {"text", part.kept ? json(part.text) : json(nullptr)},
       {"snapshot",
        part.snapshot.empty() ? json(nullptr) : json(part.snapshot)},
       {"next", part.next == 0 ? json(nullptr) : json(part.next)}});
  };
}

} // namespace

bool is_here(const session& s) {
  return s.node.empty() || s.node.text == "local";
}

result<node_proxy_actor::super> proxy_of(api_pointer self, const session& s) {
  const auto& context = self->state.context;
  auto seen = context.nodes->find(s.node);
  // One that was recorded as back a moment ago is being connected: its proxy
  // knows.
  auto row = context.rows->find<cluster_node>(s.node.text);
  if (!seen || (!seen->connected && (!row || row->link != node_link::alive)))
    return fail(ec::not_reachable,
                s.id.text + " is on node " + s.node.text
                  + ", which is not connected; see ao node show "
                  + s.node.text);
  auto proxy = context.names->find<node_proxy_actor>(
    make_actor_name("node-proxy", s.node.text));
  if (!proxy)
    return fail(ec::not_reachable,
                "node " + s.node.text
                  + " is being looked after anew; try again");
  return proxy;
}

/// `GET /sessions/<id>/output`: a part of what a run has printed.
void get_output(api_pointer self, api_call_ptr call) {
  auto row = session_in_path(self, *call);
  if (!row)
    return;
  auto wish = read_wish(*call, *row);
  if (!wish)
    return call->refuse(wish.error());
  auto& context = self->state.context;
  auto answer = answer_part(call, row, wish->run);
  if (is_here(*row))
    return run_reading(
      self, context, part_limit,
      [place = context.place, what = *wish] {
        return read_output(*place, what, msg::longest_chunk);
      },
      answer, refuse_by(call));
  auto proxy = proxy_of(self, *row);
  if (!proxy)
    return call->refuse(proxy.error());
  self->request(*proxy, part_limit, *wish).then(answer, refuse_by(call));
}

} // namespace ao
