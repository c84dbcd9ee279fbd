#include "runtime/io/loop.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"
#include "runtime/process/process_table.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <future>
#include <thread>

using namespace ao;
using namespace std::chrono_literals;

namespace {

process_spec shell(std::string script) {
  process_spec spec;
  spec.argv = {"/bin/sh", "-c", std::move(script)};
  spec.env = {"PATH=/usr/bin:/bin"};
  return spec;
}

/// Starts a script that prints "ready" when it is, and returns after that.
child start_ready(const process_spec& spec) {
  auto made = spawn(spec);
  EXPECT_TRUE(made) << to_string(made.error());
  char line[6] = {};
  std::size_t got = 0;
  while (got < 6) {
    auto n = read(made->out.get(), line + got, 6 - got);
    if (n <= 0)
      break;
    got += static_cast<std::size_t>(n);
  }
  EXPECT_EQ(std::string(line, got), "ready\n");
  return std::move(*made);
}

} // namespace

TEST(Process, BringsBackCodeAndBothStreams) {
  auto r = run(shell("echo out; echo err >&2; exit 3"), 10s);
  ASSERT_TRUE(r) << to_string(r.error());
  EXPECT_EQ(r->status.code, 3);
  EXPECT_FALSE(r->status.signal);
  EXPECT_EQ(r->out, "out\n");
  EXPECT_EQ(r->err, "err\n");
  EXPECT_FALSE(r->truncated);
}

TEST(Process, TellsASignalFromACode) {
  auto r = run(shell("kill -ABRT $$"), 10s);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->status.signal, SIGABRT);
  EXPECT_FALSE(r->status.code);
  EXPECT_EQ(to_string(r->status), "killed by SIGABRT");
}

RC_GTEST_PROP(Process, FeedsAndDrainsAnyBytes, (const std::string& bytes)) {
  process_spec spec;
  spec.argv = {"cat"};
  spec.env = {"PATH=/usr/bin:/bin"};
  spec.in = child_input::bytes(bytes);
  auto r = run(std::move(spec), 10s);
  RC_ASSERT(bool(r));
  RC_ASSERT(r->out == bytes);
}

TEST(Process, FeedsMoreThanAPipeHoldsWhileDraining) {
  process_spec spec;
  spec.argv = {"/bin/cat"};
  spec.in = child_input::bytes(std::string(5'000'000, 'x'));
  auto r = run(spec, 30s);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->out, spec.in.text);
}

TEST(Process, SurvivesAChildThatDoesNotReadItsInput) {
  auto spec = shell("exec <&-; echo done");
  spec.in = child_input::bytes(std::string(5'000'000, 'x'));
  auto r = run(spec, 30s);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->out, "done\n");
}

TEST(Process, CutsACaptureAtItsCapAndDrainsTheRest) {
  auto spec = shell("head -c 3000000 /dev/zero; echo end >&2");
  spec.out = child_output::capture(1000);
  auto r = run(spec, 30s);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->out.size(), 1000u);
  EXPECT_TRUE(r->truncated);
  EXPECT_EQ(r->err, "end\n");
}

TEST(Process, KeepsTheOrderWhenStderrGoesWhereStdoutGoes) {
  auto spec = shell("echo a; echo b >&2; echo c");
  spec.err = child_output::as_stdout();
  auto r = run(spec, 10s);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->out, "a\nb\nc\n");
}

TEST(Process, HasExactlyTheGivenEnvironmentAndDirectory) {
  process_spec spec;
  spec.argv = {"/usr/bin/env"};
  spec.env = {"A=1", "B=two words"};
  EXPECT_EQ(run(spec, 10s)->out, "A=1\nB=two words\n");
  spec.argv = {"/bin/pwd"};
  spec.cwd = "/usr";
  EXPECT_EQ(run(spec, 10s)->out, "/usr\n");
}

TEST(Process, InheritsNoDescriptorMaskOrDisposition) {
  unique_fd leak{open("/dev/null", O_RDONLY)};
  signal(SIGPIPE, SIG_IGN);
  auto r = run(shell("ls /proc/self/fd; grep -E 'Sig(Blk|Ign)' "
                     "/proc/self/status"),
               10s);
  signal(SIGPIPE, SIG_DFL);
  ASSERT_TRUE(r);
  // 3 is the directory that ls itself reads; glibc ignores its own two
  // signals (32, 33) in every child.
  EXPECT_EQ(r->out,
            "0\n1\n2\n3\nSigBlk:\t0000000000000000\n"
            "SigIgn:\t0000000180000000\n");
}

TEST(Process, NamesAMissingProgram) {
  process_spec spec;
  spec.argv = {"no-such-program-here"};
  spec.env = {"PATH=/usr/bin:/bin"};
  auto r = run(spec, 1s);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, ec::program_missing);
  EXPECT_NE(r.error().context.find("no-such-program-here"), std::string::npos);
}

TEST(Process, NamesAMissingDirectoryRatherThanTheProgram) {
  auto spec = shell("true");
  spec.cwd = "/no/such/dir";
  auto r = run(spec, 1s);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, ec::process_failed);
  EXPECT_NE(r.error().context.find("/no/such/dir"), std::string::npos);
}

TEST(Process, RefusesANulInAnArgument) {
  process_spec spec;
  spec.argv = {"/bin/echo", std::string("a\0b", 3)};
  EXPECT_EQ(run(spec, 1s).error().code, ec::bad_input);
}

TEST(Process, EndsTheWholeGroupAtTheDeadline) {
  // The grandchild holds the fifo's write end; its end is our end of file.
  char dir[] = "/tmp/ao-process-XXXXXX";
  ASSERT_NE(mkdtemp(dir), nullptr);
  auto fifo = std::string{dir} + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  unique_fd reader{open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  auto r
    = run(shell("sleep 1000 > " + fifo + " & echo started >&2; wait"), 300ms);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, ec::timed_out);
  EXPECT_NE(r.error().context.find("started"), std::string::npos);
  EXPECT_TRUE(wait_ended(reader.get(), 10s)); // POLLHUP: no writer is left
  unlink(fifo.c_str());
  rmdir(dir);
}

TEST(ProcessDeathTest, EndsWhatRunsAtTheEndOfTheProgram) {
  // A program of its own, since nobody can take it back.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto program = [] {
    std::thread ends{end_all_runs};
    auto first = run(shell("sleep 600"), 10min);
    ends.join();
    auto second = run(shell("sleep 600"), 10min);
    auto both = !first && first.error().code == ec::shutting_down && !second
      && second.error().code == ec::shutting_down;
    ::_exit(both ? 0 : 1);
  };
  EXPECT_EXIT(program(), testing::ExitedWithCode(0), "");
}

TEST(Process, DoesNotWaitForWhatIsLeftInTheBackground) {
  auto r = run(shell("sleep 1000 & echo $!"), 10s);
  ASSERT_TRUE(r) << to_string(r.error());
  auto pid = std::atoi(r->out.c_str());
  ASSERT_GT(pid, 1);
  EXPECT_EQ(kill(pid, SIGKILL), 0);
}

TEST(Process, WatchTellsTheEndOfAChild) {
  io_loop loop;
  auto made = spawn(shell("exit 7"));
  ASSERT_TRUE(made);
  std::promise<std::optional<exit_status>> told;
  watch(loop, std::move(made->pidfd), [&](auto s) { told.set_value(s); });
  auto future = told.get_future();
  ASSERT_EQ(future.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(future.get()->code, 7);
}

TEST(IoLoop, RunsTasksInOrderOnItsThread) {
  io_loop loop;
  std::vector<int> order;
  std::promise<bool> done;
  for (int i = 0; i < 3; ++i)
    loop.post([&, i] { order.push_back(i); });
  loop.post([&] { done.set_value(loop.on_loop_thread()); });
  EXPECT_TRUE(done.get_future().get());
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
  EXPECT_FALSE(loop.on_loop_thread());
  loop.stop();
  loop.stop();
}

TEST(Environment, LetsThroughWhatTheContractNamesAndNoToken) {
  auto env = environment::filtered({"HOME=/h", "LC_ALL=C", "XDG_X=1",
                                    "GITHUB_TOKEN=secret", "HOMES=no", "=x",
                                    "nonsense", "MINE=a=b"},
                                   {"MINE"});
  EXPECT_EQ(
    env.to_vector(),
    (std::vector<std::string>{"HOME=/h", "LC_ALL=C", "MINE=a=b", "XDG_X=1"}));
}

TEST(Environment, FindsProgramsButNeverInTheWorkingDirectory) {
  EXPECT_EQ(*find_program("sh", "relative::/bin"), "/bin/sh");
  EXPECT_EQ(find_program("sh", ":.").error().code, ec::program_missing);
  EXPECT_EQ(find_program("", "/bin").error().code, ec::program_missing);
  EXPECT_EQ(find_program("/etc/passwd", "").error().code, ec::program_missing);
}

TEST(ProcessTable, KnowsItself) {
  auto me = process_of(getpid());
  ASSERT_TRUE(me);
  EXPECT_EQ(me->parent, getppid());
  EXPECT_EQ(me->uid, getuid());
  EXPECT_GT(me->start_time, 0u);
}

TEST(ProcessTable, EndsDoubleForkedChildrenByTheirMark) {
  auto mark = make_ulid();
  auto spec = shell("(setsid sh -c 'trap \"\" TERM; echo ready; "
                    "while :; do sleep 1000; done' &) ; exec sleep 1000");
  spec.env.push_back("AO_MARK=" + mark);
  auto made = start_ready(spec);
  auto found = find_marked(mark);
  ASSERT_TRUE(found);
  EXPECT_GE(found->size(), 2u);
  auto report = end_marked(mark, 200ms);
  ASSERT_TRUE(report) << to_string(report.error());
  EXPECT_GE(report->killed, 1u);
  EXPECT_EQ(reap(made.pidfd.get())->signal, SIGTERM);
  EXPECT_TRUE(find_marked(mark)->empty());
}

TEST(ProcessTable, FollowsChildrenThatLostTheMark) {
  auto mark = make_ulid();
  auto spec = shell("env -i /bin/sh -c 'echo ready; sleep 1000; true' & wait");
  spec.env.push_back("AO_MARK=" + mark);
  auto made = start_ready(spec);
  ASSERT_TRUE(end_marked(mark, 5s));
  ASSERT_TRUE(reap(made.pidfd.get()));
  // The clean child held the pipe; its end is the end of the file.
  char byte;
  EXPECT_EQ(read(made.out.get(), &byte, 1), 0);
}

TEST(ProcessTable, AnotherMarkOrAnEmptyOneMatchesNobody) {
  auto mark = make_ulid();
  auto spec = shell("echo ready; exec sleep 1000");
  spec.env.push_back("AO_MARK=" + mark + "x");
  auto made = start_ready(spec);
  EXPECT_TRUE(find_marked(mark)->empty());
  EXPECT_TRUE(find_marked("")->empty());
  EXPECT_EQ(find_marked(mark + "x")->size(), 1u);
  EXPECT_EQ(end_marked(mark + "x", 5s)->signalled, 1u);
  EXPECT_TRUE(reap(made.pidfd.get()));
}
