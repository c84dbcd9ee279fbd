#include "messages/store.hpp"
#include "runtime/api/access.hpp"

#include <gtest/gtest.h>

#include <set>
#include <tuple>

namespace ao::api {
namespace {

constexpr session_role roles[]
  = {session_role::worker, session_role::orchestrator, session_role::mediator,
     session_role::reviewer, session_role::manual};

struct route {
  const char* method;
  const char* pattern;
};

constexpr route all_routes[] = {
  {"GET", "/health"},
  {"GET", "/status"},
  {"GET", "/tasks"},
  {"POST", "/tasks"},
  {"POST", "/tasks/import"},
  {"POST", "/tasks/resolve"},
  {"GET", "/tasks/{id}"},
  {"POST", "/tasks/{id}/cancel"},
  {"POST", "/tasks/{id}/retry"},
  {"POST", "/tasks/{id}/claim"},
  {"GET", "/sessions"},
  {"POST", "/sessions"},
  {"POST", "/sessions/cleanup"},
  {"GET", "/sessions/{id}"},
  {"GET", "/sessions/{id}/output"},
  {"POST", "/sessions/{id}/terminal"},
  {"GET", "/sessions/{id}/terminal/{attachment}"},
  {"POST", "/sessions/{id}/terminal/{attachment}"},
  {"POST", "/sessions/{id}/terminal/{attachment}/close"},
  {"POST", "/sessions/{id}/kill"},
  {"POST", "/sessions/{id}/restore"},
  {"POST", "/sessions/{id}/reports"},
  {"GET", "/changes"},
  {"POST", "/changes"},
  {"GET", "/changes/{id}"},
  {"POST", "/changes/{id}/claim"},
  {"GET", "/changes/{id}/reviews"},
  {"POST", "/changes/{id}/reviews"},
  {"GET", "/events"},
  {"POST", "/questions"},
  {"GET", "/nodes"},
  {"GET", "/config"},
  {"POST", "/config/reload"},
  {"GET", "/metrics"},
  {"POST", "/backups"},
  {"POST", "/hooks/pre-receive"},
  {"POST", "/hooks/post-receive"},
  {"POST", "/shutdown"},
};

/// Everything that changes something, by who may: written down again here,
/// so that a slip in the table is seen.
bool may_change(session_role role, const route& r) {
  std::string_view p = r.pattern;
  if (p == "/hooks/pre-receive" || p == "/hooks/post-receive"
      || p == "/sessions/{id}/reports")
    return true;
  if (p == "/changes")
    return role == session_role::worker || role == session_role::manual;
  if (p == "/changes/{id}/claim")
    return role == session_role::worker || role == session_role::orchestrator;
  if (p == "/questions")
    return role != session_role::orchestrator;
  if (p == "/changes/{id}/reviews")
    return role == session_role::reviewer;
  if (p == "/tasks" || p == "/tasks/import" || p == "/tasks/resolve"
      || p == "/sessions")
    return role == session_role::orchestrator;
  return false;
}

TEST(ApiAccess, EachRoleChangesOnlyWhatItsWorkNeeds) {
  for (auto role : roles)
    for (const auto& r : all_routes)
      if (std::string_view{r.method} == "POST") {
        EXPECT_EQ(reach_of(role, r.method, r.pattern) != reach::none,
                  may_change(role, r))
          << to_string(role) << ' ' << r.pattern;
      }
}

TEST(ApiAccess, NoRoleReadsTheConfigurationAndNoneButOrchestratorsNodes) {
  for (auto role : roles) {
    EXPECT_EQ(reach_of(role, "GET", "/config"), reach::none);
    EXPECT_EQ(reach_of(role, "GET", "/nodes") == reach::none,
              role != session_role::orchestrator);
  }
}

TEST(ApiAccess, NoRoleLooksAtATerminal) {
  for (auto role : roles)
    for (const auto& r : all_routes) {
      auto at = std::string_view{r.pattern}.find("/terminal");
      if (at == std::string_view::npos)
        continue;
      EXPECT_EQ(reach_of(role, r.method, r.pattern), reach::none) << r.pattern;
    }
}

TEST(ApiAccess, EveryRoleReadsTheStatusOfItsProject) {
  for (auto role : roles)
    for (const auto* pattern : {"/status", "/tasks", "/tasks/{id}"})
      EXPECT_EQ(reach_of(role, "GET", pattern), reach::project) << pattern;
}

TEST(ApiAccess, AWorkerReadsOnlyItsOwnSessionChangesAndEvents) {
  for (const auto* pattern :
       {"/sessions", "/sessions/{id}", "/changes", "/changes/{id}", "/events"})
    EXPECT_EQ(reach_of(session_role::worker, "GET", pattern), reach::own);
}

TEST(ApiAccess, AReportReachesNobodyButItself) {
  for (auto role : roles)
    EXPECT_EQ(reach_of(role, "POST", "/sessions/{id}/reports"), reach::own);
}

TEST(ApiAccess, ARouteThatIsNotInTheTableIsRefused) {
  for (auto role : roles) {
    EXPECT_EQ(reach_of(role, "GET", "/secrets"), reach::none);
    EXPECT_EQ(reach_of(role, "POST", "/status"), reach::none);
  }
}

token_claims claims_of(const char* session, epoch_no epoch = 3,
                       run_no run = 2) {
  token_claims out;
  out.session = session_id{session};
  out.epoch = epoch;
  out.run = run;
  out.role = "worker";
  out.project = project_id{"app"};
  out.task = task_id{"T1"};
  return out;
}

TEST(ApiAccess, OwnMeansTheSessionOrItsTask) {
  auto who = claims_of("app-1");
  EXPECT_TRUE(within(reach::own, who, {project_id{"app"}, who.session, {}}));
  EXPECT_TRUE(within(reach::own, who, {{}, {}, task_id{"T1"}}));
  EXPECT_FALSE(within(reach::own, who,
                      {project_id{"app"}, session_id{"app-2"}, task_id{"T2"}}));
  EXPECT_FALSE(within(reach::own, who, {}));
  who.task = {};
  EXPECT_FALSE(within(reach::own, who, {}));
}

TEST(ApiAccess, AProjectEndsAtItsOwnThings) {
  auto who = claims_of("app-1");
  EXPECT_TRUE(within(reach::project, who, {project_id{"app"}, {}, {}}));
  EXPECT_FALSE(within(reach::project, who, {project_id{"web"}, {}, {}}));
  EXPECT_FALSE(within(reach::project, who, {}));
}

class ApiCaller : public ::testing::Test {
protected:
  home_secret secret{std::string(32, 's')};
  http::request what;
  std::optional<std::string> above;

  result<caller> ask() {
    return identify(what, secret, [this](pid_t) { return above; });
  }

  void from_hub_socket() {
    what.listener = "hub";
    what.peer = http::peer_identity{1000, 77};
  }
};

TEST_F(ApiCaller, IsTheOperatorOnTheHubsSocket) {
  from_hub_socket();
  auto who = ask();
  ASSERT_TRUE(who);
  EXPECT_TRUE(who->is_operator());
}

TEST_F(ApiCaller, IsTheSessionItStandsBelow) {
  from_hub_socket();
  above = mint_token(secret, claims_of("app-1"));
  auto who = ask();
  ASSERT_TRUE(who);
  ASSERT_TRUE(who->session);
  EXPECT_EQ(*who->session, claims_of("app-1"));
}

TEST_F(ApiCaller, IsNobodyWithAForgedTokenAbove) {
  from_hub_socket();
  above = mint_token(home_secret{std::string(32, 'x')}, claims_of("app-1"));
  auto who = ask();
  ASSERT_FALSE(who);
  EXPECT_EQ(who.error().code, ec::bad_token);
}

TEST_F(ApiCaller, NeedsATokenOnEveryOtherListener) {
  for (const auto* listener : {"agent", "tcp", ""}) {
    what.listener = listener;
    EXPECT_FALSE(ask()) << listener;
  }
  what.headers["authorization"]
    = "Bearer " + mint_token(secret, claims_of("app-2"));
  auto who = ask();
  ASSERT_TRUE(who);
  EXPECT_EQ(who->session->session.text, "app-2");
}

TEST(ApiToken, CountsOnlyForThePresentEpochAndRun) {
  row_view rows;
  session s;
  s.id = session_id{"app-1"};
  s.epoch = 3;
  s.run = 2;
  store_rows stored;
  stored.sessions.push_back(s);
  rows.load(std::move(stored), {}, 0);
  EXPECT_TRUE(check_fresh(claims_of("app-1"), rows));
  auto old_epoch = check_fresh(claims_of("app-1", 2), rows);
  ASSERT_FALSE(old_epoch);
  EXPECT_EQ(old_epoch.error().code, ec::stale_epoch);
  auto old_run = check_fresh(claims_of("app-1", 3, 1), rows);
  ASSERT_FALSE(old_run);
  EXPECT_EQ(old_run.error().code, ec::stale_epoch);
  auto unknown = check_fresh(claims_of("app-9"), rows);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ec::no_such_session);
}

/// A request by TCP as a program sends it.
http::request by_tcp(const std::string& host, const std::string& token,
                     const std::string& origin = {}) {
  http::request what;
  what.listener = "tcp";
  what.headers["host"] = host;
  what.headers["authorization"] = "Bearer " + token;
  if (!origin.empty())
    what.headers["origin"] = origin;
  return what;
}

TEST(ApiAccess, OnTcpTheTokenMakesTheOperator) {
  tcp_guard guard{"127.0.0.1:7421", "right"};
  EXPECT_TRUE(check_tcp(by_tcp("127.0.0.1:7421", "right"), guard));
  for (auto token : {"", "wrong", "righ", "right2"}) {
    auto refused = check_tcp(by_tcp("127.0.0.1:7421", token), guard);
    ASSERT_FALSE(refused) << token;
    EXPECT_EQ(refused.error().code, ec::bad_token);
  }
}

TEST(ApiAccess, OnTcpNoPageReachesUsByANameOfItsOwn) {
  tcp_guard guard{"box.lan:7421", "t"};
  for (auto host : {"box.lan:7421", "127.0.0.1:7421", "[::1]:7421",
                    "localhost:7421", "10.0.0.7:7421"})
    EXPECT_TRUE(check_tcp(by_tcp(host, "t"), guard)) << host;
  for (auto host : {"", "evil.example:7421", "box.lan", "box.lan:80",
                    "box.lan.evil.example:7421", "127.0.0.1.evil.example:7421",
                    "localhost", ":7421"}) {
    auto refused = check_tcp(by_tcp(host, "t"), guard);
    ASSERT_FALSE(refused) << host;
    EXPECT_EQ(refused.error().code, ec::not_allowed) << host;
  }
}

TEST(ApiAccess, OnTcpNoOtherSitesScriptIsHeard) {
  tcp_guard guard{"127.0.0.1:7421", "t"};
  EXPECT_TRUE(
    check_tcp(by_tcp("127.0.0.1:7421", "t", "http://127.0.0.1:7421"), guard));
  for (auto origin : {"null", "http://evil.example", "https://127.0.0.1:7421",
                      "http://127.0.0.1:80", "http://127.0.0.1"}) {
    auto refused = check_tcp(by_tcp("127.0.0.1:7421", "t", origin), guard);
    ASSERT_FALSE(refused) << origin;
    EXPECT_EQ(refused.error().code, ec::not_allowed) << origin;
  }
}

} // namespace
} // namespace ao::api
