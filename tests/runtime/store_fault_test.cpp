#include "runtime/store/store.hpp"
#include "tests/support/failing_vfs.hpp"
#include "tests/support/store_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <set>

using namespace ao;
using namespace ao::test;
using testing::HasSubstr;

namespace {

using call = failing_vfs::call;

/// One group: three tasks and three events that belong together.
std::vector<store_write> group_of(int n) {
  std::vector<store_write> group;
  for (int i = 0; i < 3; ++i) {
    auto id = "T" + std::to_string(n * 3 + i);
    group.push_back(write_of(
      {task_row(id, 1, std::string(3000, 'x')), claim_row(id, 1, 1, true)},
      {event_of("task:" + id)}));
  }
  return group;
}

bool succeeded(const std::vector<result<store_written>>& answers) {
  auto good = 0;
  for (const auto& x : answers) {
    good += x.has_value();
    if (!x) {
      EXPECT_EQ(x.error().code, ec::store_failed) << to_string(x.error());
    }
  }
  EXPECT_TRUE(good == 0 || good == static_cast<int>(answers.size()));
  return good != 0;
}

/// The groups that are in the database; none may be there in part.
std::set<int> groups_in(const std::string& path) {
  auto db = opened(path);
  auto rows = db.load();
  EXPECT_TRUE(rows) << to_string(rows.error());
  std::map<int, int> tasks;
  std::map<int, int> claims;
  std::map<int, int> events;
  for (const auto& t : rows->tasks)
    ++tasks[static_cast<int>(std::stoi(t.id.text.substr(1)) / 3)];
  for (const auto& c : rows->claims)
    ++claims[std::stoi(c.subject.substr(1)) / 3];
  auto past = db.events(0, 1'000'000);
  for (const auto& e : *past)
    ++events[std::stoi(e.subject.substr(6)) / 3];
  std::set<int> out;
  for (auto [n, count] : tasks) {
    EXPECT_EQ(count, 3) << "group " << n;
    out.insert(n);
  }
  EXPECT_EQ(claims, tasks);
  EXPECT_EQ(events, tasks);
  return out;
}

struct fault {
  const char* name;
  call what;
  int code;
  bool breaks;
};

std::ostream& operator<<(std::ostream& out, const fault& f) {
  return out << f.name;
}

class StoreFault : public testing::TestWithParam<fault> {
protected:
  failing_vfs vfs;
  private_directory dir;
};

/// Small enough that checkpoints fail too.
open_options options_of(const failing_vfs& vfs) {
  open_options o;
  o.vfs = vfs.name();
  o.checkpoint_pages = 20;
  return o;
}

constexpr int groups = 5;

} // namespace

TEST_P(StoreFault, OfOneCallLeavesExactlyWhatWasAcknowledged) {
  auto f = GetParam();
  auto hit = true;
  // Until the n-th call is past the end: every place has been hit then.
  for (int n = 1; hit; ++n) {
    auto path = dir / (std::to_string(n) + ".db");
    std::set<int> acknowledged;
    {
      auto db = opened(path, options_of(vfs));
      vfs.fail_at(f.what, n, f.code);
      for (int g = 0; g < groups && !db.broken(); ++g)
        if (succeeded(db.commit(group_of(g))))
          acknowledged.insert(g);
      hit = vfs.has_failed();
      EXPECT_EQ(db.broken(), hit && f.breaks) << "call " << n;
      if (!f.breaks) {
        EXPECT_GE(acknowledged.size(), groups - 1u) << "call " << n;
      }
      if (db.broken()) {
        EXPECT_FALSE(succeeded(db.commit(group_of(groups))));
      }
    }
    vfs.heal();
    EXPECT_EQ(groups_in(path), acknowledged) << "call " << n;
  }
}

TEST_P(StoreFault, ThatStaysLeavesWholeGroupsAndAllAcknowledgedOnes) {
  auto f = GetParam();
  auto hit = true;
  for (int n = 1; hit; n += 3) {
    auto path = dir / (std::to_string(n) + ".db");
    std::set<int> acknowledged;
    {
      auto db = opened(path, options_of(vfs));
      vfs.fail_at(f.what, n, f.code, true);
      for (int g = 0; g < groups; ++g)
        if (succeeded(db.commit(group_of(g))))
          acknowledged.insert(g);
      hit = vfs.has_failed();
    }
    vfs.heal();
    auto found = groups_in(path);
    // The one in flight may be there, as if its answer had been lost.
    EXPECT_LE(found.size(), acknowledged.size() + 1) << "call " << n;
    for (auto g : acknowledged)
      EXPECT_TRUE(found.count(g)) << "group " << g << " at call " << n;
  }
}

TEST_P(StoreFault, WhileOpeningLeavesAFileThatOpens) {
  auto f = GetParam();
  auto hit = true;
  for (int n = 1; hit; ++n) {
    auto path = dir / (std::to_string(n) + ".db");
    vfs.fail_at(f.what, n, f.code);
    {
      auto x = store::open(path, options_of(vfs));
      hit = vfs.has_failed();
      if (!hit) {
        EXPECT_TRUE(x) << to_string(x.error());
      } else if (!x) {
        EXPECT_EQ(x.error().code, ec::store_failed);
      }
    }
    vfs.heal();
    EXPECT_TRUE(groups_in(path).empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
  Disk, StoreFault,
  testing::Values(fault{"fsync", call::sync, SQLITE_IOERR_FSYNC, true},
                  fault{"write", call::write, SQLITE_IOERR_WRITE, true},
                  fault{"full", call::write, SQLITE_FULL, false}),
  [](const auto& info) { return std::string{info.param.name}; });

TEST(StoreFullDisk, SaysWhatToDoAndGoesOnWhenThereIsSpace) {
  failing_vfs vfs;
  private_directory dir;
  open_options options;
  options.vfs = vfs.name();
  auto db = opened(dir / "ao.db", options);
  ASSERT_TRUE(succeeded(db.commit(group_of(0))));
  vfs.fail_at(call::write, 1, SQLITE_FULL, true);
  for (int i = 0; i < 3; ++i) {
    auto answers = db.commit(group_of(1));
    ASSERT_FALSE(succeeded(answers));
    EXPECT_THAT(answers[2].error().context, HasSubstr("free some space"));
  }
  EXPECT_FALSE(db.broken());
  EXPECT_EQ(db.last_seq(), 3u);
  vfs.heal();
  auto answers = db.commit(group_of(1));
  ASSERT_TRUE(succeeded(answers));
  EXPECT_EQ(answers[0]->first_seq, 4u);
}

TEST(StoreBroken, NamesTheFailureThatBrokeIt) {
  failing_vfs vfs;
  private_directory dir;
  open_options options;
  options.vfs = vfs.name();
  auto db = opened(dir / "ao.db", options);
  vfs.fail_at(call::sync, 1, SQLITE_IOERR_FSYNC);
  EXPECT_FALSE(succeeded(db.commit(group_of(0))));
  EXPECT_TRUE(db.broken());
  auto syncs = vfs.calls(call::sync);
  auto x = commit_one(db, write_of({task_row("T1", 1)}));
  EXPECT_THAT(x.error().context, HasSubstr("has to be opened again"));
  EXPECT_THAT(x.error().context, HasSubstr("commit: disk I/O error (1034)"));
  EXPECT_EQ(vfs.calls(call::sync), syncs);
}

TEST(StoreKilled, KeepsEachAcknowledgedWrite) {
  for (int round = 0; round < 5; ++round) {
    private_directory dir;
    auto path = dir / "ao.db";
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    auto pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      open_options options;
      options.checkpoint_pages = 50;
      auto db = store::open(path, options);
      for (int g = 0; db; ++g)
        for (const auto& x : db->commit(group_of(g)))
          if (!x)
            ::_exit(1);
          else if (::write(ends[1], &g, sizeof g) != sizeof g)
            ::_exit(2);
      ::_exit(3);
    }
    ::close(ends[1]);
    std::set<int> acknowledged;
    int g = 0;
    for (int left = 3 * (10 + 17 * round);
         left > 0 && ::read(ends[0], &g, sizeof g) == sizeof g; --left)
      acknowledged.insert(g);
    ::kill(pid, SIGKILL);
    while (::read(ends[0], &g, sizeof g) == sizeof g)
      acknowledged.insert(g);
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    auto found = groups_in(path);
    EXPECT_GE(acknowledged.size(), 10u);
    EXPECT_LE(found.size(), acknowledged.size() + 1);
    for (auto n : acknowledged)
      EXPECT_TRUE(found.count(n)) << "group " << n;
  }
}
