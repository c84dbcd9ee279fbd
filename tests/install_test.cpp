// What `cmake --install` leaves: programs that run from there, units that
// systemd takes, the manual, the completions.

#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace ao;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

std::string content_of(const fs::path& file) {
  std::ifstream in{file};
  EXPECT_TRUE(in) << file;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

finished run_program(std::vector<std::string> argv) {
  process_spec spec;
  spec.argv = std::move(argv);
  auto env = environment::inherited();
  // A directory for the runtime, which systemd-analyze wants for units of
  // users.
  spec.env = env.set("XDG_RUNTIME_DIR", "/tmp").to_vector();
  auto end = run(spec, std::chrono::minutes{2});
  EXPECT_TRUE(end) << to_string(end.error());
  return end ? *end : finished{};
}

/// Installed once for all tests.
class Installation : public testing::Test {
protected:
  static void SetUpTestSuite() {
    char name[] = "/tmp/ao-install-XXXXXX";
    prefix_ = ::mkdtemp(name);
    auto end = run_program(
      {"cmake", "--install", AO_BUILD_DIR, "--prefix", prefix_.string()});
    ASSERT_TRUE(end.ok()) << end.err;
  }
  static void TearDownTestSuite() { fs::remove_all(prefix_); }

  static inline fs::path prefix_;
};

TEST_F(Installation, ItsProgramsFindEachOther) {
  auto version = run_program({(prefix_ / "bin/ao").string(), "--version"});
  EXPECT_TRUE(version.ok()) << version.err;
  EXPECT_THAT(version.out, HasSubstr("ao 0."));
  for (const auto* program : {"ao-hub", "ao-node", "ao-shim"})
    EXPECT_EQ(::access((prefix_ / "bin" / program).c_str(), X_OK), 0)
      << program;
}

TEST_F(Installation, ItsUnitsKeepTheAgentsAndSatisfySystemd) {
  auto units = prefix_ / "lib/systemd/user";
  for (const auto* unit : {"ao-hub.service", "ao-node.service"}) {
    auto text = content_of(units / unit);
    EXPECT_THAT(text, HasSubstr("\nKillMode=process\n"));
    EXPECT_THAT(text,
                HasSubstr("\nExecStart=" + (prefix_ / "bin/ao").string()));
    EXPECT_EQ(text.find('@'), text.npos);
  }
  const auto* path = std::getenv("PATH");
  if (!find_program("systemd-analyze", path ? path : ""))
    GTEST_SKIP() << "there is no systemd-analyze here";
  auto end = run_program({"systemd-analyze", "--user", "--man=no",
                          "--generators=no", "--recursive-errors=no", "verify",
                          (units / "ao-hub.service").string(),
                          (units / "ao-node.service").string()});
  EXPECT_TRUE(end.ok()) << end.err;
  EXPECT_EQ(end.err, "");
}

TEST_F(Installation, ItBringsTheManualTheCompletionsAndTheDocuments) {
  for (const auto* file :
       {"share/man/man1/ao.1", "share/man/man5/ao.yaml.5",
        "share/bash-completion/completions/ao",
        "share/zsh/vendor-completions/_ao",
        "share/fish/vendor_completions.d/ao.fish",
        "share/ao/configs/ao.example.yaml", "share/ao/docs/operations.md",
        "share/doc/ao/README.md"})
    EXPECT_FALSE(content_of(prefix_ / file).empty()) << file;
  EXPECT_THAT(content_of(prefix_ / "share/man/man1/ao.1"),
              HasSubstr("ao spawn"));
}

} // namespace
