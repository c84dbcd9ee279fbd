#include "tests/support/fake_gateway.hpp"
#include "tests/support/places.hpp"
#include "tests/support/terminal_program.hpp"
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
    w.add_agent("idle", "true");
    w.write_config();
    std::filesystem::create_directories(w.user() / ".openclaw");
  }

  finished setup(std::vector<std::string> more = {}) const {
    std::vector<std::string> words{"setup", "openclaw", "--url", gateway.url()};
    words.insert(words.end(), more.begin(), more.end());
    return w.ao(words);
  }

  /// The same at a terminal: at the first question `keys` are typed.
  /// Returns the exit code.
  int setup_at_terminal(const std::string& keys) {
    auto end = run_on_terminal(
      {{program_path("ao"), "setup", "openclaw", "--url", gateway.url()},
       w.variables().to_vector(),
       w.checkout().string()},
      {"new one): ", {keys}});
    screen = end.screen;
    return end.code;
  }

  std::filesystem::path gateways_file() const {
    return w.user() / ".openclaw/openclaw.json";
  }

  fake_gateway gateway;
  world w;
  std::string screen;
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
  EXPECT_THAT(gateway.read_by_person(), ElementsAre(HasSubstr("Hello, phone")));
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

TEST_F(OpenclawSetup, TakesATypedTokenAndDoesNotShowIt) {
  EXPECT_EQ(setup_at_terminal("hook-token\n"), 0) << screen;
  EXPECT_THAT(screen, HasSubstr("takes the token"));
  EXPECT_THAT(screen, Not(HasSubstr("hook-token")));
  EXPECT_THAT(content_of(gateways_file()), HasSubstr("\"hook-token\""));
  // It is known now.
  EXPECT_EQ(setup_at_terminal(""), 0) << screen;
  EXPECT_THAT(screen, Not(HasSubstr("new one")));
}

TEST_F(OpenclawSetup, MakesATokenWhenNoneIsTyped) {
  EXPECT_EQ(setup_at_terminal("\n"), 0) << screen;
  EXPECT_THAT(screen, HasSubstr("token: generated"));
}

TEST_F(OpenclawSetup, ChangesNothingWhenItIsGivenUp) {
  auto before = content_of(w.checkout() / "ao.yaml");
  EXPECT_EQ(setup_at_terminal("half\x03"), 2) << screen;
  EXPECT_THAT(screen, HasSubstr("given up"));
  EXPECT_EQ(content_of(w.checkout() / "ao.yaml"), before);
  EXPECT_FALSE(std::filesystem::exists(gateways_file()));
}
