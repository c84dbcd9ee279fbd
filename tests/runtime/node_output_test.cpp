#include "messages/time.hpp"
#include "runtime/home/files.hpp"
#include "runtime/node/output.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <filesystem>

using namespace ao;
namespace fs = std::filesystem;

namespace {

class NodeOutput : public testing::Test {
protected:
  NodeOutput() {
    char name[] = "/tmp/ao-output-XXXXXX";
    root = ::mkdtemp(name);
    fs::create_directories(root + "/sessions/app-1");
  }
  ~NodeOutput() override { fs::remove_all(root); }

  void keep(const std::string& text) const {
    ASSERT_TRUE(write_file_durably(file(), text));
  }

  std::string file() const { return root + "/sessions/app-1/pane.1.txt"; }

  result<msg::output_part> part(std::uint64_t offset, std::size_t most,
                                const std::string& snapshot = {}) const {
    return read_output(home{root, root + "/run"},
                       {session_id{"app-1"}, 1, {}, {}, snapshot, offset},
                       most);
  }

  std::string root;
};

TEST_F(NodeOutput, IsReadInPartsOfWholeCharacters) {
  keep("aéb€c");
  std::vector<std::string> parts;
  for (std::uint64_t offset = 0;;) {
    auto p = part(offset, 5);
    ASSERT_TRUE(p && p->kept);
    parts.push_back(p->text);
    if (p->next == 0)
      break;
    offset = p->next;
  }
  EXPECT_EQ(parts, (std::vector<std::string>{"aéb", "€c"}));
}

TEST_F(NodeOutput, GivesWhatIsNoTextAsItIs) {
  keep("\xff\x80\x80\x80\x80\x80\xe2\x82");
  std::string all;
  for (std::uint64_t offset = 0;;) {
    auto p = part(offset, 3);
    ASSERT_TRUE(p && p->kept);
    ASSERT_FALSE(p->text.empty());
    all += p->text;
    if (p->next == 0)
      break;
    offset = p->next;
  }
  EXPECT_EQ(all, "\xff\x80\x80\x80\x80\x80\xe2\x82");
}

RC_GTEST_FIXTURE_PROP(NodeOutput, PartsAreTheWhole, (const std::string& text)) {
  keep(text);
  auto most = *rc::gen::inRange<std::size_t>(1, 9);
  std::string all;
  for (std::uint64_t offset = 0;;) {
    auto p = part(offset, most);
    RC_ASSERT(p.has_value());
    RC_ASSERT(p->kept && p->text.size() <= most);
    all += p->text;
    if (p->next == 0)
      break;
    RC_ASSERT(p->next > offset);
    offset = p->next;
  }
  RC_ASSERT(all == text);
}

TEST_F(NodeOutput, IsNoneOfARunWithoutFileAndOfALink) {
  EXPECT_FALSE(part(0, 10)->kept);
  fs::create_symlink("/etc/passwd", file());
  EXPECT_FALSE(part(0, 10)->kept);
}

TEST_F(NodeOutput, NamesNothingOutsideOfTheHome) {
  EXPECT_EQ(part(0, 10, "../../etc/passwd").error().code, ec::bad_input);
  EXPECT_EQ(part(0, 10, make_ulid()).error().code, ec::wrong_state);
  EXPECT_EQ(read_output(home{root, root + "/run"},
                        {session_id{"../app-1"}, 1, {}, {}, {}, 0}, 10)
              .error()
              .code,
            ec::bad_input);
}

} // namespace
