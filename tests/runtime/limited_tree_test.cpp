// Limits of a tree of processes, on the machine's own control groups.

#include "runtime/node/session_dir.hpp"
#include "runtime/process/kernel_log.hpp"
#include "runtime/process/limited_tree.hpp"
#include "tests/runtime/shim_fixture.hpp"

#include <gmock/gmock.h>

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace ao;
using testing::HasSubstr;
using testing::IsEmpty;
using version = cgroup_place::version;
namespace fs = std::filesystem;

namespace {

std::string text_of(const std::string& file) {
  std::ifstream in{file};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

constexpr std::uint64_t little = 64u << 20;

const char* const v1_mounts
  = "30 25 0:26 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup "
    "rw,memory\n"
    "31 25 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
    "33 25 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

const char* const v2_mounts
  = "24 20 0:22 / /proc rw - proc proc rw\n"
    "30 25 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

/// Such limits on this machine by control groups; else says why not.
std::string why_no_groups(const tree_limits& limits) {
  auto offer = try_limits(limits);
  for (const auto& what : offer.held)
    if (what.find("RLIMIT") != std::string::npos)
      return what;
  return offer.missing.empty() ? std::string{} : offer.missing.front();
}

/// A shell that begins when told, in a limited tree.
struct gated_shell {
  gated_shell(limited_tree& tree, const std::string& script) {
    process_spec spec;
    spec.argv = {"/bin/sh", "-c", "read go; " + script};
    spec.env = {"PATH=/usr/bin:/bin"};
    spec.in = child_input::bytes("");
    auto pid = tree.start([&]() -> result<pid_t> {
      auto made = spawn(spec);
      if (!made)
        return fail(made.error());
      process = std::move(*made);
      return process.pid;
    });
    EXPECT_TRUE(pid);
  }

  std::string run() {
    EXPECT_EQ(::write(process.in.get(), "go\n", 3), 3);
    process.in.reset();
    std::string out;
    char chunk[4096];
    for (ssize_t n; (n = ::read(process.out.get(), chunk, sizeof chunk)) > 0;)
      out.append(chunk, static_cast<std::size_t>(n));
    int status = 0;
    EXPECT_EQ(::waitpid(process.pid, &status, 0), process.pid);
    return out;
  }

  child process;
};

} // namespace

TEST(CgroupPlaces, AreBelowOurOwnGroupInV1) {
  auto found
    = places_in(v1_mounts, "8:pids:/\n4:memory:/a/b\n0::/unified/of/ours\n");
  ASSERT_TRUE(found.memory);
  EXPECT_EQ(found.memory->how, version::v1);
  EXPECT_EQ(found.memory->own, "/sys/fs/cgroup/memory/a/b");
  EXPECT_EQ(found.memory->base, "/sys/fs/cgroup/memory/a/b");
  ASSERT_TRUE(found.processes);
  EXPECT_EQ(found.processes->own, "/sys/fs/cgroup/pids");
}

TEST(CgroupPlaces, AreBesideOurOwnGroupInV2) {
  auto found = places_in(v2_mounts, "0::/user.slice/app.slice/ao.service\n");
  ASSERT_TRUE(found.memory);
  EXPECT_EQ(found.memory->how, version::v2);
  EXPECT_EQ(found.memory->own,
            "/sys/fs/cgroup/user.slice/app.slice/ao.service");
  EXPECT_EQ(found.memory->base, "/sys/fs/cgroup/user.slice/app.slice");
  EXPECT_EQ(found.processes->base, found.memory->base);
  auto at_root = places_in(v2_mounts, "0::/\n");
  EXPECT_EQ(at_root.memory->base, "/sys/fs/cgroup");
}

TEST(CgroupPlaces, KnowAMountThatShowsAPart) {
  auto mounts = "30 25 0:26 /docker/x /sys/fs/cgroup/memory rw - cgroup cgroup "
                "rw,memory\n";
  EXPECT_EQ(places_in(mounts, "4:memory:/docker/x/y\n").memory->own,
            "/sys/fs/cgroup/memory/y");
  EXPECT_EQ(places_in(mounts, "4:memory:/docker/x\n").memory->own,
            "/sys/fs/cgroup/memory");
  EXPECT_FALSE(places_in(mounts, "4:memory:/docker/xy\n").memory);
  EXPECT_FALSE(places_in(mounts, "4:memory:/other\n").memory);
}

TEST(CgroupPlaces, AreNoneWhereNothingIsMounted) {
  for (auto text : {"", "junk", "1 2 3 - cgroup", ":::", "4:memory"}) {
    EXPECT_FALSE(places_in(text, text).memory);
    EXPECT_FALSE(places_in(text, v1_mounts).processes);
  }
}

TEST(KernelLog, TellsWhoWasKilledForMemory) {
  auto record = "6,1204,61263422514,-;Memory cgroup out of memory: Killed "
                "process 4711 (node) total-vm:1kB, anon-rss:1kB\n";
  std::chrono::microseconds then{61263422514};
  EXPECT_TRUE(tells_of_memory_kill(record, 4711, then));
  EXPECT_FALSE(tells_of_memory_kill(record, 471, then));
  EXPECT_FALSE(tells_of_memory_kill(record, 4711, then + then));
  for (auto junk : {"", ";", "6,1,x,-;Killed process 4711 (a)", "6;1,2,3",
                    "6,1,61263422514,-;process 4711 (a)"})
    EXPECT_FALSE(tells_of_memory_kill(junk, 4711, then)) << junk;
}

TEST(LimitedTree, WithoutGroupsHoldsTheMemoryOfEachProcess) {
  limited_tree tree{{little, 100}, "ao-test", {}};
  tree.prepare();
  EXPECT_THAT(tree.held(), testing::ElementsAre(HasSubstr("RLIMIT_DATA")));
  EXPECT_THAT(tree.missing(), testing::ElementsAre(HasSubstr("processes")));
  gated_shell shell{tree, "ulimit -d"};
  EXPECT_EQ(shell.run(), std::to_string(little / 1024) + "\n");
  EXPECT_FALSE(tree.was_short_of_memory());
}

TEST(LimitedTree, WithoutLimitsTouchesNothing) {
  limited_tree tree{{}, "ao-test"};
  tree.prepare();
  EXPECT_THAT(tree.held(), IsEmpty());
  EXPECT_THAT(tree.missing(), IsEmpty());
  gated_shell shell{tree, "ulimit -d"};
  EXPECT_EQ(shell.run(), "unlimited\n");
}

TEST(LimitedTree, IsHeldThoughItsGroupIsTidiedAway) {
  if (auto why = why_no_groups({little, 100}); !why.empty())
    GTEST_SKIP() << why;
  auto places = own_cgroup_places();
  auto name = "ao-" + make_ulid();
  auto directory = places.memory->base + "/" + name;
  auto stale = places.memory->base + "/ao-" + make_ulid();
  ASSERT_TRUE(fs::create_directory(stale));
  {
    limited_tree tree{{little, 100}, name};
    tree.prepare();
    EXPECT_THAT(tree.missing(), IsEmpty());
    EXPECT_FALSE(fs::exists(stale)) << "a killed shim has left it";
    ASSERT_TRUE(fs::remove(directory));
    gated_shell shell{tree, "cat /proc/self/cgroup"};
    EXPECT_THAT(shell.run(), HasSubstr(name));
    EXPECT_EQ(
      text_of(directory + "/"
              + (places.memory->how == version::v1 ? "memory.limit_in_bytes"
                                                   : "memory.max")),
      std::to_string(little) + "\n");
    EXPECT_THAT(text_of("/proc/self/cgroup"), testing::Not(HasSubstr(name)))
      << "we ourselves are not limited";
  }
  EXPECT_FALSE(fs::exists(directory));
}

class LimitedShim : public shim_fixture {
protected:
  LimitedShim() { without_pane(); }
};

TEST_F(LimitedShim, SaysThatTheMemoryWasTooLittle) {
  launch_.limits.memory = little;
  if (auto why = why_no_groups(launch_.limits); !why.empty())
    GTEST_SKIP() << why;
  // tail keeps all of a line until its end.
  write("head -c 300000000 /dev/zero | tail -n 1 > /dev/null; exit 9");
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 0);
  auto r = report();
  EXPECT_EQ(r.code, 9);
  EXPECT_TRUE(r.out_of_memory);
  EXPECT_THAT(r.detail, HasSubstr("the limit is 64MiB"));
  auto how = describe_exit(r);
  EXPECT_EQ(how.failure, "oom");
}

TEST_F(LimitedShim, IsNotToBlameForAnAgentThatGoesOn) {
  launch_.limits.memory = little;
  if (auto why = why_no_groups(launch_.limits); !why.empty())
    GTEST_SKIP() << why;
  write("head -c 300000000 /dev/zero | tail -n 1 > /dev/null; exit 0");
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 0);
  EXPECT_TRUE(report().out_of_memory);
  EXPECT_EQ(describe_exit(report()).failure, "");
}

TEST_F(LimitedShim, HoldsTheNumberOfProcesses) {
  launch_.limits.processes = 16;
  if (auto why = why_no_groups(launch_.limits); !why.empty())
    GTEST_SKIP() << why;
  write("for i in $(seq 60); do sleep 1000 & echo $!; done");
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 0);
  auto text = content(dir_ + "/log");
  EXPECT_THAT(text, HasSubstr("fork"));
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 20);
}
