#include "messages/json.hpp"
#include "messages/wire.hpp"
#include "tests/support/random_rows.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace ao;
using namespace ao::test;

namespace {

/// What comes of a value that crosses the wire.
template <class T>
T crossed(const T& x) {
  auto out = msg::read_wire<T>(msg::to_wire(x));
  EXPECT_TRUE(out) << to_string(out.error());
  return out.value_or(T{});
}

/// Written again it is the same text.
template <class T>
void survives(const T& x) {
  EXPECT_EQ(msg::to_wire(crossed(x)), msg::to_wire(x));
}

msg::session_report report_of(msg::session_fact what) {
  msg::session_report r;
  r.session = session_id{"app-1"};
  r.epoch = 7;
  r.run = 2;
  r.seq = 3;
  r.what = std::move(what);
  return r;
}

template <std::size_t... Index>
void all_facts_survive(std::index_sequence<Index...>) {
  (survives(report_of(std::variant_alternative_t<Index, msg::session_fact>{})),
   ...);
}

} // namespace

TEST(Wire, CarriesEveryFact) {
  all_facts_survive(
    std::make_index_sequence<std::variant_size_v<msg::session_fact>>{});
}

TEST(Wire, KeepsWhatAFactSays) {
  auto alive = crossed(report_of(
    msg::fact::agent_alive{12, 34, "/w/app-1", "/run/t.sock", "%3", true}));
  EXPECT_EQ(alive.session.text, "app-1");
  EXPECT_EQ(alive.epoch, 7u);
  EXPECT_EQ(alive.run, 2u);
  EXPECT_EQ(alive.seq, 3u);
  const auto& fact = std::get<msg::fact::agent_alive>(alive.what);
  EXPECT_EQ(fact.agent_pid, 12);
  EXPECT_EQ(fact.shim_pid, 34);
  EXPECT_EQ(fact.tmux_pane, "%3");
  EXPECT_TRUE(fact.adopted);

  auto failed = crossed(report_of(msg::fact::provision_failed{
    "checkout", error{ec::git_failed, "no space"}}));
  const auto& why = std::get<msg::fact::provision_failed>(failed.what).why;
  EXPECT_EQ(why.code, ec::git_failed);
  EXPECT_EQ(why.context, "no space");
}

TEST(Wire, CarriesOrders) {
  msg::ensure_order order;
  order.spec.session = session_id{"app-1"};
  order.spec.prompt = "line\n\"quoted\" \\ ü";
  order.spec.role = session_role::reviewer;
  order.spec.resume = resume_reason::crash;
  order.spec.hang_after = milliseconds{1'234};
  order.spec.takes_over = true;
  order.spec.token = "aot_x.y";
  auto back = crossed(order);
  EXPECT_EQ(back.spec.prompt, order.spec.prompt);
  EXPECT_EQ(back.spec.role, order.spec.role);
  EXPECT_EQ(back.spec.resume, order.spec.resume);
  EXPECT_EQ(back.spec.hang_after, order.spec.hang_after);
  EXPECT_TRUE(back.spec.takes_over);
  EXPECT_EQ(back.spec.token, order.spec.token);
  for (auto how : {msg::stop_how::end_agent, msg::stop_how::save_and_end,
                   msg::stop_how::remove, msg::stop_how::remove_merged,
                   msg::stop_how::discard, msg::stop_how::park}) {
    msg::stop_order stop;
    stop.how = how;
    EXPECT_EQ(crossed(stop).how, how);
  }
}

TEST(Wire, CarriesStepsOfATerminalWithoutTheirBytes) {
  for (auto deed : {msg::terminal_deed::open, msg::terminal_deed::read,
                    msg::terminal_deed::write, msg::terminal_deed::close}) {
    msg::use_terminal step{deed,
                           session_id{"app-1"},
                           "K7QW3MZX",
                           "r1",
                           "/run/tmux-0.sock",
                           "xterm-256color",
                           132,
                           43,
                           7'000'000'000,
                           "\x1b[A"};
    auto back = crossed(step);
    EXPECT_EQ(back.deed, deed);
    EXPECT_EQ(back.session, step.session);
    EXPECT_EQ(back.attachment, step.attachment);
    EXPECT_EQ(back.request, step.request);
    EXPECT_EQ(back.socket, step.socket);
    EXPECT_EQ(back.term, step.term);
    EXPECT_EQ(back.columns, 132u);
    EXPECT_EQ(back.rows, 43u);
    EXPECT_EQ(back.offset, step.offset);
    EXPECT_EQ(back.bytes, "");
  }
  auto part
    = crossed(msg::terminal_part{"K7QW3MZX", 1, 2, 3, true, 129, "\xff"});
  EXPECT_EQ(part.attachment, "K7QW3MZX");
  EXPECT_EQ(part.offset, 1u);
  EXPECT_EQ(part.next, 2u);
  EXPECT_EQ(part.unread, 3u);
  EXPECT_TRUE(part.ended);
  EXPECT_EQ(part.status, 129);
  EXPECT_EQ(part.bytes, "");
  EXPECT_FALSE(msg::read_wire<msg::use_terminal>(R"({"deed":"look"})"));
}

RC_GTEST_PROP(Wire, CarriesAnyText, ()) {
  msg::deliver_message m;
  m.text = *any_text();
  m.session = any_name<session_id>();
  m.mode = any_of<message_mode>(3);
  survives(m);
  msg::node_welcome w;
  w.settings = *any_text();
  w.stop_after["app"] = any_number();
  if (*rc::gen::arbitrary<bool>())
    w.sessions.push_back(any_session());
  w.losers.push_back({any_name<session_id>(), any_number(), 2});
  w.left.push_back({any_name<session_id>(), any_number(), 4});
  survives(w);
  msg::node_hello h;
  h.name = any_name<node_name>();
  h.labels = *any_lines();
  h.sessions.push_back({any_name<session_id>(), any_number(), 3});
  h.epochs.push_back({*any_text(), any_number()});
  h.numbers.push_back({*any_text(), any_number()});
  survives(h);
  msg::seen_part p;
  p.credential = *any_text();
  p.epochs.push_back({*any_text(), any_number()});
  p.numbers.push_back({*any_text(), any_number()});
  survives(p);
  msg::node_facts f;
  f.agents = *any_lines();
  f.unready.push_back({*any_text(), true, *any_text()});
  f.memory = any_number();
  survives(f);
  msg::use_terminal u;
  u.term = *any_text();
  u.request = *any_text();
  u.offset = any_number();
  survives(u);
  msg::session_report r
    = report_of(msg::fact::agent_exited{any_exit(), any_worktree()});
  survives(r);
  msg::fact::stopped end;
  end.rescued = *any_lines();
  end.worktree = any_worktree();
  survives(report_of(end));
  survives(
    report_of(msg::fact::work_found{any_name<node_name>(), any_worktree()}));
}

TEST(Wire, RefusesWhatItDoesNotUnderstandAndLivesOn) {
  for (
    const auto* text :
    {"", "[]", "{}", "{\"session\":1}",
     R"({"session":"a","epoch":1,"run":1,"seq":1,"kind":"new","fact":{}})",
     R"({"session":"a","epoch":-1,"run":1,"seq":1,"kind":"ready","fact":1})"}) {
    auto out = msg::read_wire<msg::session_report>(text);
    ASSERT_FALSE(out) << text;
    EXPECT_EQ(out.error().code, ec::bad_input);
  }
  // What a later version adds is passed over.
  EXPECT_TRUE(msg::read_wire<msg::stop_order>(R"({"run":4,"later":true})"));
}
