// The shape of the house: who may include whom, what may link what. A floor
// uses the floors below it; CAF enters where the table says so.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fs = std::filesystem;

namespace {

const fs::path root = AO_SOURCE_DIR;

/// One `#include` line of the tree.
struct include {
  /// Relative to the root, e.g. `runtime/git/git.cpp`.
  std::string file;
  std::size_t line;
  /// Between the quotes or brackets.
  std::string what;
};

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool is_source(const fs::path& path) {
  return path.extension() == ".hpp" || path.extension() == ".cpp";
}

std::vector<include> read_includes() {
  std::vector<include> result;
  static const std::regex pattern{R"(^\s*#\s*include\s*["<]([^">]+)[">])"};
  for (auto floor : {"messages", "runtime", "actors", "cli"}) {
    if (!fs::exists(root / floor))
      continue;
    for (const auto& entry : fs::recursive_directory_iterator{root / floor}) {
      if (!entry.is_regular_file() || !is_source(entry.path()))
        continue;
      std::ifstream in{entry.path()};
      std::string text;
      std::smatch match;
      for (std::size_t line = 1; std::getline(in, text); ++line)
        if (std::regex_search(text, match, pattern))
          result.push_back({fs::relative(entry.path(), root), line, match[1]});
    }
  }
  return result;
}

const std::vector<include>& includes() {
  static const auto all = read_includes();
  return all;
}

/// 0 messages, 1 rules, 2 runtime, 3 CAF base, 4 actors, 5 cli; -1 when it is
/// none of ours.
int floor_of(std::string_view path) {
  struct row {
    std::string_view prefix;
    int floor;
  };
  static constexpr row rows[]
    = {{"messages/", 0}, {"runtime/rules/", 1}, {"runtime/actor/", 3},
       {"runtime/", 2},  {"actors/", 4},        {"cli/", 5}};
  for (const auto& [prefix, floor] : rows)
    if (starts_with(path, prefix))
      return floor;
  return -1;
}

/// Whether CAF may be included by this file.
bool may_speak_caf(std::string_view path) {
  for (auto prefix :
       {"messages/type_ids.", "messages/local_types.", "messages/role.",
        "messages/interfaces.", "messages/interfaces/", "runtime/actor/",
        "actors/", "cli/hub_main.", "cli/node_main.", "cli/hub/", "cli/node/"})
    if (starts_with(path, prefix))
      return true;
  return false;
}

/// Whether this file is a page of interfaces, which only actors may read.
bool is_interface(std::string_view path) {
  return floor_of(path) == 0 && may_speak_caf(path);
}

std::string place(const include& x) {
  return x.file + ":" + std::to_string(x.line) + " includes " + x.what;
}

/// All that a command prints; the test fails when it does.
std::string output_of(const std::string& command) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe{popen(command.c_str(), "r"),
                                             pclose};
  if (!pipe) {
    ADD_FAILURE() << "cannot run " << command;
    return {};
  }
  std::string result;
  std::array<char, 4096> buf{};
  while (auto n = fread(buf.data(), 1, buf.size(), pipe.get()))
    result.append(buf.data(), n);
  EXPECT_EQ(pclose(pipe.release()), 0) << command;
  return result;
}

/// `name` in the build; empty when it is not part of this build.
std::string built(const fs::path& name) {
  return fs::exists(name) ? "'" + name.string() + "'" : "";
}

} // namespace

TEST(Floors, IncludesPointDown) {
  ASSERT_FALSE(includes().empty());
  for (const auto& x : includes()) {
    auto to = floor_of(x.what);
    EXPECT_TRUE(to < 0 || to <= floor_of(x.file)) << place(x);
  }
}

TEST(Floors, NothingOfTestsIsIncludedByTheHouse) {
  for (const auto& x : includes())
    EXPECT_FALSE(starts_with(x.what, "tests/")) << place(x);
}

TEST(Floors, OwnHeadersAreNamedFromTheRoot) {
  for (const auto& x : includes())
    EXPECT_FALSE(starts_with(x.what, ".")) << place(x);
}

TEST(Floors, CafStaysInInterfacesAndActors) {
  for (const auto& x : includes()) {
    auto caf = starts_with(x.what, "caf/") || is_interface(x.what);
    EXPECT_TRUE(!caf || may_speak_caf(x.file)) << place(x);
  }
}

TEST(Floors, RulesStandOnValuesAlone) {
  for (const auto& x : includes()) {
    if (floor_of(x.file) != 1 || floor_of(x.what) >= 0)
      continue;
    // A library's or POSIX's header has an extension or a folder.
    auto foreign = x.what.find_first_of("./") != std::string::npos;
    EXPECT_TRUE(!foreign || starts_with(x.what, "nlohmann/")
                || starts_with(x.what, "tl/"))
      << place(x);
  }
}

TEST(Floors, RulesNeitherReadClocksNorTouchTheWorld) {
  static const std::set<std::string> worldly
    = {"atomic", "condition_variable", "ctime", "filesystem", "fstream",
       "future", "iostream",           "mutex", "random",     "thread"};
  for (const auto& x : includes())
    EXPECT_FALSE(floor_of(x.file) == 1 && worldly.count(x.what)) << place(x);
}

TEST(Floors, BeastIsCompiledOnce) {
  std::set<std::string> files;
  for (const auto& x : includes())
    if (starts_with(x.what, "boost/beast"))
      files.insert(x.file);
  EXPECT_LE(files.size(), 1u);
  for (const auto& file : files)
    EXPECT_EQ(fs::path{file}.extension(), ".cpp") << file;
}

TEST(Floors, OnlyKnownNamesAreAtTheTop) {
  static const std::set<std::string> known = {
    "CMakeLists.txt", "LICENSE", "README.md", "actors",   "cli",     "cmake",
    "configs",        "dev",     "docs",      "messages", "runtime", "tests"};
  for (const auto& entry : fs::directory_iterator{root}) {
    auto name = entry.path().filename().string();
    auto built_here
      = starts_with(name, "build") || name == "compile_commands.json";
    EXPECT_TRUE(starts_with(name, ".") || built_here || known.count(name))
      << name;
  }
}

TEST(Floors, HeadersAreIncludedOnce) {
  std::set<std::string> seen;
  for (const auto& x : includes())
    seen.insert(x.file);
  for (const auto& file : seen) {
    if (fs::path{file}.extension() != ".hpp")
      continue;
    std::ifstream in{root / file};
    std::string all{std::istreambuf_iterator<char>{in}, {}};
    EXPECT_NE(all.find("#pragma once"), std::string::npos) << file;
  }
}

// Two types of one name in one namespace link, and destroy each other's memory.
TEST(Floors, TypesOfHeadersHaveNamesOfTheirOwn) {
  static const std::regex opens{R"(^namespace ([a-z_0-9:]+) \{)"};
  static const std::regex defines{
    R"(^(?:struct|class|enum class|enum) ([a-z_0-9]+)(?: final)?(?: : .*)? \{.*)"};
  std::map<std::string, std::string> seen;
  std::set<std::string> headers;
  for (const auto& x : includes())
    if (fs::path{x.file}.extension() == ".hpp")
      headers.insert(x.file);
  for (const auto& file : headers) {
    std::ifstream in{root / file};
    std::string line;
    std::vector<std::string> spaces;
    std::smatch found;
    while (std::getline(in, line)) {
      if (std::regex_search(line, found, opens))
        spaces.push_back(found[1]);
      else if (starts_with(line, "} // namespace") && !spaces.empty())
        spaces.pop_back();
      else if (std::regex_match(line, found, defines)) {
        std::string name;
        for (const auto& space : spaces)
          name += space + "::";
        name += found[1].str();
        auto [first, fresh] = seen.emplace(name, file);
        EXPECT_TRUE(fresh) << name << ": " << first->second << ", " << file;
      }
    }
  }
  EXPECT_GT(seen.size(), 300u);
}

// Includes can be hidden behind macros; symbols cannot.
TEST(Floors, ValuesAndRulesAndRuntimeNeedNoSymbolOfCaf) {
  for (auto name : {"libao_values.a", "libao_rules.a", "libao_runtime.a"}) {
    auto archive = built(fs::path{AO_LIB_DIR} / name);
    if (archive.empty())
      continue;
    auto symbols = output_of(AO_NM " --undefined-only " + archive);
    // Itanium mangling: a name nested in namespace caf.
    EXPECT_EQ(symbols.find("N3caf"), std::string::npos) << name;
    EXPECT_EQ(symbols.find("NK3caf"), std::string::npos) << name;
  }
}

// `ao` is started by every hook and by agents all the time, `ao-shim` once
// per session.
TEST(Floors, TheSmallProgramsLoadNoLargeLibrary) {
  for (auto name : {"ao", "ao-shim"}) {
    auto program = built(fs::path{AO_BIN_DIR} / name);
    if (program.empty())
      continue;
    auto needed = output_of(AO_READELF " --dynamic --wide " + program);
    for (auto library : {"libcaf", "libcrypto", "libcurl", "libsqlite3"})
      EXPECT_EQ(needed.find(library), std::string::npos) << name << library;
  }
}
