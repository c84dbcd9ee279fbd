#include "runtime/process/cpu_times.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"
#include "runtime/process/process_table.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

using namespace ao;
using namespace std::chrono_literals;

namespace {

/// A shell with a mark that does `script`, says so, and waits.
child start_marked(const std::string& mark, const std::string& script) {
  process_spec spec;
  spec.argv = {"/bin/sh", "-c", script + "; echo done; exec sleep 600"};
  spec.env = {"PATH=/usr/bin:/bin", "AO_MARK=" + mark};
  auto made = spawn(spec);
  EXPECT_TRUE(made) << to_string(made.error());
  char line[5] = {};
  EXPECT_EQ(read(made->out.get(), line, sizeof line), 5);
  return std::move(*made);
}

/// Turns in circles until a tenth of a second is spent.
constexpr const char* spend
  = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";

} // namespace

TEST(CpuTimes, GrowWithWhatARunSpendsAndTellRunsApart) {
  auto busy = make_ulid();
  auto lazy = make_ulid();
  auto one = start_marked(busy, spend);
  auto other = start_marked(lazy, "true");
  cpu_times times;
  EXPECT_EQ(times.of(busy), 0u) << "nobody has looked";
  ASSERT_TRUE(times.refresh());
  EXPECT_GT(times.of(busy), times.of(lazy));
  EXPECT_EQ(times.of("another"), 0u);
  ASSERT_TRUE(end_marked(busy, 5s));
  ASSERT_TRUE(end_marked(lazy, 5s));
  ASSERT_TRUE(times.refresh());
  EXPECT_EQ(times.of(busy), 0u) << "it has ended";
  (void)reap(one.pidfd.get());
  (void)reap(other.pidfd.get());
}

TEST(CpuTimes, CountAChildWithoutTheMark) {
  auto mark = make_ulid();
  auto run = start_marked(mark,
                          std::string{"env -i /bin/sh -c '"} + spend
                            + "; echo done; exec sleep 600' & wait");
  cpu_times times;
  ASSERT_TRUE(times.refresh());
  EXPECT_GT(times.of(mark), 0u);
  ASSERT_TRUE(end_marked(mark, 5s));
  (void)reap(run.pidfd.get());
}
