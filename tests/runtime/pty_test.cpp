#include "runtime/io/loop.hpp"
#include "runtime/process/process_table.hpp"
#include "runtime/process/pty.hpp"

#include <gmock/gmock.h>

#include <condition_variable>
#include <csignal>
#include <mutex>

using namespace ao;
using namespace std::chrono_literals;
using testing::HasSubstr;

namespace {

constexpr auto patience = 30s;

class PtyProcess : public testing::Test {
protected:
  pty_process start(const std::string& script, window_size size = {}) {
    process_spec spec;
    spec.argv = {"/bin/sh", "-c", script};
    spec.env = {"PATH=/usr/bin:/bin"};
    auto made = pty_process::start(loop, spec, size, [this] {
      std::lock_guard<std::mutex> guard{mutex};
      ++news;
      changed.notify_all();
    });
    if (!made)
      throw std::runtime_error(to_string(made.error()));
    return std::move(*made);
  }

  /// Waits for news until it is so; fails the test at the deadline.
  void await(const std::function<bool()>& so) {
    auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
      std::uint64_t seen = 0;
      {
        std::lock_guard<std::mutex> guard{mutex};
        seen = news;
      }
      if (so())
        return;
      std::unique_lock<std::mutex> lock{mutex};
      ASSERT_TRUE(
        changed.wait_until(lock, until, [&] { return news != seen; }));
    }
  }

  /// Reads until this is shown.
  void await_text(pty_process& of, const std::string& wanted) {
    await([&] {
      take(of);
      return shown.find(wanted) != std::string::npos;
    });
    EXPECT_THAT(shown, HasSubstr(wanted));
  }

  /// Reads what there is, and says that it has it.
  void take(pty_process& of) {
    auto part = of.read(shown.size());
    ASSERT_TRUE(part) << to_string(part.error());
    shown += *part;
    EXPECT_TRUE(of.read(shown.size()));
  }

  exit_status await_end(pty_process& of) {
    await([&] {
      take(of);
      return of.ended().has_value();
    });
    take(of);
    return of.ended().value_or(exit_status{});
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t news = 0;
  std::string shown;
  // Ends first: its thread brings the news.
  io_loop loop;
};

TEST_F(PtyProcess, IsTypedIntoAndRead) {
  auto p = start("read -r line; echo \"heard <$line>\"; exit 3");
  EXPECT_EQ(p.write("hello\n"), 6u);
  EXPECT_EQ(await_end(p).code, 3);
  EXPECT_THAT(shown, HasSubstr("heard <hello>"));
}

TEST_F(PtyProcess, LeadsItsOwnSessionOnItsTerminal) {
  auto p = start("tty; test \"$(ps -o sid= -p $$)\" -eq $$ && echo leader; "
                 "echo controlled > /dev/tty");
  EXPECT_EQ(await_end(p).code, 0);
  EXPECT_THAT(shown, HasSubstr("/dev/pts/"));
  EXPECT_THAT(shown, HasSubstr("leader"));
  EXPECT_THAT(shown, HasSubstr("controlled"));
}

TEST_F(PtyProcess, TellsTheProgramHowLargeItsWindowIs) {
  auto p = start("trap 'stty size; exit 0' WINCH; stty size; echo ready; "
                 "while :; do sleep 0.05; done",
                 {100, 30});
  await_text(p, "30 100");
  await_text(p, "ready");
  p.resize({132, 43});
  EXPECT_EQ(await_end(p).code, 0);
  EXPECT_THAT(shown, HasSubstr("43 132"));
}

TEST_F(PtyProcess, GivesTheSamePartUntilItIsTaken) {
  auto p = start("printf abc; read -r line");
  await([&] { return p.unread() == 3; });
  for (int i = 0; i < 2; ++i) {
    auto part = p.read(0);
    ASSERT_TRUE(part);
    EXPECT_EQ(*part, "abc");
  }
  auto rest = p.read(2);
  ASSERT_TRUE(rest);
  EXPECT_EQ(*rest, "c");
  for (auto offset : {0, 1, 4}) {
    auto wrong = p.read(static_cast<std::uint64_t>(offset));
    ASSERT_FALSE(wrong) << offset;
    EXPECT_EQ(wrong.error().code, ec::bad_input);
  }
}

TEST_F(PtyProcess, HasAFloodWaitUntilItIsRead) {
  // More than a terminal and its buffer take.
  constexpr std::size_t flood = 1'000'000;
  auto p = start("yes | head -c " + std::to_string(flood) + "; echo over");
  std::size_t full = 0;
  auto until_full = [&] {
    // What comes beyond it would be seen here.
    EXPECT_LE(p.unread(), pty_process::most_unread);
    return p.unread() >= pty_process::most_unread || p.ended();
  };
  while (!p.ended()) {
    await(until_full);
    if (HasFailure())
      return;
    full += p.unread() == pty_process::most_unread ? 1 : 0;
    take(p);
  }
  take(p);
  EXPECT_THAT(shown, HasSubstr("over"));
  // Each `\n` became `\r\n`.
  EXPECT_GT(shown.size(), flood);
  EXPECT_GE(full, flood / pty_process::most_unread);
}

TEST_F(PtyProcess, TakesNoMoreThanThereIsRoomFor) {
  auto p = start("stty raw -echo; echo ready; "
                 "exec sleep 1000");
  await_text(p, "ready");
  const std::string much(pty_process::most_untaken, 'x');
  std::size_t taken = 0;
  // A terminal takes some of it, too, before it is full.
  for (std::size_t n = 1; n > 0;) {
    n = p.write(much);
    taken += n;
    EXPECT_LE(n, much.size());
    ASSERT_LE(taken, 4 * much.size());
  }
  EXPECT_GE(taken, much.size());
}

TEST_F(PtyProcess, IsKilledWithItsGroupAndClosed) {
  auto pid = pid_t{0};
  {
    auto p = start("trap '' HUP; sleep 1000 & echo \"child=$!;\"; wait");
    await_text(p, ";");
    pid = static_cast<pid_t>(std::stol(shown.substr(shown.find("child=") + 6)));
    EXPECT_TRUE(process_of(pid));
  }
  // One that has ended by now has no descriptor.
  auto fd = open_pidfd(pid);
  EXPECT_TRUE(!fd || wait_ended(fd->get(), patience));
}

TEST_F(PtyProcess, OfAProgramThatIsNotThereIsAnError) {
  process_spec spec;
  spec.argv = {"no-such-program"};
  spec.env = {"PATH=/usr/bin:/bin"};
  auto made = pty_process::start(loop, spec, {}, [] {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ec::program_missing);
}

TEST_F(PtyProcess, TellsASignalFromACode) {
  auto p = start("kill -KILL $$");
  auto how = await_end(p);
  EXPECT_EQ(how.signal, SIGKILL);
  EXPECT_FALSE(how.code);
}

} // namespace
