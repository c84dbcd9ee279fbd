#include "tests/support/agent_scripts.hpp"
#include "tests/support/fake_gateway.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <fstream>
#include <sstream>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

namespace {

std::string read_all(const std::filesystem::path& file) {
  std::ifstream in{file};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// Writes the configuration again, with `from` replaced.
void edit_config(const world& w, const std::string& from,
                 const std::string& to) {
  auto file = w.checkout() / "ao.yaml";
  auto text = read_all(file);
  auto at = text.find(from);
  ASSERT_NE(at, text.npos) << from;
  std::ofstream{file} << text.replace(at, from.size(), to);
}

world_options one_at_a_time() {
  world_options o;
  o.settings = "limits: {sessions: 1, spawnsPerMinute: 0, "
               "minFreeMemory: 1MiB, minFreeDisk: 1MiB}\n";
  return o;
}

TEST(ConfigReload, StartsWhatFitsIntoHigherLimits) {
  world w{one_at_a_time()};
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  w.ask({"spawn", "--prompt", "First"});
  w.ask({"spawn", "--prompt", "Second", "--no-wait"});
  w.await("session_queued", "session:app-2");
  edit_config(w, "sessions: 1", "sessions: 2");
  auto done = w.ask({"config", "reload"});
  ASSERT_THAT(done["changed"], SizeIs(1)) << done;
  EXPECT_EQ(done["changed"][0],
            (json{{"key", "limits.sessions"},
                  {"before", "1"},
                  {"after", "2"},
                  {"takesEffect", "now"}}));
  w.await("agent_started", "session:app-2");
  auto told = w.await("config_reloaded", "hub");
  EXPECT_EQ(told["data"]["changed"], done["changed"]);
  EXPECT_EQ(told["data"]["by"], "api");
  auto human = w.ao({"config", "reload"});
  EXPECT_THAT(human.out, HasSubstr("nothing has changed"));
}

TEST(ConfigReload, KeepsTheLastGoodOneAndSaysWhatIsWrong) {
  world w{one_at_a_time()};
  w.add_agent("sleeper", scripts::sleeper);
  auto pid = w.start();
  edit_config(w, "sessions: 1", "sessions: none");
  auto refused = w.ao({"config", "reload"});
  EXPECT_EQ(refused.status.code, 2) << refused.err;
  EXPECT_THAT(refused.out, IsEmpty());
  EXPECT_THAT(refused.err,
              HasSubstr("ao.yaml:2:20: limits.sessions: \"none\" is not"));
  // A signal asks nobody, so the record must tell.
  auto before = w.last_event();
  ASSERT_EQ(::kill(pid, SIGHUP), 0);
  auto told = w.await("config_refused", "hub", before);
  EXPECT_EQ(told["data"]["by"], "signal");
  EXPECT_THAT(told["data"]["why"].get<std::string>(),
              HasSubstr("limits.sessions"));
  auto counts = w.api().call("GET", "/api/v1/nodes");
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->body["data"][0]["slots"]["max"], 1);
  edit_config(w, "sessions: none", "sessions: 7");
  ASSERT_EQ(::kill(pid, SIGHUP), 0);
  w.await("config_reloaded", "hub", before);
  counts = w.api().call("GET", "/api/v1/nodes");
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->body["data"][0]["slots"]["max"], 7);
}

TEST(ConfigReload, BringsANotifierAndTakesItAway) {
  fake_gateway gateway;
  world_options o;
  o.settings += "# notifiers\n";
  world w{o};
  w.add_agent("sleeper", scripts::sleeper);
  w.start();
  edit_config(w, "# notifiers",
              "notifiers: {phone: {plugin: openclaw, url: \"" + gateway.url()
                + "\", token: hook-token}}");
  auto done = w.ask({"config", "reload"});
  ASSERT_THAT(done["changed"], SizeIs(1)) << done;
  EXPECT_EQ(done["changed"][0]["key"], "notifiers.phone");
  EXPECT_EQ(done["changed"][0]["takesEffect"], "now");
  auto tested = w.ao({"notify", "test", "phone"});
  EXPECT_EQ(tested.status.code, 0) << tested.err;
  // Another token counts at once.
  edit_config(w, "token: hook-token", "token: another");
  w.ask({"config", "reload"});
  auto so_far = gateway.requests().size();
  w.ask({"notify", "test", "phone", "--no-wait"});
  ASSERT_TRUE(gateway.await_requests(so_far + 1));
  EXPECT_EQ(gateway.requests().back().status, 401);
  edit_config(w, "notifiers: {phone", "# notifiers: {phone");
  w.ask({"config", "reload"});
  auto gone = w.ao({"notify", "test", "phone"});
  EXPECT_EQ(gone.status.code, 2) << gone.err;
  EXPECT_THAT(read_all(w.home() / "logs/hub.log"),
              testing::Not(HasSubstr("child_restarted")));
}

} // namespace
