#include "runtime/process/process_table.hpp"
#include "runtime/rules/base64url.hpp"
#include "runtime/tmux/tmux.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/cluster_fixture.hpp"
#include "tests/support/places.hpp"
#include "tests/support/terminal_program.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <map>
#include <thread>

using namespace ao;
using nlohmann::json;
using testing::EndsWith;
using testing::HasSubstr;

namespace {

/// The keys that detach a tmux client.
const std::string detach = "\x02"
                           "d";

/// Shows each line that it is told.
const std::string parrot = "echo \"it is me\"\n"
                           "while read -r line; do echo \"heard <$line>\"; "
                           "done\n";

class ClusterAttach : public cluster_fixture {
protected:
  /// `ao attach` on a terminal of its own.
  terminal_program person(const std::string& session = "app-1") const {
    auto env = w.variables();
    env.set("TERM", "xterm");
    return {{program_path("ao"), "attach", session}, env.to_vector(), {}};
  }

  pid_t agent() const {
    return w.ask({"session", "show", "app-1"})["runtime"]["pid"];
  }

  /// The words of an error after the last screen.
  static void expect_lost(const terminal_talk& talk, const terminal_end& end) {
    EXPECT_EQ(end.code, 1) << end.screen;
    EXPECT_THAT(end.screen, HasSubstr("not_reachable"));
    EXPECT_THAT(end.screen, HasSubstr("terminal of app-1 on node worker"));
    // The other screen was left.
    EXPECT_GT(end.screen.rfind("\x1b[?1049l"), end.screen.rfind("\x1b[?1049h"));
    EXPECT_TRUE(talk.is_as_before());
  }

  // -- as a program does it ---------------------------------------------------

  static std::string terminal(const std::string& attachment = {},
                              const std::string& more = {}) {
    return "/api/v1/sessions/app-1/terminal"
      + (attachment.empty() ? "" : "/" + attachment) + more;
  }

  result<http::reply> open(const std::string& request = make_ulid(),
                           const std::string& term = "xterm") const {
    return w.api().call("POST", terminal(),
                        {{"term", term}, {"columns", 200}, {"rows", 50}},
                        {{"Idempotency-Key", request}});
  }

  /// The attachment.
  std::string opened(const std::string& request = make_ulid()) const {
    auto made = open(request);
    EXPECT_TRUE(made) << to_string(made.error());
    return made ? made->body.value("attachment", "") : std::string{};
  }

  result<http::reply> type(const std::string& attachment,
                           const std::string& input,
                           std::uint64_t offset) const {
    return w.api().call("POST", terminal(attachment),
                        {{"input", to_base64url(input)}, {"offset", offset}});
  }

  /// Reads on until this was shown; everything that was since the last time.
  std::string shown_to(const std::string& attachment,
                       const std::string& wanted) {
    std::string out;
    auto& at = read_[attachment];
    auto until = mono_time::clock::now() + world::patience;
    while (out.find(wanted) == out.npos && mono_time::clock::now() < until) {
      auto part = w.api().call(
        "GET", terminal(attachment) + "?offset=" + std::to_string(at));
      if (!part) {
        ADD_FAILURE() << to_string(part.error());
        break;
      }
      auto bytes = from_base64url(part->body.value("output", ""));
      EXPECT_TRUE(bytes);
      EXPECT_LE(bytes->size(), 64u * 1024);
      at += bytes->size();
      EXPECT_EQ(part->body["next"], at);
      out += *bytes;
    }
    EXPECT_THAT(out, HasSubstr(wanted));
    return out;
  }

  /// Clients of the terminal, as its tmux server counts them.
  std::size_t clients() const {
    auto socket = w.ask({"session", "show", "app-1"})["tmux"]["socket"]
                    .get<std::string>();
    process_spec spec;
    spec.argv = {"tmux", "-S", socket, "list-clients", "-t", "=app-1"};
    spec.env = w.variables().to_vector();
    auto listed = run(spec, world::patience);
    EXPECT_TRUE(listed && listed->ok());
    return listed ? static_cast<std::size_t>(
             std::count(listed->out.begin(), listed->out.end(), '\n'))
                  : 0;
  }

  /// Nothing happens that could be waited for.
  void await_clients(std::size_t count) const {
    auto until = mono_time::clock::now() + world::patience;
    while (clients() != count) {
      ASSERT_LT(mono_time::clock::now(), until) << clients();
      std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
  }

private:
  /// How far each attachment was read.
  std::map<std::string, std::uint64_t> read_;
};

TEST_F(ClusterAttach, KeysReachTheAgentAndItsEchoComesBack) {
  begin_there(parrot);
  auto pid = agent();
  terminal_talk talk{person()};
  ASSERT_TRUE(talk.await("it is me"));
  talk.type("hello\r");
  ASSERT_TRUE(talk.await("heard <hello>"));
  EXPECT_FALSE(talk.is_as_before());
  talk.type("again, ü\r");
  ASSERT_TRUE(talk.await("heard <again, ü>"));
  talk.type(detach);
  auto end = talk.end();
  EXPECT_EQ(end.code, 0) << end.screen;
  EXPECT_THAT(end.screen, HasSubstr("detached"));
  EXPECT_TRUE(talk.is_as_before());
  EXPECT_TRUE(process_of(pid));
  EXPECT_EQ(agent(), pid);
  await_clients(0);
}

TEST_F(ClusterAttach, ThePastedTextIsWholeAndInOrder) {
  begin_there("stty -echo\n" + parrot);
  terminal_talk talk{person(), {200, 50}};
  ASSERT_TRUE(talk.await("it is me"));
  for (int line = 0; line < 200; ++line)
    talk.type(std::string(60, 'a') + std::to_string(line) + "\r");
  ASSERT_TRUE(talk.await("aa199>"));
  talk.type(detach);
  EXPECT_EQ(talk.end().code, 0);
  auto logs = w.ao({"logs", "app-1"});
  for (int line = 0; line < 200; ++line)
    EXPECT_THAT(logs.out,
                HasSubstr("heard <" + std::string(60, 'a')
                          + std::to_string(line) + ">\n"));
}

TEST_F(ClusterAttach, TheSizeOfTheWindowGoesThere) {
  begin_there("trap 'stty size' WINCH\nstty size\necho waiting\n"
              "while :; do sleep 0.05; done\n");
  terminal_talk talk{person(), {101, 31}};
  ASSERT_TRUE(talk.await("waiting"));
  ASSERT_TRUE(talk.await("31 101"));
  talk.resize({132, 43});
  ASSERT_TRUE(talk.await("43 132"));
  talk.type(detach);
  EXPECT_EQ(talk.end().code, 0);
}

TEST_F(ClusterAttach, TheEndOfTheSessionIsTheEndOfTheLook) {
  begin_there(parrot);
  terminal_talk talk{person()};
  ASSERT_TRUE(talk.await("it is me"));
  w.ask({"session", "kill", "app-1"});
  auto end = talk.end();
  EXPECT_EQ(end.code, 0) << end.screen;
  EXPECT_TRUE(talk.is_as_before());
  terminal_talk again{person()};
  EXPECT_EQ(again.end().code, 4);
}

TEST_F(ClusterAttach, TheDeathOfTheNodeIsOneClearError) {
  begin_there(parrot);
  auto pid = agent();
  terminal_talk talk{person()};
  ASSERT_TRUE(talk.await("it is me"));
  n.kill();
  expect_lost(talk, talk.end());
  EXPECT_TRUE(process_of(pid));
  // Back, it has another life and the same terminal.
  w.await("node_suspect", "node:worker");
  n.start();
  w.await("node_returned", "node:worker");
  terminal_talk second{person()};
  ASSERT_TRUE(second.await("it is me")) << second.end().screen;
  second.type(detach);
  EXPECT_EQ(second.end().code, 0);
}

TEST_F(ClusterAttach, TheDeathOfTheHubIsOneClearError) {
  begin_there(parrot);
  terminal_talk talk{person()};
  ASSERT_TRUE(talk.await("it is me"));
  w.kill_hub();
  expect_lost(talk, talk.end());
}

TEST_F(ClusterAttach, ASignalLeavesTheTerminalAsItWas) {
  begin_there(parrot);
  terminal_talk talk{person()};
  ASSERT_TRUE(talk.await("it is me"));
  ::kill(talk.pid(), SIGTERM);
  auto end = talk.end();
  EXPECT_EQ(end.code, 128 + SIGTERM) << end.screen;
  EXPECT_TRUE(talk.is_as_before());
  EXPECT_GT(end.screen.rfind("\x1b[?1049l"), end.screen.rfind("\x1b[?1049h"));
  await_clients(0);
}

TEST_F(ClusterAttach, ADefectLeavesTheTerminalAsItWas) {
  begin_there(parrot);
  terminal_talk talk{person()};
  ASSERT_TRUE(talk.await("it is me"));
  ::kill(talk.pid(), SIGABRT);
  EXPECT_EQ(talk.end().code, -1);
  EXPECT_TRUE(talk.is_as_before());
}

TEST_F(ClusterAttach, AFloodStaysBounded) {
  begin_there("echo \"it is me\"\nread -r line\nexec yes \"$line\"\n");
  auto id = opened();
  auto shown = shown_to(id, "it is me");
  ASSERT_TRUE(type(id, "flood\r", 0));
  auto until = mono_time::clock::now() + world::patience;
  std::uint64_t unread = 0;
  // What is not read is kept, and asked for what is typed only.
  while (unread < pty_process::most_unread) {
    ASSERT_LT(mono_time::clock::now(), until) << unread;
    auto told = type(id, "", 6);
    ASSERT_TRUE(told) << to_string(told.error());
    unread = told->body["unread"];
    EXPECT_LE(unread, pty_process::most_unread);
  }
  EXPECT_EQ(unread, pty_process::most_unread);
  // And it is a part as any other; behind it there is more.
  auto part = w.api().call(
    "GET", terminal(id) + "?offset=" + std::to_string(shown.size()));
  ASSERT_TRUE(part);
  EXPECT_LE(from_base64url(part->body["output"].get<std::string>())->size(),
            pty_process::most_unread);
  auto more = w.api().call(
    "GET",
    terminal(id) + "?offset=" + std::to_string(part->body["next"].get<int>()));
  ASSERT_TRUE(more);
  EXPECT_GT(more->body["next"], part->body["next"]);
  EXPECT_TRUE(w.api().call("POST", terminal(id, "/close"), json::object()));
  await_clients(0);
}

TEST_F(ClusterAttach, WhatIsTypedIsTakenOnce) {
  begin_there(parrot);
  auto id = opened();
  shown_to(id, "it is me");
  ASSERT_TRUE(type(id, "abc", 0));
  auto again = type(id, "abc", 0);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->body["next"], 3);
  // Half of it is new.
  auto half = type(id, "cd\r", 2);
  ASSERT_TRUE(half);
  EXPECT_EQ(half->body["next"], 5);
  shown_to(id, "heard <abcd>");
  auto ahead = type(id, "x", 9);
  ASSERT_FALSE(ahead);
  EXPECT_EQ(ahead.error().code, ec::bad_input);
}

TEST_F(ClusterAttach, OneTooManyIsRefusedAndOneThatEndsMakesRoom) {
  begin_there(parrot);
  std::vector<std::string> all;
  for (int i = 0; i < 16; ++i)
    all.push_back(opened("look-" + std::to_string(i)));
  // None of them may end meanwhile.
  auto want_something = [&] {
    for (const auto& id : all)
      EXPECT_TRUE(type(id, "", 0));
  };
  want_something();
  auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::wrong_state);
  EXPECT_THAT(refused.error().context,
              HasSubstr("16 terminals of node worker"));
  terminal_talk talk{person()};
  auto end = talk.end();
  EXPECT_EQ(end.code, 4) << end.screen;
  EXPECT_THAT(end.screen, HasSubstr("16 terminals"));
  EXPECT_TRUE(talk.is_as_before());
  want_something();
  // The same request has had its own.
  EXPECT_EQ(opened("look-7"), all[7]);
  EXPECT_TRUE(w.api().call("POST", terminal(all[3], "/close"), json::object()));
  EXPECT_NE(opened(), "");
}

TEST_F(ClusterAttach, OneThatNothingIsWantedOfEnds) {
  begin_there(parrot);
  auto id = opened();
  shown_to(id, "it is me");
  await_clients(1);
  await_clients(0);
  auto gone = w.api().call("GET", terminal(id));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ec::no_such_session);
  EXPECT_THAT(gone.error().context, HasSubstr("no attachment " + id));
}

TEST_F(ClusterAttach, BadInputIsOneClearError) {
  begin_there(parrot);
  w.ask({"spawn", w.add_task("Here"), "--node", "local"});
  auto expect_refused
    = [&](const result<http::reply>& what, ec code, const std::string& words) {
        ASSERT_FALSE(what);
        EXPECT_EQ(what.error().code, code) << to_string(what.error());
        EXPECT_THAT(what.error().context, HasSubstr(words));
      };
  auto api = w.api();
  expect_refused(open(make_ulid(), ""), ec::bad_input, "term");
  expect_refused(open(make_ulid(), "x;y"), ec::bad_input, "term");
  expect_refused(api.call("POST", terminal(), {{"columns", 80}}), ec::bad_input,
                 "columns, rows");
  expect_refused(
    api.call("POST", terminal(), {{"columns", 80'000}, {"rows", 1}}),
    ec::bad_input, "columns");
  for (const auto& path :
       {terminal("K7QW3MZX"), terminal("K7QW3MZX", "/close")})
    expect_refused(api.call("POST", path, json::object()), ec::no_such_session,
                   "K7QW3MZX");
  expect_refused(api.call("GET", terminal("K7QW3MZX")), ec::no_such_session,
                 "K7QW3MZX");
  expect_refused(
    api.call("POST", "/api/v1/sessions/app-9/terminal", {{"term", "xterm"}}),
    ec::no_such_session, "app-9");
  expect_refused(
    api.call("POST", "/api/v1/sessions/app-2/terminal", {{"term", "xterm"}}),
    ec::wrong_state, "hub's own host");
  auto id = opened();
  expect_refused(api.call("POST", terminal(id), {{"input", "a b"}}),
                 ec::bad_input, "input");
  expect_refused(api.call("GET", terminal(id) + "?offset=-1"), ec::bad_input,
                 "offset");
  expect_refused(api.call("GET", terminal(id) + "?offset=99999999"),
                 ec::bad_input, "offset");
  // Not a terminal of ours.
  auto end = w.ao({"attach", "app-1"});
  EXPECT_EQ(end.status.code, 2);
  EXPECT_THAT(end.err, HasSubstr("attach needs a terminal"));
}

TEST_F(ClusterAttach, AnAgentLooksAtNoTerminal) {
  begin_there(parrot);
  w.ask({"spawn", w.add_task("Here"), "--node", "local"});
  auto env = w.environment_of("app-2");
  http::api_client api{env["AO_SOCKET"], env["AO_TOKEN"]};
  auto id = opened();
  for (const auto& path : {terminal(), terminal(id), terminal(id, "/close")}) {
    auto refused = api.call("POST", path, {{"term", "xterm"}});
    ASSERT_FALSE(refused) << path;
    EXPECT_EQ(refused.error().code, ec::not_allowed);
  }
  auto refused = api.call("GET", terminal(id));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::not_allowed);
}

TEST_F(ClusterAttach, ATerminalOfThisHostIsLookedAtAsBefore) {
  begin(parrot);
  w.ask({"spawn", w.add_task("Here"), "--node", "local"});
  terminal_talk talk{person()};
  ASSERT_TRUE(talk.await("it is me"));
  talk.type("hello\r");
  ASSERT_TRUE(talk.await("heard <hello>"));
  talk.type(detach);
  auto end = talk.end();
  EXPECT_EQ(end.code, 0) << end.screen;
  EXPECT_TRUE(talk.is_as_before());
}

} // namespace
