#include "runtime/http/client.hpp"
#include "runtime/http/problem.hpp"
#include "runtime/http/router.hpp"
#include "runtime/http/server.hpp"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <future>
#include <mutex>
#include <thread>

using namespace ao;
using namespace ao::http;
using nlohmann::json;

namespace {

/// Longest wait for an event of the other side; never reached when all is
/// well.
constexpr int patience_ms = 20'000;

/// A raw client that sends what no client should.
class raw_client {
public:
  explicit raw_client(const std::string& path)
      : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    connected_
      = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address)
      == 0;
  }
  ~raw_client() { ::close(fd_); }

  bool connected() const { return connected_; }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0)
        return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  /// Reads until the text contains `word`, or to the end.
  std::string read_until(std::string_view word) {
    char chunk[4096];
    while (word.empty() || text_.find(word) == std::string::npos) {
      pollfd one{fd_, POLLIN, 0};
      if (::poll(&one, 1, patience_ms) <= 0) {
        ADD_FAILURE() << "nothing came after: " << text_;
        break;
      }
      auto n = ::recv(fd_, chunk, sizeof chunk, 0);
      if (n <= 0)
        break;
      text_.append(chunk, static_cast<std::size_t>(n));
    }
    return text_;
  }

  std::string read_all() { return read_until(""); }

private:
  int fd_;
  bool connected_ = false;
  std::string text_;
};

std::string get(const std::string& target, const std::string& headers = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
}

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t n = 0;
  for (auto at = text.find(word); at != std::string::npos;
       at = text.find(word, at + word.size()))
    ++n;
  return n;
}

class HttpServer : public testing::Test {
protected:
  HttpServer() {
    char name[] = "/tmp/ao-http-XXXXXX";
    directory_ = ::mkdtemp(name);
    path_ = directory_ + "/s";
    router_.on("GET", "/hello", [](request, respond_once respond) {
      respond(json_response(200, {{"hello", "world"}}));
    });
    router_.on("GET", "/silent", [this](request, respond_once respond) {
      std::lock_guard guard{lock_};
      held_.push_back(std::move(respond));
    });
    router_.on("GET", "/dropped", [](request, respond_once) {});
    router_.on("GET", "/throws",
               [](request, respond_once) { throw std::runtime_error("boom"); });
    router_.on("POST", "/echo", [](request what, respond_once respond) {
      respond(json_response(201,
                            {{"size", what.body.size()},
                             {"id", what.request_id()},
                             {"token", what.bearer()},
                             {"listener", what.listener},
                             {"pid", what.peer ? what.peer->pid : 0}}));
    });
    router_.on("GET", "/tasks/{id}", [](request what, respond_once respond) {
      respond(json_response(
        200, {{"id", what.params["id"]}, {"q", what.query_or("q", "")}}));
    });
    router_.on("GET", "/conflict", [](request, respond_once respond) {
      error why{ec::task_already_claimed, "T1 is held by app-7"};
      why.details = {{"holder", "app-7"}, {"epoch", "7"}};
      respond(why);
    });
    router_.on("GET", "/events", [this](request, respond_once respond) {
      stream_.set_value(respond.stream());
    });
  }

  ~HttpServer() override {
    {
      std::lock_guard guard{lock_};
      held_.clear();
    }
    server_.reset();
    guard_.reset();
    // What was posted by stop() runs, then the context is empty.
    if (thread_.joinable())
      thread_.join();
    ::unlink(path_.c_str());
    ::rmdir(directory_.c_str());
  }

  void serve(server_options options = {}) {
    server_ = std::make_unique<server>(io_, std::ref(router_), options);
    auto listening = server_->listen_unix("hub", path_);
    ASSERT_TRUE(listening) << to_string(listening.error());
    thread_ = std::thread{[this] { io_.run(); }};
  }

  result<reply> call(const std::string& method, const std::string& target,
                     const json& body = nullptr) {
    return api_client{path_}.call(method, target, body, {},
                                  milliseconds{patience_ms});
  }

  std::string directory_;
  std::string path_;
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type>
    guard_ = boost::asio::make_work_guard(io_);
  router router_;
  std::unique_ptr<server> server_;
  std::thread thread_;
  std::mutex lock_;
  std::vector<respond_once> held_;
  std::promise<event_stream> stream_;
};

} // namespace

TEST_F(HttpServer, AnswersOnASocketThatOnlyItsOwnerCanOpen) {
  serve();
  struct stat there {};
  ASSERT_EQ(::stat(path_.c_str(), &there), 0);
  EXPECT_EQ(there.st_mode & 0777, 0600u);
  auto answer = call("GET", "/hello");
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(answer->body["hello"], "world");
}

TEST_F(HttpServer, TellsTheHandlerWhoAsks) {
  serve();
  api_client client{path_, "secret"};
  auto answer
    = client.call("POST", "/echo", {{"a", 1}}, {{"Idempotency-Key", "R1"}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body["id"], "R1");
  EXPECT_EQ(answer->body["token"], "secret");
  EXPECT_EQ(answer->body["listener"], "hub");
  EXPECT_EQ(answer->body["pid"], ::getpid());
}

TEST_F(HttpServer, FindsAKeyWithSlashAndHashAsOneSegment) {
  serve();
  std::string key = "app/github:owner/repo#42";
  auto answer = call("GET", "/tasks/" + percent_encode(key) + "?q=a%26b");
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(answer->body["id"], key);
  EXPECT_EQ(answer->body["q"], "a&b");
}

TEST_F(HttpServer, RefusesPathsThatClimbOrCarryNul) {
  serve();
  for (auto target : {"/tasks/..", "/tasks/%2e%2e", "/tasks/%00", "/tasks/%zz",
                      "/tasks/a?x=%0"}) {
    auto answer = call("GET", target);
    ASSERT_FALSE(answer) << target;
    EXPECT_EQ(answer.error().code, ec::bad_input) << target;
  }
}

TEST_F(HttpServer, SaysWhichRouteOrMethodIsWrong) {
  serve();
  EXPECT_EQ(call("GET", "/nowhere").error().code, ec::no_such_route);
  EXPECT_EQ(call("DELETE", "/hello").error().code, ec::method_not_allowed);
  raw_client raw{path_};
  raw.send("PUT /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
           "Connection: close\r\n\r\n");
  auto text = raw.read_all();
  EXPECT_NE(text.find("405"), std::string::npos);
  EXPECT_NE(text.find("Allow: GET\r\n"), std::string::npos);
}

TEST_F(HttpServer, CarriesAnErrorWithItsMembersToTheClient) {
  serve();
  auto answer = call("GET", "/conflict");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ec::task_already_claimed);
  EXPECT_EQ(answer.error().context, "T1 is held by app-7");
  auto document = problem(answer.error());
  EXPECT_EQ(document["holder"], "app-7");
  EXPECT_EQ(document["epoch"], 7);
  EXPECT_EQ(document["type"], "urn:ao:task_already_claimed");
}

TEST_F(HttpServer, AnswersForAHandlerThatDropsTheRequest) {
  serve();
  auto answer = call("GET", "/dropped");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ec::internal);
}

TEST_F(HttpServer, AnswersForAHandlerThatThrows) {
  serve();
  EXPECT_EQ(call("GET", "/throws").error().code, ec::internal);
  EXPECT_TRUE(call("GET", "/hello"));
}

TEST_F(HttpServer, AnswersForAHandlerThatIsSilentAndIgnoresItsLateAnswer) {
  server_options options;
  options.deadline = milliseconds{30};
  serve(options);
  raw_client raw{path_};
  raw.send(get("/silent"));
  EXPECT_NE(raw.read_until("}").find("504"), std::string::npos);
  {
    std::lock_guard guard{lock_};
    ASSERT_EQ(held_.size(), 1u);
    held_[0](json_response(200, {{"late", true}}));
  }
  // The connection goes on with the next request, unharmed.
  raw.send(get("/hello"));
  auto text = raw.read_until("world");
  EXPECT_EQ(text.find("late"), std::string::npos);
}

TEST_F(HttpServer, TakesOnlyTheFirstAnswer) {
  router_.on("GET", "/twice", [](request, respond_once respond) {
    EXPECT_TRUE(respond(json_response(200, {{"n", 1}})));
    EXPECT_FALSE(respond(json_response(200, {{"n", 2}})));
    EXPECT_TRUE(respond.stream().closed());
  });
  serve();
  EXPECT_EQ(call("GET", "/twice")->body["n"], 1);
}

TEST_F(HttpServer, TakesTheAnswerFromAnotherThread) {
  serve();
  auto answer
    = std::async(std::launch::async, [this] { return call("GET", "/silent"); });
  for (bool sent = false; !sent;) {
    std::lock_guard guard{lock_};
    if ((sent = !held_.empty()))
      held_[0](json_response(200, {{"from", "afar"}}));
  }
  EXPECT_EQ(answer.get()->body["from"], "afar");
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrder) {
  serve();
  raw_client raw{path_};
  raw.send(get("/tasks/a") + get("/tasks/b")
           + get("/tasks/c", "Connection: close\r\n"));
  auto text = raw.read_all();
  EXPECT_EQ(count(text, "200 OK"), 3u);
  EXPECT_LT(text.find("\"a\""), text.find("\"b\""));
  EXPECT_LT(text.find("\"b\""), text.find("\"c\""));
}

TEST_F(HttpServer, SurvivesJunk) {
  serve();
  for (const std::string& junk :
       {std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8),
        std::string("GET\r\n\r\n"), std::string(300, '\0'),
        std::string("GET / HTTP/9.9\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n")}) {
    raw_client raw{path_};
    raw.send(junk);
    EXPECT_NE(raw.read_all().find("400 Bad Request"), std::string::npos);
  }
  EXPECT_TRUE(call("GET", "/hello"));
}

TEST_F(HttpServer, RefusesWhatIsTooLarge) {
  serve();
  auto answer = call("POST", "/echo", std::string((1 << 20) + 1, 'x'));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ec::too_large);
  raw_client raw{path_};
  raw.send(get("/hello", "X: " + std::string(20'000, 'x') + "\r\n"));
  EXPECT_NE(raw.read_all().find(" 431 "), std::string::npos);
  EXPECT_TRUE(call("POST", "/echo", std::string((1 << 20) - 2, 'x')));
}

TEST_F(HttpServer, RefusesAChunkedBodyThatGrowsTooLarge) {
  server_options options;
  options.body_limit = 100;
  serve(options);
  raw_client raw{path_};
  raw.send("POST /echo HTTP/1.1\r\nHost: x\r\n"
           "Transfer-Encoding: chunked\r\n\r\n");
  raw.send("c8\r\n" + std::string(200, 'x') + "\r\n0\r\n\r\n");
  EXPECT_NE(raw.read_all().find(" 413 "), std::string::npos);
}

TEST_F(HttpServer, InvitesABodyThatWaits) {
  serve();
  raw_client raw{path_};
  raw.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
           "Content-Length: 2\r\n\r\n");
  EXPECT_NE(raw.read_until("\r\n\r\n").find("100 Continue"), std::string::npos);
  raw.send("{}");
  EXPECT_NE(raw.read_until("\"size\":2").find("201"), std::string::npos);
}

TEST_F(HttpServer, DisconnectsWhoeverSendsTooSlowly) {
  server_options options;
  options.read_timeout = milliseconds{30};
  serve(options);
  raw_client raw{path_};
  raw.send("GET /hel");
  EXPECT_EQ(raw.read_all(), "");
}

TEST_F(HttpServer, DisconnectsTheIdle) {
  server_options options;
  options.idle_timeout = milliseconds{30};
  serve(options);
  raw_client raw{path_};
  EXPECT_EQ(raw.read_all(), "");
}

TEST_F(HttpServer, ServesTheNextWhenAConnectionEnds) {
  server_options options;
  options.max_connections = 1;
  serve(options);
  auto first = std::make_unique<raw_client>(path_);
  first->send(get("/hello"));
  first->read_until("world");
  raw_client second{path_};
  second.send(get("/hello"));
  first.reset();
  EXPECT_NE(second.read_until("world").find("200"), std::string::npos);
}

TEST_F(HttpServer, RefusesThePeerOfAnotherUser) {
  if (::geteuid() != 0) {
    server_options options;
    options.owner = ::geteuid() + 1;
    serve(options);
    EXPECT_EQ(call("GET", "/hello").error().code, ec::peer_refused);
    return;
  }
  serve();
  ASSERT_EQ(::chmod(directory_.c_str(), 0755), 0);
  ASSERT_EQ(::chmod(path_.c_str(), 0666), 0);
  auto child = ::fork();
  if (child == 0) {
    if (::setresuid(65534, 65534, 65534) != 0)
      ::_exit(2);
    auto answer = call("GET", "/hello");
    ::_exit(!answer && answer.error().code == ec::peer_refused ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(HttpServer, TellsItsListenersApart) {
  serve();
  auto port = server_->listen_tcp("tcp", "127.0.0.1", 0);
  ASSERT_TRUE(port);
  auto fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(*port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(
    ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  std::string text = "POST /echo HTTP/1.0\r\n\r\n";
  ASSERT_EQ(::send(fd, text.data(), text.size(), 0),
            static_cast<ssize_t>(text.size()));
  std::string answer;
  char chunk[1024];
  ssize_t n = 0;
  while ((n = ::recv(fd, chunk, sizeof chunk, 0)) > 0)
    answer.append(chunk, static_cast<std::size_t>(n));
  ::close(fd);
  EXPECT_NE(answer.find("\"listener\":\"tcp\""), std::string::npos);
  EXPECT_FALSE(server_->listen_tcp("bad", "localhost", 0));
}

TEST_F(HttpServer, ReplacesAStaleSocketOnlyWhenToldTo) {
  serve();
  server other{io_, std::ref(router_)};
  EXPECT_FALSE(other.listen_unix("hub", path_));
  EXPECT_TRUE(other.listen_unix("hub", path_, stale_socket::replace));
  // The first one leaves what is no longer its own.
  server_.reset();
  EXPECT_EQ(::access(path_.c_str(), F_OK), 0);
  EXPECT_TRUE(call("GET", "/hello"));
  other.stop();
  EXPECT_NE(::access(path_.c_str(), F_OK), 0);
}

TEST_F(HttpServer, NeverReplacesAFileThatIsNoSocket) {
  server one{io_, std::ref(router_)};
  ::close(::open(path_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  EXPECT_FALSE(one.listen_unix("hub", path_, stale_socket::replace));
  EXPECT_EQ(::access(path_.c_str(), F_OK), 0);
}

TEST_F(HttpServer, StreamsEventsUntilTheReaderHasEnough) {
  serve();
  std::vector<received_event> seen;
  auto reader = std::async(std::launch::async, [&] {
    return api_client{path_}.stream(
      "/events",
      [&](const received_event& event) {
        seen.push_back(event);
        return seen.size() == 2 ? api_client::next::stop
                                : api_client::next::more;
      },
      milliseconds{patience_ms});
  });
  auto stream = stream_.get_future().get();
  std::promise<void> closed;
  stream.on_close([&] { closed.set_value(); });
  EXPECT_TRUE(stream.write(7, "task_added", "{\"a\":1}"));
  EXPECT_TRUE(stream.write(8, "task_ready\nid: 99", "one\ntwo"));
  ASSERT_TRUE(reader.get());
  closed.get_future().get();
  EXPECT_FALSE(stream.write(9, "x", "y"));
  EXPECT_EQ(seen[0].id, 7u);
  EXPECT_EQ(seen[0].event, "task_added");
  EXPECT_EQ(seen[1].id, 8u);
  EXPECT_EQ(seen[1].event, "task_ready");
  EXPECT_EQ(seen[1].data, "one\ntwo");
}

TEST_F(HttpServer, SendsWhatIsQueuedBeforeItClosesAStream) {
  serve();
  raw_client raw{path_};
  raw.send(get("/events"));
  auto stream = stream_.get_future().get();
  stream.write(1, "a", "last words");
  stream.close();
  EXPECT_FALSE(stream.write(2, "b", "too late"));
  auto text = raw.read_all();
  EXPECT_NE(text.find("last words"), std::string::npos);
  EXPECT_EQ(text.find("too late"), std::string::npos);
}

TEST_F(HttpServer, PingsAQuietStream) {
  server_options options;
  options.ping = milliseconds{20};
  serve(options);
  raw_client raw{path_};
  raw.send(get("/events"));
  raw.read_until(": ping\n\n: ping\n\n");
}

TEST_F(HttpServer, DropsAReaderWhoDoesNotKeepUp) {
  server_options options;
  options.stream_events = 16;
  serve(options);
  raw_client raw{path_};
  raw.send(get("/events"));
  auto stream = stream_.get_future().get();
  std::promise<void> closed;
  stream.on_close([&] { closed.set_value(); });
  std::string line(64 << 10, 'x');
  std::uint64_t n = 0;
  while (stream.write(++n, "e", line))
    ASSERT_LT(n, 100'000u);
  closed.get_future().get();
  EXPECT_TRUE(stream.closed());
  EXPECT_TRUE(call("GET", "/hello"));
}

TEST_F(HttpServer, ClosesEverythingWhenItStops) {
  serve();
  raw_client raw{path_};
  raw.send(get("/events"));
  auto stream = stream_.get_future().get();
  std::promise<void> closed;
  stream.on_close([&] { closed.set_value(); });
  server_->stop();
  closed.get_future().get();
  EXPECT_EQ(call("GET", "/hello").error().code, ec::hub_not_running);
}

TEST(HttpClient, SaysHowToStartAHubThatDoesNotRun) {
  api_client client{"/tmp/ao-there-is-no-such-socket"};
  auto answer = client.call("GET", "/");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ec::hub_not_running);
  EXPECT_NE(answer.error().context.find("ao start"), std::string::npos);
}

TEST_F(HttpServer, TheClientNamesTheRequestThatTimedOut) {
  serve();
  auto answer = api_client{path_}.call(
    "GET", "/silent", nullptr, {{"Idempotency-Key", "R7"}}, milliseconds{30});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ec::timed_out);
  EXPECT_NE(answer.error().context.find("R7"), std::string::npos);
}
