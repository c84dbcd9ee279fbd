#include "runtime/rules/chat_answers.hpp"
#include "tests/support/notifications.hpp"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

using namespace ao;
using testing::HasSubstr;
using kind = chat_decision::kind;

namespace {

std::vector<row_ptr<notification>> told() {
  auto n = question_row();
  n.remote = "17";
  auto end = n;
  end.number = 3;
  end.text = "Case inc-7\nNo answer is needed any more.\n";
  end.options.clear();
  end.remote = "18";
  auto free = n;
  free.subject = "inc-8";
  free.number = 1;
  free.options.clear();
  free.remote = "19";
  // A digest of two questions, and one of one and an end.
  auto digest = [](const std::string& remote) {
    notification out;
    out.kind = "digest";
    out.subject = "digest-1";
    out.text = "[AO ACTION] ao digest\nCode: ABCDEFGH\n";
    out.remote = remote;
    return out;
  };
  std::vector<row_ptr<notification>> digested;
  for (auto member : {n, free, digest("20")}) {
    member.remote = "20";
    digested.push_back(std::make_shared<notification>(member));
  }
  for (auto member : {end, free, digest("21")}) {
    member.remote = "21";
    digested.push_back(std::make_shared<notification>(member));
  }
  std::vector<row_ptr<notification>> out
    = {std::make_shared<notification>(n), std::make_shared<notification>(end),
       std::make_shared<notification>(free)};
  out.insert(out.end(), digested.begin(), digested.end());
  return out;
}

chat_decision press(const std::string& data) {
  chat_update u;
  u.what = chat_update::kind::press;
  u.text = data;
  return decide_chat(u, told());
}

chat_decision say(const std::string& text, std::int64_t reply_to = 0) {
  chat_update u;
  u.what = chat_update::kind::message;
  u.text = text;
  u.reply_to = reply_to;
  return decide_chat(u, told());
}

void expect_answer(const chat_decision& d, const std::string& id,
                   const std::string& text,
                   const std::string& code = "ABCDEFGH") {
  EXPECT_EQ(d.what, kind::answer) << d.why;
  EXPECT_EQ(d.incident.text, id);
  EXPECT_EQ(d.text, text);
  EXPECT_EQ(d.code, code);
}

TEST(ChatPlace, IsAChatOrOneTopicOfIt) {
  EXPECT_EQ(chat_place_from("42")->chat, 42);
  EXPECT_EQ(chat_place_from("-1001234567890")->chat, -1001234567890);
  auto topic = chat_place_from("-100123:topic:7");
  ASSERT_TRUE(topic);
  EXPECT_EQ(topic->chat, -100123);
  EXPECT_EQ(topic->topic, 7);
  for (auto text : {"", "0", "@news", "42 ", "+42", "0x2a", "4.2",
                    "42:topic:", "42:topic:x", "42:topic:0", "42:topic:-1",
                    "42:7", ":topic:7", "99999999999999999999"})
    EXPECT_FALSE(chat_place_from(text)) << text;
}

TEST(ChatPlace, HearsItsOwnOnly) {
  chat_update u;
  u.where = {-100123, 7};
  EXPECT_TRUE(is_at(u, {-100123, 0}));
  EXPECT_TRUE(is_at(u, {-100123, 7}));
  EXPECT_FALSE(is_at(u, {-100123, 8}));
  EXPECT_FALSE(is_at(u, {100123, 0}));
  EXPECT_FALSE(is_at(chat_update{}, {42, 0}));
}

TEST(ChatAnswer, OfAButtonIsItsOption) {
  expect_answer(press("inc-7 2 1 ABCDEFGH"), "inc-7", "abandon");
  // Whether the code is right is not known here.
  expect_answer(press("inc-7 2 0 ZZZZZZZZ"), "inc-7", "retry", "ZZZZZZZZ");
}

TEST(ChatAnswer, OfAButtonThatIsNotOursIsRefused) {
  for (auto data :
       {"", " ", "inc-7", "inc-7 2 1", "inc-7 2 1 ABCDEFGH x",
        "inc-7 x 1 ABCDEFGH", "inc-7 2 -1 ABCDEFGH", "inc-7 2 1 abcdefgh",
        "inc-7 2 1 ABCDEFG", "inc-7 +2 1 ABCDEFGH",
        "inc-7 99999999999999999999999 1 ABCDEFGH"})
    EXPECT_EQ(press(data).why, "This button is of no question") << data;
  EXPECT_EQ(press("inc-7 2 2 ABCDEFGH").why, "The question has no such option");
  EXPECT_EQ(press("inc-7 2 18446744073709551615 ABCDEFGH").why,
            "The question has no such option");
  EXPECT_EQ(press("inc-7 3 0 ABCDEFGH").why, "The question has no such option");
  EXPECT_EQ(press("inc-9 2 0 ABCDEFGH").why,
            "This question is not known any more");
  EXPECT_EQ(press("../x 2 0 ABCDEFGH").why,
            "This question is not known any more");
}

TEST(ChatAnswer, OfAReplyIsItsText) {
  expect_answer(say("use the old parser", 17), "inc-7", "use the old parser");
  expect_answer(say("  inc-7: use it\n", 17), "inc-7", "use it");
  expect_answer(say("/answer@ao_bot INC-7 use it", 17), "inc-7", "use it");
  expect_answer(say("Abandon", 17), "inc-7", "abandon");
  expect_answer(say("two\nlines", 19), "inc-8", "two\nlines");
  // Its own code may be named; another word of that kind is meant.
  expect_answer(say("use it code abcdefgh", 17), "inc-7", "use it");
  expect_answer(say("use code ZZZZZZZZ", 17), "inc-7", "use code ZZZZZZZZ");
  // "answer" alone is no call where no case follows.
  expect_answer(say("answer them", 17), "inc-7", "answer them");
}

// The hub died between the sending of the question and its note of that.
TEST(ChatAnswer, OfAReplyToAQuestionThatWasNotNotedIsReadFromIt) {
  chat_update u;
  u.what = chat_update::kind::message;
  u.text = "Abandon";
  u.reply_to = 99;
  u.reply_to_us = true;
  u.replied_text = question_row().text;
  expect_answer(decide_chat(u, told()), "inc-7", "abandon");
  u.text = "inc-7 use it";
  expect_answer(decide_chat(u, told()), "inc-7", "use it");
  // Of another case it lends nothing.
  u.text = "inc-8 use it";
  EXPECT_THAT(decide_chat(u, told()).why, HasSubstr("The code of inc-8"));
  u.text = "use it";
  u.replied_text += "\n[AO ACTION] app-2 incident_asked\nCase inc-8\n";
  EXPECT_EQ(decide_chat(u, told()).why, "That message asks nothing");
  u.replied_text = "x\nCase inc-99\nCode: ABCDEFGH\n";
  EXPECT_EQ(decide_chat(u, told()).why, "That message asks nothing");
  // What others have said proves nothing.
  u.reply_to_us = false;
  u.replied_text = question_row().text;
  EXPECT_EQ(decide_chat(u, told()).what, kind::ignore);
}

TEST(ChatAnswer, OfAReplyToADigestIsOfItsOneQuestionOrNamesIt) {
  expect_answer(say("use it", 21), "inc-8", "use it");
  expect_answer(say("inc-7 use it", 20), "inc-7", "use it");
  expect_answer(say("inc-8: use it", 20), "inc-8", "use it");
  EXPECT_THAT(say("use it", 20).why, HasSubstr("begin with the case"));
}

TEST(ChatAnswer, OfAReplyToNoQuestionIsRefused) {
  EXPECT_EQ(say("", 17).why, "Only a text can be an answer");
  EXPECT_EQ(say("hello", 18).why, "That message asks nothing");
  EXPECT_EQ(say("hello", 99).what, kind::ignore);
  chat_update u;
  u.what = chat_update::kind::message;
  u.text = "hello";
  u.reply_to = 99;
  u.reply_to_us = true;
  EXPECT_EQ(decide_chat(u, told()).why, "That message asks nothing");
}

TEST(ChatAnswer, NamesItsCaseAndItsCode) {
  expect_answer(say("inc-7 use it code ABCDEFGH"), "inc-7", "use it");
  expect_answer(say("answer inc-7 use it Code: abcdefgh"), "inc-7", "use it");
  expect_answer(say("Answer Inc-8 it\ncode ABCDEFGH"), "inc-8", "it");
  // A case of which nothing was told here.
  expect_answer(say("inc-99 it code ABCDEFGH"), "inc-99", "it");
  // A reply to another case does not lend its code.
  EXPECT_THAT(say("inc-8 it", 17).why, HasSubstr("The code of inc-8"));
  expect_answer(say("inc-8 it code ABCDEFGH", 17), "inc-8", "it");
}

TEST(ChatAnswer, WithoutCodeOrTextIsRefused) {
  EXPECT_THAT(say("inc-7 use it").why, HasSubstr("The code of inc-7"));
  EXPECT_THAT(say("inc-7 use it ABCDEFGH").why, HasSubstr("code of inc-7"));
  EXPECT_THAT(say("inc-7 it code SHORT").why, HasSubstr("code of inc-7"));
  EXPECT_THAT(say("inc-7").why, HasSubstr("is missing"));
  EXPECT_THAT(say("answer inc-7 code ABCDEFGH").why, HasSubstr("is missing"));
  EXPECT_THAT(say("inc-7", 17).why, HasSubstr("Only a text"));
  auto huge = std::string(longest_answer + 1, 'x');
  EXPECT_THAT(say(huge, 17).why, HasSubstr("too long"));
  EXPECT_THAT(say("inc-7 " + huge + " code ABCDEFGH").why,
              HasSubstr("too long"));
}

TEST(ChatAnswer, IsNotMadeOfTalk) {
  for (auto text :
       {"", " ", "hello", "answer", "answer me", "/start", "increase it", "inc",
        "inc-", "inc-x", "inc-7x it", "inc--7 it", "inc-1234567890123456789 it",
        "what of inc-7?", "code ABCDEFGH"})
    EXPECT_EQ(say(text).what, kind::ignore) << text;
  EXPECT_EQ(decide_chat({}, told()).what, kind::ignore);
}

// Whatever is said: an answer names a case, a text and a code.
RC_GTEST_PROP(ChatAnswer, IsWholeOrNone, ()) {
  auto word = rc::gen::elementOf(std::vector<std::string>{
    "inc-7", "answer", "code", "ABCDEFGH", "code:", "inc-8:", "x", "\n", "\xff",
    "retry", " ", "/answer", "0", "1", "2", "ü"});
  auto words = *rc::gen::container<std::vector<std::string>>(word);
  chat_update u;
  u.what = *rc::gen::elementOf(
    std::vector{chat_update::kind::press, chat_update::kind::message});
  u.reply_to = *rc::gen::inRange(0, 23);
  for (const auto& w : words)
    u.text += w + (*rc::gen::arbitrary<bool>() ? " " : "");
  auto d = decide_chat(u, told());
  if (d.what == kind::answer) {
    RC_ASSERT(!d.incident.empty());
    RC_ASSERT(!d.text.empty());
    RC_ASSERT(d.code.size() == 8u);
  }
  RC_ASSERT((d.what == kind::refuse) == !d.why.empty());
}

} // namespace
