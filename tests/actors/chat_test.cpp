#include "actors/chat.hpp"
#include "messages/interfaces.hpp"
#include "messages/json.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/notifications.hpp"
#include "tests/support/scripted_store.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <deque>

using namespace ao;
using namespace ao::test;
using notify::http_reply;
using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

namespace {

/// What Telegram says, and what it was asked.
struct script {
  std::deque<http_reply> polls;
  std::vector<json> polled;
  std::vector<notify::http_call> told;
  /// What the INCIDENT was asked, and what it says; nothing = it is silent.
  std::vector<msg::answer_incident> asked;
  std::deque<std::optional<error>> refusals;
};

struct no_state {};

incident_actor::behavior_type
scripted_incident(incident_actor::stateful_pointer<no_state>,
                  std::shared_ptr<script> s) {
  return {
    [](const msg::report_cause&) -> caf::result<incident_id> {
      return incident_id{};
    },
    [](const msg::report_recovered&) -> caf::result<std::uint64_t> {
      return std::uint64_t{0};
    },
    [](const msg::resolve_incident&) -> caf::result<incident> {
      return incident{};
    },
    [s](const msg::answer_incident& order) -> caf::result<incident> {
      s->asked.push_back(order);
      if (s->refusals.empty())
        return incident{};
      auto why = s->refusals.front();
      s->refusals.pop_front();
      if (why)
        return make_error(*why);
      return incident{};
    },
    [](const msg::mark_incident&) -> caf::result<incident> {
      return incident{};
    },
    [](const msg::incident_overdue&) {},
    [](const msg::mediator_found&) {},
    [](const msg::tier_failed&) {},
    [](const msg::session_changed&) {},
    [](look_atom) {},
  };
}

/// All children run already.
supervisor_actor::behavior_type
scripted_supervisor(supervisor_actor::stateful_pointer<no_state>) {
  return {
    [](ready_atom) -> caf::result<child_list> { return child_list{}; },
    [](const start_child& x) -> caf::result<child_info> {
      child_info out;
      out.id = x.id;
      return out;
    },
    [](const stop_child&) -> caf::result<child_info> { return child_info{}; },
    [](const restart_child&) -> caf::result<child_info> {
      return child_info{};
    },
    [](list_children_atom) -> caf::result<child_list> { return child_list{}; },
    [](const supervision_timer&) {},
  };
}

json pressed(std::int64_t id, const std::string& data, std::int64_t chat = 42) {
  return {{"update_id", id},
          {"callback_query",
           {{"id", "q" + std::to_string(id)},
            {"data", data},
            {"message", {{"message_id", 1}, {"chat", {{"id", chat}}}}}}}};
}

class ChatActor : public actor_fixture {
protected:
  std::shared_ptr<script> seen = std::make_shared<script>();
  std::shared_ptr<std::vector<store_write>> writes
    = std::make_shared<std::vector<store_write>>();
  row_view rows;
  hub_context hub;

  ChatActor() {
    static_cast<actor_context&>(hub) = context;
    hub.rows = &rows;
    hub.now = [] { return wall_time{1s}; };
    auto all = default_settings_of_all();
    auto& n = all.notifiers["phone"];
    n.id = "phone";
    n.plugin = "telegram";
    n.token = "123456:the-secret-of-the-bot";
    n.to = "42";
    hub.config = std::make_shared<const settings>(std::move(all));
    store_rows known;
    known.notifications.push_back(question_row());
    incident i;
    i.id.text = "inc-7";
    i.version = 1;
    known.incidents.push_back(i);
    counter heard;
    heard.name = "telegram/123456";
    heard.version = 3;
    heard.last = 100;
    known.counters.push_back(heard);
    rows.load(std::move(known), {}, 0);
    spawn_as("store", scripted_store, writes, std::uint64_t{0});
    spawn_as("incidents", scripted_supervisor);
    spawn_as("incident/inc-7", scripted_incident, seen);
  }

  void updates(std::vector<json> some) {
    http_reply out;
    out.status = 200;
    out.body = json{{"ok", true}, {"result", some}}.dump();
    seen->polls.push_back(out);
  }

  void status(int code, const std::string& body = {}) {
    http_reply out;
    out.status = code;
    out.body = body;
    seen->polls.push_back(out);
  }

  chat_actor listen() {
    http_performer perform
      = [s = seen](const notify::http_call& call, const notify::stop_flag&) {
          http_reply out;
          out.status = 200;
          if (call.url.find("/getUpdates") == call.url.npos) {
            s->told.push_back(call);
            return out;
          }
          s->polled.push_back(json::parse(call.body));
          out.body = R"({"ok":true,"result":[]})";
          if (s->polls.empty())
            return out;
          out = s->polls.front();
          s->polls.pop_front();
          return out;
        };
    auto out = spawn_as("chat/phone", chat, hub, std::string{"phone"}, perform);
    settle();
    return out;
  }

  std::vector<std::uint64_t> committed() const {
    std::vector<std::uint64_t> out;
    for (const auto& w : *writes)
      for (const auto& r : w.rows)
        if (const auto* c = std::get_if<counter>(&r))
          out.push_back(c->last);
    return out;
  }

  std::string toast(std::size_t n) const {
    return n < seen->told.size() ? json::parse(seen->told[n].body)["text"]
                                 : json();
  }
};

const std::string abandon = "inc-7 2 1 ABCDEFGH";

TEST_F(ChatActor, HandsAnAnswerOnThenForgetsItThenTells) {
  updates({pressed(101, abandon)});
  listen();
  ASSERT_EQ(seen->asked.size(), 1u);
  EXPECT_EQ(seen->asked[0].incident.text, "inc-7");
  EXPECT_EQ(seen->asked[0].text, "abandon");
  EXPECT_EQ(seen->asked[0].code, "ABCDEFGH");
  EXPECT_EQ(seen->asked[0].by, "telegram/phone");
  EXPECT_EQ(seen->asked[0].request.text, "telegram/123456/101");
  EXPECT_THAT(committed(), testing::ElementsAre(101u));
  EXPECT_EQ(std::get<counter>(writes->back().rows[0]).version, 4u);
  EXPECT_EQ(toast(0), "Answered inc-7: abandon");
  // The first poll asks for all that is there.
  ASSERT_GE(seen->polled.size(), 2u);
  EXPECT_FALSE(seen->polled[0].contains("offset"));
  EXPECT_EQ(seen->polled[1]["offset"], 102);
  // What was forgotten once need not be named again.
  advance(1s);
  ASSERT_GE(seen->polled.size(), 3u);
  EXPECT_FALSE(seen->polled[2].contains("offset"));
}

TEST_F(ChatActor, DoesNotDealTwiceWithWhatWasCommitted) {
  updates({pressed(99, abandon), pressed(100, abandon)});
  listen();
  EXPECT_TRUE(seen->asked.empty());
  EXPECT_EQ(seen->polled[1]["offset"], 101);
  // Far below it is another count.
  updates({pressed(7, abandon)});
  advance(1s);
  EXPECT_EQ(seen->asked.size(), 1u);
}

TEST_F(ChatActor, AsksTheSameAgainAfterACrash) {
  updates({pressed(101, abandon)});
  end(listen());
  updates({pressed(101, abandon)});
  listen();
  // The view has not heard of the commit.
  ASSERT_EQ(seen->asked.size(), 2u);
  EXPECT_EQ(seen->asked[0].request, seen->asked[1].request);
}

TEST_F(ChatActor, TellsWhyAnAnswerIsRefused) {
  seen->refusals = {error{ec::already_answered, "inc-7 was answered by api"}};
  updates({pressed(101, abandon), pressed(102, "nonsense")});
  listen();
  EXPECT_EQ(toast(0), "inc-7 was answered by api");
  EXPECT_EQ(toast(1), "This button is of no question");
  EXPECT_EQ(json::parse(seen->told[0].body)["show_alert"], true);
  EXPECT_THAT(committed(), testing::ElementsAre(102u));
}

TEST_F(ChatActor, OffersAnAnswerAgainThatWasNotHeard) {
  seen->refusals = {error{ec::internal, "oops"}, error{ec::store_failed, "x"}};
  updates({pressed(101, abandon), pressed(102, abandon)});
  listen();
  EXPECT_EQ(seen->asked.size(), 1u);
  EXPECT_TRUE(committed().empty());
  advance(5s);
  ASSERT_EQ(seen->asked.size(), 4u);
  EXPECT_EQ(seen->asked[2].request.text, "telegram/123456/101");
  EXPECT_EQ(seen->asked[3].request.text, "telegram/123456/102");
  EXPECT_THAT(committed(), testing::ElementsAre(102u));
}

TEST_F(ChatActor, GivesUpAnAnswerThatNobodyTakes) {
  seen->refusals.assign(20, error{ec::internal, "oops"});
  updates({pressed(101, abandon), pressed(102, "nonsense")});
  listen();
  advance(10min);
  EXPECT_EQ(seen->asked.size(), 6u);
  EXPECT_THAT(toast(0), HasSubstr("ao incident answer"));
  EXPECT_THAT(committed(), testing::ElementsAre(102u));
}

TEST_F(ChatActor, IgnoresOtherChatsAndLogsEachOnce) {
  updates({pressed(101, abandon, 666), pressed(102, abandon, 666),
           pressed(103, abandon, -5)});
  listen();
  EXPECT_TRUE(seen->asked.empty());
  EXPECT_TRUE(seen->told.empty());
  EXPECT_TRUE(committed().empty());
  EXPECT_EQ(seen->polled[1]["offset"], 104);
  auto count = std::count_if(log.begin(), log.end(), [](const auto& line) {
    return line.find("chat_ignored") != line.npos;
  });
  EXPECT_EQ(count, 2);
}

TEST_F(ChatActor, RestsAtAWrongTokenAndTellsOnce) {
  for (int i = 0; i < 3; ++i)
    status(401, R"({"ok":false,"description":"no the-secret-of-the-bot"})");
  listen();
  EXPECT_EQ(seen->polled.size(), 1u);
  advance(9min);
  EXPECT_EQ(seen->polled.size(), 1u);
  advance(21min + 1s);
  EXPECT_GE(seen->polled.size(), 4u);
  auto alerts
    = std::count_if(writes->begin(), writes->end(), [](const auto& w) {
        return !w.events.empty()
          && w.events[0].kind == event_kind::notification_failed;
      });
  EXPECT_EQ(alerts, 1);
  for (const auto& line : log)
    EXPECT_THAT(line, Not(HasSubstr("123456:the-secret")));
}

TEST_F(ChatActor, WaitsAsLongAsItIsTold) {
  status(429, R"({"ok":false,"parameters":{"retry_after":40}})");
  listen();
  advance(39s);
  EXPECT_EQ(seen->polled.size(), 1u);
  advance(2s);
  EXPECT_GE(seen->polled.size(), 2u);
}

TEST_F(ChatActor, AsksForLessWhenAnAnswerCannotBeRead) {
  status(200, R"({"ok":true,"result":[{"update_id":101)");
  updates({pressed(101, abandon)});
  listen();
  advance(2s);
  ASSERT_GE(seen->polled.size(), 2u);
  EXPECT_LT(seen->polled[1]["limit"], seen->polled[0]["limit"]);
  EXPECT_EQ(seen->asked.size(), 1u);
}

TEST_F(ChatActor, DoesNotRunHotAtAServerThatDoesNotWait) {
  listen();
  advance(10s);
  EXPECT_LE(seen->polled.size(), 11u);
}

TEST_F(ChatActor, EndsItsPollWhenItEnds) {
  notify::stop_flag stop;
  http_performer perform
    = [&stop](const notify::http_call&, const notify::stop_flag& given) {
        stop = given;
        return http_reply{};
      };
  auto one = spawn_as("chat/phone", chat, hub, std::string{"phone"}, perform);
  settle();
  ASSERT_TRUE(stop);
  EXPECT_FALSE(stop->raised());
  end(one);
  EXPECT_TRUE(stop->raised());
}

} // namespace
