#include "runtime/config/yaml_edit.hpp"
#include "runtime/config/yaml_tree.hpp"
#include "tests/support/config_reading.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rapidcheck.h>

using namespace ao;
using testing::HasSubstr;

namespace {

/// The changed text, or `! <error>`.
std::string text(const result<std::string>& changed) {
  return changed ? *changed : "! " + changed.error().context;
}

std::string put(const std::string& yaml, const yaml_path& path,
                const std::string& value) {
  return text(put_yaml_text(yaml, path, value));
}

std::string list(const std::string& yaml, const yaml_path& path,
                 const std::vector<std::string>& items) {
  return text(put_yaml_list(yaml, path, items));
}

std::string removed(const std::string& yaml, const yaml_path& path) {
  return text(remove_yaml_key(yaml, path));
}

} // namespace

TEST(YamlEdit, MakesAllOfAPathInAnEmptyText) {
  EXPECT_EQ(put("", {"a", "b", "c"}, "x"), "a:\n  b:\n    c: x\n");
  EXPECT_EQ(put("\n", {"a"}, "x"), "\na: x\n");
  EXPECT_EQ(put("# nothing yet\n", {"a"}, "x"), "# nothing yet\na: x\n");
  EXPECT_EQ(put("# nothing yet", {"a"}, "x"), "# nothing yet\na: x\n");
  EXPECT_EQ(list("", {"a", "b"}, {"x", "w"}), "a:\n  b: [x, w]\n");
}

TEST(YamlEdit, AddsAKeyBehindTheLastOfItsBlock) {
  EXPECT_EQ(put("a:\n  b: 1\n\nz: 2\n", {"a", "c"}, "x"),
            "a:\n  b: 1\n  c: x\n\nz: 2\n");
  // Without a last newline, and at the depth that the block has.
  EXPECT_EQ(put("a:\n    b: 1", {"a", "c"}, "x"), "a:\n    b: 1\n    c: x\n");
  // What is deeper belongs to the last member, comments too.
  EXPECT_EQ(
    put("a:\n  b:\n    - 1\n    # two\n# after\nz: 2\n", {"a", "c"}, "x"),
    "a:\n  b:\n    - 1\n    # two\n  c: x\n# after\nz: 2\n");
  // A list may be at the depth of its key.
  EXPECT_EQ(put("b:\n- 1\n- 2\n", {"c"}, "x"), "b:\n- 1\n- 2\nc: x\n");
  EXPECT_EQ(put("b: |\n  # no comment\n  text\n", {"c"}, "x"),
            "b: |\n  # no comment\n  text\nc: x\n");
}

TEST(YamlEdit, FillsAKeyThatHasNoValue) {
  EXPECT_EQ(put("a: # later\nz: 1\n", {"a", "b"}, "x"),
            "a: # later\n  b: x\nz: 1\n");
  EXPECT_EQ(put("a:\n  b:   # later\n", {"a", "b"}, "x"),
            "a:\n  b: x   # later\n");
  EXPECT_EQ(put("a:", {"a", "b"}, "x"), "a:\n  b: x\n");
  EXPECT_EQ(list("a:\n", {"a"}, {"x"}), "a: [x]\n");
}

TEST(YamlEdit, AddsInBrackets) {
  EXPECT_EQ(put("a: {b: 1} # note\n", {"a", "c"}, "x"),
            "a: {b: 1, c: x} # note\n");
  EXPECT_EQ(put("a: {}\n", {"a", "c", "d"}, "x"), "a: {c: {d: x}}\n");
  EXPECT_EQ(put("a: {b: {c: 1}}\n", {"a", "b", "d"}, "x"),
            "a: {b: {c: 1, d: x}}\n");
  EXPECT_EQ(put("a: {\n  b: 1, # one }\n}\n", {"a", "c"}, "x"),
            "a: {\n  b: 1, c: x # one }\n}\n");
  EXPECT_EQ(put("a: {b: 'it''s }', c: \"\\\"}\"}\n", {"a", "d"}, "x"),
            "a: {b: 'it''s }', c: \"\\\"}\", d: x}\n");
  EXPECT_EQ(put("{\"a\": 1}\n", {"b"}, "x"), "{\"a\": 1, b: x}\n");
  EXPECT_EQ(put("a: {b: it's}\n", {"a", "c"}, "x"), "a: {b: it's, c: x}\n");
}

TEST(YamlEdit, ReplacesAScalarAndNothingElse) {
  EXPECT_EQ(put("a: old # why\nb: 1\n", {"a"}, "new"), "a: new # why\nb: 1\n");
  EXPECT_EQ(put("a: 'o''ld' # why\n", {"a"}, "new"), "a: new # why\n");
  EXPECT_EQ(put("a: {b: old, c: 1}\n", {"a", "b"}, "new"),
            "a: {b: new, c: 1}\n");
  EXPECT_EQ(put("ä: {ö: \"ü\", b: old}\n", {"ä", "b"}, "new"),
            "ä: {ö: \"ü\", b: new}\n");
  EXPECT_EQ(put("a: http://x#y\n", {"a"}, "new"), "a: new\n");
  EXPECT_EQ(put("? a\n: x\n", {"a"}, "new"), "? a\n: new\n");
  EXPECT_EQ(put("---\na: 1\n...\n# end\n", {"a"}, "new"),
            "---\na: new\n...\n# end\n");
  EXPECT_EQ(put("---\na: 1\n...\n# end\n", {"b"}, "new"),
            "---\na: 1\nb: new\n...\n# end\n");
}

TEST(YamlEdit, QuotesWhatWouldReadAsSomethingElse) {
  EXPECT_EQ(put("", {"a"}, "${X}"), "a: \"${X}\"\n");
  EXPECT_EQ(put("", {"a"}, "true"), "a: \"true\"\n");
  EXPECT_EQ(put("", {"a"}, "1e3"), "a: \"1e3\"\n");
  EXPECT_EQ(put("", {"a"}, "y"), "a: \"y\"\n");
  EXPECT_EQ(put("", {"a"}, ""), "a: \"\"\n");
  EXPECT_EQ(put("", {"a"}, "q\"\\"), "a: \"q\\\"\\\\\"\n");
  EXPECT_EQ(put("", {"a"}, "http://127.0.0.1:1/hooks/agent"),
            "a: http://127.0.0.1:1/hooks/agent\n");
}

TEST(YamlEdit, ChangesNothingThatIsAlreadySo) {
  for (const auto* yaml : {"a: x\n", "a: 'x'", "a: \"x\" # y\r\n", "{a: x}"})
    EXPECT_EQ(put(yaml, {"a"}, "x"), yaml);
  for (const auto* yaml : {"a: [x, y]\n", "a:\n- y\n- x\n", "a: ['y', x,]"})
    EXPECT_EQ(list(yaml, {"a"}, {"x", "y"}), yaml);
  EXPECT_EQ(removed("a: x\n", {"b"}), "a: x\n");
  EXPECT_EQ(removed("a: x\n", {"a", "b"}), "a: x\n");
}

TEST(YamlEdit, KeepsTheEndsOfLinesAndTheMark) {
  EXPECT_EQ(put("a:\r\n  b: 1\r\nz: 2\r\n", {"a", "c", "d"}, "x"),
            "a:\r\n  b: 1\r\n  c:\r\n    d: x\r\nz: 2\r\n");
  EXPECT_EQ(put("a: 1\r\n", {"a"}, "2x"), "a: \"2x\"\r\n");
  EXPECT_EQ(put("\xEF\xBB\xBF"
                "a: 1\n",
                {"b"}, "x"),
            "\xEF\xBB\xBF"
            "a: 1\nb: x\n");
  EXPECT_EQ(list("a:\r\n  - x\r\nz: 1\r\n", {"a"}, {"x", "w"}),
            "a:\r\n  - x\r\n  - w\r\nz: 1\r\n");
}

TEST(YamlEdit, AddsItemsAndRemovesThem) {
  EXPECT_EQ(list("a: [x] # one\n", {"a"}, {"x", "w"}), "a: [x, w] # one\n");
  EXPECT_EQ(list("a: []\n", {"a"}, {"x"}), "a: [x]\n");
  EXPECT_EQ(list("a: [x, w, z]\n", {"a"}, {"x", "z"}), "a: [x, z]\n");
  EXPECT_EQ(list("a: [x, w, z]\n", {"a"}, {"x", "w"}), "a: [x, w]\n");
  EXPECT_EQ(list("a: [x]\n", {"a"}, {}), "a: []\n");
  EXPECT_EQ(list("a: [x, x]\n", {"a"}, {"w"}), "a: [w]\n");
  EXPECT_EQ(list("a:\n  - x # one\n  # end\nz: 1\n", {"a"}, {"x", "w"}),
            "a:\n  - x # one\n  - w\n  # end\nz: 1\n");
  EXPECT_EQ(list("a:\n- x\n- w\nz: 1\n", {"a"}, {"w"}), "a:\n- w\nz: 1\n");
  EXPECT_EQ(list("a: # all\n  - x\nz: 1\n", {"a"}, {}), "a: [] # all\nz: 1\n");
  EXPECT_EQ(list("a:\n  - x\n", {"a"}, {"w"}), "a: [w]\n");
}

TEST(YamlEdit, RemovesAKeyWithItsLine) {
  EXPECT_EQ(removed("a:\n  b: 1\n  c: x # y\n  # d\nz: 1\n", {"a", "c"}),
            "a:\n  b: 1\n  # d\nz: 1\n");
  EXPECT_EQ(removed("a: {b: 1, c: x}\n", {"a", "c"}), "a: {b: 1}\n");
  EXPECT_EQ(removed("a: {b: 1, c: x}\n", {"a", "b"}), "a: {c: x}\n");
  EXPECT_EQ(removed("a: {b: 1}\n", {"a", "b"}), "a: {}\n");
  EXPECT_EQ(removed("a:\n  b: 1\n  c:\n", {"a", "c"}), "a:\n  b: 1\n");
}

TEST(YamlEdit, RefusesWhatItCannotChangeAlone) {
  // Others would change with it.
  EXPECT_EQ(
    put("a: &n {b: 1}\nz: *n\n", {"a", "c"}, "x"),
    "! 1:1: a.c: cannot be changed here without changing anything else");
  for (const auto* yaml : {"a: *n\n", "a: &n x\nz: *n\n", "a: |\n  text\n",
                           "a: two\n  lines\n", "a: {b: 1}\n", "a: !t x\n"})
    EXPECT_EQ(put(yaml, {"a"}, "new").substr(0, 2), "! ") << yaml;
  for (const auto* yaml : {"b: &n\n  c: 1\na: *n\n", "a: x\n", "a: [x]\n",
                           "a: ~\n", "a: {b: &n {}, c: *n}\n"})
    EXPECT_EQ(put(yaml, {"a", "b", "c"}, "new").substr(0, 2), "! ") << yaml;
  // The map would no longer be one.
  EXPECT_EQ(removed("a:\n  b: 1\n", {"a", "b"}).substr(0, 2), "! ");
  EXPECT_EQ(removed("a: 'two\n  lines'\nb: 1\n", {"a"}).substr(0, 2), "! ");
}

TEST(YamlEdit, SaysWhereATextIsNoYaml) {
  EXPECT_EQ(put("a:\n\tb: 1\n", {"a", "c"}, "x"),
            "! 2:1: a tab in the indentation, expected spaces");
  EXPECT_THAT(put("a: [\n", {"b"}, "x"), HasSubstr("! 2:1: no YAML"));
  EXPECT_THAT(list("a: \"x\n", {"b"}, {"x"}), HasSubstr("never closed"));
  EXPECT_THAT(removed("a: 1\n---\nb: 1\n", {"a"}), HasSubstr("second"));
}

TEST(YamlEdit, KeepsEveryByteOfTheExampleBesideTheChange) {
  auto before = test::content_of(source_file("configs/ao.example.yaml"));
  auto after = put_yaml_text(before, {"notifiers", "phone", "url"},
                             "https://gate.example/hooks/agent");
  ASSERT_TRUE(after) << after.error().context;
  auto back = put_yaml_text(*after, {"notifiers", "phone", "url"},
                            "http://127.0.0.1:18789/hooks/agent");
  EXPECT_EQ(text(back), before);
  auto more = put_yaml_text(before, {"notifiers", "new", "plugin"}, "desktop");
  ASSERT_TRUE(more) << more.error().context;
  EXPECT_EQ(more->size(), before.size() + 27);
}

TEST(YamlEdit, OnlyAddsBytesInOnePlaceOfAnyText) {
  static const std::vector<std::string> parts = {"# top",
                                                 "a:\n  b: 1 # one",
                                                 "c: {d: [1, 'x, }'], e: {}}",
                                                 "f:\n- 1\n- g: 2",
                                                 "h: |\n  # text\n  {",
                                                 "i: \"# no\" # yes",
                                                 "j:\n    k: *n",
                                                 "  # deep",
                                                 "",
                                                 "l: {\n  m: 1, # }\n}",
                                                 "o:",
                                                 "ü: 'it''s'"};
  auto broken = 0u;
  auto all = 0u;
  EXPECT_TRUE(rc::check([&] {
    auto picked = *rc::gen::unique<std::vector<std::size_t>>(
      rc::gen::inRange<std::size_t>(0, parts.size()));
    auto name = std::string{*rc::gen::elementOf(std::string{"acefhijloz"})};
    auto newline = std::string{*rc::gen::arbitrary<bool>() ? "\r\n" : "\n"};
    std::string yaml = "n: &n 1\n";
    for (auto i : picked)
      yaml += parts[i] + "\n";
    for (auto at = yaml.find('\n'); at != yaml.npos;
         at = yaml.find('\n', at + newline.size()))
      yaml.replace(at, 1, newline);
    ++all;
    auto out = put_yaml_text(yaml, {name, "new"}, "x");
    if (!out)
      return void(++broken);
    RC_ASSERT(yaml_text_at(*out, {name, "new"}) == "x");
    std::size_t front = 0;
    while (front < yaml.size() && yaml[front] == (*out)[front])
      ++front;
    auto more = out->size() - yaml.size();
    RC_ASSERT(out->substr(front + more) == yaml.substr(front));
    RC_ASSERT(*put_yaml_text(*out, {name, "new"}, "x") == *out);
  }));
  // Of the keys three have a value that takes no member.
  EXPECT_LT(broken, all / 2);
}
