#include "runtime/cluster/lease_file.hpp"
#include "runtime/home/lock.hpp"
#include "tests/runtime/shim_fixture.hpp"

#include <csignal>

using namespace ao;
using namespace std::chrono_literals;

namespace {

/// Runs of a node, whose home this directory is, too.
class LeaseWatch : public shim_fixture {
protected:
  LeaseWatch() : node_(locate_home(dir_)) {
    without_pane();
    launch_.node_home = dir_;
    launch_.project = "app";
  }

  void keep(mono_time renewed, milliseconds stop_after = 8s) {
    kept_lease x;
    x.renewed = renewed;
    x.stop_after["app"] = stop_after;
    auto ok = keep_lease(node_, x);
    ASSERT_TRUE(ok) << to_string(ok.error());
  }

  home node_;
};

TEST_F(LeaseWatch, EndsARunOfADeadNodeWhoseLeaseIsOver) {
  keep(lease_clock() - 1h);
  write("exec sleep 60");
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 0);
  auto r = report();
  EXPECT_EQ(r.cause, exit_cause::signalled);
  EXPECT_EQ(r.signal, SIGKILL);
  EXPECT_NE(r.detail.find("the lease of its node is over"), std::string::npos)
    << r.detail;
}

TEST_F(LeaseWatch, EndsItWhenTheLeaseRunsOut) {
  keep(lease_clock(), 300ms);
  write("exec sleep 60");
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 0);
  EXPECT_EQ(report().signal, SIGKILL);
}

TEST_F(LeaseWatch, EndsWhatIgnoresAStopToo) {
  keep(lease_clock() - 1h);
  write("trap '' TERM HUP INT; (trap '' TERM; sleep 60) & sleep 60");
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 0);
  EXPECT_EQ(report().signal, SIGKILL);
}

TEST_F(LeaseWatch, LeavesTheFenceToANodeThatLives) {
  auto held = home_lock::take(node_);
  ASSERT_TRUE(held) << to_string(held.error());
  keep(lease_clock() - 1h);
  write("sleep 1.5; exit 7");
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 0);
  EXPECT_EQ(report().code, 7);
}

TEST_F(LeaseWatch, CountsARenewalThatCameMeanwhile) {
  make_fifo("ready");
  keep(lease_clock(), 1s);
  write("echo > ready; sleep 1.5; exit 7");
  auto shim = start_shim();
  read_fifo("ready");
  keep(lease_clock(), 60s);
  EXPECT_EQ(end_of(shim), 0);
  EXPECT_EQ(report().code, 7);
}

TEST_F(LeaseWatch, LetsARunBeWithoutALease) {
  // Its node has said that it leaves.
  write("sleep 1.2; exit 7");
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 0);
  EXPECT_EQ(report().code, 7);
}

TEST_F(LeaseWatch, SeesALeaseThatIsThereLater) {
  make_fifo("ready");
  write("echo > ready; exec sleep 60");
  auto shim = start_shim();
  read_fifo("ready");
  keep(lease_clock() - 1h);
  EXPECT_EQ(end_of(shim), 0);
  EXPECT_EQ(report().signal, SIGKILL);
}

TEST_F(LeaseWatch, IsNotLimitedByALeaseOfOtherProjects) {
  launch_.project = "other";
  keep(lease_clock() - 1h);
  write("sleep 1.2; exit 7");
  auto shim = start_shim();
  EXPECT_EQ(end_of(shim), 0);
  EXPECT_EQ(report().code, 7);
}

} // namespace
