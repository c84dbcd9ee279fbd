#include "cli/output.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"
#include "tests/support/places.hpp"

#include <gmock/gmock.h>

#include <pty.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

using namespace ao;
using namespace ao::cli;
using testing::HasSubstr;
using testing::Not;

namespace {

std::string printed(const table& what, std::size_t columns) {
  auto* file = std::tmpfile();
  output to{file, file, false, false, columns};
  to.print(what);
  std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

table wide_table() {
  table out;
  out.head = {"ID", "TITLE", "STATE"};
  out.flexible = 1;
  out.rows = {{{"T1"}, {"A title that is longer than any terminal"}, {"done"}}};
  return out;
}

TEST(Table, CutsTheFlexibleColumnToTheTerminal) {
  EXPECT_EQ(printed(wide_table(), 30),
            "ID  TITLE                STATE\n"
            "T1  A title that is lo…  done\n");
  // So narrow that lines wrap: eight columns still tell titles apart.
  EXPECT_THAT(printed(wide_table(), 5), HasSubstr("A title…"));
}

TEST(Table, CutsNothingWhereThereIsNoTerminal) {
  EXPECT_THAT(printed(wide_table(), 0),
              HasSubstr("A title that is longer than any terminal"));
}

/// What `ao` writes to a terminal of its own.
std::string on_terminal(const std::vector<std::string>& words,
                        const std::map<std::string, std::string>& variables) {
  int master = -1;
  int slave = -1;
  winsize size{};
  size.ws_row = 24;
  size.ws_col = 80;
  EXPECT_EQ(::openpty(&master, &slave, nullptr, nullptr, &size), 0);
  process_spec spec;
  spec.argv = {program_path("ao")};
  spec.argv.insert(spec.argv.end(), words.begin(), words.end());
  auto env = environment::inherited();
  env.set("TERM", "xterm").unset("NO_COLOR").unset("COLUMNS");
  for (const auto& [name, value] : variables)
    env.set(name, value);
  spec.env = env.to_vector();
  spec.out.what = child_output::kind::descriptor;
  spec.out.descriptor = slave;
  auto end = run(spec, std::chrono::seconds{30});
  EXPECT_TRUE(end) << to_string(end.error());
  ::close(slave);
  std::string text;
  char part[4096];
  for (ssize_t n; (n = ::read(master, part, sizeof part)) > 0;)
    text.append(part, static_cast<std::size_t>(n));
  ::close(master);
  return text;
}

TEST(Terminal, GetsColoursUnlessTheyAreNotWanted) {
  auto home = std::filesystem::temp_directory_path() / "ao-no-such-home";
  std::map<std::string, std::string> variables{{"AO_HOME", home.string()}};
  EXPECT_THAT(on_terminal({"doctor"}, variables), HasSubstr("\x1b["));
  variables["NO_COLOR"] = "1";
  EXPECT_THAT(on_terminal({"doctor"}, variables), Not(HasSubstr("\x1b[")));
  variables["NO_COLOR"] = "";
  variables["TERM"] = "dumb";
  EXPECT_THAT(on_terminal({"doctor"}, variables), Not(HasSubstr("\x1b[")));
}

TEST(Terminal, WithoutOneThereAreNoColoursAndNoWatching) {
  process_spec spec;
  spec.argv = {program_path("ao"), "doctor"};
  auto env = environment::inherited();
  env.set("TERM", "xterm").set("AO_HOME", "/tmp/ao-no-such-home");
  spec.env = env.unset("NO_COLOR").to_vector();
  auto end = run(spec, std::chrono::seconds{30});
  ASSERT_TRUE(end) << to_string(end.error());
  EXPECT_THAT(end->out, HasSubstr("PASS"));
  EXPECT_THAT(end->out, Not(HasSubstr("\x1b[")));
  spec.argv = {program_path("ao"), "status", "--watch"};
  end = run(spec, std::chrono::seconds{30});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->status.code, 2);
  EXPECT_THAT(end->err, HasSubstr("needs a terminal"));
}

} // namespace
