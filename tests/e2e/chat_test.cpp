#include "tests/support/agent_scripts.hpp"
#include "tests/support/fake_telegram.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr std::int64_t chat = 42;

/// One self-heal, no mediation: then the chat is asked.
world_options with_chat(const fake_telegram& telegram) {
  world_options o;
  o.settings += "escalation: {selfHeal: {attempts: 1}, mediation: {rounds: "
                "0}}\nnotifiers: {phone: {plugin: telegram, token: \""
    + telegram.token() + "\", to: \"" + std::to_string(chat) + "\", apiRoot: \""
    + telegram.url()
    + "\"}}\nnotificationRouting: {urgent: [phone], action: [phone]}\n";
  o.project = ", " + scripts::wants_fine_work;
  return o;
}

class Chat : public testing::Test {
protected:
  /// An agent that gets on once it is told one of the question's options.
  Chat() : w(with_chat(telegram)) {
    w.add_agent("stubborn", R"(
cp "$AO_PROMPT_FILE" "$HOME/prompt.$AO_RUN"
if grep -q "^Answer to" "$AO_PROMPT_FILE"; then echo fine > work; else
  echo "$AO_RUN" > work; fi
git add --all
git commit --quiet --message "Run $AO_RUN"
)");
  }

  /// Until the question is in the chat; its message.
  fake_telegram::message ask() {
    w.start();
    w.ask({"spawn", w.add_task("First")});
    EXPECT_TRUE(telegram.await([&] { return !telegram.messages().empty(); }));
    auto sent = telegram.messages();
    if (sent.empty())
      throw std::runtime_error("nothing was asked");
    return sent.front();
  }

  /// What who has pressed is told.
  fake_telegram::toast toast_of(const std::string& press) {
    fake_telegram::toast out;
    EXPECT_TRUE(telegram.await([&] {
      for (const auto& t : telegram.toasts())
        if (t.press == press)
          out = t;
      return !out.press.empty();
    }));
    return out;
  }

  /// What the bot says next, after `seen` messages.
  fake_telegram::message said_after(std::size_t seen) {
    EXPECT_TRUE(
      telegram.await([&] { return telegram.messages().size() > seen; }));
    auto all = telegram.messages();
    return all.size() > seen ? all[seen] : fake_telegram::message{};
  }

  json incident() { return w.ask({"incident", "show", "inc-1"}); }

  std::size_t answers() {
    auto all = w.events("incident:inc-1");
    return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [](const json& e) {
        return e["kind"] == "incident_answered";
      }));
  }

  fake_telegram telegram;
  world w;
};

TEST_F(Chat, AnswersAQuestionByAButton) {
  auto question = ask();
  EXPECT_EQ(question.chat, chat);
  EXPECT_THAT(question.text, HasSubstr("Case inc-1"));
  auto label = question.buttons[0][0]["text"].get<std::string>();
  auto pressed = telegram.press(chat, label);
  auto toast = toast_of(pressed);
  EXPECT_EQ(toast.text, "Answered inc-1: " + label);
  EXPECT_FALSE(toast.alarm);
  w.await("merged", "change:app#1");
  w.await("incident_closed", "incident:inc-1");
  EXPECT_THAT(content_of(w.user() / "prompt.3"),
              StartsWith("Answer to inc-1: " + label + "\n"));
  auto answered = w.await("incident_answered", "incident:inc-1");
  EXPECT_EQ(answered["data"]["by"], "telegram/phone");
  // A late press changes nothing, and says why.
  auto before = incident();
  auto late = toast_of(telegram.press(chat, label));
  EXPECT_TRUE(late.alarm);
  EXPECT_THAT(late.text, HasSubstr("inc-1"));
  EXPECT_EQ(incident(), before);
  EXPECT_EQ(answers(), 1u);
}

TEST_F(Chat, AnswersAQuestionByAReply) {
  auto question = ask();
  telegram.write(chat, "Use the old parser", question.id);
  EXPECT_EQ(said_after(1).text, "Answered inc-1: Use the old parser");
  w.await("merged", "change:app#1");
  EXPECT_THAT(content_of(w.user() / "prompt.3"),
              StartsWith("Answer to inc-1: Use the old parser\n"));
}

TEST_F(Chat, RefusesAWrongCode) {
  auto question = ask();
  auto data = question.buttons[0][0]["callback_data"].get<std::string>();
  data.replace(data.size() - 8, 8, "ZZZZZZZZ");
  auto toast = toast_of(telegram.press_data(chat, data));
  EXPECT_TRUE(toast.alarm);
  EXPECT_THAT(toast.text, HasSubstr("another code"));
  telegram.write(chat, "inc-1 retry code ZZZZZZZZ");
  auto reply = said_after(1);
  EXPECT_THAT(reply.text, HasSubstr("another code"));
  EXPECT_NE(reply.reply_to, 0);
  telegram.write(chat, "inc-9 retry code ZZZZZZZZ");
  EXPECT_EQ(said_after(2).text, "No incident is called inc-9");
  EXPECT_EQ(answers(), 0u);
  EXPECT_EQ(incident()["state"], "open");
}

TEST_F(Chat, HearsNoOtherChat) {
  auto question = ask();
  auto data = question.buttons[0][0]["callback_data"].get<std::string>();
  telegram.press_data(666, data);
  telegram.write(666, "xyzzy-of-strangers", question.id);
  // What is said here comes after that.
  auto pressed = telegram.press_data(chat, "nonsense");
  toast_of(pressed);
  EXPECT_EQ(telegram.toasts().size(), 1u);
  EXPECT_EQ(telegram.messages().size(), 1u);
  EXPECT_EQ(answers(), 0u);
  auto log = content_of(w.home() / "logs/hub.log");
  EXPECT_THAT(log, HasSubstr("chat_ignored channel=phone chat=666"));
  EXPECT_THAT(log, Not(HasSubstr("xyzzy-of-strangers")));
}

TEST_F(Chat, IsAnsweredOnceThoughTheHubDies) {
  auto question = ask();
  auto label = question.buttons[0][0]["text"].get<std::string>();
  telegram.press(chat, label);
  // As near as can be to what follows the answer: its commit, the toast, and
  // that Telegram may forget it.
  w.await("incident_answered", "incident:inc-1");
  w.kill_hub();
  w.start();
  w.await("merged", "change:app#1");
  // The press, whether it comes again or not, is behind us when this is told.
  toast_of(telegram.press_data(chat, "nonsense"));
  EXPECT_EQ(answers(), 1u);
  EXPECT_GE(telegram.told()[0], 1u);
}

TEST_F(Chat, WithAWrongTokenIsLeftAloneAndTold) {
  telegram.refuse_polls({401});
  w.start();
  auto failed = w.await("notification_failed", "hub");
  EXPECT_EQ(failed["data"]["channel"], "phone");
  EXPECT_EQ(failed["data"]["alert"], true);
  EXPECT_THAT(w.ao({"events", "--json"}).out, Not(HasSubstr(telegram.token())));
  EXPECT_THAT(content_of(w.home() / "logs/hub.log"),
              Not(HasSubstr(telegram.token())));
}

TEST_F(Chat, IsHeardAgainAfterItWasBusy) {
  telegram.refuse_polls({429, 502});
  auto question = ask();
  auto label = question.buttons[0][0]["text"].get<std::string>();
  EXPECT_EQ(toast_of(telegram.press(chat, label)).text,
            "Answered inc-1: " + label);
}

} // namespace
