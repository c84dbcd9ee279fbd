#include "runtime/rules/log_lines.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace ao;

TEST(LogLines, LoseColoursAndControlCharacters) {
  EXPECT_EQ(readable_line("\x1b[31;1mred\x1b[0m line"), "red line");
  EXPECT_EQ(readable_line("\x1b]0;title\x07text"), "text");
  EXPECT_EQ(readable_line("\x1b]8;;http://x\x1b\\link"), "link");
  EXPECT_EQ(readable_line("\x1b(Btext"), "text");
  EXPECT_EQ(readable_line("a\tb\x03\x7f"
                          "c"),
            "a bc");
  EXPECT_EQ(readable_line("open \x1b[3"), "open ");
  EXPECT_EQ(readable_line("\x1b"), "");
}

TEST(LogLines, KeepTheLastStateOfAProgressBar) {
  EXPECT_EQ(readable_line("10 %\r50 %\rdone\r"), "done");
}

TEST(LogLines, KeepUnicodeAndMarkWhatIsNone) {
  EXPECT_EQ(readable_line("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"),
            "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80");
  EXPECT_EQ(readable_line("a\xff\xc3"), "a??");
  EXPECT_EQ(readable_line("a\xc2\x9b"
                          "31m"),
            "a31m");
}

TEST(LogLines, AreCutAtACharacter) {
  EXPECT_EQ(readable_line("abcdef", 3), "abc…");
  EXPECT_EQ(readable_line("ab\xc3\xbc"
                          "c",
                          3),
            "ab…");
  EXPECT_EQ(readable_line("abc", 3), "abc");
}

RC_GTEST_PROP(LogLines, AreAlwaysPrintable, (const std::string& line)) {
  auto out = readable_line(line);
  RC_ASSERT(out.size() <= 403u);
  for (unsigned char c : out)
    RC_ASSERT(c >= 0x20 && c != 0x7f);
  RC_ASSERT(readable_line(out, 500) == out);
}
