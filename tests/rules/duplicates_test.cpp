#include "runtime/rules/duplicates.hpp"
#include "tests/rules/duplicates_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <iostream>
#include <numeric>

using namespace ao;
using namespace ao::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

likeness between(const std::string& a, const std::string& b) {
  return compare(text_of(a, ""), text_of(b, ""));
}

bool suspected(const std::string& a, const std::string& b) {
  return between(a, b).score >= suspected_from;
}

likeness between(const labelled_pair& p) {
  return compare(text_of(p.title_a, p.body_a), text_of(p.title_b, p.body_b));
}

/// What the rule makes of a part of the labelled set.
struct tally {
  int found = 0;
  int missed = 0;
  int false_alarms = 0;
  int let_be = 0;

  void add(const labelled_pair& p) {
    auto says = between(p).score >= suspected_from;
    ++(p.same ? (says ? found : missed) : (says ? false_alarms : let_be));
  }
  int size() const { return found + missed + false_alarms + let_be; }
  double precision() const { return double(found) / (found + false_alarms); }
  double recall() const { return double(found) / (found + missed); }
};

std::ostream& operator<<(std::ostream& out, const tally& t) {
  return out << t.size() << " pairs: precision " << t.precision() << ", recall "
             << t.recall() << " (" << t.found << " found, " << t.missed
             << " missed, " << t.false_alarms << " false alarms)";
}

rc::Gen<std::string> any_title() {
  return rc::gen::map(
    rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
      "Fix", "parser", "login", "crash", "the", "upload", "v2", "src/api.c",
      "times", "out", "button", "config", "17", "retry", "of", "cache")),
    [](const std::vector<std::string>& words) {
      std::string out;
      for (const auto& w : words)
        out += (out.empty() ? "" : " ") + w;
      return out;
    });
}

/// A word that nobody else has.
std::string made_up_word() {
  return *rc::gen::nonEmpty(
    rc::gen::container<std::string>(rc::gen::inRange('a', 'z')));
}

duplicate_index::match best(const duplicate_index& index,
                            const std::string& title,
                            const std::string& project = "app") {
  auto found = index.like(project_id{project}, text_of(title, ""));
  return found.empty() ? duplicate_index::match{} : found.front();
}

void put(duplicate_index& index, std::uint64_t number, const std::string& title,
         const std::string& project = "app") {
  index.put(number, project_id{project}, title, text_of(title, ""));
}

} // namespace

TEST(Duplicates, AreFoundInTheLabelledSetWithFewFalseAlarms) {
  tally chosen_on;
  tally held_out;
  int index = 0;
  for (const auto& p : labelled_pairs())
    (index++ % 3 == 2 ? held_out : chosen_on).add(p);
  std::cout << "chosen on " << chosen_on << "\nheld out  " << held_out << "\n";
  EXPECT_GE(chosen_on.size() + held_out.size(), 100);
  for (const auto* t : {&chosen_on, &held_out}) {
    EXPECT_GE(t->precision(), 0.95);
    EXPECT_GE(t->recall(), 0.65);
  }
}

TEST(Duplicates, SayWhy) {
  EXPECT_EQ(between("Fix login", "Fix login").reason, "same prompt");
  EXPECT_EQ(between("Fix login", "fix Login!").reason,
            "same words in the title");
  EXPECT_EQ(between("Crash of the parser on empty input",
                    "The parser crashes on empty input lines")
              .reason,
            "titles share 4 of 5 words");
  auto both
    = compare(text_of("Session cleanup races with restart",
                      "ENOENT in cleanup_session"
                      " while restart_session"
                      " runs"),
              text_of("Race of restart and session cleanup",
                      "cleanup_session gives ENOENT, restart_session runs"));
  EXPECT_THAT(both.reason, HasSubstr("bodies share 4 of 5 words"));
}

TEST(Duplicates, AreToldApartByNumbersAndNames) {
  EXPECT_FALSE(suspected("Migrate module 1", "Migrate module 2"));
  EXPECT_FALSE(suspected("Port src/a.c to the allocator",
                         "Port src/b.c to the allocator"));
  EXPECT_FALSE(suspected("Document the flag --force of push",
                         "Document the flag --dry-run of push"));
  // However many other words they share.
  EXPECT_FALSE(
    suspected("Backport retries of failed webhook deliveries with their "
              "tests for paused customers to 2.1",
              "Backport retries of failed webhook deliveries with their "
              "tests for paused customers to 2.2"));
  EXPECT_TRUE(suspected("Bump zlib to v1.3", "Update zlib to 1.3"));
  EXPECT_TRUE(suspected("Port src/a.c to the allocator",
                        "src/a.c: port it to the allocator"));
}

TEST(Duplicates, AreNotSeenInOneWordOrNone) {
  EXPECT_FALSE(suspected("Fix parser errors", "Speed up the parser"));
  EXPECT_FALSE(suspected("Fix it", "Do it again"));
  EXPECT_FALSE(suspected("", "Do"));
  EXPECT_FALSE(suspected("...", "!!!"));
}

TEST(Duplicates, AreFoundBehindTheFormOfAnIssueTracker) {
  auto other = compare(
    text_of("Export button is missing",
            of_template("There is no export button.")),
    text_of("Sidebar flickers", of_template("The sidebar flickers.")));
  EXPECT_LT(other.score, 0.4);
}

TEST(Duplicates, AreToldApartByTheWorkInsideOfOneFrame) {
  auto between = [](const std::string& a, const std::string& b) {
    return compare(text_of("Work on the task below", framed(a)),
                   text_of("Work on the task below", framed(b)))
      .score;
  };
  EXPECT_LT(between("port src/orders.c", "port src/customers.c"),
            suspected_from);
  EXPECT_LT(between("invoices crash the renderer", "add a VAT field to forms"),
            suspected_from);
  EXPECT_GT(
    between("invoices crash the renderer", "the renderer crashes for invoices"),
    suspected_from);
}

TEST(Duplicates, OfOtherAlphabetsAreComparedWordByWord) {
  EXPECT_TRUE(
    suspected("Ошибка входа через почту", "входа через почту Ошибка"));
  EXPECT_FALSE(suspected("Ошибка входа через почту", "Новая кнопка меню"));
}

RC_GTEST_PROP(Duplicates, ScoreTheSameInBothDirections, ()) {
  auto a = text_of(*any_title(), *any_title());
  auto b = text_of(*any_title(), *any_title());
  auto there = compare(a, b);
  auto back = compare(b, a);
  RC_ASSERT(there.score == back.score);
  RC_ASSERT(there.reason == back.reason);
  RC_ASSERT(there.score >= 0.0 && there.score <= 1.0);
}

RC_GTEST_PROP(Duplicates, ScoreOneForTheSameText, ()) {
  auto title = *any_title();
  auto body = *rc::gen::arbitrary<std::string>();
  auto same = compare(text_of(title, body), text_of(title, body));
  RC_ASSERT(same.score == 1.0);
  RC_ASSERT(same.reason == "same prompt");
}

RC_GTEST_PROP(Duplicates, DoNotDependOnCaseOrOrder, ()) {
  auto words = *rc::gen::container<std::vector<std::string>>(
    rc::gen::element<std::string>("fix", "parser", "crash", "upload", "v2",
                                  "config", "retry", "cache", "tab"));
  auto order = words;
  // Any other order will do.
  std::rotate(order.begin(),
              order.begin() + *rc::gen::inRange<int>(0, order.size() + 1),
              order.end());
  std::reverse(order.begin(), order.end());
  auto joined = [](const std::vector<std::string>& list) {
    std::string out;
    for (const auto& w : list)
      out += w + ", ";
    return out;
  };
  auto loud = joined(order);
  std::transform(loud.begin(), loud.end(), loud.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  auto other = text_of(*any_title(), "");
  RC_ASSERT(compare(text_of(joined(words), ""), other).score
            == compare(text_of(loud, ""), other).score);
}

RC_GTEST_PROP(Duplicates, AreNotSeenInTextsWithoutACommonWord, ()) {
  // `q…` and `x…`: no word of one is a word of the other.
  auto title = [](char first) {
    std::string out;
    for (auto n = *rc::gen::inRange(1, 8); n > 0; --n)
      out += std::string{" "} + first + first + made_up_word();
    return out;
  };
  auto how
    = compare(text_of(title('q'), title('q')), text_of(title('x'), title('x')));
  RC_ASSERT(how.score < 0.2);
}

TEST(DuplicateIndex, FindsTheOldestOfEqualOnesAndOnlyWithinItsProject) {
  duplicate_index index;
  put(index, 3, "Crash when the cart is empty");
  put(index, 9, "Crash when the cart is empty!");
  put(index, 1, "Crash when the cart is empty", "other");
  auto found = index.like(project_id{"app"}, text_of("Empty cart crashes", ""));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].number, 3u);
  EXPECT_EQ(found[0].title, "Crash when the cart is empty");
  EXPECT_EQ(found[1].number, 9u);
  EXPECT_EQ(best(index, "Empty cart crashes", "other").number, 1u);
  EXPECT_EQ(best(index, "Empty cart crashes", "third").number, 0u);
}

TEST(DuplicateIndex, ForgetsWhatIsErased) {
  duplicate_index index;
  put(index, 3, "Crash when the cart is empty");
  put(index, 3, "Crash when the cart is full");
  EXPECT_EQ(best(index, "Crash when the cart is full").number, 3u);
  index.erase(3);
  index.erase(4);
  EXPECT_EQ(best(index, "Crash when the cart is full").number, 0u);
  EXPECT_EQ(index.size(), 0u);
}

TEST(DuplicateIndex, FindsEqualTitlesAmongVeryManyThatShareTheirWords) {
  duplicate_index index;
  for (std::uint64_t n = 1; n <= 2000; ++n)
    put(index, n, "Migrate module to the new build");
  put(index, 2001, "Migrate module 7 to the new build");
  EXPECT_EQ(best(index, "migrate the module to the new build").number, 1u);
  EXPECT_EQ(best(index, "Module 7: migrate it to the new build").number, 2001u);
}

TEST(DuplicateIndex, FindsWhatComparingWithEveryTaskFinds) {
  duplicate_index index;
  std::uint64_t number = 0;
  for (const auto& p : labelled_pairs())
    index.put(++number, project_id{"app"}, p.title_a,
              text_of(p.title_a, p.body_a));
  for (const auto& p : labelled_pairs()) {
    auto text = text_of(p.title_b, p.body_b);
    std::vector<std::uint64_t> expected;
    number = 0;
    for (const auto& q : labelled_pairs()) {
      ++number;
      if (compare(text, text_of(q.title_a, q.body_a)).score >= suspected_from)
        expected.push_back(number);
    }
    std::vector<std::uint64_t> found;
    for (const auto& m : index.like(project_id{"app"}, text, 1000))
      found.push_back(m.number);
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, expected) << p.title_b;
  }
}
