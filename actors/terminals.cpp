#include "actors/terminals.hpp"

#include "runtime/actor/harden.hpp"
#include "runtime/process/pty.hpp"
#include "runtime/tmux/tmux.hpp"

#include <algorithm>
#include <utility>

namespace ao {
namespace {

using self_pointer = terminals_actor::stateful_pointer<terminals_state>;
using waiting_step = terminal_attachment::waiting_step;
using part_promise = caf::typed_response_promise<msg::terminal_part>;

static_assert(pty_process::most_unread <= msg::longest_terminal_part);

void say(self_pointer self, const char* what, const terminal_attachment& of,
         const std::string& id) {
  self->state.context.say(log_level::info,
                          std::string{what} + " session=" + of.session.text
                            + " attachment=" + id);
}

window_size size_of(const msg::use_terminal& what) {
  return {static_cast<unsigned short>(what.columns),
          static_cast<unsigned short>(what.rows)};
}

bool has_size(const msg::use_terminal& what) {
  return what.columns > 0 && what.rows > 0;
}

int status_of(const exit_status& how) {
  return how.signal ? 128 + *how.signal : how.code.value_or(1);
}

// -- open ---------------------------------------------------------------------

/// Whether it is a name of a kind of terminal that nothing takes for anything
/// else.
bool is_term(const std::string& text) {
  constexpr std::size_t longest = 64;
  return !text.empty() && text.size() <= longest
    && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+")
    == std::string::npos;
}

/// The socket becomes an argument of tmux: one of this node's servers.
bool is_ours(self_pointer self, const std::string& socket) {
  auto front = self->state.context.place->run_dir() + "/tmux-";
  return socket.rfind(front, 0) == 0
    && socket.find('/', front.size()) == std::string::npos;
}

result<void> check_opening(self_pointer self, const msg::use_terminal& what) {
  if (!is_tmux_name(what.session.text))
    return fail(ec::bad_input, "session: expected the name of one");
  if (!is_ours(self, what.socket))
    return fail(ec::bad_input,
                "socket: expected a tmux server of node "
                  + self->state.context.node.text);
  if (!is_term(what.term))
    return fail(ec::bad_input,
                "term: expected the name of a kind of terminal, like xterm");
  return {};
}

process_spec client_of(self_pointer self, const msg::use_terminal& what) {
  auto env = *self->state.context.inherited;
  env.set("TERM", what.term).unset("TMUX");
  process_spec spec;
  // What `ao` shows is UTF-8, whatever the locale of this process is.
  spec.argv = {
    "tmux", "-u", "-S", what.socket, "attach", "-t", "=" + what.session.text};
  spec.env = env.to_vector();
  return spec;
}

/// Where there are too many, those that have ended need not be asked any more.
result<void> make_room(self_pointer self) {
  auto& all = self->state.attachments;
  for (auto i = all.begin(); i != all.end() && all.size() >= most_attachments;)
    i = i->second.client->ended() ? all.erase(i) : std::next(i);
  if (all.size() >= most_attachments)
    return fail(ec::wrong_state,
                std::to_string(most_attachments) + " terminals of node "
                  + self->state.context.node.text
                  + " are looked at already; detach from one");
  return {};
}

result<msg::terminal_part> open(self_pointer self,
                                const msg::use_terminal& what) {
  auto& st = self->state;
  msg::terminal_part out;
  for (const auto& [id, one] : st.attachments)
    if (one.request == what.request && one.session == what.session) {
      out.attachment = id;
      return out;
    }
  if (auto ok = check_opening(self, what); !ok)
    return fail(ok.error());
  if (auto ok = make_room(self); !ok)
    return fail(ok.error());
  out.attachment = make_code();
  // By name: a handle kept by the loop would keep this actor's thread.
  auto client = pty_process::start(
    *st.context.loop, client_of(self, what),
    has_size(what) ? size_of(what) : window_size{},
    [names = st.context.names, id = out.attachment] {
      tell<terminals_actor>(*names, "terminals"_name, msg::terminal_news{id});
    });
  if (!client)
    return fail(client.error());
  auto made = st.attachments.emplace(
    out.attachment,
    terminal_attachment{what.session,
                        what.request,
                        std::make_shared<pty_process>(std::move(*client)),
                        0,
                        {},
                        {}});
  say(self, "terminal_attached", made.first->second, out.attachment);
  return out;
}

// -- read, write --------------------------------------------------------------

/// What both tell of it.
msg::terminal_part part_of(const terminal_attachment& one,
                           const msg::use_terminal& what) {
  msg::terminal_part out;
  out.attachment = what.attachment;
  if (auto how = one.client->ended()) {
    out.ended = true;
    out.status = status_of(*how);
  }
  return out;
}

/// None while there is nothing to read.
result<std::optional<msg::terminal_part>>
read_shown(terminal_attachment& one, const msg::use_terminal& what) {
  // Before the bytes: its end comes behind them.
  auto out = part_of(one, what);
  auto bytes = one.client->read(what.offset);
  if (!bytes)
    return fail(bytes.error());
  if (bytes->empty() && !out.ended)
    return std::nullopt;
  out.offset = what.offset;
  out.next = what.offset + bytes->size();
  out.unread = bytes->size();
  out.bytes = std::move(*bytes);
  return out;
}

/// None while there is no room for any of it.
result<std::optional<msg::terminal_part>>
type_in(terminal_attachment& one, const msg::use_terminal& what) {
  if (what.offset > one.typed)
    return fail(ec::bad_input,
                "offset: expected at most " + std::to_string(one.typed));
  if (has_size(what))
    one.client->resize(size_of(what));
  auto known
    = std::min<std::uint64_t>(one.typed - what.offset, what.bytes.size());
  auto fresh = std::string_view{what.bytes}.substr(known);
  auto taken = one.client->write(fresh);
  if (taken == 0 && !fresh.empty())
    return std::nullopt;
  one.typed += taken;
  auto out = part_of(one, what);
  out.offset = what.offset;
  out.next = what.offset + known + taken;
  out.unread = one.client->unread();
  return out;
}

result<std::optional<msg::terminal_part>>
take_step(terminal_attachment& one, const msg::use_terminal& what) {
  return what.deed == msg::terminal_deed::read ? read_shown(one, what)
                                               : type_in(one, what);
}

/// The answer to a step that has waited in vain.
msg::terminal_part nothing_yet(const terminal_attachment& one,
                               const msg::use_terminal& what) {
  auto out = part_of(one, what);
  out.offset = out.next = what.offset;
  out.unread = one.client->unread();
  return out;
}

// -- time ---------------------------------------------------------------------

/// When something of it is over.
caf::actor_clock::time_point due_at(const terminal_attachment& one) {
  auto out = one.asked_at + unasked_limit;
  for (const auto& step : one.waiting)
    out = std::min(out, step.until);
  return out;
}

void arm(self_pointer self) {
  auto& st = self->state;
  std::optional<caf::actor_clock::time_point> next;
  for (const auto& [id, one] : st.attachments)
    if (auto at = due_at(one); !next || at < *next)
      next = at;
  if (!next || (st.armed && *st.armed <= *next))
    return;
  st.armed = next;
  auto left = std::max<caf::actor_clock::duration_type>(
    *next - self->clock().now(), std::chrono::milliseconds{0});
  self->delayed_send(self, left + std::chrono::milliseconds{1},
                     look_atom::value);
}

/// Answers what need not wait any longer.
void settle(self_pointer self, terminal_attachment& one) {
  auto now = self->clock().now();
  for (auto& step : std::exchange(one.waiting, {})) {
    auto done = take_step(one, step.what);
    if (!done)
      step.promise.deliver(make_error(done.error()));
    else if (*done)
      step.promise.deliver(**done);
    else if (now >= step.until)
      step.promise.deliver(nothing_yet(one, step.what));
    else
      one.waiting.push_back(std::move(step));
  }
}

void forget(self_pointer self,
            std::map<std::string, terminal_attachment>::iterator which,
            const char* what) {
  say(self, what, which->second, which->first);
  for (auto& step : std::exchange(which->second.waiting, {}))
    step.promise.deliver(nothing_yet(which->second, step.what));
  self->state.attachments.erase(which);
}

void look(self_pointer self) {
  auto& st = self->state;
  st.armed.reset();
  auto now = self->clock().now();
  for (auto i = st.attachments.begin(); i != st.attachments.end();) {
    auto which = i++;
    settle(self, which->second);
    if (which->second.waiting.empty()
        && now >= which->second.asked_at + unasked_limit)
      forget(self, which,
             which->second.client->ended() ? "terminal_detached"
                                           : "terminal_unasked");
  }
  arm(self);
}

// -- what is asked ------------------------------------------------------------

result<std::map<std::string, terminal_attachment>::iterator>
find_attachment(self_pointer self, const msg::use_terminal& what) {
  auto& all = self->state.attachments;
  auto found = all.find(what.attachment);
  if (found != all.end() && found->second.session == what.session)
    return found;
  return fail(ec::no_such_session,
              "there is no attachment " + what.attachment + " to "
                + what.session.text + " on node "
                + self->state.context.node.text
                + "; nothing was wanted of it for some seconds, or the node "
                  "has begun another life");
}

caf::result<msg::terminal_part> serve(self_pointer self,
                                      const msg::use_terminal& what) {
  if (what.columns > msg::largest_window || what.rows > msg::largest_window
      || what.bytes.size() > msg::longest_terminal_part)
    return make_error(ec::bad_input,
                      "the window or what is typed is too large");
  if (what.deed == msg::terminal_deed::open) {
    auto opened = open(self, what);
    if (!opened)
      return make_error(opened.error());
    self->state.attachments.at(opened->attachment).asked_at
      = self->clock().now();
    arm(self);
    return *opened;
  }
  auto found = find_attachment(self, what);
  if (!found)
    return make_error(found.error());
  auto& one = (*found)->second;
  if (what.deed == msg::terminal_deed::close) {
    auto out = nothing_yet(one, what);
    forget(self, *found, "terminal_detached");
    return out;
  }
  one.asked_at = self->clock().now();
  auto promise = self->make_response_promise<msg::terminal_part>();
  one.waiting.push_back({what, promise, one.asked_at + terminal_wait});
  settle(self, one);
  arm(self);
  return promise;
}

} // namespace

terminals_actor::behavior_type terminals(self_pointer self,
                                         node_context context) {
  harden(self, context);
  self->state.context = std::move(context);
  return {
    [self](const msg::use_terminal& what) { return serve(self, what); },
    [self](const msg::terminal_news& news) {
      auto& all = self->state.attachments;
      if (auto found = all.find(news.attachment); found != all.end())
        settle(self, found->second);
    },
    [self](look_atom) { look(self); },
  };
}

} // namespace ao
