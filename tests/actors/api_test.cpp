#include "actors/api.hpp"
#include "messages/interfaces.hpp"
#include "messages/json.hpp"
#include "runtime/actor/harden.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/scripted_store.hpp"

#include <unistd.h>

#include <algorithm>
#include <memory>

namespace ao::test {
namespace {

/// What became of one request.
class answer_box : public http::answer_sink, public http::stream_sink {
public:
  void send(http::response answer) override {
    ++answers;
    status = answer.status;
    body = json::parse(answer.body, nullptr, false);
  }
  http::event_stream open_stream() override {
    ++answers;
    status = 200;
    streaming_ = true;
    return http::event_stream{
      std::shared_ptr<http::stream_sink>(this, [](auto*) {})};
  }
  bool push(std::string frame) override {
    frames.push_back(std::move(frame));
    return streaming_;
  }
  void close() override {
    streaming_ = false;
    if (auto fn = std::exchange(at_end_, {}))
      fn();
  }
  bool closed() const override { return !streaming_; }
  void on_close(std::function<void()> fn) override { at_end_ = std::move(fn); }

  int answers = 0;
  int status = 0;
  json body;
  std::vector<std::string> frames;

private:
  bool streaming_ = false;
  std::function<void()> at_end_;
};

/// What the API asked for, and what it is to be told.
struct script {
  std::vector<msg::add_task> added;
  std::vector<msg::open_session> opened;
  std::vector<msg::import_backlog> imports;
  /// What is in the rows once a backlog was read.
  std::function<void()> learn = [] {};
  std::vector<store_write> writes;
  std::vector<msg::session_order> orders;
  std::vector<msg::agent_word> words;
  std::vector<msg::open_change> changes;
  std::vector<msg::branch_pushed> pushes;
  bool repeated = false;
  std::optional<error> refusal;
};

struct no_state {};

registry_actor::behavior_type
scripted_registry(registry_actor::stateful_pointer<no_state>,
                  std::shared_ptr<script> s) {
  return {
    [s](const msg::add_task& asked) -> caf::result<task> {
      s->added.push_back(asked);
      task t;
      t.id = task_id{"T9"};
      t.key = asked.key;
      t.project = asked.project;
      t.title = asked.title;
      return t;
    },
    [](const msg::add_tasks&) -> caf::result<msg::tasks_added> {
      return msg::tasks_added{};
    },
    [s](const msg::open_session& asked) -> caf::result<msg::opened_session> {
      s->opened.push_back(asked);
      if (s->refusal)
        return make_error(*s->refusal);
      msg::opened_session out;
      out.opened.id = session_id{"app-5"};
      out.opened.project = project_id{"app"};
      out.opened.task = asked.task;
      out.opened.role = asked.role;
      out.opened.epoch = 7;
      out.opened.node = asked.node;
      out.repeated = s->repeated;
      return out;
    },
    [](const msg::move_task&) -> caf::result<task> { return task{}; },
    [](const msg::release_claim&) -> caf::result<task> { return task{}; },
    [](const msg::regrant_claim&) -> caf::result<claim> { return claim{}; },
    [](const msg::cancel_task& asked) -> caf::result<task> {
      task t;
      t.id = asked.task;
      t.state = task_state::cancelled;
      return t;
    },
    [](const msg::park_task&) -> caf::result<task> { return task{}; },
    [](const msg::retry_task&) -> caf::result<task> { return task{}; },
    [](const msg::revise_task&) -> caf::result<task> { return task{}; },
    [](const msg::suspect_tasks&) -> caf::result<task> { return task{}; },
    [](const msg::raise_numbers&) -> caf::result<std::uint64_t> {
      return std::uint64_t{0};
    },
  };
}

backlog_actor::behavior_type
scripted_backlog(backlog_actor::stateful_pointer<no_state>,
                 std::shared_ptr<script> s) {
  return {
    [](ready_atom) -> caf::result<child_list> { return child_list{}; },
    [s](
      const msg::import_backlog& asked) -> caf::result<msg::backlog_imported> {
      s->imports.push_back(asked);
      if (s->refusal)
        return make_error(*s->refusal);
      s->learn();
      return msg::backlog_imported{};
    },
  };
}

class Api : public actor_fixture {
protected:
  std::shared_ptr<script> seen = std::make_shared<script>();
  row_view rows;
  store_rows stored;
  hub_context hub;
  std::vector<bool> shutdowns;

  Api() {
    static_cast<actor_context&>(hub) = context;
    hub.place = std::make_shared<const home>("/h", "/h/run");
    hub.rows = &rows;
    hub.secret
      = std::make_shared<const home_secret>(home_secret{std::string(32, 's')});
    hub.now = [] { return wall_time{std::chrono::seconds{1'763'928'000}}; };
    configure({"app"});
    task t;
    t.id = task_id{"T1"};
    t.key = "app/task:1";
    t.project = project_id{"app"};
    t.title = "Say hello";
    stored.tasks.push_back(t);
    session s;
    s.id = session_id{"app-1"};
    s.project = project_id{"app"};
    s.task = t.id;
    s.subject = "T1";
    s.epoch = 4;
    s.run = 1;
    s.branch = "ao/app-1";
    s.runtime = runtime_state::alive;
    stored.sessions.push_back(s);
    claim c;
    c.subject = "T1";
    c.session = s.id;
    c.node = node_name{"local"};
    c.epoch = 4;
    c.held = true;
    stored.claims.push_back(c);
    rows.load(stored, {}, 0);
    spawn_as("registry", scripted_registry, seen);
    spawn_as("store", scripted_store,
             std::shared_ptr<std::vector<store_write>>{seen, &seen->writes},
             std::uint64_t{3});
    spawn_as("backlog", scripted_backlog, seen);
  }

  void configure(const std::vector<std::string>& projects) {
    auto all = default_settings_of_all();
    agent_settings scripted;
    scripted.name = "scripted";
    scripted.adapter = "command";
    scripted.command = {"/opt/agent"};
    all.agents["scripted"] = scripted;
    all.defaults.agent = "scripted";
    for (const auto& id : projects) {
      project_settings p;
      p.id = project_id{id};
      p.path = "/src/" + id;
      p.session_prefix = id;
      p.tracker.emplace().path = "/src/" + id + "/backlog.md";
      all.projects[p.id] = p;
    }
    hub.config = std::make_shared<const settings>(std::move(all));
  }

  std::string token(const char* role, epoch_no epoch = 4,
                    const char* id = "app-1") {
    token_claims who;
    who.session = session_id{id};
    who.epoch = epoch;
    who.run = 1;
    who.role = role;
    who.project = project_id{"app"};
    who.task = task_id{"T1"};
    return mint_token(*hub.secret, who);
  }

  void start() {
    if (names.find(api_name))
      return;
    api_host host;
    host.shutdown = [this](bool agents) { shutdowns.push_back(agents); };
    spawn_as("api", api_keeper, hub, host);
  }

  /// Sends a request by the operator, or by the bearer of `token`.
  std::shared_ptr<answer_box>
  send(const char* method, const std::string& target,
       const json& body = nullptr, const std::string& token = {},
       bool stream = false) {
    start();
    auto box = std::make_shared<answer_box>();
    http::request what;
    what.method = method;
    what.target = "/api/v1" + target;
    what.listener = token.empty() ? "hub" : "agent";
    EXPECT_TRUE(http::parse_target(what.target, what));
    if (!body.is_null())
      what.body = dump(body);
    if (!token.empty())
      what.headers["authorization"] = "Bearer " + token;
    if (stream)
      what.headers["accept"] = "text/event-stream";
    make_api_handler(names)(std::move(what), http::respond_once{box});
    settle();
    return box;
  }

  std::shared_ptr<answer_box> get(const std::string& target,
                                  const std::string& token = {}) {
    return send("GET", target, nullptr, token);
  }

  void publish(event e) {
    store_write write;
    write.events.push_back(std::move(e));
    store_written done;
    done.first_seq = rows.events().last_seq() + 1;
    rows.publish({write}, {done});
    settle();
  }
};

TEST_F(Api, AnswersShuttingDownWhileNobodyHoldsItsName) {
  auto box = std::make_shared<answer_box>();
  make_api_handler(names)({}, http::respond_once{box});
  EXPECT_EQ(box->status, 503);
  EXPECT_EQ(box->body["error"], "shutting_down");
}

TEST_F(Api, ShowsTheStatusOfTheHub) {
  auto box = get("/status");
  EXPECT_EQ(box->status, 200);
  EXPECT_EQ(box->body["data"][0]["name"], "app-1");
  EXPECT_EQ(box->body["meta"]["hub"]["pid"], ::getpid());
}

TEST_F(Api, SpawnsATaskUnderTheRequestsId) {
  auto box = send("POST", "/sessions", {{"issue", "T1"}, {"requestId", "r1"}});
  EXPECT_EQ(box->status, 201) << box->body;
  EXPECT_EQ(box->body["id"], "app-5");
  EXPECT_EQ(box->body["epoch"], 7);
  ASSERT_EQ(seen->opened.size(), 1u);
  EXPECT_EQ(seen->opened[0].request.text, "r1");
  EXPECT_EQ(seen->opened[0].task.text, "T1");
  EXPECT_EQ(seen->opened[0].agent, "scripted");
  EXPECT_EQ(box->answers, 1);
}

TEST_F(Api, AnswersARepeatedSpawnWith200) {
  seen->repeated = true;
  auto box = send("POST", "/sessions", {{"issue", "T1"}, {"requestId", "r"}});
  EXPECT_EQ(box->status, 200);
}

TEST_F(Api, NamesTheHolderOfAClaimedTask) {
  error held{ec::task_already_claimed, "T1 is held by app-1"};
  held.details = {{"task", "T1"}, {"holder", "app-1"}, {"epoch", "4"}};
  seen->refusal = held;
  auto box = send("POST", "/sessions", {{"issue", "T1"}});
  EXPECT_EQ(box->status, 409);
  EXPECT_EQ(box->body["error"], "task_already_claimed");
  EXPECT_EQ(box->body["holder"], "app-1");
  EXPECT_EQ(box->body["epoch"], 4);
}

TEST_F(Api, DoesNotFindATaskThatIsNotThere) {
  EXPECT_EQ(send("POST", "/sessions", {{"issue", "T77"}})->status, 404);
  EXPECT_EQ(get("/tasks/T77")->body["error"], "no_such_task");
  EXPECT_EQ(get("/sessions/app-9")->body["error"], "no_such_session");
  EXPECT_EQ(get("/changes/app%239")->body["error"], "no_such_change");
  EXPECT_EQ(get("/nowhere")->status, 404);
  EXPECT_EQ(send("POST", "/status")->status, 405);
}

TEST_F(Api, ReadsTheBacklogForATaskThatNobodyKnows) {
  seen->learn = [this] {
    task t;
    t.id = task_id{"T2"};
    t.key = "app/file:backlog.md#LEX";
    t.ref = "LEX";
    t.project = project_id{"app"};
    stored.tasks.push_back(t);
    rows.load(stored, {}, 0);
  };
  auto box = send("POST", "/sessions", {{"issue", "LEX"}});
  EXPECT_EQ(box->status, 201) << box->body;
  ASSERT_EQ(seen->imports.size(), 1u);
  EXPECT_EQ(seen->imports[0].project.text, "app");
  EXPECT_FALSE(seen->imports[0].text);
  ASSERT_EQ(seen->opened.size(), 1u);
  EXPECT_EQ(seen->opened[0].task.text, "T2");
  // What is known is not looked for again.
  EXPECT_EQ(send("POST", "/sessions", {{"issue", "LEX"}})->status, 201);
  EXPECT_EQ(
    send("POST", "/tasks", {{"title", "x"}, {"needs", {"LEX", "T1"}}})->status,
    201);
  EXPECT_EQ(seen->imports.size(), 1u);
}

TEST_F(Api, SaysWhyABacklogKnowsNoSuchTask) {
  seen->refusal = error{ec::bad_input, "backlog.md:2: the priority is none"};
  auto box = send("POST", "/tasks", {{"title", "x"}, {"needs", {"LEX"}}});
  EXPECT_EQ(box->status, 404);
  EXPECT_EQ(box->body["detail"],
            "no task is called LEX, and the backlog could "
            "not be read\nbacklog.md:2: the priority is "
            "none");
  // A task of the hub is in no backlog.
  EXPECT_EQ(send("POST", "/sessions", {{"issue", "T77"}})->status, 404);
  EXPECT_EQ(seen->imports.size(), 1u);
}

TEST_F(Api, ReadsNoBacklogBeyondTheReachOfTheCaller) {
  configure({"app", "web"});
  auto box = send("POST", "/tasks/resolve", {{"issues", {"web/LEX", "T1"}}},
                  token("orchestrator"));
  EXPECT_EQ(box->status, 200) << box->body;
  EXPECT_TRUE(seen->imports.empty());
  EXPECT_EQ(box->body["data"][0]["error"], "no_such_task");
  EXPECT_EQ(box->body["data"][1]["task"], "T1");
  EXPECT_EQ(box->body["meta"]["parallelSpawns"], 16);
  EXPECT_EQ(
    send("POST", "/tasks/import", {{"project", "web"}}, token("orchestrator"))
      ->status,
    403);
}

TEST_F(Api, ImportsTheConfiguredBacklogOrWhatIsSent) {
  EXPECT_EQ(send("POST", "/tasks/import", {{"requestId", "r"}})->status, 200);
  EXPECT_EQ(
    send("POST", "/tasks/import", {{"file", "/src/app/x.md"}, {"text", ""}})
      ->status,
    200);
  ASSERT_EQ(seen->imports.size(), 2u);
  EXPECT_EQ(seen->imports[0].request.text, "r");
  EXPECT_FALSE(seen->imports[0].text);
  EXPECT_EQ(seen->imports[1].text, "");
  EXPECT_EQ(seen->imports[1].file, "/src/app/x.md");
  // The hub opens no file for anybody but its configuration.
  for (const auto& bad : {json{{"file", "/etc/passwd"}}, json{{"text", "x"}},
                          json{{"file", "x.md"}, {"text", "x"}}})
    EXPECT_EQ(send("POST", "/tasks/import", bad)->status, 400) << bad;
  EXPECT_EQ(seen->imports.size(), 2u);
}

TEST_F(Api, FindsTheProjectByTheDirectory) {
  configure({"app", "web"});
  auto box = send("POST", "/tasks", {{"title", "x"}, {"cwd", "/src/web/lib"}});
  EXPECT_EQ(box->status, 201);
  ASSERT_EQ(seen->added.size(), 1u);
  EXPECT_EQ(seen->added[0].project.text, "web");
  EXPECT_EQ(send("POST", "/tasks", {{"title", "x"}})->body["error"],
            "bad_input");
}

TEST_F(Api, MakesATaskOfAPromptAndOpensItsSession) {
  std::string prompt = "$(reboot); \"'`\n\x1b[2J";
  auto box
    = send("POST", "/sessions", {{"prompt", prompt}, {"requestId", "r1"}});
  EXPECT_EQ(box->status, 201);
  ASSERT_EQ(seen->added.size(), 1u);
  EXPECT_EQ(seen->added[0].body, prompt);
  EXPECT_EQ(seen->added[0].key.rfind("app/prompt:", 0), 0u);
  ASSERT_EQ(seen->opened.size(), 1u);
  EXPECT_EQ(seen->opened[0].task.text, "T9");
}

TEST_F(Api, MakesNothingOfAPromptWithANul) {
  auto box = send("POST", "/sessions", {{"prompt", std::string("a\0b", 3)}});
  EXPECT_EQ(box->status, 400);
  EXPECT_EQ(box->body["error"], "bad_input");
  EXPECT_TRUE(seen->added.empty());
  EXPECT_TRUE(seen->opened.empty());
}

TEST_F(Api, ClaimsATaskByHand) {
  auto box = send("POST", "/tasks/app%2Ftask%3A1/claim", {{"requestId", "r1"}});
  EXPECT_EQ(box->status, 201);
  EXPECT_EQ(
    box->body,
    json(
      {{"task", "T1"}, {"session", "app-5"}, {"node", "local"}, {"epoch", 7}}));
  EXPECT_EQ(seen->opened[0].role, session_role::manual);
}

TEST_F(Api, RefusesAWorkerWhatIsTheOperators) {
  auto worker = token("worker");
  EXPECT_EQ(get("/status", worker)->status, 200);
  EXPECT_EQ(get("/sessions/app-1", worker)->status, 200);
  for (const auto* target :
       {"/shutdown", "/tasks", "/sessions", "/sessions/app-1/kill",
        "/sessions/cleanup", "/tasks/T1/cancel"}) {
    auto box = send("POST", target, json::object(), worker);
    EXPECT_EQ(box->status, 403) << target;
    EXPECT_EQ(box->body["error"], "not_allowed") << target;
  }
  EXPECT_TRUE(shutdowns.empty());
}

TEST_F(Api, RefusesTheTokenOfAnOldEpoch) {
  auto box = get("/status", token("worker", 3));
  EXPECT_EQ(box->status, 403);
  EXPECT_EQ(box->body["error"], "stale_epoch");
  EXPECT_EQ(box->body["current"], 4);
}

TEST_F(Api, RefusesAStaleOrForeignPushAndRecordsIt) {
  json body = {{"project", "app"},
               {"updates",
                {{{"old", std::string(40, '0')},
                  {"new", std::string(40, 'a')},
                  {"ref", "refs/heads/ao/app-1"}}}}};
  EXPECT_EQ(send("POST", "/hooks/pre-receive", body, token("worker"))->status,
            200);
  EXPECT_TRUE(seen->writes.empty());
  auto box = send("POST", "/hooks/pre-receive", body, token("worker", 3));
  EXPECT_EQ(box->status, 403);
  EXPECT_EQ(box->body["line"], "ao: push refused: stale epoch 3 (current 4)");
  EXPECT_EQ(box->body["detail"], "push refused: stale epoch 3 (current 4)");
  ASSERT_EQ(seen->writes.size(), 1u);
  ASSERT_EQ(seen->writes[0].events.size(), 1u);
  EXPECT_EQ(seen->writes[0].events[0].kind, event_kind::push_refused);
  EXPECT_EQ(seen->writes[0].events[0].subject, "session:app-1");
  EXPECT_EQ(send("POST", "/hooks/pre-receive", body)->status, 403);
  EXPECT_EQ(seen->writes.size(), 2u);
}

TEST_F(Api, StopsTheHubForTheOperatorAlone) {
  auto box = send("POST", "/shutdown", {{"agents", false}});
  EXPECT_EQ(box->status, 202);
  EXPECT_EQ(shutdowns, std::vector<bool>{false});
}

TEST_F(Api, StopsTheHubOnceNoAgentIsLeft) {
  EXPECT_EQ(send("POST", "/shutdown", {{"agents", true}})->status, 202);
  EXPECT_TRUE(shutdowns.empty()) << "app-1 has an agent";
  // Nobody ends it in this fixture; the hub does not wait for ever.
  advance(120s);
  EXPECT_EQ(shutdowns, std::vector<bool>{true});
}

TEST_F(Api, AnswersAtItsDeadlineWhenNobodyElseDoes) {
  names.set("registry"_name, nullptr);
  auto box = send("POST", "/sessions", {{"issue", "T1"}});
  EXPECT_EQ(box->answers, 0);
  advance(20s);
  EXPECT_EQ(box->answers, 1);
  EXPECT_GE(box->status, 500);
}

TEST_F(Api, PagesThroughEventsAndSaysWhenTheyAreGone) {
  std::vector<event> tail(3);
  for (std::size_t i = 0; i < tail.size(); ++i) {
    tail[i].seq = i + 3;
    tail[i].subject = "hub";
  }
  rows.load(stored, tail, 5);
  auto page = get("/events?after=2&limit=2");
  EXPECT_EQ(page->body["data"].size(), 2u);
  EXPECT_EQ(page->body["next"], 4);
  EXPECT_EQ(get("/events?after=5")->body["data"].size(), 0u);
  EXPECT_EQ(get("/events?after=0")->status, 410);
  EXPECT_EQ(get("/events?limit=0")->status, 400);
  EXPECT_EQ(get("/events?after=x")->status, 400);
}

TEST_F(Api, StreamsEventsUntilTheReaderLeaves) {
  auto box = send("GET", "/events?subject=session%3Aapp-1", nullptr, {}, true);
  EXPECT_EQ(box->status, 200);
  EXPECT_TRUE(box->frames.empty());
  event e;
  e.subject = "session:app-1";
  e.kind = event_kind::agent_started;
  publish(e);
  event other = e;
  other.subject = "session:app-2";
  publish(other);
  ASSERT_EQ(box->frames.size(), 1u);
  EXPECT_EQ(box->frames[0].rfind("id: 1\nevent: agent_started\n", 0), 0u);
  box->close();
  settle();
  publish(e);
  EXPECT_EQ(box->frames.size(), 1u);
}

TEST_F(Api, TellsAStreamThatItsCursorIsGone) {
  std::vector<event> tail(1);
  tail[0].seq = 9;
  rows.load(stored, tail, 9);
  auto box = send("GET", "/events?after=0", nullptr, {}, true);
  EXPECT_EQ(box->status, 410);
  EXPECT_EQ(box->answers, 1);
}

} // namespace
} // namespace ao::test
