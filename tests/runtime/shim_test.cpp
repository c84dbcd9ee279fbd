#include "tests/runtime/shim_fixture.hpp"

#include <rapidcheck/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>

using namespace ao;
using namespace std::chrono_literals;

namespace {

class Shim : public shim_fixture {
protected:
  Shim() { without_pane(); }

  unique_fd connect_raw() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, launch_.socket.c_str());
    unique_fd fd{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    EXPECT_EQ(
      connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address),
      0);
    return fd;
  }
};

} // namespace

TEST_F(Shim, ReportsAnExitOfZero) {
  write("echo hello");
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 0);
  auto r = report();
  EXPECT_EQ(r.cause, exit_cause::exited);
  EXPECT_EQ(r.code, 0);
  EXPECT_FALSE(r.signal);
  EXPECT_EQ(r.session, launch_.session);
  EXPECT_EQ(r.epoch, 7u);
  EXPECT_EQ(r.run, 2u);
  EXPECT_GT(r.pid, 1);
  EXPECT_EQ(r.last_lines, std::vector<std::string>{"hello"});
  EXPECT_FALSE(r.output_truncated);
  EXPECT_EQ(content(dir_ + "/log"), "hello\n");
  EXPECT_FALSE(std::filesystem::exists(launch_.socket));
}

TEST_F(Shim, ReportsCodesAndSignalsApart) {
  write("exit 3");
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 0);
  EXPECT_EQ(report().code, 3);
  launch_.run = 3;
  write("kill -SEGV $$");
  auto again = start_shim();
  EXPECT_EQ(end_of(again), 0);
  EXPECT_EQ(report().cause, exit_cause::signalled);
  EXPECT_EQ(report().signal, SIGSEGV);
  EXPECT_FALSE(report().code);
}

TEST_F(Shim, WritesTheExitFileForAnAgentThatCannotStart) {
  launch_.argv = {"/no/such/agent"};
  write_as_is();
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 0);
  EXPECT_EQ(report().cause, exit_cause::start_failed);
  EXPECT_EQ(report().pid, 0);
  EXPECT_NE(report().detail.find("/no/such/agent"), std::string::npos);
}

TEST_F(Shim, RefusesTheSameRunASecondTime) {
  write("true");
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 0);
  auto again = start_shim();
  EXPECT_EQ(end_of(again), 3);
}

TEST_F(Shim, RefusesToServeASessionThatIsServed) {
  make_fifo("ready");
  write("echo > ready; sleep 1000");
  auto shim = start_shim();
  read_fifo("ready");
  auto second = start_shim();
  EXPECT_EQ(end_of(second), 3);
  ASSERT_TRUE(send_signal(shim.pidfd.get(), SIGTERM));
  EXPECT_EQ(end_of(shim), 0);
  EXPECT_EQ(report().cause, exit_cause::stopped);
  EXPECT_EQ(report().signal, SIGTERM);
}

TEST_F(Shim, WaitsForTheRunBeforeIt) {
  make_fifo("ready");
  write("trap '' TERM; echo > ready; while :; do sleep 1000; done");
  auto first = start_shim();
  read_fifo("ready");
  launch_.run = 3;
  write("exit 4");
  auto second = start_shim();
  io_loop loop;
  link_events events;
  shim_link link{loop, launch_.socket, events.handlers()};
  ASSERT_TRUE(events.hello());
  EXPECT_EQ(events.hello()->run, 2u);
  link.kill();
  EXPECT_EQ(end_of(first), 0);
  EXPECT_EQ(end_of(second), 0);
  EXPECT_EQ(report().code, 4);
}

TEST_F(Shim, ReplacesAStaleSocket) {
  make_fifo("ready");
  write("echo > ready; sleep 1000");
  auto shim = start_shim();
  read_fifo("ready");
  ASSERT_TRUE(send_signal(shim.pidfd.get(), SIGKILL));
  end_of(shim);
  ASSERT_TRUE(std::filesystem::exists(launch_.socket));
  ASSERT_TRUE(end_marked(launch_.mark, 5s));
  EXPECT_FALSE(*read_exit(dir_, launch_.run));
  launch_.run = 3;
  write("true");
  auto again = start_shim();
  EXPECT_EQ(end_of(again), 0);
  EXPECT_EQ(report().code, 0);
}

TEST_F(Shim, NamesALaunchThatItCannotRead) {
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 1);
  EXPECT_NE(content(dir_ + "/shim.err").find("launch.json"), std::string::npos);
}

TEST_F(Shim, NamesASocketPathThatIsTooLong) {
  launch_.socket = dir_ + "/" + std::string(120, 'x');
  write("true");
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 1);
  EXPECT_NE(content(dir_ + "/shim.err").find("at most 107"), std::string::npos);
}

TEST_F(Shim, EndsWhatTheAgentLeftBehind) {
  make_fifo("ready");
  write("(setsid env -i /bin/sh -c 'trap \"\" TERM HUP; echo $$ > ready; "
        "while :; do sleep 1000; done' &); read pid < ready; echo $pid");
  launch_.grace = 200ms;
  write_as_is();
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 0);
  auto r = report();
  EXPECT_EQ(r.cause, exit_cause::exited);
  EXPECT_EQ(r.code, 0);
  ASSERT_EQ(r.last_lines.size(), 1u);
  auto left = process_of(std::stoi(r.last_lines[0]));
  EXPECT_TRUE(!left || left->ended());
}

TEST_F(Shim, CutsTheOutputAtItsCapButKeepsTheLastLines) {
  launch_.out_cap = 1000;
  write("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo the end");
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 0);
  EXPECT_EQ(content(dir_ + "/log"), std::string(1000, 'x'));
  EXPECT_TRUE(report().output_truncated);
  EXPECT_EQ(report().last_lines.back(), "the end");
}

TEST_F(Shim, EndsTheWholeTreeAtTheTimeout) {
  launch_.timeout = 300ms;
  write("echo begun; (setsid sleep 1000 &); sleep 1000");
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 0);
  EXPECT_EQ(report().cause, exit_cause::timed_out);
  EXPECT_EQ(report().signal, SIGTERM);
  EXPECT_TRUE(find_marked(launch_.mark)->empty());
}

TEST_F(Shim, GivesTheAgentItsEnvironmentItsMarkAndItsInput) {
  launch_.in = shim_stdin::file;
  launch_.in_path = dir_ + "/prompt";
  ASSERT_TRUE(write_file_durably(launch_.in_path, "the prompt\n"));
  launch_.argv = {"/bin/sh", "-c", "/usr/bin/env | sort; pwd; cat"};
  launch_.env = {{"A", "1"}, {"PATH", "/usr/bin:/bin"}};
  write_as_is();
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 0);
  EXPECT_EQ(content(dir_ + "/log"),
            "A=1\nAO_MARK=" + launch_.mark + "\nPATH=/usr/bin:/bin\nPWD=" + dir_
              + "\n" + dir_ + "\nthe prompt\n");
}

TEST_F(Shim, GreetsItsPeersAndTellsThemTheEnd) {
  make_fifo("ready");
  make_fifo("go");
  write("echo > ready; read x < go; exit 5");
  auto shim = start_shim();
  read_fifo("ready");
  io_loop loop;
  link_events first, second;
  {
    shim_link gone{loop, launch_.socket, second.handlers()};
    ASSERT_TRUE(second.hello());
  }
  link_events third;
  shim_link link{loop, launch_.socket, first.handlers()};
  shim_link other{loop, launch_.socket, third.handlers()};
  auto hello = first.hello();
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->session, launch_.session);
  EXPECT_EQ(hello->epoch, 7u);
  EXPECT_EQ(hello->run, 2u);
  EXPECT_EQ(hello->shim_pid, shim.pid);
  EXPECT_EQ(hello->state, shim_state::running);
  ASSERT_TRUE(third.hello());
  std::ofstream{dir_ + "/go"} << "\n";
  auto told = first.exited();
  ASSERT_TRUE(told);
  EXPECT_EQ(told->code, 5);
  EXPECT_EQ(told->pid, hello->pid);
  EXPECT_EQ(first.closed(), link_end::finished);
  EXPECT_EQ(third.exited()->code, 5);
  EXPECT_EQ(end_of(shim), 0);
  EXPECT_EQ(report(), *told);
  link_events late;
  shim_link dead{loop, launch_.socket, late.handlers()};
  EXPECT_EQ(late.closed(), link_end::refused);
}

TEST_F(Shim, StopsByOrderAndKillsWhatDoesNotStop) {
  make_fifo("ready");
  write("trap '' TERM; echo > ready; while :; do sleep 1000; done");
  auto shim = start_shim();
  read_fifo("ready");
  io_loop loop;
  link_events events;
  shim_link link{loop, launch_.socket, events.handlers()};
  link.stop(100ms);
  auto told = events.exited();
  ASSERT_TRUE(told);
  EXPECT_EQ(told->cause, exit_cause::stopped);
  EXPECT_EQ(told->signal, SIGKILL);
  EXPECT_EQ(end_of(shim), 0);
}

TEST_F(Shim, AKillOvertakesAStop) {
  make_fifo("ready");
  write("trap '' TERM; echo > ready; while :; do sleep 1000; done");
  auto shim = start_shim();
  read_fifo("ready");
  io_loop loop;
  link_events events;
  shim_link link{loop, launch_.socket, events.handlers()};
  link.stop(1h);
  link.kill();
  ASSERT_TRUE(events.exited());
  EXPECT_EQ(events.exited()->signal, SIGKILL);
  EXPECT_EQ(end_of(shim), 0);
}

TEST_F(Shim, TellsAKilledShimFromAnEndedOne) {
  make_fifo("ready");
  write("echo > ready; sleep 1000");
  auto shim = start_shim();
  read_fifo("ready");
  io_loop loop;
  link_events events;
  shim_link link{loop, launch_.socket, events.handlers()};
  ASSERT_TRUE(events.hello());
  ASSERT_TRUE(send_signal(shim.pidfd.get(), SIGKILL));
  EXPECT_EQ(events.closed(), link_end::lost);
  end_of(shim);
}

TEST_F(Shim, IsNotHarmedByJunkOrByPeersThatDoNotRead) {
  make_fifo("ready");
  make_fifo("go");
  write("echo > ready; read x < go; exit 6");
  auto shim = start_shim();
  read_fifo("ready");
  std::vector<unique_fd> silent;
  for (int i = 0; i < 50; ++i)
    silent.push_back(connect_raw());
  for (std::string junk :
       {"\n", "{}\n", "{\"order\":\"fly\"}\n",
        "{\"order\":\"stop\",\"graceMs\":-1}\n", "\xff\xfe\n"}) {
    auto peer = connect_raw();
    EXPECT_GT(send(peer.get(), junk.data(), junk.size(), MSG_NOSIGNAL), 0);
    char rest[4096];
    while (recv(peer.get(), rest, sizeof rest, 0) > 0) {
    }
  }
  auto flood = connect_raw();
  std::string endless(1 << 20, 'x');
  send(flood.get(), endless.data(), endless.size(), MSG_NOSIGNAL);
  io_loop loop;
  link_events events;
  shim_link link{loop, launch_.socket, events.handlers()};
  ASSERT_TRUE(events.hello());
  EXPECT_EQ(events.hello()->state, shim_state::running);
  std::ofstream{dir_ + "/go"} << "\n";
  EXPECT_EQ(end_of(shim), 0);
  EXPECT_EQ(report().code, 6);
}

TEST_F(Shim, ClosesALinkThatSpeaksSomethingElse) {
  unique_fd listener{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, launch_.socket.c_str());
  ASSERT_EQ(
    bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address),
    0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  io_loop loop;
  link_events events;
  shim_link link{loop, launch_.socket, events.handlers()};
  unique_fd peer{accept(listener.get(), nullptr, nullptr)};
  shim_hello newer;
  newer.protocol = shim_protocol + 1;
  auto line = to_json(newer) + "\n";
  send(peer.get(), line.data(), line.size(), MSG_NOSIGNAL);
  EXPECT_EQ(events.closed(), link_end::mismatch);
  EXPECT_FALSE(events.hello());
}

TEST_F(Shim, KeepsItsFilesAndItsSocketToItsUser) {
  make_fifo("ready");
  write("echo > ready; sleep 1000");
  auto shim = start_shim();
  read_fifo("ready");
  struct stat st;
  for (const auto& path :
       {launch_.socket, launch_path(dir_), launch_.out_path}) {
    ASSERT_EQ(stat(path.c_str(), &st), 0) << path;
    EXPECT_EQ(st.st_mode & 0777, 0600u) << path;
  }
  ASSERT_TRUE(send_signal(shim.pidfd.get(), SIGTERM));
  EXPECT_EQ(end_of(shim), 0);
}

TEST(ShimProtocol, NamesFileAndReasonOfAJunkFile) {
  char dir[] = "/tmp/ao-test-XXXXXX";
  ASSERT_NE(mkdtemp(dir), nullptr);
  for (std::string junk :
       {"", "[]", "{}", "{\"session\":1}", "\x80", "{\"epoch\":-1}"}) {
    ASSERT_TRUE(write_file_durably(exit_path(dir, 1), junk));
    auto r = read_exit(dir, 1);
    ASSERT_FALSE(r) << junk;
    EXPECT_EQ(r.error().code, ec::bad_input);
    EXPECT_NE(r.error().context.find("exit.1.json: "), std::string::npos);
  }
  EXPECT_FALSE(*read_exit(dir, 2));
  std::filesystem::remove_all(dir);
}

TEST(ShimProtocol, RefusesALaunchOfAnotherVersionByName) {
  launch_spec launch;
  launch.mark = "m";
  launch.socket = "/s";
  launch.protocol = launch_protocol + 1;
  EXPECT_EQ(parse_launch(to_json(launch)).error().code, ec::protocol_mismatch);
}

TEST(ShimProtocol, SurvivesARoundTrip) {
  launch_spec launch;
  launch.session = session_id{"app-1"};
  launch.epoch = 9'007'199'254'740'993ull;
  launch.argv = {"a", "", "b\nc", "\"'\\ ä"};
  launch.env = {{"A", "=\n"}, {"B", ""}};
  launch.mark = "m";
  launch.boot = "b";
  launch.socket = "/s";
  launch.out = shim_output::file;
  launch.timeout = milliseconds{5};
  EXPECT_EQ(*parse_launch(to_json(launch)), launch);
  launch.limits = {1u << 30, 100};
  EXPECT_EQ(*parse_launch(to_json(launch)), launch);
  exit_report report;
  report.code = 3;
  report.at = wall_now();
  report.last_lines = {"", "x"};
  report.cause = exit_cause::hangup;
  report.out_of_memory = true;
  EXPECT_EQ(*parse_exit(to_json(report)), report);
  EXPECT_EQ(*parse_exit(exited_event(report)), report);
  report.last_lines = {"\xff\xfe"};
  EXPECT_TRUE(parse_exit(to_json(report)));
  shim_hello hello;
  hello.state = shim_state::stopping;
  EXPECT_EQ(*parse_hello(to_json(hello)), hello);
}

RC_GTEST_PROP(ShimProtocol, NeverThrowsAtJunk, (const std::string& junk)) {
  RC_ASSERT(!parse_launch(junk));
  RC_ASSERT(!parse_exit(junk));
  RC_ASSERT(!parse_hello(junk));
  RC_ASSERT(!parse_order(junk));
}
