#include "runtime/rules/base64url.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace ao;

namespace {

TEST(Base64url, IsThatOfOthers) {
  EXPECT_EQ(to_base64url(""), "");
  EXPECT_EQ(to_base64url("f"), "Zg");
  EXPECT_EQ(to_base64url("fo"), "Zm8");
  EXPECT_EQ(to_base64url("foo"), "Zm9v");
  EXPECT_EQ(to_base64url("\xff\xfe\xfd"), "__79");
  EXPECT_EQ(from_base64url("-_-_"), "\xfb\xff\xbf");
}

TEST(Base64url, RefusesWhatNobodyWrites) {
  for (const auto* text :
       {"Z", "Zg==", "Zm9v\n", "Zm+v", "Zm/v", "Zh", "Zm9", "Zm9 ", "\xc3\xa4"})
    EXPECT_FALSE(from_base64url(text)) << text;
  EXPECT_FALSE(from_base64url(std::string(4, '\0')));
}

RC_GTEST_PROP(Base64url, BringsAnyBytesBack, ()) {
  auto bytes = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  auto text = to_base64url(bytes);
  RC_ASSERT(text.size() == (bytes.size() * 4 + 2) / 3);
  RC_ASSERT(from_base64url(text) == bytes);
}

RC_GTEST_PROP(Base64url, HasOneTextForEachBytes, ()) {
  auto text = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  if (auto bytes = from_base64url(text))
    RC_ASSERT(to_base64url(*bytes) == text);
}

} // namespace
