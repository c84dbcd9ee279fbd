#include "runtime/home/files.hpp"
#include "runtime/notify/http_call.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;

namespace {

/// A port of loopback that nobody has at present.
std::string free_port() {
  auto fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&where), size), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size), 0);
  ::close(fd);
  return std::to_string(ntohs(where.sin_port));
}

class Tcp : public testing::Test {
protected:
  Tcp() : port(free_port()), w(with_listener(port)) {
    w.add_agent("sleeper", scripts::sleeper);
    w.start();
    auto bytes = read_file((w.home() / "api.token").string());
    EXPECT_TRUE(bytes);
    token = bytes->substr(0, bytes->find('\n'));
  }

  static world_options with_listener(const std::string& port) {
    world_options o;
    o.settings += "api: {listen: \"127.0.0.1:" + port + "\"}\n";
    return o;
  }

  notify::http_reply
  get(const std::string& path,
      std::vector<std::pair<std::string, std::string>> headers) {
    notify::http_call call;
    call.method = "GET";
    call.url = "http://127.0.0.1:" + port + path;
    call.headers = std::move(headers);
    return notify::perform(call, {});
  }

  std::string port;
  world w;
  std::string token;
};

TEST_F(Tcp, AnswersWhoeverHasTheTokenOfTheHome) {
  auto status = get("/api/v1/status", {{"Authorization", "Bearer " + token}});
  EXPECT_EQ(status.status, 200) << status.body;
  EXPECT_EQ(json::parse(status.body)["data"], json::array());
  auto nobody = get("/api/v1/status", {});
  EXPECT_EQ(nobody.status, 401) << nobody.body;
  EXPECT_EQ(json::parse(nobody.body)["error"], "bad_token");
  auto page = get(
    "/api/v1/status",
    {{"Authorization", "Bearer " + token}, {"Origin", "http://evil.example"}});
  EXPECT_EQ(page.status, 403) << page.body;
  auto rebound = get(
    "/api/v1/status",
    {{"Authorization", "Bearer " + token}, {"Host", "evil.example:" + port}});
  EXPECT_EQ(rebound.status, 403) << rebound.body;
  struct stat info {};
  ASSERT_EQ(::stat((w.home() / "api.token").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
  auto log = read_file((w.home() / "logs/hub.log").string());
  EXPECT_THAT(*log, testing::Not(HasSubstr(token)));
}

TEST_F(Tcp, TellsPrometheusHowItIs) {
  w.add_task("One");
  w.ask({"spawn", "--prompt", "Two"});
  auto answer = get("/api/v1/metrics", {{"Authorization", "Bearer " + token}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers["content-type"],
            "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(answer.body, HasSubstr("# TYPE ao_tasks gauge\n"));
  EXPECT_THAT(answer.body, HasSubstr("ao_tasks{state=\"ready\"} 1\n"));
  EXPECT_THAT(answer.body, HasSubstr("ao_tasks{state=\"claimed\"} 1\n"));
  EXPECT_THAT(answer.body, HasSubstr("ao_tasks{state=\"merged\"} 0\n"));
  EXPECT_THAT(answer.body, HasSubstr("ao_sessions{runtime=\"alive\"} 1\n"));
  EXPECT_THAT(answer.body, HasSubstr("ao_store_writable 1\n"));
  EXPECT_THAT(answer.body, HasSubstr("process_resident_memory_bytes "));
}

TEST(TcpListener, SaysWhichAddressItCannotHave) {
  world_options o;
  o.settings += "api: {listen: \"no-such-host.invalid:7421\"}\n";
  world w{o};
  w.add_agent("sleeper", scripts::sleeper);
  w.write_config();
  auto refused = w.ao({"start"});
  EXPECT_EQ(refused.status.code, 2) << refused.err;
  EXPECT_THAT(refused.err,
              HasSubstr("api.listen: \"no-such-host.invalid\" is "
                        "not an address"));
}

} // namespace
