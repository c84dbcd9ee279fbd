#include "runtime/cluster/seen_numbers.hpp"
#include "runtime/home/files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <set>

using namespace ao;
using testing::ElementsAre;

namespace {

class SeenNumbers : public testing::Test {
protected:
  SeenNumbers() {
    auto made = open_home(root());
    EXPECT_TRUE(made) << to_string(made.error());
    place.emplace(*made);
  }

  ~SeenNumbers() override { std::filesystem::remove_all(directory_); }

  std::string root() {
    if (directory_.empty()) {
      directory_
        = (std::filesystem::temp_directory_path() / "ao-seen-XXXXXX").string();
      EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
    }
    return directory_;
  }

  static msg::session_spec spec(const std::string& session,
                                const std::string& task, epoch_no epoch) {
    msg::session_spec out;
    out.session = session_id{session};
    out.task = task_id{task};
    out.epoch = epoch;
    return out;
  }

  static std::vector<std::string>
  texts(const std::vector<msg::seen_number>& all) {
    std::vector<std::string> out;
    for (const auto& x : all)
      out.push_back(x.of + "=" + std::to_string(x.highest));
    return out;
  }

  std::shared_ptr<seen_numbers> open(const std::vector<msg::session_spec>& known
                                     = {}) {
    auto out = seen_numbers::open(*place, known);
    EXPECT_TRUE(out) << to_string(out.error());
    return out ? *out : nullptr;
  }

  std::optional<home> place;

private:
  std::string directory_;
};

TEST_F(SeenNumbers, AreKnownToTheNextLife) {
  auto seen = open();
  EXPECT_TRUE(seen->is_new(spec("app-2", "T1", 3)));
  ASSERT_TRUE(seen->note(spec("app-2", "T1", 3)));
  ASSERT_TRUE(seen->note(spec("my-web-7", "T2", 1)));
  EXPECT_FALSE(seen->is_new(spec("app-2", "T1", 3)));
  auto next = open();
  EXPECT_THAT(texts(next->epochs()), ElementsAre("T1=3", "T2=1"));
  EXPECT_THAT(texts(next->sessions()), ElementsAre("app=2", "my-web=7"));
}

TEST_F(SeenNumbers, NeverGoBack) {
  auto seen = open();
  ASSERT_TRUE(seen->note(spec("app-9", "T1", 5)));
  ASSERT_TRUE(seen->note(spec("app-4", "T1", 2)));
  EXPECT_FALSE(seen->is_new(spec("app-4", "T1", 2)));
  EXPECT_THAT(texts(seen->epochs()), ElementsAre("T1=5"));
  EXPECT_THAT(texts(seen->sessions()), ElementsAre("app=9"));
}

TEST_F(SeenNumbers, OfTheSessionsFilesCountToo) {
  auto seen = open({spec("app-3", "T4", 2)});
  EXPECT_THAT(texts(seen->epochs()), ElementsAre("T4=2"));
}

TEST_F(SeenNumbers, OfARoleHaveNoTask) {
  auto seen = open();
  ASSERT_TRUE(seen->note(spec("app-3", "", 2)));
  EXPECT_TRUE(seen->epochs().empty());
  EXPECT_THAT(texts(seen->sessions()), ElementsAre("app=3"));
}

TEST_F(SeenNumbers, AreNotForgottenSilently) {
  ASSERT_TRUE(write_file_durably(place->root() + "/seen.json", "{\"epo"));
  auto read = seen_numbers::open(*place, {});
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().context, testing::HasSubstr("seen.json"));
}

TEST_F(SeenNumbers, GoInPartsThatFitAMessage) {
  constexpr int many = 100'000;
  auto largest = std::to_string(std::numeric_limits<std::uint64_t>::max());
  std::string text = R"({"sessions":{"app":3},"epochs":{)";
  for (int k = 1; k <= many; ++k)
    text
      += "\"T" + std::to_string(k) + "\":" + largest + (k < many ? "," : "}}");
  ASSERT_TRUE(write_file_durably(place->root() + "/seen.json", text));
  std::set<std::string> all;
  std::size_t count = 0;
  for (const auto& part : open()->parts()) {
    EXPECT_LT(msg::to_wire(part).size(), msg::longest_chunk);
    EXPECT_FALSE(part.epochs.empty() && part.numbers.empty());
    for (const auto& list : {part.epochs, part.numbers})
      for (const auto& x : list) {
        all.insert(x.of);
        ++count;
      }
  }
  EXPECT_EQ(all.size(), std::size_t{many} + 1);
  EXPECT_EQ(count, all.size());
}

TEST_F(SeenNumbers, OfAFreshNodeHaveNoPart) {
  EXPECT_TRUE(open()->parts().empty());
}

} // namespace
