#include "tests/support/decoders.hpp"

#include "messages/settings.hpp"
#include "runtime/api/requests.hpp"
#include "runtime/config/load.hpp"
#include "runtime/git/config_file.hpp"
#include "runtime/git/hunks.hpp"
#include "runtime/git/names.hpp"
#include "runtime/git/planted.hpp"
#include "runtime/http/message.hpp"
#include "runtime/http/problem.hpp"
#include "runtime/http/respond.hpp"
#include "runtime/http/server.hpp"
#include "runtime/io/fd.hpp"
#include "runtime/notify/telegram_updates.hpp"
#include "runtime/rules/backlog.hpp"
#include "runtime/rules/push.hpp"
#include "runtime/rules/text.hpp"
#include "runtime/rules/transcript.hpp"
#include "runtime/rules/verdicts.hpp"
#include "runtime/shim/protocol.hpp"
#include "runtime/tmux/tmux.hpp"

#include <boost/asio/io_context.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

namespace ao {
namespace {

/// A promise is broken: ends the program, as a sanitizer would.
void require(bool kept, const char* promise) {
  if (kept)
    return;
  std::fprintf(stderr, "broken: %s\n", promise);
  std::abort();
}

bool is_one_line(const std::string& text) {
  return text.find('\n') == std::string::npos;
}

void decode_config(std::string_view bytes) {
  auto none = [](const std::string&) { return std::optional<std::string>{}; };
  auto read = read_config(std::string{bytes}, "/work/ao.yaml", none);
  for (const auto& e : read.errors)
    require(is_one_line(to_string(e)),
            "an error of the configuration is a "
            "line");
}

/// A server whose handler answers what it was asked, on a socket of its own.
class echo_server {
public:
  echo_server()
      : server_(
        io_, [](const http::request& what, const http::respond_once& respond) {
          auto read = api::read_body(what);
          respond(http::json_response(read ? 200 : 400, {{"path", what.path}}));
        }) {
    char name[] = "/tmp/ao-decode-XXXXXX";
    require(::mkdtemp(name) != nullptr, "there is a temporary directory");
    dir_ = name;
    require(server_.listen_unix("hub", dir_ + "/s").has_value(),
            "the server listens");
  }

  ~echo_server() {
    server_.stop();
    io_.poll();
    std::filesystem::remove_all(dir_);
  }

  /// One connection that says this and then no more.
  void take(std::string_view bytes) {
    unique_fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::strcpy(where.sun_path, (dir_ + "/s").c_str());
    require(
      ::connect(fd.get(), reinterpret_cast<sockaddr*>(&where), sizeof where)
        == 0,
      "the server takes connections");
    auto sent = ::send(fd.get(), bytes.data(),
                       std::min(bytes.size(), std::size_t{65'536}),
                       MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent;
    ::shutdown(fd.get(), SHUT_WR);
    io_.restart();
    std::string answer;
    for (;;) {
      io_.poll();
      char buffer[4096];
      auto n = ::recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (n == 0 || (n < 0 && errno != EAGAIN))
        break;
      if (n > 0)
        answer.append(buffer, static_cast<std::size_t>(n));
      else
        ::usleep(50);
    }
    require(answer.empty() || answer.compare(0, 9, "HTTP/1.1 ") == 0,
            "an answer is one of HTTP");
  }

private:
  boost::asio::io_context io_;
  http::server server_;
  std::string dir_;
};

void decode_http(std::string_view bytes) {
  http::request what;
  if (http::parse_target(bytes, what))
    for (const auto& segment : what.path)
      require(segment != ".." && segment != "."
                && segment.find('\0') == std::string::npos,
              "no segment of a path leads elsewhere");
  require(http::percent_decode(http::percent_encode(bytes)) == bytes,
          "what is encoded can be decoded");
  static echo_server server;
  server.take(bytes);
}

void decode_api(std::string_view bytes) {
  http::request what;
  what.method = "POST";
  what.path = {"api", "v1", "tasks"};
  what.body = bytes;
  auto body = api::read_body(what);
  if (!body)
    return;
  for (const auto* name : {"title", "body", "project", "requestId", "text"})
    if (auto text = api::text_of(*body, name))
      require(is_utf8(*text) && text->find('\0') == std::string::npos,
              "a member is a text");
  (void)api::flag_of(*body, "cascade");
  (void)api::number_of(*body, "deadlineMs", 0, 1'000'000);
  (void)api::list_of_texts(*body, "needs");
  (void)api::request_id_of(what, *body);
  (void)api::place_of(*body);
  (void)api::read_push(*body);
  (void)read_verdict(*body);
  static const row_view rows;
  static const settings all = [] {
    settings out;
    project_settings p;
    p.id.text = "app";
    out.projects.emplace(p.id, p);
    return out;
  }();
  (void)api::plan_task(rows, all, *body, request_id{"r"}, {"app", "", {}});
}

void decode_backlog(std::string_view bytes) {
  for (auto format : {backlog_format::markdown, backlog_format::json})
    if (auto read = parse_backlog(bytes, format, "backlog"))
      for (const auto& item : read->items)
        require(is_backlog_id(item.id) && is_utf8(item.body)
                  && !item.title.empty() && item.priority >= 0
                  && item.priority <= 9,
                "an item of a backlog is whole");
  (void)slug_of(bytes);
}

void decode_git(std::string_view bytes) {
  (void)parse_hunks(bytes);
  (void)split_nul(bytes);
  (void)leading_number(bytes);
  (void)parse_ref_updates(bytes);
  auto planted = judge_settings(bytes, "/forge.git");
  require(override_variables(planted).size()
            >= 1 + 2 * planted.overrides.size(),
          "each override is passed on");
  auto line = one_line(bytes);
  require(line.size() <= 200 && is_utf8(line) && !has_control(line),
          "a line can be printed");
  (void)valid_ref(bytes);
  (void)valid_branch(bytes);
  (void)valid_inner_path(bytes);
}

void decode_tmux(std::string_view bytes) {
  for (const auto& pane : parse_panes(std::string{bytes}))
    require(!pane.session.empty() && !pane.pane.empty(), "a pane has a name");
  (void)is_tmux_name(bytes);
}

void decode_transcript(std::string_view bytes) {
  for (auto kind : {transcript_kind::codex, transcript_kind::claude_code}) {
    transcript_state state;
    state.kind = kind;
    auto rest = bytes;
    while (!rest.empty()) {
      auto line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      take_line(state, line);
    }
    close_transcript(state);
  }
}

void decode_shim(std::string_view bytes) {
  if (auto launch = parse_launch(bytes))
    require(parse_launch(to_json(*launch)) == *launch, "a launch stays itself");
  if (auto report = parse_exit(bytes))
    require(parse_exit(to_json(*report)) == *report, "an end stays itself");
  if (auto hello = parse_hello(bytes))
    require(parse_hello(to_json(*hello)) == *hello, "a hello stays itself");
  (void)parse_order(bytes);
}

void decode_chat(std::string_view bytes) {
  notifier_settings to;
  to.plugin = "telegram";
  to.to = "42";
  notify::http_reply reply;
  reply.status = 200;
  reply.body = bytes;
  (void)notify::read_updates(to, reply, wall_time{});
}

} // namespace

const std::vector<decoder>& decoders() {
  static const std::vector<decoder> all{
    {"config", decode_config},
    {"http", decode_http},
    {"api", decode_api},
    {"backlog", decode_backlog},
    {"git", decode_git},
    {"tmux", decode_tmux},
    {"transcript", decode_transcript},
    {"shim", decode_shim},
    {"chat", decode_chat},
  };
  return all;
}

const decoder* find_decoder(std::string_view name) {
  for (const auto& one : decoders())
    if (one.name == name)
      return &one;
  return nullptr;
}

} // namespace ao
