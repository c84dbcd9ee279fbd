#include "runtime/cluster/lease_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

using namespace ao;
using namespace std::chrono_literals;

namespace {

class LeaseFile : public testing::Test {
protected:
  LeaseFile() {
    EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
    auto made = open_home(directory_);
    EXPECT_TRUE(made) << to_string(made.error());
    made_.emplace(*made);
  }

  ~LeaseFile() override { std::filesystem::remove_all(directory_); }

  const home& place() const { return *made_; }

  std::string file() const { return place().root() + "/lease.json"; }

  std::string text() const {
    std::ifstream in{file()};
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }

  void write(const std::string& text) const { std::ofstream{file()} << text; }

private:
  std::string directory_
    = (std::filesystem::temp_directory_path() / "ao-lease-XXXXXX").string();
  std::optional<home> made_;
};

} // namespace

TEST_F(LeaseFile, KeepsWhatItWasTold) {
  EXPECT_FALSE(read_lease(place()));
  kept_lease x;
  x.renewed = mono_time{123456789ns};
  x.stop_after = {{"app", 8s}, {"web", 90s}};
  ASSERT_TRUE(keep_lease(place(), x));
  auto kept = read_lease(place());
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->renewed, x.renewed);
  EXPECT_EQ(kept->stop_after, x.stop_after);
  x.renewed += 1s;
  ASSERT_TRUE(keep_lease(place(), x));
  EXPECT_EQ(read_lease(place())->renewed, x.renewed);
  forget_lease(place());
  EXPECT_FALSE(read_lease(place()));
}

TEST_F(LeaseFile, OfAnotherBootOrABrokenOneIsNone) {
  ASSERT_TRUE(keep_lease(place(), {mono_time{1s}, {{"app", 8s}}}));
  auto good = text();
  for (std::size_t n = 0; n + 2 < good.size(); n += 7) {
    write(good.substr(0, n));
    EXPECT_FALSE(read_lease(place())) << n;
  }
  auto other = good;
  other.replace(other.find("boot\":\"") + 7, 4, "0000");
  write(other);
  EXPECT_FALSE(read_lease(place()));
  for (const char* bad : {"[]", "null", "{\"boot\":1}", "\xff"}) {
    write(bad);
    EXPECT_FALSE(read_lease(place())) << bad;
  }
}
