#include "runtime/rules/backlog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace ao;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

namespace {

backlog markdown(std::string_view text) {
  auto read = parse_backlog(text, backlog_format::markdown, "b.md");
  EXPECT_TRUE(read) << (read ? "" : to_string(read.error()));
  return read.value_or(backlog{});
}

backlog of_json(std::string_view text) {
  auto read = parse_backlog(text, backlog_format::json, "b.json");
  EXPECT_TRUE(read) << (read ? "" : to_string(read.error()));
  return read.value_or(backlog{});
}

/// What is said of a text that is refused.
std::string refusal(std::string_view text, backlog_format format,
                    ec code = ec::bad_input) {
  auto read = parse_backlog(text, format, "b");
  EXPECT_FALSE(read) << text;
  if (read)
    return "";
  EXPECT_EQ(read.error().code, code);
  return read.error().context;
}

std::string no_markdown(std::string_view text) {
  return refusal(text, backlog_format::markdown);
}

std::string no_json(std::string_view text) {
  return refusal(text, backlog_format::json);
}

std::vector<std::string> ids(const backlog& all) {
  std::vector<std::string> out;
  for (const auto& item : all.items)
    out.push_back(item.id);
  return out;
}

} // namespace

TEST(BacklogMarkdown, ReadsBoxesAndHeadings) {
  auto all = markdown("# Backlog\nPreamble.\n"
                      "- [ ] LEX: Write the lexer\n"
                      "## 7.b_c-d: Write the parser\n"
                      "- [ ] No ID here: it has blanks\n"
                      "- [ ] http://example.org is a title\n");
  EXPECT_THAT(ids(all),
              ElementsAre("LEX", "7.b_c-d", "no-id-here-it-has-blanks",
                          "http-example-org-is-a-title"));
  EXPECT_EQ(all.items[0].title, "Write the lexer");
  EXPECT_EQ(all.items[0].line, 3u);
  EXPECT_EQ(all.items[1].title, "Write the parser");
  EXPECT_EQ(all.items[2].title, "No ID here: it has blanks");
  EXPECT_THAT(all.finished, IsEmpty());
}

TEST(BacklogMarkdown, ReadsAttributesInAnyCaseAndPlace) {
  auto all = markdown("- [ ] A: Title\n"
                      "  Needs: B, app/C ,T4,\n"
                      "PRIORITY : 0\n"
                      "\n"
                      "Text.\n"
                      "labels: big job, easy\n"
                      "\tagent:codex\n"
                      "needs: D\n");
  ASSERT_EQ(all.items.size(), 1u);
  const auto& item = all.items[0];
  EXPECT_THAT(item.needs, ElementsAre("B", "app/C", "T4", "D"));
  EXPECT_EQ(item.priority, 0);
  EXPECT_THAT(item.labels, ElementsAre("big job", "easy"));
  EXPECT_EQ(item.agent, "codex");
  EXPECT_EQ(item.body, "Text.");
}

TEST(BacklogMarkdown, HasDefaults) {
  auto all = markdown("- [ ] A: Title\nneeds:\nlabels: ,\n");
  ASSERT_EQ(all.items.size(), 1u);
  EXPECT_THAT(all.items[0].needs, IsEmpty());
  EXPECT_THAT(all.items[0].labels, IsEmpty());
  EXPECT_EQ(all.items[0].priority, 5);
  EXPECT_EQ(all.items[0].agent, "");
  EXPECT_EQ(all.items[0].body, "");
}

TEST(BacklogMarkdown, KeepsTheBodyLiterally) {
  std::string body = "    indented \t\n"
                     "\n"
                     "### Not an item\n"
                     "# Neither\n"
                     "  - [ ] a box within\n"
                     "- [] no box\n"
                     "- [x]glued\n"
                     "##glued\n"
                     "prio: 3\n"
                     "`code` and ```more` of it\n"
                     "$(rm -rf /) %s {session} \\n \x01\xC3\xA9\r\n"
                     "last";
  auto all = markdown("- [ ] A: One\n\n \n" + body + "\n\n\n- [ ] B: Two\n");
  ASSERT_EQ(all.items.size(), 2u);
  EXPECT_EQ(all.items[0].body, body);
}

TEST(BacklogMarkdown, TakesNothingOutOfAFence) {
  std::string body = "```yaml\n"
                     "priority: 3\n"
                     "- [ ] X: no item\n"
                     "## Y: neither\n"
                     "~~~\n"
                     "````\n"
                     "  ~~~~\n"
                     "needs: Z\n"
                     "~~~\n"
                     "~~~~";
  auto all = markdown("## A: One\n" + body + "\n## B: Two\n");
  EXPECT_THAT(ids(all), ElementsAre("A", "B"));
  EXPECT_EQ(all.items[0].body, body);
  EXPECT_EQ(all.items[0].priority, 5);
}

TEST(BacklogMarkdown, TellsWhatIsTickedOff) {
  auto all = markdown("- [x] A: Done\nneeds: nothing\nold text\n"
                      "- [ ] B: Open\nneeds: A\n"
                      "- [X] Also done\n");
  EXPECT_THAT(ids(all), ElementsAre("B"));
  EXPECT_THAT(all.finished, ElementsAre("A", "also-done"));
  EXPECT_EQ(all.items[0].body, "");
}

TEST(BacklogMarkdown, TellsSectionsFromTasks) {
  auto sections = markdown("## Now\n\n- [ ] A: One\n## Later\n## Done\n"
                           "- [x] B: Two\n");
  EXPECT_THAT(ids(sections), ElementsAre("A"));
  // With an ID, an attribute or a text a heading is a task.
  auto mixed = markdown("- [ ] A: One\n## C: Three\n## Four\npriority: 1\n"
                        "## Five\nText.\n");
  EXPECT_THAT(ids(mixed), ElementsAre("A", "C", "four", "five"));
  // And in a file without boxes it is one without any.
  EXPECT_THAT(ids(markdown("## Now\n## Later\n")), ElementsAre("now", "later"));
}

TEST(BacklogMarkdown, ReadsFilesOfWindows) {
  auto all = markdown("\xEF\xBB\xBF- [ ] A: One\r\npriority: 2\r\n\r\n"
                      "text\r\nmore\r\n\r\n## B: Two\r\n");
  EXPECT_THAT(ids(all), ElementsAre("A", "B"));
  EXPECT_EQ(all.items[0].title, "One");
  EXPECT_EQ(all.items[0].priority, 2);
  EXPECT_EQ(all.items[0].body, "text\r\nmore");
}

TEST(BacklogMarkdown, IsEmptyWithoutItems) {
  EXPECT_THAT(markdown("").items, IsEmpty());
  EXPECT_THAT(markdown("\n# Nothing\npriority: high\n").items, IsEmpty());
}

TEST(BacklogMarkdown, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(no_markdown("- [ ] A: x\npriority: high\n"),
            "b:2: the priority \"high\" is none, expected 0 (first) to 9");
  for (auto priority : {"", "10", "-1", "1.5", " 1 2", "0x1"})
    EXPECT_THAT(no_markdown("- [ ] A: x\npriority: " + std::string{priority}),
                StartsWith("b:2: the priority"));
  EXPECT_EQ(no_markdown("- [ ] A: x\npriority: 1\npriority: 1\n"),
            "b:3: the priority is there twice, expected one");
  EXPECT_EQ(no_markdown("- [ ] A: x\n\n## A: y\n"),
            "b:3: \"A\" is there twice, first in line 1, expected another ID");
  EXPECT_EQ(no_markdown("- [ ] Same title\n- [ ] same Title!\n"),
            "b:2: \"same-title\" is there twice, first in line 1, expected an "
            "ID before the title");
  EXPECT_EQ(no_markdown("\n- [ ] T7: x\n"),
            "b:2: the ID \"T7\" means a task of the hub, expected another such "
            "as task-7");
  EXPECT_EQ(no_markdown("- [ ] A:\n"),
            "b:1: the title is missing, expected one line");
  EXPECT_EQ(no_markdown("- [ ]\n"),
            "b:1: the title is missing, expected one line");
  EXPECT_THAT(no_markdown("- [ ] A: a\tb\n"),
              StartsWith("b:1: a control character is in the title"));
  EXPECT_THAT(no_markdown("- [ ] A: " + std::string(501, 'x')),
              StartsWith("b:1: the title is longer than 500 bytes"));
  EXPECT_THAT(no_markdown("- [ ] " + std::string(65, 'a') + ": x\n"),
              HasSubstr("expected a letter or digit"));
  EXPECT_THAT(no_markdown("- [ ] A: x\nagent:\n"),
              StartsWith("b:2: expected the name of one agent"));
  EXPECT_THAT(no_markdown("- [ ] A: x\nagent: a\nagent: b\n"),
              StartsWith("b:3: expected the name of one agent"));
  EXPECT_THAT(no_markdown("- [ ] A: x\nlabels: " + std::string(201, 'l')),
              StartsWith("b:1: the label \"lll"));
  EXPECT_EQ(no_markdown("- [ ] A: x\n\n~~~~sh\n- [ ] B: y\n"),
            "b:3: a fence is opened and never closed, expected a line of ~~~~");
}

TEST(BacklogMarkdown, SaysEverythingThatIsWrong) {
  EXPECT_EQ(no_markdown("- [ ] T1: x\n- [ ] A: y\npriority: x\n"),
            "b:1: the ID \"T1\" means a task of the hub, expected another such "
            "as task-1\n"
            "b:3: the priority \"x\" is none, expected 0 (first) to 9");
  std::string many;
  for (int i = 0; i < 15; ++i)
    many += "- [ ]\n";
  EXPECT_THAT(no_markdown(many), HasSubstr("\nand 5 more"));
}

TEST(Backlog, TakesOnlyText) {
  for (auto format : {backlog_format::markdown, backlog_format::json}) {
    EXPECT_EQ(refusal({"- [ ] A: x\n\0", 12}, format),
              "b:2: a NUL is here, expected text");
    EXPECT_EQ(refusal("- [ ] A: x\n\nab\xFF", format),
              "b:3: a byte is not UTF-8, expected text");
    EXPECT_EQ(refusal("\xED\xA0\x80", format),
              "b:1: a byte is not UTF-8, expected text");
    EXPECT_THAT(
      refusal(std::string(largest_backlog + 1, ' '), format, ec::too_large),
      HasSubstr("larger than 1 MiB"));
  }
  EXPECT_THAT(markdown(std::string(largest_backlog, '\n')).items, IsEmpty());
}

TEST(BacklogJson, ReadsAllKeys) {
  auto all = of_json(R"([
    {"id": "A", "title": "One", "body": "\n two \n", "needs": ["B", "T4"],
     "priority": 0, "labels": ["x, y"], "agent": "codex"},
    {"title": "The second", "id": null, "body": null, "needs": null,
     "priority": null, "labels": [], "agent": null}
  ])");
  EXPECT_THAT(ids(all), ElementsAre("A", "the-second"));
  const auto& first = all.items[0];
  EXPECT_EQ(first.title, "One");
  EXPECT_EQ(first.body, "\n two \n");
  EXPECT_THAT(first.needs, ElementsAre("B", "T4"));
  EXPECT_EQ(first.priority, 0);
  EXPECT_THAT(first.labels, ElementsAre("x, y"));
  EXPECT_EQ(first.agent, "codex");
  EXPECT_EQ(first.line, 2u);
  EXPECT_EQ(all.items[1].line, 4u);
  EXPECT_EQ(all.items[1].priority, 5);
  EXPECT_THAT(of_json("[]").items, IsEmpty());
}

TEST(BacklogJson, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(no_json("[\n{\"title\": \"x\",\n \"prio\": 1}]"),
            "b:2: unknown key \"prio\", expected id, title, body, needs, "
            "priority, labels, agent");
  EXPECT_EQ(no_json("[{\"title\": \"x\",\n\"title\": \"y\"}]"),
            "b:2: the key \"title\" is there twice, expected once");
  EXPECT_EQ(no_json("[{\"title\": \"x\"},\n\n{\"title\": \"X\"}]"),
            "b:3: \"x\" is there twice, first in line 1, expected an ID before "
            "the title");
  EXPECT_EQ(no_json("[{\"id\": \"A\"}]"),
            "b:1: the title is missing, expected one line");
  for (auto priority : {"10", "-1", "1.0", "\"1\"", "[]", "1e400", "99999999"})
    EXPECT_THAT(no_json("[{\"title\": \"x\", \"priority\": "
                        + std::string{priority} + "}]"),
                HasSubstr("b:1:"));
  for (auto id : {"\"\"", "\"-a\"", "\"a b\"", "7", "\"T3\"", "\"\\u00e9\""})
    EXPECT_THAT(
      no_json("[{\"title\": \"x\", \"id\": " + std::string{id} + "}]"),
      StartsWith("b:1: "));
  EXPECT_THAT(no_json("[{\"title\": \"x\", \"body\": \"a\\u0000b\"}]"),
              HasSubstr("body contains a NUL"));
  EXPECT_THAT(no_json("[{\"title\": \"a\\nb\"}]"),
              HasSubstr("a control character is in the title"));
  EXPECT_THAT(no_json("[{\"title\": \"x\", \"needs\": \"A\"}]"),
              HasSubstr("needs is not a list of texts"));
  EXPECT_THAT(no_json("[{\"title\": \"x\", \"needs\": [1]}]"),
              HasSubstr("needs is not a list of texts"));
  EXPECT_THAT(no_json("[{\"title\": \"x\", \"needs\": [\"\"]}]"),
              HasSubstr("the need \"\" is empty"));
  EXPECT_THAT(no_json("[{\"title\": \"x\", \"labels\": {}}]"),
              HasSubstr("labels is not a list of texts"));
  EXPECT_THAT(no_json("[{\"title\": 4}]"), HasSubstr("title is not a text"));
  EXPECT_THAT(no_json("[\n4,\n[{\"a\": 1}]]"), HasSubstr("b:2: not an object"));
  EXPECT_THAT(no_json("{\"title\": \"x\"}"), StartsWith("b:1: not an array"));
  EXPECT_THAT(no_json("[{\"title\": \"x\"},\n]"),
              StartsWith("b:2:1: not JSON"));
  EXPECT_THAT(no_json(""), StartsWith("b:1:1: not JSON"));
  EXPECT_THAT(no_json(std::string(100'000, '[')), HasSubstr("nested"));
}

TEST(Backlog, IsToldByItsName) {
  using f = backlog_format;
  EXPECT_EQ(backlog_format_of("a/b.json", "- [ ] x"), f::json);
  EXPECT_EQ(backlog_format_of("a/b.md", "[{}]"), f::markdown);
  EXPECT_EQ(backlog_format_of("-", " \n[]"), f::json);
  EXPECT_EQ(backlog_format_of("-", "{}"), f::json);
  EXPECT_EQ(backlog_format_of("-", "- [ ] x"), f::markdown);
  EXPECT_EQ(backlog_format_of("-", ""), f::markdown);
  EXPECT_EQ(backlog_format_of("a.b/TODO", "[]"), f::json);
}

TEST(BacklogId, IsAShortWord) {
  for (auto good : {"a", "7", "A.b_c-D", "t7", "T07", "T", "T7a"})
    EXPECT_TRUE(is_backlog_id(good)) << good;
  EXPECT_TRUE(is_backlog_id(std::string(64, 'a')));
  for (auto bad : {"", ".a", "-a", "_a", "a b", "a/b", "a#b", "T7", "\xC3\xA9"})
    EXPECT_FALSE(is_backlog_id(bad)) << bad;
  EXPECT_FALSE(is_backlog_id(std::string(65, 'a')));
}

TEST(Slug, IsMadeOfLettersAndDigits) {
  EXPECT_EQ(slug_of("  Fix: the  Parser (v2)! "), "fix-the-parser-v2");
  EXPECT_EQ(slug_of("Gr\xC3\xB6\xC3\x9F"
                    "e"),
            "gr-e");
  EXPECT_EQ(slug_of(std::string(80, 'a')), std::string(60, 'a'));
  EXPECT_EQ(slug_of(std::string(60, 'a') + " b"), std::string(60, 'a'));
  EXPECT_TRUE(is_backlog_id(slug_of("\xE4\xBF\xAE\xE5\xA4\x8D")));
  EXPECT_NE(slug_of("\xE4\xBF\xAE"), slug_of("\xE5\xA4\x8D"));
}
