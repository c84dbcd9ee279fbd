#include "runtime/agents/launch.hpp"
#include "runtime/api/requests.hpp"

#include <gtest/gtest.h>

namespace ao::api {
namespace {

const std::string zeros(40, '0');
const std::string head(40, 'a');

project_settings project(const char* id, const char* path) {
  project_settings p;
  p.id = project_id{id};
  p.path = path;
  p.session_prefix = std::string{id} + "x";
  return p;
}

class ApiRequests : public ::testing::Test {
protected:
  row_view rows;
  settings all = default_settings_of_all();
  store_rows stored;

  ApiRequests() {
    agent_settings scripted;
    scripted.name = "scripted";
    scripted.adapter = "command";
    scripted.command = {"/opt/agent"};
    all.agents["scripted"] = scripted;
    all.defaults.agent = "scripted";
    add(project("app", "/src/app"));
  }

  void add(project_settings p) {
    auto id = p.id;
    all.projects[id] = std::move(p);
  }

  void add_task(const char* id, const char* key, const char* ref,
                const char* in = "app") {
    task t;
    t.id = task_id{id};
    t.key = key;
    t.ref = ref;
    t.title = "Title";
    t.project = project_id{in};
    stored.tasks.push_back(t);
    load();
  }

  void load() { rows.load(stored, {}, 0); }

  result<spawn_plan> spawn(const json& body, const char* id = "r1") {
    auto where = place_of(body);
    return plan_spawn(rows, all, body, request_id{id}, *where);
  }

  static http::request with_body(std::string text) {
    http::request out;
    out.method = "POST";
    out.body = std::move(text);
    return out;
  }
};

TEST_F(ApiRequests, ABodyIsAnObjectOfCleanText) {
  EXPECT_TRUE(read_body(with_body("")));
  EXPECT_TRUE(read_body(with_body(R"({"a": ["ü"]})")));
  for (const auto* bad : {"[]", "{", "\"x\"", R"({"a": "x\u0000y"})",
                          R"({"a": [{"b\u0000": 1}]})", "{\"a\": \"\xff\"}"}) {
    auto read = read_body(with_body(bad));
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().code, ec::bad_input) << bad;
  }
}

TEST_F(ApiRequests, APathOfInvalidTextIsRefused) {
  http::request what;
  what.path = {"tasks", "\xff"};
  EXPECT_FALSE(read_body(what));
}

TEST_F(ApiRequests, AMemberOfTheWrongTypeIsNamed) {
  auto bad = text_of({{"title", 3}}, "title");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().context, "title: expected a text");
  EXPECT_EQ(*text_of({{"title", nullptr}}, "title"), "");
  EXPECT_FALSE(number_of({{"priority", 10}}, "priority", 5, 9));
  EXPECT_FALSE(number_of({{"priority", -1}}, "priority", 5, 9));
  EXPECT_FALSE(list_of_texts({{"needs", "T1"}}, "needs"));
}

TEST_F(ApiRequests, TheBodysRequestIdComesBeforeTheHeaders) {
  auto what = with_body("");
  what.headers["idempotency-key"] = "header";
  EXPECT_EQ(request_id_of(what, {{"requestId", "body"}})->text, "body");
  EXPECT_EQ(request_id_of(what, json::object())->text, "header");
  EXPECT_EQ(request_id_of(with_body(""), json::object())->text.size(), 26u);
  EXPECT_FALSE(request_id_of(what, {{"requestId", "a b"}}));
  EXPECT_FALSE(request_id_of(what, {{"requestId", std::string(129, 'x')}}));
}

TEST_F(ApiRequests, TheOnlyProjectNeedsNoName) {
  EXPECT_EQ((*resolve_project(all, "", "/elsewhere"))->id.text, "app");
}

TEST_F(ApiRequests, AmongSeveralTheInnermostAroundTheDirectoryIsMeant) {
  add(project("web", "/src/app/web"));
  EXPECT_EQ((*resolve_project(all, "", "/src/app/web/lib"))->id.text, "web");
  EXPECT_EQ((*resolve_project(all, "", "/src/app/webs"))->id.text, "app");
  EXPECT_EQ((*resolve_project(all, "web", "/src/app"))->id.text, "web");
  EXPECT_EQ((*resolve_project(all, "", "/", project_id{"web"}))->id.text,
            "web");
  auto several = resolve_project(all, "", "/");
  ASSERT_FALSE(several);
  EXPECT_EQ(several.error().code, ec::bad_input);
  auto unknown = resolve_project(all, "nope", "");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ec::no_such_project);
}

TEST_F(ApiRequests, ATaskIsFoundByEachOfItsNames) {
  add(project("web", "/src/web"));
  add_task("T7", "app/file:backlog.md#AUTH-1", "AUTH-1");
  for (const auto* name :
       {"T7", "app/file:backlog.md#AUTH-1", "app/AUTH-1", "appx/AUTH-1"}) {
    auto t = resolve_task(rows, all, name, {});
    ASSERT_TRUE(t) << name;
    EXPECT_EQ((*t)->id.text, "T7");
  }
  EXPECT_TRUE(resolve_task(rows, all, "AUTH-1", {"app", "", {}}));
  for (const auto* name : {"T8", "web/AUTH-1", "app/AUTH-2"}) {
    auto t = resolve_task(rows, all, name, {});
    ASSERT_FALSE(t) << name;
    EXPECT_EQ(t.error().code, ec::no_such_task) << name;
  }
}

TEST_F(ApiRequests, ASpawnNeedsEitherAnIssueOrAPrompt) {
  for (const auto& body :
       {json::object(), json{{"issue", "T1"}, {"prompt", "x"}},
        json{{"prompt", ""}}}) {
    auto plan = spawn(body);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, ec::bad_input);
  }
}

TEST_F(ApiRequests, AHostilePromptIsKeptToTheByteAndItsTitleIsClean) {
  std::string prompt = "  \x1b[31mdrop\ttables\x7f; -- \n$(reboot)\n\n'\"`";
  auto plan = spawn({{"prompt", prompt}}, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
  ASSERT_TRUE(plan) << plan.error().context;
  ASSERT_TRUE(plan->add);
  EXPECT_EQ(plan->add->body, prompt);
  EXPECT_EQ(plan->add->title, "[31mdrop tables ; --");
  EXPECT_EQ(plan->add->key, "app/prompt:01ARZ3NDEKTSV4RRFFQ69G5FAV");
  EXPECT_EQ(plan->open.request.text, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
  EXPECT_EQ(plan->open.agent, "scripted");
  EXPECT_EQ(plan->open.base, "main");
  EXPECT_EQ(plan->open.session_prefix, "appx");
}

TEST_F(ApiRequests, APromptThatCannotTravelIsRefusedBeforeAnythingIsMade) {
  auto plan
    = spawn({{"prompt", std::string(longest_prompt_argument + 1, 'x')}});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ec::prompt_too_long);
}

TEST_F(ApiRequests, AnAgentOrNodeThatNobodyKnowsIsBadInput) {
  for (const auto& body : {json{{"prompt", "x"}, {"agent", "ghost"}},
                           json{{"prompt", "x"}, {"node", "n9"}}}) {
    auto plan = spawn(body);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, ec::bad_input);
  }
}

TEST_F(ApiRequests, TheTasksAgentComesBeforeTheProjects) {
  auto other = all.agents["scripted"];
  other.name = "other";
  all.agents["other"] = other;
  add_task("T1", "app/task:1", "");
  stored.tasks.back().agent = "other";
  load();
  EXPECT_EQ(spawn({{"issue", "T1"}})->open.agent, "other");
  EXPECT_EQ(spawn({{"issue", "T1"}, {"agent", "scripted"}})->open.agent,
            "scripted");
}

TEST_F(ApiRequests, TheSameRequestAlwaysMakesTheSameUlid) {
  EXPECT_EQ(ulid_of(request_id{"x"}), ulid_of(request_id{"x"}));
  EXPECT_NE(ulid_of(request_id{"x"}), ulid_of(request_id{"y"}));
  EXPECT_EQ(ulid_of(request_id{"x"}).size(), 26u);
  auto derived = ulid_of(request_id{"x"});
  EXPECT_EQ(ulid_of(request_id{derived}), derived);
}

TEST_F(ApiRequests, ATitleIsCutAtACharacter) {
  std::string long_line;
  for (int i = 0; i < 100; ++i)
    long_line += "ü";
  EXPECT_EQ(title_of_prompt(long_line).size(), 160u);
  EXPECT_EQ(title_of_prompt("\n \n"), "prompt");
  EXPECT_EQ(title_of_prompt("a  b\r\nc"), "a b");
}

TEST_F(ApiRequests, ANeedIsATaskThatExists) {
  add_task("T1", "app/task:1", "A-1");
  auto plan = plan_task(rows, all, {{"title", "x"}, {"needs", {"A-1"}}},
                        request_id{"r"}, {});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->needs, std::vector<task_id>{task_id{"T1"}});
  EXPECT_EQ(plan->priority, 5);
  auto bad = plan_task(rows, all, {{"title", "x"}, {"needs", {"A-2"}}},
                       request_id{"r"}, {});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ec::no_such_task);
}

class ApiPushes : public ApiRequests {
protected:
  token_claims who;

  ApiPushes() {
    session s;
    s.id = session_id{"app-1"};
    s.project = project_id{"app"};
    s.task = task_id{"T1"};
    s.subject = "T1";
    s.epoch = 4;
    s.run = 1;
    s.branch = "ao/app-1";
    stored.sessions.push_back(s);
    claim c;
    c.subject = "T1";
    c.session = s.id;
    c.node = node_name{"local"};
    c.epoch = 4;
    c.held = true;
    stored.claims.push_back(c);
    load();
    who.session = s.id;
    who.project = s.project;
    who.task = s.task;
    who.epoch = 4;
    who.run = 1;
    who.role = "worker";
  }

  std::optional<error> push_to(const std::string& ref, bool proven = true) {
    json body = {{"project", "app"},
                 {"updates", {{{"old", zeros}, {"new", head}, {"ref", ref}}}}};
    auto what = read_push(body);
    EXPECT_TRUE(what);
    return refuse_push_of(
      *what, proven ? std::optional<token_claims>{who} : std::nullopt, rows,
      all, [this](const node_name& node) {
        return silent.empty() || node != silent;
      });
  }

  /// Of this node nobody knows whether its lease holds.
  node_name silent;
};

TEST_F(ApiPushes, ANodeWhoseLeaseIsNotProvenPushesNothing) {
  silent = node_name{"n1"};
  auto s = *rows.find<session>("app-1");
  s.node = silent;
  stored.sessions = std::vector{s};
  load();
  auto refused = push_to("refs/heads/ao/app-1");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->context, "ao: push refused: lease not provable");
  silent = node_name{"n2"};
  EXPECT_FALSE(push_to("refs/heads/ao/app-1"));
}

TEST_F(ApiPushes, TheHolderPushesItsOwnBranchAndNoOther) {
  EXPECT_FALSE(push_to("refs/heads/ao/app-1"));
  EXPECT_TRUE(push_to("refs/heads/ao/app-2"));
  EXPECT_TRUE(push_to("refs/heads/main"));
  EXPECT_TRUE(push_to("refs/heads/ao/app-1", false));
}

TEST_F(ApiPushes, AnOldEpochIsToldBothNumbers) {
  who.epoch = 3;
  auto refused = push_to("refs/heads/ao/app-1");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->context, "ao: push refused: stale epoch 3 (current 4)");
  EXPECT_EQ(refused->code, ec::stale_epoch);
}

TEST_F(ApiPushes, ASessionOfAnotherProjectIsRefused) {
  who.project = project_id{"web"};
  EXPECT_TRUE(push_to("refs/heads/ao/app-1"));
}

TEST_F(ApiPushes, WhatIsNoUpdateIsBadInput) {
  EXPECT_FALSE(read_push({{"project", "app"}}));
  EXPECT_FALSE(read_push({{"updates", {1}}}));
  EXPECT_FALSE(read_push(
    {{"updates", {{{"old", zeros}, {"new", head}, {"ref", "a\nb"}}}}}));
}

} // namespace
} // namespace ao::api
