#include "messages/member_json.hpp"
#include "messages/wire.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace ao {

// What of a message crosses the wire; names are the protocol's: append, never
// rename.
namespace row_members {

template <>
struct members<msg::held_session> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("session", x.session);
    v("epoch", x.epoch);
    v("run", x.run);
  }
};

template <>
struct members<msg::seen_number> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("of", x.of);
    v("highest", x.highest);
  }
};

template <>
struct members<msg::seen_part> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("credential", x.credential);
    v("epochs", x.epochs);
    v("numbers", x.numbers);
  }
};

template <>
struct members<msg::unready_agent> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("agent", x.agent);
    v("byLogin", x.by_login);
    v("why", x.why);
  }
};

template <>
struct members<msg::node_facts> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("agents", x.agents);
    v("unready", x.unready);
    v("memory", x.memory);
  }
};

template <>
struct members<msg::node_hello> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("protocol", x.protocol);
    v("name", x.name);
    v("credential", x.credential);
    v("incarnation", x.incarnation);
    v("program", x.program);
    v("labels", x.labels);
    v("slots", x.slots);
    v("cores", x.cores);
    v("memory", x.memory);
    v("agents", x.agents);
    v("projects", x.projects);
    v("sessions", x.sessions);
    v("epochs", x.epochs);
    v("numbers", x.numbers);
  }
};

template <>
struct members<hunk> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("path", x.path);
    v("first", x.first);
    v("count", x.count);
  }
};

template <>
struct members<conversation_state> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("activity", x.activity);
    v("question", x.question);
    v("failure", x.failure);
    v("problem", x.problem);
    v("conversation", x.conversation);
    v("lastWords", x.last_words);
    v("inputTokens", x.input_tokens);
    v("outputTokens", x.output_tokens);
  }
};

/// `x` as the whole number `v` writes, where it is none itself.
template <class Visit, class T>
void each_ms(Visit& v, const char* name, const T& x, const T&) {
  v(name, static_cast<std::int64_t>(x.count()));
}
template <class Visit, class T>
void each_ms(Visit& v, const char* name, T& x, T&) {
  auto count = static_cast<std::int64_t>(x.count());
  v(name, count);
  x = T{count};
}

template <>
struct members<msg::session_spec> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("session", x.session);
    v("project", x.project);
    v("task", x.task);
    v("role", x.role);
    v("epoch", x.epoch);
    v("run", x.run);
    v("resume", x.resume);
    v("branch", x.branch);
    v("base", x.base);
    v("head", x.head);
    v("takesOver", x.takes_over);
    v("change", x.change);
    v("title", x.title);
    v("prompt", x.prompt);
    v("agent", x.agent);
    v("incident", x.incident);
    v("dossier", x.dossier);
    v("issue", x.issue);
    v("token", x.token);
    each_ms(v, "hangAfterMs", x.hang_after, x.hang_after);
  }
};

template <>
struct members<msg::ensure_order> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("spec", x.spec);
  }
};

template <>
struct members<msg::stop_order> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("session", x.session);
    v("epoch", x.epoch);
    v("run", x.run);
    v("how", x.how);
  }
};

template <>
struct members<msg::publish_order> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("session", x.session);
    v("epoch", x.epoch);
    v("run", x.run);
    v("token", x.token);
  }
};

template <>
struct members<msg::deliver_message> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("message", x.message);
    v("session", x.session);
    v("epoch", x.epoch);
    v("run", x.run);
    v("mode", x.mode);
    v("text", x.text);
  }
};

template <>
struct members<msg::read_output> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("session", x.session);
    v("run", x.run);
    v("socket", x.socket);
    v("pane", x.pane);
    v("snapshot", x.snapshot);
    v("offset", x.offset);
  }
};

template <>
struct members<msg::inspect_worktree> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("session", x.session);
    v("project", x.project);
    v("base", x.base);
  }
};

// Its text travels as bytes.
template <>
struct members<msg::output_part> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("kept", x.kept);
    v("snapshot", x.snapshot);
    v("next", x.next);
  }
};

// What is typed and shown travels as bytes.
template <>
struct members<msg::use_terminal> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("deed", x.deed);
    v("session", x.session);
    v("attachment", x.attachment);
    v("request", x.request);
    v("socket", x.socket);
    v("term", x.term);
    v("columns", x.columns);
    v("rows", x.rows);
    v("offset", x.offset);
  }
};

template <>
struct members<msg::terminal_part> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("attachment", x.attachment);
    v("offset", x.offset);
    v("next", x.next);
    v("unread", x.unread);
    v("ended", x.ended);
    v("status", x.status);
  }
};

template <>
struct members<msg::message_report> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("message", x.message);
    v("session", x.session);
    v("run", x.run);
    v("state", x.state);
    v("last", x.last);
    v("source", x.source);
    v("detail", x.detail);
  }
};

template <>
struct members<msg::work_seen> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("session", x.session);
    v("project", x.project);
    v("hunks", x.hunks);
  }
};

template <>
struct members<msg::node_report> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("kind", x.kind);
    v("subject", x.subject);
    v("data", x.data);
    v("once", x.once);
  }
};

// -- facts --------------------------------------------------------------------

template <>
struct members<msg::fact::step_done> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("step", x.step);
  }
};

template <>
struct members<msg::fact::agent_alive> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("agentPid", x.agent_pid);
    v("shimPid", x.shim_pid);
    v("workspacePath", x.workspace_path);
    v("tmuxSocket", x.tmux_socket);
    v("tmuxPane", x.tmux_pane);
    v("adopted", x.adopted);
  }
};

template <>
struct members<error> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("error", x.code);
    v("context", x.context);
  }
};

template <>
struct members<msg::fact::provision_failed> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("step", x.step);
    v("why", x.why);
  }
};

template <>
struct members<msg::fact::agent_exited> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("how", x.how);
    v("worktree", x.worktree);
  }
};

template <>
struct members<msg::fact::pushed> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("headSha", x.head_sha);
  }
};

template <>
struct members<msg::fact::push_failed> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("why", x.why);
  }
};

template <>
struct members<msg::fact::stopped> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("rescued", x.rescued);
    v("removed", x.removed);
    v("kept", x.kept);
    v("worktree", x.worktree);
  }
};

template <>
struct members<msg::fact::unknown_here> {
  template <class Visit, class X>
  static void each(Visit&&, X&) {}
};

template <>
struct members<msg::fact::ready> {
  template <class Visit, class X>
  static void each(Visit&&, X&) {}
};

template <>
struct members<msg::fact::node_lost> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("why", x.why);
  }
};

template <>
struct members<msg::fact::node_back> {
  template <class Visit, class X>
  static void each(Visit&&, X&) {}
};

template <>
struct members<msg::fact::work_found> {
  template <class Visit, class X>
  static void each(Visit&& v, X& x) {
    v("node", x.node);
    v("worktree", x.worktree);
  }
};

} // namespace row_members

std::optional<ec> word_as(std::string_view text, const ec&) {
  return ec_from_name(text);
}

std::optional<event_kind> word_as(std::string_view text, const event_kind&) {
  return event_kind_from(text);
}

// Structs that are members of others are read by their lists, too.
#define AO_NESTED(type)                                                        \
  void to_json(json& out, const type& x) {                                     \
    member_json::write_members(out, x);                                        \
  }                                                                            \
  void from_json(const json& in, type& x) {                                    \
    member_json::read_members(in, x);                                          \
  }

AO_NESTED(error)
AO_NESTED(hunk)
AO_NESTED(conversation_state)

namespace msg {

std::optional<stop_how> word_as(std::string_view text, const stop_how&) {
  return stop_how_from(text);
}

std::optional<terminal_deed> word_as(std::string_view text,
                                     const terminal_deed&) {
  return terminal_deed_from(text);
}

AO_NESTED(held_session)
AO_NESTED(seen_number)
AO_NESTED(unready_agent)
AO_NESTED(session_spec)

#undef AO_NESTED

namespace {

/// Runs `read`, whose exceptions are errors of the text.
template <class Read>
result<void> reading(const char* what, Read read) {
  try {
    read();
    return {};
  } catch (const json::exception& e) {
    return tl::unexpected<error>(
      error{ec::bad_input, std::string{what} + ": " + e.what()});
  }
}

} // namespace

#define AO_WIRE(type)                                                          \
  std::string to_wire(const type& x) {                                         \
    json out;                                                                  \
    member_json::write_members(out, x);                                        \
    return dump(out);                                                          \
  }                                                                            \
  result<void> from_wire(const std::string& text, type& x) {                   \
    return reading(#type,                                                      \
                   [&] { member_json::read_members(json::parse(text), x); });  \
  }

AO_WIRE(node_hello)
AO_WIRE(seen_part)
AO_WIRE(node_facts)
AO_WIRE(ensure_order)
AO_WIRE(stop_order)
AO_WIRE(publish_order)
AO_WIRE(deliver_message)
AO_WIRE(read_output)
AO_WIRE(output_part)
AO_WIRE(use_terminal)
AO_WIRE(terminal_part)
AO_WIRE(inspect_worktree)
AO_WIRE(worktree_facts)
AO_WIRE(message_report)
AO_WIRE(work_seen)
AO_WIRE(node_report)

#undef AO_WIRE

// -- a fact is one of several structs -----------------------------------------

namespace {

/// Makes the alternative `Index` of a fact.
template <std::size_t Index>
void read_fact(const json& in, session_fact& x) {
  member_json::read_members(in, x.emplace<Index>());
}

template <std::size_t... Index>
constexpr auto readers_of(std::index_sequence<Index...>) {
  return std::array<void (*)(const json&, session_fact&), sizeof...(Index)>{
    &read_fact<Index>...};
}

constexpr auto fact_count = std::variant_size_v<session_fact>;
constexpr auto fact_readers
  = readers_of(std::make_index_sequence<fact_count>{});

/// The words of the facts, in their order.
template <std::size_t... Index>
auto names_of(std::index_sequence<Index...>) {
  return std::array<std::string, fact_count>{std::string{fact_name(
    session_fact{std::variant_alternative_t<Index, session_fact>{}})}...};
}

const std::array<std::string, fact_count>& fact_names() {
  static const auto all = names_of(std::make_index_sequence<fact_count>{});
  return all;
}

} // namespace

std::string to_wire(const session_report& x) {
  json fact;
  std::visit(
    [&fact](const auto& one) { member_json::write_members(fact, one); },
    x.what);
  return dump(json{{"session", x.session.text},
                   {"epoch", x.epoch},
                   {"run", x.run},
                   {"seq", x.seq},
                   {"kind", std::string{fact_name(x.what)}},
                   {"fact", std::move(fact)}});
}

result<void> from_wire(const std::string& text, session_report& x) {
  return reading("session_report", [&] {
    auto in = json::parse(text);
    x.session = session_id{in.at("session").get<std::string>()};
    x.epoch = in.at("epoch").get<epoch_no>();
    x.run = in.at("run").get<run_no>();
    x.seq = in.at("seq").get<std::uint64_t>();
    const auto& kind = in.at("kind").get_ref<const std::string&>();
    for (std::size_t i = 0; i < fact_count; ++i)
      if (fact_names()[i] == kind)
        return fact_readers[i](in.at("fact"), x.what);
    throw json::other_error::create(501, "unknown fact " + kind, &in);
  });
}

std::string to_wire(const node_welcome& x) {
  return dump(json{{"protocol", x.protocol},
                   {"heartbeatMs", x.heartbeat},
                   {"leaseMs", x.lease},
                   {"stopAfterMs", x.stop_after},
                   {"settings", x.settings},
                   {"sessions", x.sessions},
                   {"losers", member_json::encode(x.losers)},
                   {"left", member_json::encode(x.left)}});
}

result<void> from_wire(const std::string& text, node_welcome& x) {
  return reading("node_welcome", [&] {
    auto in = json::parse(text);
    in.at("protocol").get_to(x.protocol);
    in.at("heartbeatMs").get_to(x.heartbeat);
    in.at("leaseMs").get_to(x.lease);
    in.at("stopAfterMs").get_to(x.stop_after);
    in.at("settings").get_to(x.settings);
    in.at("sessions").get_to(x.sessions);
    if (auto losers = in.find("losers"); losers != in.end())
      member_json::decode(*losers, x.losers);
    if (auto left = in.find("left"); left != in.end())
      member_json::decode(*left, x.left);
  });
}

} // namespace msg
} // namespace ao
