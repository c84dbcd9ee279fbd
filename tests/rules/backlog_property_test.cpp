#include "messages/json.hpp"
#include "runtime/rules/backlog.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace ao;

namespace {

template <class T>
T one_of(std::initializer_list<T> all) {
  return *rc::gen::elementOf(std::vector<T>(all));
}

std::string an_id(std::size_t number) {
  return one_of<std::string>({"A", "lex", "7.", "x_y-", "T0"})
    + std::to_string(number);
}

std::string a_title() {
  auto word = [] {
    return one_of<std::string>({"Fix", "the", "a: b", "\xC3\xA9t\xC3\xA9", "##",
                                "[ ]", "x]", "$(id)", "\\", "\"", "needs:"});
  };
  auto out = std::string{"Do"};
  for (auto n = *rc::gen::inRange(0, 5); n > 0; --n)
    out += " " + word();
  return out;
}

/// Lines that could be taken for something else, and some that are fenced.
std::string a_body() {
  std::string out;
  for (auto n = *rc::gen::inRange(0, 6); n > 0; --n)
    out += one_of<std::string>(
      {"text\n", "  indented\t \n", "\n", "# Heading\n", "### Deeper\n",
       "  - [ ] within\n", "- item\n", "-- needs: A\n", "prio: 1\n",
       "`a` ``b``\n", "needs more\n", "\x7F\x01\n", "\xF0\x9F\x8C\x99\n",
       "```\n- [ ] B: no\nneeds: q\n## C: no\n```\n",
       "~~~~ sh\npriority: 12\n```\n~~~~\n"});
  // The blank lines at the ends are not part of it.
  auto first = out.find_first_not_of(" \t\n");
  if (first == out.npos)
    return "";
  auto start = out.rfind('\n', first);
  out.erase(0, start == out.npos ? 0 : start + 1);
  return out.substr(0, out.find('\n', out.find_last_not_of(" \t\n")));
}

std::vector<backlog_item> items() {
  std::vector<backlog_item> out;
  auto count = *rc::gen::inRange<std::size_t>(0, 6);
  for (std::size_t i = 0; i < count; ++i) {
    backlog_item item;
    item.id = an_id(i);
    item.title = a_title();
    item.body = a_body();
    for (auto n = *rc::gen::inRange(0, 3); n > 0; --n)
      item.needs.push_back(an_id(*rc::gen::inRange<std::size_t>(0, 9)));
    item.priority = *rc::gen::inRange(0, 10);
    for (auto n = *rc::gen::inRange(0, 3); n > 0; --n)
      item.labels.push_back(one_of<std::string>({"a", "big job", "\xC3\xA9"}));
    item.agent = one_of<std::string>({"", "codex", "my agent"});
    out.push_back(std::move(item));
  }
  return out;
}

std::string list(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : one_of<std::string>({",", ", ", " , "})) + word;
  return out;
}

std::string as_markdown(const std::vector<backlog_item>& all) {
  auto out = one_of<std::string>({"", "\n", "# Backlog\n\nneeds: no item\n"});
  for (const auto& item : all) {
    out += one_of<std::string>({"- [ ] ", "## ", "##\t"}) + item.id + ": "
      + item.title + one_of<std::string>({"\n", " \n"});
    auto pad = one_of<std::string>({"", "  ", "\t"});
    if (!item.needs.empty())
      out += pad + one_of<std::string>({"needs: ", "Needs:", "NEEDS : "})
        + list(item.needs) + "\n";
    out += pad + "priority: " + std::to_string(item.priority) + "\n";
    if (!item.labels.empty())
      out += "labels:" + list(item.labels) + "\n";
    if (!item.agent.empty())
      out += pad + "Agent: " + item.agent + "\n";
    out += one_of<std::string>({"", "\n", " \n\n"}) + item.body + "\n"
      + one_of<std::string>({"", "\n\n"});
  }
  return out;
}

std::string as_json(const std::vector<backlog_item>& all) {
  auto out = json::array();
  for (const auto& item : all)
    out.push_back({{"id", item.id},
                   {"title", item.title},
                   {"body", item.body},
                   {"needs", item.needs},
                   {"priority", item.priority},
                   {"labels", item.labels},
                   {"agent", item.agent}});
  return out.dump(*rc::gen::inRange(-1, 3));
}

void expect_same(const result<backlog>& read,
                 const std::vector<backlog_item>& written) {
  if (!read)
    RC_FAIL(read.error().context);
  RC_ASSERT(read->finished.empty());
  RC_ASSERT(read->items.size() == written.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    const auto& a = read->items[i];
    const auto& b = written[i];
    RC_ASSERT(a.id == b.id);
    RC_ASSERT(a.title == b.title);
    RC_ASSERT(a.body == b.body);
    RC_ASSERT(a.needs == b.needs);
    RC_ASSERT(a.priority == b.priority);
    RC_ASSERT(a.labels == b.labels);
    RC_ASSERT(a.agent == b.agent);
  }
}

} // namespace

RC_GTEST_PROP(BacklogProperty, ReadsBackWhatMarkdownWasWritten, ()) {
  auto all = items();
  auto text = as_markdown(all);
  RC_LOG() << text;
  expect_same(parse_backlog(text, backlog_format::markdown, "b"), all);
}

RC_GTEST_PROP(BacklogProperty, ReadsBackWhatJsonWasWritten, ()) {
  auto all = items();
  expect_same(parse_backlog(as_json(all), backlog_format::json, "b"), all);
}

RC_GTEST_PROP(BacklogProperty, AnswersAnyBytesWithItemsOrOneError,
              (const std::string& bytes, bool as_json_too)) {
  auto format = as_json_too ? backlog_format::json : backlog_format::markdown;
  auto read = parse_backlog(bytes, format, "b");
  if (!read)
    RC_ASSERT(read.error().context.rfind("b:", 0) == 0u);
  else
    for (const auto& item : read->items)
      RC_ASSERT(is_backlog_id(item.id) && !item.title.empty());
}
