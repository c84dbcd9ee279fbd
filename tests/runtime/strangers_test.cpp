#include "runtime/io/fd.hpp"
#include "runtime/tls/strangers.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <array>
#include <cerrno>

using namespace ao;
using namespace std::chrono_literals;

namespace {

const mono_time start{1h};

/// A connection; both its ends are here.
class connection {
public:
  connection() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()),
              0);
    ours_ = unique_fd{ends[0]};
    theirs_ = unique_fd{ends[1]};
  }

  int number() const { return ours_.get(); }

  bool cut() const {
    char ignored = 0;
    return ::recv(theirs_.get(), &ignored, 1, MSG_DONTWAIT) == 0;
  }

private:
  unique_fd ours_;
  unique_fd theirs_;
};

TEST(Strangers, AreCutWhenTheirTimeIsOver) {
  tls::strangers all{8, 10s};
  connection first;
  connection second;
  all.admit(first.number(), start);
  all.admit(second.number(), start + 4s);
  all.sweep(start + 9'999ms);
  EXPECT_FALSE(first.cut());
  all.sweep(start + 10s);
  EXPECT_TRUE(first.cut());
  EXPECT_FALSE(second.cut());
  EXPECT_EQ(all.count(), 1u);
}

TEST(Strangers, TheOldestGoesForOneTooMany) {
  tls::strangers all{2, 10s};
  connection first;
  connection second;
  connection third;
  for (const auto* one : {&first, &second, &third})
    all.admit(one->number(), start);
  EXPECT_TRUE(first.cut());
  EXPECT_FALSE(second.cut());
  EXPECT_FALSE(third.cut());
  EXPECT_EQ(all.count(), 2u);
}

TEST(Strangers, WhoHasProvenItselfIsNoneAnyMore) {
  tls::strangers all{2, 10s};
  connection known;
  connection second;
  connection third;
  all.admit(known.number(), start);
  all.dismiss(known.number());
  all.dismiss(known.number());
  for (const auto* one : {&second, &third})
    all.admit(one->number(), start);
  all.sweep(start + 1h);
  EXPECT_FALSE(known.cut());
  EXPECT_TRUE(second.cut());
  EXPECT_TRUE(third.cut());
}

} // namespace
