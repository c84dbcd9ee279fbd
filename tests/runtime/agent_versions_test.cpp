#include "runtime/agents/versions.hpp"

#include <gmock/gmock.h>

using namespace ao;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

agent_adapter tested_with(std::string_view range) {
  agent_adapter a;
  a.name = "claude-code";
  a.tested = range;
  return a;
}

} // namespace

TEST(AgentVersions, WithinTheRangeSayNothing) {
  auto a = tested_with("2.1.97 - 2.1.330");
  for (const char* version :
       {"2.1.97", "2.1.100", "2.1.330", "2.1.330-beta.2"}) {
    EXPECT_THAT(version_warning(a, version), IsEmpty()) << version;
  }
  EXPECT_THAT(version_warning(tested_with("1.2.3"), "1.2.3"), IsEmpty());
}

TEST(AgentVersions, OutsideOfItAreWarnedOf) {
  auto a = tested_with("2.1.97 - 2.1.330");
  for (const char* version : {"2.1.96", "2.1.331", "2.0.300", "3.0", "2.1"})
    EXPECT_EQ(version_warning(a, version),
              std::string{"claude-code "} + version
                + " is outside of what ao was tested with (2.1.97 - 2.1.330)");
}

TEST(AgentVersions, ThatAreNotToldOrNeverTriedAreWarnedOf) {
  auto a = tested_with("2.1.97 - 2.1.330");
  for (const char* version : {"", "unknown", ".1"})
    EXPECT_THAT(version_warning(a, version), HasSubstr("tells no version"));
  EXPECT_THAT(version_warning(tested_with(""), "1.0"), HasSubstr("untested"));
}
