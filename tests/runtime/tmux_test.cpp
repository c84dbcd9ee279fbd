#include "runtime/tmux/tmux.hpp"
#include "tests/runtime/shim_fixture.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

using namespace ao;
using namespace std::chrono_literals;

namespace {

class Tmux : public shim_fixture {
protected:
  Tmux() : server_(tmux_place{dir_ + "/tmux-0.sock", shim_program(), 20s}) {}

  ~Tmux() override {
    auto ended = server_.kill_server();
    EXPECT_TRUE(ended) << to_string(ended.error());
    // The shims end with their panes, and write while they do.
    for (auto& shim : shims_)
      EXPECT_TRUE(wait_ended(shim.get(), patience));
  }

  /// A pane that runs the launch's agent, and the shim in it.
  tmux_pane start(const std::string& name = "app-1") {
    auto pane = server_.new_session(name, "run-1", dir_, dir_);
    EXPECT_TRUE(pane) << to_string(pane.error());
    if (!pane)
      return {};
    // None when it has ended already.
    if (auto fd = open_pidfd(pane->pid))
      shims_.push_back(std::move(*fd));
    return *pane;
  }

  void expect_shim_ends() {
    EXPECT_TRUE(shims_.empty() || wait_ended(shims_.back().get(), patience));
  }

  /// A tmux of the test's own, for what the class does not offer.
  std::string raw(std::vector<std::string> arguments) {
    process_spec spec;
    spec.argv = {"tmux", "-S", server_.place().socket};
    spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
    spec.env = {"PATH=/usr/bin:/bin"};
    auto r = run(spec, 20s);
    EXPECT_TRUE(r && r->ok()) << arguments.front();
    return r ? r->out : "";
  }

  tmux_server server_;
  std::vector<unique_fd> shims_;
};

/// Reads `size` bytes as they come, without echo, into `file`.
std::string reader_of(std::size_t size) {
  return "stty raw -echo; echo > ready; head -c " + std::to_string(size)
    + " > got";
}

} // namespace

TEST_F(Tmux, RunsTheAgentInItsPaneAndKeepsTheLastLines) {
  write("test -t 0 && test -t 1 && printf 'one\\n\\033[31mtwo\\033[0m\\n'; "
        "echo \"$TERM $TMUX\"; pwd; exit 3");
  start();
  expect_shim_ends();
  auto r = report();
  EXPECT_EQ(r.cause, exit_cause::exited);
  EXPECT_EQ(r.code, 3);
  EXPECT_EQ(r.detail, "");
  EXPECT_EQ(r.last_lines,
            (std::vector<std::string>{"one", "two", "tmux-256color", dir_}));
  EXPECT_NE(content(pane_path(dir_, 2)).find("two"), std::string::npos);
}

TEST_F(Tmux, LosesNoneOfTheLastLinesOfAnAgentThatPrintsALot) {
  launch_.capture_lines = 20;
  write("seq 1 20000; printf '\\033]0;unfinished'");
  start();
  expect_shim_ends();
  auto lines = report().last_lines;
  ASSERT_EQ(lines.size(), 20u);
  EXPECT_EQ(lines.back(), "20000");
  EXPECT_EQ(lines.front(), "19981");
}

TEST_F(Tmux, GivesTheAgentTheForegroundOfItsTty) {
  make_fifo("ready");
  // A shell that waits for a child may survive the signal that kills that.
  write("ps -o pgid=,tpgid= -p $$ > groups; echo > ready; exec cat");
  auto pane = start();
  read_fifo("ready");
  std::ifstream in{dir_ + "/groups"};
  int group = 0, foreground = -1;
  in >> group >> foreground;
  EXPECT_GT(group, 1);
  EXPECT_EQ(group, foreground);
  // Ctrl-C reaches the agent and not the shim.
  ASSERT_TRUE(server_.press(pane.pane, "C-c"));
  expect_shim_ends();
  EXPECT_EQ(report().cause, exit_cause::signalled);
  EXPECT_EQ(report().signal, SIGINT);
}

// A control connection made tmux 3.3a die of a segmentation fault here, which
// would end every agent.
TEST_F(Tmux, KeepsItsPanesWhenItsUserIsKilledWhileOthersAreMade) {
  raw({"-f", "/dev/null", "new-session", "-d", "-s", "first", "sleep 1000"});
  // Nothing of our own may be connected.
  auto process
    = open_pidfd(std::stoi(raw({"display-message", "-p", "#{pid}"})));
  ASSERT_TRUE(process);
  for (int round = 0; round < 15; ++round) {
    auto connected = make_pipe();
    ASSERT_TRUE(connected);
    auto user = ::fork();
    if (user == 0) {
      tmux_server lost{server_.place()};
      auto panes = lost.list_panes();
      (void)::write(connected->write.get(), panes ? "+" : "-", 1);
      for (;;)
        ::pause();
    }
    char word = 0;
    ASSERT_EQ(::read(connected->read.get(), &word, 1), 1);
    EXPECT_EQ(word, '+');
    // Not waited for one by one: the server is to be busy with them.
    std::vector<std::thread> others;
    for (int n = 0; n < 8; ++n) {
      if (n == round % 8) {
        ::kill(user, SIGKILL);
        ::waitpid(user, nullptr, 0);
      }
      others.emplace_back([&] { raw({"new-session", "-d", "sleep 1000"}); });
    }
    for (auto& other : others)
      other.join();
    ASSERT_FALSE(wait_ended(process->get(), 0ms)) << round;
  }
}

TEST_F(Tmux, EndsTheTreeWhenItsServerIsKilled) {
  make_fifo("ready");
  write("(trap '' HUP; setsid sleep 1000 &); nohup sleep 1000 & "
        "trap '' HUP; echo > ready; while :; do sleep 1000; done");
  start();
  read_fifo("ready");
  auto pid = server_.server_pid();
  ASSERT_TRUE(pid);
  ASSERT_EQ(kill(*pid, SIGKILL), 0);
  expect_shim_ends();
  EXPECT_EQ(report().cause, exit_cause::hangup);
  EXPECT_TRUE(find_marked(launch_.mark)->empty());
  EXPECT_TRUE(server_.list_panes()->empty());
  EXPECT_FALSE(*server_.has_session("app-1"));
  EXPECT_EQ(server_.press_enter("%0").error().code, ec::not_reachable);
}

/// As one is for a moment whose last session has ended.
TEST_F(Tmux, KnowsThatAServerWithoutSessionsHasNone) {
  make_fifo("ready");
  write("echo > ready; exec sleep 1000");
  start();
  read_fifo("ready");
  raw({"set-option", "-s", "exit-empty", "off"});
  EXPECT_TRUE(*server_.kill_session("app-1"));
  expect_shim_ends();
  auto there = server_.has_session("app-1");
  ASSERT_TRUE(there) << to_string(there.error());
  EXPECT_FALSE(*there);
  auto killed = server_.kill_session("app-1");
  ASSERT_TRUE(killed) << to_string(killed.error());
  EXPECT_FALSE(*killed);
  EXPECT_TRUE(server_.list_panes()->empty());
  EXPECT_EQ(server_.press_enter("%0").error().code, ec::not_reachable);
  EXPECT_EQ(server_.look("%0").error().code, ec::not_reachable);
}

TEST_F(Tmux, ListsFindsAndKillsSessions) {
  make_fifo("ready");
  write("echo > ready; sleep 1000");
  EXPECT_TRUE(server_.list_panes()->empty());
  EXPECT_FALSE(*server_.has_session("app-1"));
  EXPECT_FALSE(*server_.kill_session("app-1"));
  auto pane = start();
  read_fifo("ready");
  EXPECT_TRUE(*server_.has_session("app-1"));
  EXPECT_FALSE(*server_.has_session("app"));
  auto panes = server_.list_panes();
  ASSERT_EQ(panes->size(), 1u);
  EXPECT_EQ((*panes)[0].session, "app-1");
  EXPECT_EQ((*panes)[0].pane, pane.pane);
  EXPECT_EQ((*panes)[0].pid, pane.pid);
  EXPECT_FALSE((*panes)[0].dead);
  auto again = server_.new_session("app-1", "run-1", dir_, dir_);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ec::tmux_failed);
  EXPECT_NE(again.error().context.find("duplicate session"), std::string::npos);
  EXPECT_TRUE(*server_.kill_session("app-1"));
  expect_shim_ends();
  EXPECT_EQ(report().cause, exit_cause::hangup);
}

TEST_F(Tmux, PastesHostileTextByteForByte) {
  std::string text = "a; kill-server ;\n%end 1 1 1\n'\"$(touch pwned)`id`#{pid}"
                     "\t\\;\n-x\nbörk \xf0\x9f\x98\x80\n\n  x ;";
  for (int c = 1; c < 256; ++c)
    text += static_cast<char>(c);
  for (int i = 0; i < 2000; ++i)
    text += "a longer line of the message, number " + std::to_string(i) + "\n";
  make_fifo("ready");
  write(reader_of(text.size()));
  auto pane = start();
  read_fifo("ready");
  auto ok = server_.paste(pane.pane, text);
  ASSERT_TRUE(ok) << to_string(ok.error());
  expect_shim_ends();
  EXPECT_EQ(content(dir_ + "/got"), text);
  for (const auto& entry : std::filesystem::directory_iterator{dir_})
    EXPECT_EQ(entry.path().string().find(".paste-"), std::string::npos);
}

TEST_F(Tmux, BracketsAPasteWhenTheProgramAskedForIt) {
  make_fifo("ready");
  std::string wanted = "\033[200~two\nlines\033[201~\r";
  write("printf '\\033[?2004h\\033[5n'; stty raw -echo; head -c 4 >/dev/null; "
        "echo > ready; head -c "
        + std::to_string(wanted.size()) + " > got");
  auto pane = start();
  read_fifo("ready");
  ASSERT_TRUE(server_.paste(pane.pane, "two\nlines"));
  ASSERT_TRUE(server_.press_enter(pane.pane));
  expect_shim_ends();
  EXPECT_EQ(content(dir_ + "/got"), wanted);
}

TEST_F(Tmux, LeavesCopyModeBeforeItPastesAndPresses) {
  make_fifo("ready");
  write(reader_of(6));
  auto pane = start();
  read_fifo("ready");
  raw({"copy-mode", "-t", pane.pane});
  ASSERT_TRUE(server_.paste(pane.pane, "hello"));
  raw({"copy-mode", "-t", pane.pane});
  ASSERT_TRUE(server_.press_enter(pane.pane));
  expect_shim_ends();
  EXPECT_EQ(content(dir_ + "/got"), "hello\r");
}

TEST_F(Tmux, TypesAnOrderToAProgram) {
  make_fifo("ready");
  write(reader_of(6));
  auto pane = start();
  read_fifo("ready");
  ASSERT_TRUE(server_.press(pane.pane, "/stop"));
  ASSERT_TRUE(server_.press_enter(pane.pane));
  expect_shim_ends();
  EXPECT_EQ(content(dir_ + "/got"), "/stop\r");
}

TEST_F(Tmux, CapturesTheLastRows) {
  make_fifo("ready");
  write("stty raw -echo; seq -s '\r\n' 1 200; printf '\r%%end 1 1 1\033[5n'; "
        "head -c 4 >/dev/null; echo > ready; sleep 1000");
  auto pane = start();
  read_fifo("ready");
  auto text = server_.capture(pane.pane, 3);
  ASSERT_TRUE(text) << to_string(text.error());
  EXPECT_EQ(*text, "199\n200\n%end 1 1 1");
}

TEST_F(Tmux, SaysUnknownOfAFrozenServerAndGoesOnAfterwards) {
  make_fifo("ready");
  write("echo > ready; sleep 1000");
  auto pane = start();
  read_fifo("ready");
  auto pid = server_.server_pid();
  ASSERT_TRUE(pid);
  tmux_server hasty{{server_.place().socket, shim_program(), 300ms}};
  ASSERT_EQ(kill(*pid, SIGSTOP), 0);
  EXPECT_EQ(hasty.has_session("app-1").error().code, ec::timed_out);
  EXPECT_EQ(hasty.list_panes().error().code, ec::timed_out);
  EXPECT_EQ(hasty.capture(pane.pane, 1).error().code, ec::timed_out);
  ASSERT_EQ(kill(*pid, SIGCONT), 0);
  EXPECT_TRUE(*server_.has_session("app-1"));
}

TEST_F(Tmux, EndsItsServerWithTheLastSession) {
  make_fifo("ready");
  write("echo > ready; sleep 1000");
  unique_fd server;
  {
    tmux_server other{server_.place()};
    auto pane = other.new_session("app-1", "run-1", dir_, dir_);
    ASSERT_TRUE(pane);
    shims_.push_back(std::move(*open_pidfd(pane->pid)));
    read_fifo("ready");
    server = std::move(*open_pidfd(*other.server_pid()));
    EXPECT_TRUE(*other.kill_session("app-1"));
  }
  EXPECT_TRUE(wait_ended(server.get(), patience));
}

TEST_F(Tmux, MakesAPaneAlsoWhereTheServerIsJustEnding) {
  write("true");
  for (int round = 0; round < 40; ++round) {
    auto name = "app-" + std::to_string(round);
    auto pane = server_.new_session(name, "run-1", dir_, "/nowhere");
    ASSERT_TRUE(pane) << to_string(pane.error());
  }
}

TEST_F(Tmux, TakesPathsLiterally) {
  auto odd = dir_ + "/a #{pid} 'b\" $HOME;c ä";
  std::filesystem::create_directories(odd);
  launch_.cwd = odd;
  launch_.argv = {"/bin/pwd"};
  ASSERT_TRUE(write_launch(odd, launch_));
  auto pane = server_.new_session("app-1", "run-1", odd, odd);
  ASSERT_TRUE(pane) << to_string(pane.error());
  auto fd = open_pidfd(pane->pid);
  if (fd) {
    EXPECT_TRUE(wait_ended(fd->get(), patience));
  }
  auto r = read_exit(odd, launch_.run);
  ASSERT_TRUE(r && *r);
  EXPECT_EQ((*r)->last_lines, std::vector<std::string>{odd});
}

TEST_F(Tmux, RefusesNamesPanesKeysAndPathsThatMeanSomethingElse) {
  for (std::string name :
       {"", "a.b", "a:b", "a;", "=a", "a b", "-a", "a\n", "ä"}) {
    EXPECT_EQ(server_.new_session(name, "run-1", dir_, dir_).error().code,
              ec::bad_input)
      << name;
    EXPECT_EQ(server_.has_session(name).error().code, ec::bad_input) << name;
    EXPECT_EQ(server_.kill_session(name).error().code, ec::bad_input) << name;
  }
  for (std::string pane : {"", "%", "0", "%1;", "=a", "%1 ", "%a"}) {
    EXPECT_EQ(server_.paste(pane, "x").error().code, ec::bad_input) << pane;
    EXPECT_EQ(server_.press_enter(pane).error().code, ec::bad_input) << pane;
    EXPECT_EQ(server_.capture(pane, 1).error().code, ec::bad_input) << pane;
  }
  for (std::string key :
       {"", "-X", "a b", "C-c;", "'", "\n", "/", "/-X", "//", "/a b"})
    EXPECT_EQ(server_.press("%1", key).error().code, ec::bad_input) << key;
  for (std::string path : {"", "relative", "/a\nb", "/a;"})
    EXPECT_EQ(server_.new_session("a", "run-1", path, path).error().code,
              ec::bad_input)
      << path;
}

TEST_F(Tmux, InheritsNeitherDescriptorsNorSecrets) {
  setenv("AO_TEST_SECRET_TOKEN", "secret", 1);
  unique_fd leak{open("/dev/null", O_RDONLY)};
  make_fifo("ready");
  write("echo > ready; sleep 1000");
  start();
  read_fifo("ready");
  unsetenv("AO_TEST_SECRET_TOKEN");
  auto pid = server_.server_pid();
  ASSERT_TRUE(pid);
  EXPECT_FALSE(environ_value(*pid, "AO_TEST_SECRET_TOKEN"));
  EXPECT_TRUE(environ_value(*pid, "PATH"));
  auto fds = "/proc/" + std::to_string(*pid) + "/fd/";
  std::error_code none;
  EXPECT_NE(
    std::filesystem::read_symlink(fds + std::to_string(leak.get()), none),
    "/dev/null");
}

TEST(TmuxServers, FindsTheSocketsOfARunDirectory) {
  char dir[] = "/tmp/ao-test-XXXXXX";
  ASSERT_NE(mkdtemp(dir), nullptr);
  EXPECT_EQ(tmux_servers(dir, "/ao-shim").size(), 1u);
  for (auto name : {"tmux-2.sock", "tmux-9.sock.conf", "tmux-x.sock"})
    std::ofstream{std::string{dir} + "/" + name} << "";
  tmux_servers servers{dir, "/ao-shim"};
  EXPECT_EQ(servers.size(), 3u);
  EXPECT_TRUE(servers.list_panes().panes.empty());
  EXPECT_TRUE(servers.list_panes().errors.empty());
  EXPECT_EQ(*servers.server_with_room(), 0u);
  std::filesystem::remove_all(dir);
}
