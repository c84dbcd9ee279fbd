#include "runtime/git/config_file.hpp"
#include "tests/runtime/git_fixture.hpp"

#include <gtest/gtest.h>

using namespace ao;

namespace {

class ConfigFile : public git_fixture {
protected:
  std::string value(const std::string& key) {
    return git({"config", "--file", file.string(), "--get", key}, root);
  }

  std::filesystem::path file;

  void SetUp() override {
    git_fixture::SetUp();
    file = root / "config.worktree";
  }
};

} // namespace

TEST_F(ConfigFile, IsReadBackByGitAsItWasWritten) {
  const std::vector<std::string> hostile = {"plain",
                                            "with space ",
                                            " # no comment",
                                            "\"quoted\" ; \\ back",
                                            "tab\tbed",
                                            "two\nlines",
                                            "$(touch pwned)",
                                            "gr\xc3\xbc\xc3\x9f",
                                            "[not]\nsection = 1"};
  for (const auto& text : hostile) {
    std::filesystem::remove(file);
    ASSERT_TRUE(put_settings(runner, file, {{"user.name", {text}}}));
    EXPECT_EQ(value("user.name"), text);
  }
}

TEST_F(ConfigFile, KeepsWhatOthersSetAndReplacesItsOwn) {
  const std::vector<git_setting> ours
    = {{"core.hooksPath", {"/dev/null"}}, {"credential.helper", {"", "store"}}};
  ASSERT_TRUE(put_settings(runner, file, ours));
  git({"config", "--file", file.string(), "color.ui", "never"}, root);
  git({"config", "--file", file.string(), "core.hooksPath", "/elsewhere"},
      root);
  git({"config", "--file", file.string(), "--add", "credential.helper", "x"},
      root);
  ASSERT_TRUE(put_settings(runner, file, ours));
  EXPECT_EQ(value("color.ui"), "never");
  EXPECT_EQ(value("core.hookspath"), "/dev/null");
  EXPECT_EQ(
    git({"config", "--file", file.string(), "--get-all", "credential.helper"},
        root),
    "\nstore");
}
