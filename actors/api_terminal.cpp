#include "actors/api_call.hpp"
#include "runtime/rules/base64url.hpp"

#include <limits>
#include <utility>

namespace ao {
namespace {

constexpr auto any_offset = std::numeric_limits<std::uint64_t>::max();

/// What is wanted of the session in the path, whose terminal is elsewhere.
struct terminal_wish {
  row_ptr<session> of;
  msg::use_terminal what;
};

/// Errors: `session_closed`, `wrong_state` (its terminal is here).
result<terminal_wish> wish_for(const row_ptr<session>& row,
                               msg::terminal_deed deed, const api_call& call) {
  if (is_here(*row))
    return fail(ec::wrong_state,
                "the terminal of " + row->id.text
                  + " is on the hub's own host; there: ao attach "
                  + row->id.text);
  terminal_wish out;
  out.of = row;
  out.what.deed = deed;
  out.what.session = row->id;
  out.what.attachment = call.param("attachment");
  return out;
}

/// `{columns, rows}`; both or none.
result<void> read_window(const json& body, msg::use_terminal& what) {
  auto columns = api::number_of(body, "columns", 0, msg::largest_window);
  auto rows = api::number_of(body, "rows", 0, msg::largest_window);
  if (!columns || !rows)
    return fail((columns ? rows : columns).error());
  if ((*columns == 0) != (*rows == 0))
    return fail(ec::bad_input, "columns, rows: expected both or none");
  what.columns = static_cast<std::uint32_t>(*columns);
  what.rows = static_cast<std::uint32_t>(*rows);
  return {};
}

/// `{input, offset}`. What is too long for one step is cut; the answer says so.
result<void> read_typed(const json& body, msg::use_terminal& what) {
  auto input = api::text_of(body, "input");
  auto offset = api::number_of(body, "offset", 0, any_offset);
  if (!input || !offset)
    return fail((input ? offset.error() : input.error()));
  auto bytes = from_base64url(*input);
  if (!bytes)
    return fail(ec::bad_input, "input: expected base64url without padding");
  bytes->resize(std::min(bytes->size(), msg::longest_terminal_part));
  what.bytes = std::move(*bytes);
  what.offset = *offset;
  return {};
}

json document_of(const msg::terminal_part& part) {
  return {{"offset", part.offset},
          {"next", part.next},
          {"unread", part.unread},
          {"ended", part.ended},
          {"status", part.ended ? json(part.status) : json(nullptr)}};
}

/// Has the node do it; `answer` makes a document of what it says.
template <class Answer>
void ask_node(api_pointer self, const api_call_ptr& call, terminal_wish wish,
              Answer answer) {
  auto proxy = proxy_of(self, *wish.of);
  if (!proxy)
    return call->refuse(proxy.error());
  self->request(*proxy, part_limit, std::move(wish.what))
    .then(
      [call, answer](const msg::terminal_part& part) { answer(*call, part); },
      refuse_by(call));
}

} // namespace

/// `POST /sessions/<id>/terminal`
void open_terminal(api_pointer self, api_call_ptr call) {
  auto row = session_in_path(self, *call);
  if (!row)
    return;
  auto wish = wish_for(row, msg::terminal_deed::open, *call);
  if (!wish)
    return call->refuse(wish.error());
  if (row->runtime != runtime_state::alive || row->tmux_socket.empty())
    return call->refuse(
      error{ec::session_closed, row->id.text + " has no terminal"});
  auto term = api::text_of(call->body, "term");
  if (!term)
    return call->refuse(term.error());
  if (auto ok = read_window(call->body, wish->what); !ok)
    return call->refuse(ok.error());
  wish->what.term = std::move(*term);
  wish->what.request = call->id.text;
  wish->what.socket = row->tmux_socket;
  ask_node(self, call, std::move(*wish),
           [row](const api_call& asked, const msg::terminal_part& part) {
             asked.answer(201,
                          {{"session", row->id.text},
                           {"node", row->node.text},
                           {"attachment", part.attachment}});
           });
}

/// `GET /sessions/<id>/terminal/<attachment>`: a part of what it shows.
void read_terminal(api_pointer self, api_call_ptr call) {
  auto row = session_in_path(self, *call);
  if (!row)
    return;
  auto wish = wish_for(row, msg::terminal_deed::read, *call);
  if (!wish)
    return call->refuse(wish.error());
  auto offset = read_number("offset", call->what.query_or("offset", ""), 0);
  if (!offset)
    return call->refuse(offset.error());
  wish->what.offset = *offset;
  ask_node(self, call, std::move(*wish),
           [](const api_call& asked, const msg::terminal_part& part) {
             auto out = document_of(part);
             out["output"] = to_base64url(part.bytes);
             asked.answer(200, out);
           });
}

/// `POST /sessions/<id>/terminal/<attachment>`: what was typed.
void type_terminal(api_pointer self, api_call_ptr call) {
  auto row = session_in_path(self, *call);
  if (!row)
    return;
  auto wish = wish_for(row, msg::terminal_deed::write, *call);
  if (!wish)
    return call->refuse(wish.error());
  if (auto ok = read_typed(call->body, wish->what); !ok)
    return call->refuse(ok.error());
  if (auto ok = read_window(call->body, wish->what); !ok)
    return call->refuse(ok.error());
  ask_node(self, call, std::move(*wish),
           [](const api_call& asked, const msg::terminal_part& part) {
             asked.answer(200, document_of(part));
           });
}

/// `POST /sessions/<id>/terminal/<attachment>/close`
void close_terminal(api_pointer self, api_call_ptr call) {
  auto row = session_in_path(self, *call);
  if (!row)
    return;
  auto wish = wish_for(row, msg::terminal_deed::close, *call);
  if (!wish)
    return call->refuse(wish.error());
  ask_node(self, call, std::move(*wish),
           [](const api_call& asked, const msg::terminal_part& part) {
             asked.answer(200, {{"attachment", part.attachment}});
           });
}

} // namespace ao
