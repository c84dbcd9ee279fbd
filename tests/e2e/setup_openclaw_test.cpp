#include "tests/support/agent_scripts.hpp"
#include "tests/support/fake_gateway.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <filesystem>

using namespace ao;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

namespace {

/// A user with a checkout and a gateway on this host, which has its token.
class OpenclawSetup : public testing::Test {
protected:
  OpenclawSetup() {
    w.write_config();
    std::filesystem::create_directories(w.user() / ".openclaw");
  }

  finished setup(std::vector<std::string> more = {}) const {
    std::vector<std::string> words{"setup", "openclaw", "--url", gateway.url()};
    words.insert(words.end(), more.begin(), more.end());
    return w.ao(words);
  }

  std::filesystem::path gateways_file() const {
    return w.user() / ".openclaw/openclaw.json";
  }

  fake_gateway gateway;
  world w;
};

} // namespace

TEST_F(OpenclawSetup, LeadsToAMessageWithoutASecretInOurFiles) {
  auto end = setup({"--token", "hook-token", "--non-interactive"});
  ASSERT_EQ(end.status.code, 0) << end.err;
  EXPECT_THAT(end.out, HasSubstr("next: ao notify test openclaw"));
  EXPECT_THAT(end.out + end.err, Not(HasSubstr("hook-token")));
  EXPECT_TRUE(gateway.read_by_person().empty());
  // Not w.start(), which would write another configuration.
  ASSERT_EQ(w.ao({"start"}).status.code, 0);
  end = w.ao({"notify", "test", "openclaw", "--text", "Hello, phone"});
  EXPECT_EQ(end.status.code, 0) << end.err;
  EXPECT_THAT(gateway.read_by_person(),
              ElementsAre(HasSubstr("Hello, phone")));
  EXPECT_THAT(content_of(w.checkout() / "ao.yaml"),
              Not(HasSubstr("hook-token")));
  // With the hub running and nothing to change there is no restart.
  end = setup();
  ASSERT_EQ(end.status.code, 0) << end.err;
  EXPECT_THAT(end.out, Not(HasSubstr("ao stop")));
  EXPECT_THAT(end.out, HasSubstr("unchanged"));
  end = setup({"--routing-preset", "all"});
  EXPECT_THAT(end.out, HasSubstr("ao stop, then ao start"));
}

TEST_F(OpenclawSetup, NeverAsksWithoutATerminal) {
  // Its standard input is empty: an answer that never comes would be waited
  // for.
  auto end = setup();
  ASSERT_EQ(end.status.code, 0) << end.err;
  EXPECT_THAT(end.out, HasSubstr("token: generated"));
  EXPECT_THAT(content_of(gateways_file()), HasSubstr("\"token\""));
}
