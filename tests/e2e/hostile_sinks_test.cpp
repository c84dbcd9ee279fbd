// A thousand hostile strings through each way in: none of them is run, each is
// kept byte for byte or refused in one clear error, and nothing that people are
// shown moves their cursor.

#include "runtime/http/message.hpp"
#include "runtime/io/fd.hpp"
#include "tests/support/agent_scripts.hpp"
#include "tests/support/hostile_strings.hpp"
#include "tests/support/places.hpp"
#include "tests/support/terminal_program.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <fstream>
#include <set>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

/// A string of JSON of any bytes: what is no UTF-8 goes as it is.
std::string in_quotes(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (u < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", u);
      out += code;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

struct raw_answer {
  int status = 0;
  std::string text;
  json body;
};

/// One exchange of bytes with the hub.
raw_answer exchange(const std::string& socket, const std::string& request) {
  unique_fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  std::strncpy(where.sun_path, socket.c_str(), sizeof where.sun_path - 1);
  EXPECT_EQ(
    ::connect(fd.get(), reinterpret_cast<sockaddr*>(&where), sizeof where), 0)
    << socket;
  for (std::size_t sent = 0; sent < request.size();) {
    auto n = ::send(fd.get(), request.data() + sent, request.size() - sent,
                    MSG_NOSIGNAL);
    // The hub may have refused and closed before it has read all.
    if (n <= 0)
      break;
    sent += static_cast<std::size_t>(n);
  }
  raw_answer out;
  char buffer[65'536];
  for (ssize_t n = 0; (n = ::recv(fd.get(), buffer, sizeof buffer, 0)) > 0;)
    out.text.append(buffer, static_cast<std::size_t>(n));
  if (out.text.compare(0, 9, "HTTP/1.1 ") == 0)
    out.status = std::stoi(out.text.substr(9, 3));
  auto head = out.text.find("\r\n\r\n");
  if (head != std::string::npos)
    out.body = json::parse(out.text.substr(head + 4), nullptr, false);
  return out;
}

std::string request_of(const std::string& method, const std::string& target,
                       const std::string& body,
                       const std::string& headers = {}) {
  return method + " " + target + " HTTP/1.1\r\nHost: ao\r\n" + headers
    + "Connection: close\r\nContent-Length: " + std::to_string(body.size())
    + "\r\n\r\n" + body;
}

class HostileSinks : public testing::Test {
protected:
  HostileSinks() : all{hostile_strings(trap())} {}

  ~HostileSinks() override { EXPECT_FALSE(fs::exists(trap())); }

  fs::path trap() const { return w->root() / "trap"; }

  /// Those that can be a text at all and fit into a message.
  std::vector<std::string> texts(std::size_t longest = 20'000) const {
    std::vector<std::string> out;
    for (const auto& one : all)
      if (is_text(one.text) && one.text.size() <= longest)
        out.push_back(one.text);
    return out;
  }

  raw_answer post(const std::string& target, const std::string& body) const {
    return exchange(w->hub_socket(),
                    request_of("POST", "/api/v1" + target, body));
  }

  raw_answer get(const std::string& target) const {
    return exchange(w->hub_socket(), request_of("GET", "/api/v1" + target, ""));
  }

  /// A refusal: a problem document whose words fit one line.
  void expect_refusal(const raw_answer& answer, const hostile_string& what) {
    SCOPED_TRACE(what.category + ": " + what.text.substr(0, 200));
    ASSERT_TRUE(answer.body.is_object()) << answer.text.substr(0, 500);
    EXPECT_GE(answer.status, 400);
    EXPECT_LT(answer.status, 500);
    EXPECT_TRUE(answer.body["error"].is_string()) << answer.body;
    auto detail = answer.body.value("detail", "");
    EXPECT_FALSE(detail.empty());
  }

  /// What a person at a terminal sees.
  void expect_clean_screen(const std::vector<std::string>& words) {
    terminal_program p;
    p.argv = words;
    p.argv.insert(p.argv.begin(), program_path("ao"));
    auto env = w->variables();
    p.env = env.unset("NO_COLOR").set("TERM", "xterm").to_vector();
    p.cwd = w->checkout().string();
    auto end = run_on_terminal(p, {});
    EXPECT_EQ(end.code, 0) << words.front();
    EXPECT_EQ(offence_on_screen(end.screen), "") << words.front();
  }

  void start() {
    if (!started) {
      started = true;
      w->start();
    }
  }

  bool started = false;
  std::optional<world> w_;
  world* w = &w_.emplace();
  std::vector<hostile_string> all;
};

TEST_F(HostileSinks, AreAThousandDifferentStrings) {
  std::set<std::string> texts;
  std::set<std::string> categories;
  for (const auto& one : all) {
    texts.insert(one.text);
    categories.insert(one.category);
  }
  EXPECT_EQ(texts.size(), 1'000u);
  EXPECT_EQ(categories.size(), 12u);
}

TEST_F(HostileSinks, ATaskKeepsThemOrSaysWhyNot) {
  w->add_agent("sleeper", scripts::sleeper);
  start();
  std::size_t kept = 0;
  std::size_t refused = 0;
  for (const auto& one : all) {
    SCOPED_TRACE(one.category + ": " + one.text.substr(0, 200));
    auto text = in_quotes(one.text);
    auto body = post("/tasks", "{\"title\":\"Body\",\"body\":" + text + "}");
    auto fits = is_text(one.text) && text.size() < (1u << 20) - 100;
    EXPECT_EQ(body.status,
              !is_text(one.text) ? 400
                : fits           ? 201
                                 : 413)
      << body.text.substr(0, 300);
    if (body.status == 201) {
      EXPECT_EQ(body.body["body"], one.text);
      auto shown = get("/tasks/" + body.body["id"].get<std::string>());
      EXPECT_EQ(shown.body["body"], one.text);
      ++kept;
    } else {
      expect_refusal(body, one);
      ++refused;
    }
    if (!fits)
      continue;
    auto title = post("/tasks", "{\"title\":" + text + "}");
    if (title.status == 201)
      EXPECT_EQ(title.body["title"], one.text);
    else
      expect_refusal(title, one);
    auto label
      = post("/tasks", "{\"title\":\"Label\",\"labels\":[" + text + "]}");
    if (label.status == 201)
      EXPECT_EQ(label.body["labels"], json::array({one.text}));
    else
      expect_refusal(label, one);
    for (const auto* member : {"priority", "agent", "project"})
      if (!one.text.empty() || member == std::string{"priority"})
        expect_refusal(post("/tasks",
                            "{\"title\":\"x\",\"" + std::string{member}
                              + "\":" + text + "}"),
                       one);
  }
  EXPECT_EQ(kept + refused, 1'000u);
  EXPECT_GT(kept, 700u);
  // The hub is the one that it was, and what it tells does not move a cursor.
  for (const auto& words : std::vector<std::vector<std::string>>{
         {"task", "ls"}, {"status"}, {"why", "T1"}, {"events"}, {"summary"}})
    expect_clean_screen(words);
}

TEST_F(HostileSinks, AreRefusedOrFoundAsNamesOfThings) {
  w->add_agent("sleeper", scripts::sleeper);
  start();
  auto before = w->last_event();
  for (const auto& one : all) {
    SCOPED_TRACE(one.category + ": " + one.text.substr(0, 200));
    if (one.text.size() > 2'000)
      continue;
    auto word = http::percent_encode(one.text);
    for (const auto& path :
         {"/tasks/" + word, "/sessions/" + word, "/changes/" + word,
          "/incidents/" + word, "/changes/" + word + "/reviews"}) {
      auto answer = get(path);
      if (!one.text.empty()) {
        EXPECT_GE(answer.status, 400) << path;
      }
      EXPECT_LT(answer.status, 500) << path;
    }
    for (const auto& query :
         {"/events?subject=" + word, "/tasks?state=" + word,
          "/tasks?project=" + word, "/messages?session=" + word,
          "/summary?since=" + word})
      EXPECT_LT(get(query).status, 500) << query;
    for (const auto& [path, member] :
         {std::pair{"/sessions", "issue"}, std::pair{"/backups", "path"},
          std::pair{"/notifications/test", "channel"},
          std::pair{"/tasks/import", "project"}}) {
      // An absolute path is what a backup wants.
      if (member == std::string{"path"} && one.text.substr(0, 1) == "/")
        continue;
      auto answer = post(
        path, "{\"" + std::string{member} + "\":" + in_quotes(one.text) + "}");
      if (!one.text.empty()) {
        EXPECT_GE(answer.status, 400) << path << " " << answer.text;
      }
      EXPECT_LT(answer.status, 500) << path << " " << answer.text;
    }
    // As bytes of the protocol itself: an answer, or a closed connection.
    exchange(w->hub_socket(), one.text + "\r\n\r\n");
    exchange(w->hub_socket(),
             request_of("GET", "/api/v1/status", "",
                        "X-Header: " + one.text + "\r\n"));
    exchange(w->hub_socket(), request_of("GET", "/" + one.text, ""));
    auto body = post("/tasks", one.text);
    EXPECT_TRUE(body.status == 0 || (body.status >= 400 && body.status < 500))
      << body.text;
  }
  EXPECT_EQ(w->last_event(), before);
  EXPECT_EQ(w->ask({"task", "ls"})["data"], json::array());
}

TEST_F(HostileSinks, ABacklogKeepsThemLiterally) {
  w->add_agent("sleeper", scripts::sleeper);
  start();
  auto rows = json::array();
  std::size_t size = 0;
  for (const auto& text : texts(5'000))
    if (text.find_first_not_of(" \t\r\n") != std::string::npos
        && size + 2 * text.size() < 700'000) {
      size += 2 * text.size() + 40;
      rows.push_back({{"id", "H" + std::to_string(rows.size())},
                      {"title", "Row"},
                      {"body", text}});
    }
  auto file = w->root() / "backlog.json";
  std::ofstream{file} << rows.dump();
  auto end = w->ao({"task", "import", file.string()});
  ASSERT_EQ(end.status.code, 0) << end.err.substr(0, 2'000);
  std::map<std::string, std::string> bodies;
  auto tasks = w->ask({"task", "ls"});
  for (const auto& task : tasks["data"])
    bodies[task["ref"].get<std::string>()] = task["body"].get<std::string>();
  EXPECT_EQ(bodies.size(), rows.size());
  for (const auto& row : rows)
    EXPECT_EQ(bodies[row["id"].get<std::string>()], row["body"]) << row["id"];
  // As names of tasks they are refused before anything is taken in.
  for (const auto& one : all) {
    if (one.text.size() > 5'000)
      continue;
    auto refused = post(
      "/tasks/import",
      "{\"file\":\"x.json\",\"text\":"
        + in_quotes("[{\"id\":" + in_quotes(one.text) + ",\"title\":\"x\"}]")
        + "}");
    if (refused.status >= 400)
      expect_refusal(refused, one);
  }
  expect_clean_screen({"task", "ls"});
}

TEST_F(HostileSinks, AnAgentIsToldThemByteForByte) {
  w->add_agent("reader", R"(
cp "$AO_PROMPT_FILE" "$HOME/$AO_SESSION.file"
cat > "$HOME/$AO_SESSION.got"
)",
               ", prompt: stdin");
  w->add_agent("listener", R"(
while IFS= read -r line; do
  [ "$line" = quit ] && break
  printf '%s\n' "$line" >> "$HOME/heard"
done
)");
  start();
  // Many to a prompt: each is there from its first byte to its last.
  std::vector<std::string> prompts;
  std::string prompt;
  for (const auto& one : all) {
    if (!is_text(one.text) || one.text.size() > 20'000)
      continue;
    prompt += one.text + "\n";
    if (prompt.size() > 40'000)
      prompts.push_back(std::exchange(prompt, {}));
  }
  prompts.push_back(prompt);
  for (const auto& text : prompts) {
    auto made = post(
      "/sessions", "{\"agent\":\"reader\",\"prompt\":" + in_quotes(text) + "}");
    ASSERT_EQ(made.status, 201) << made.text;
    auto session = made.body["id"].get<std::string>();
    w->await("session_ended", "session:" + session);
    EXPECT_EQ(content_of(w->user() / (session + ".file")), text);
    EXPECT_EQ(content_of(w->user() / (session + ".got")), text);
  }
  for (const auto& one : all) {
    if (is_text(one.text) && !one.text.empty() && one.text.size() < (1u << 20))
      continue;
    auto refused
      = post("/sessions",
             "{\"agent\":\"reader\",\"prompt\":" + in_quotes(one.text) + "}");
    expect_refusal(refused, one);
  }
  // Typed into a terminal: what a line of it takes arrives, nothing is a key.
  auto made
    = post("/sessions", R"({"agent":"listener","prompt":"Listen"})").body;
  auto session = made["id"].get<std::string>();
  w->await("agent_started", "session:" + session);
  std::string lines;
  std::string wanted;
  auto send = [&](const std::string& text, const std::string& until) {
    auto sent = post("/sessions/" + session + "/messages",
                     "{\"text\":" + in_quotes(text) + "}");
    ASSERT_EQ(sent.status, 202) << sent.text;
    auto id = sent.body["id"].get<std::string>();
    w->await([&](const json& e) {
      return e["kind"] == until && e["data"]["message"] == id;
    });
  };
  std::size_t keys = 0;
  for (const auto& one : all) {
    const auto& text = one.text;
    if (!is_text(text) || text.size() > 3'000
        || text.find_first_not_of(" \t\r\n") == std::string::npos)
      continue;
    auto is_key = std::any_of(text.begin(), text.end(), [](char c) {
      auto u = static_cast<unsigned char>(c);
      return (u < 0x20 && c != '\t' && c != '\n') || u == 0x7f;
    });
    is_key = is_key || text.find("\xc2\x9b") != std::string::npos
      || text.find("\xc2\x9c") != std::string::npos
      || text.find("\xc2\x9d") != std::string::npos;
    if (is_key) {
      // Escape sequences and control keys; a few say it for all.
      if (++keys <= 10)
        send(text, "message_undeliverable");
      continue;
    }
    // A message ends in a line with graphic letters, which is its echo.
    lines += text + "\n";
    if (lines.size() > 6'000) {
      lines += "end " + std::to_string(wanted.size());
      wanted += lines + "\n";
      send(std::exchange(lines, {}), "message_acknowledged");
    }
  }
  EXPECT_GT(keys, 10u);
  send("quit", "message_submitted");
  w->await("session_ended", "session:" + session);
  EXPECT_EQ(content_of(w->user() / "heard"), wanted);
  expect_clean_screen({"messages", session});
  expect_clean_screen({"logs", session});
  expect_clean_screen({"why", session});
}

/// A name that a file can have.
std::string file_name(const std::string& text, std::size_t number) {
  std::string out;
  for (char c : text.substr(0, 150))
    out += c == '/' || c == '\0' ? '_' : c;
  return std::to_string(number) + out;
}

TEST_F(HostileSinks, AChangeCarriesThemInNamesAndMessages) {
  w_.reset();
  world_options o;
  o.project
    = ", ci: {command: [sh, -c, \"cat $HOME/printed; test ! -e broken\"]}"
      ", merge: {method: merge}";
  w = &w_.emplace(o);
  all = hostile_strings(trap());
  w->add_agent("author", R"(
cp "$AO_PROMPT_FILE" "$HOME/prompt.$AO_RUN"
cp -a "$HOME/names/." .
if [ "$AO_RUN" = 1 ]; then
  touch broken
  git add --all
  git commit --quiet --message names
  for m in "$HOME"/messages/*; do
    git commit --quiet --allow-empty --cleanup=verbatim --file "$m"
  done
else
  while [ ! -e "$HOME/go" ]; do sleep 0.05; done
  git rm --quiet broken
  git commit --quiet --message done
fi
)");
  fs::create_directories(w->user() / "names");
  fs::create_directories(w->user() / "messages");
  std::set<std::string> names{"README"};
  std::set<std::string> messages;
  std::string printed;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& text = all[i].text;
    auto name = file_name(text, i);
    std::ofstream{w->user() / "names" / name} << "x";
    names.insert(name);
    if (text.size() <= 20'000)
      printed += text + "\n";
    if (i % 10 == 0 && is_text(text) && text.size() < 5'000
        && text.find_first_not_of(" \t\r\n") != std::string::npos) {
      auto number = std::to_string(i);
      std::ofstream{w->user() / "messages" / number} << "m" << number << text;
      messages.insert("m" + number + text);
    }
  }
  std::ofstream{w->user() / "printed"} << printed;
  start();
  auto task = w->add_task("Carry them");
  w->ask({"spawn", "--no-wait", task});
  w->await("ci_failed", "change:app#1");
  // What the checks have printed is in the next prompt, as text.
  w->await_file("prompt.2");
  expect_clean_screen({"logs", "app#1"});
  EXPECT_EQ(w->ao({"logs", "app#1", "--json"}).status.code, 0);
  w->touch("go");
  w->await("task_closed", "task:" + task);
  EXPECT_TRUE(is_text(content_of(w->user() / "prompt.2")));
  EXPECT_EQ(w->ask({"task", "show", task})["state"], "merged");
  auto tree
    = w->git(w->forge(), {"ls-tree", "-r", "-z", "--name-only", "main"});
  std::set<std::string> there;
  for (std::size_t from = 0; from < tree.size();) {
    auto end = std::min(tree.find('\0', from), tree.size());
    there.insert(tree.substr(from, end - from));
    from = end + 1;
  }
  EXPECT_EQ(there, names);
  auto log = w->git(w->forge(), {"log", "-z", "--format=%B", "main"});
  for (const auto& one : messages)
    EXPECT_THAT(log, HasSubstr(one));
  EXPECT_GT(messages.size(), 50u);
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"status", "--include-terminated"},
                                             {"why", task},
                                             {"logs", "app-1"},
                                             {"pr", "show", "app#1"},
                                             {"events"}})
    expect_clean_screen(words);
}

TEST_F(HostileSinks, ReviewsAndAnswersReachTheAgentAsText) {
  w_.reset();
  world_options o;
  o.settings
    += "escalation: {selfHeal: {attempts: 1}, mediation: {rounds: 0}}\n";
  o.project = ", merge: {auto: false}";
  w = &w_.emplace(o);
  all = hostile_strings(trap());
  w->add_agent("author", R"(
cp "$AO_PROMPT_FILE" "$HOME/prompt.$AO_RUN.part"
mv "$HOME/prompt.$AO_RUN.part" "$HOME/prompt.$AO_RUN"
if [ "$AO_RUN" = 2 ]; then
  ao report needs_input --note "How?"
  exit 0
fi
echo "$AO_RUN" > "work.$AO_RUN"
git add --all
git commit --quiet --message "Run $AO_RUN"
)",
               ", prompt: stdin");
  start();
  auto task = w->add_task("Write it");
  w->ask({"spawn", "--no-wait", task});
  w->await("change_opened", "change:app#1");
  std::string text;
  for (const auto& one : texts(1'000))
    if (text.size() < 40'000)
      text += one + "\n";
  text += "end";
  for (const auto& one : all) {
    if (is_text(one.text) && one.text.size() < (1u << 20))
      continue;
    expect_refusal(post("/changes/app%231/reviews",
                        "{\"verdict\":\"request_changes\",\"text\":"
                          + in_quotes(one.text) + "}"),
                   one);
  }
  auto reviewed = post(
    "/changes/app%231/reviews",
    "{\"verdict\":\"request_changes\",\"text\":" + in_quotes(text) + "}");
  ASSERT_EQ(reviewed.status, 201) << reviewed.text.substr(0, 500);
  w->await_file("prompt.2");
  EXPECT_THAT(content_of(w->user() / "prompt.2"), HasSubstr("end"));
  EXPECT_TRUE(is_text(content_of(w->user() / "prompt.2")));
  // Run 2 asks a person.
  auto asked
    = w->await([](const json& e) { return e["kind"] == "incident_asked"; });
  auto id = asked["subject"].get<std::string>().substr(9);
  // What is typed to an agent that is about to exit may not reach it.
  w->await([](const json& e) {
    return e["kind"] == "agent_exited" && e["data"]["run"] == 2;
  });
  for (const auto& one : all)
    if (!is_text(one.text) || one.text.size() >= (1u << 20))
      expect_refusal(post("/incidents/" + id + "/answer",
                          "{\"answer\":" + in_quotes(one.text) + "}"),
                     one);
  // A person types no more than 16 KiB.
  text = text.substr(text.size() - 3'000);
  while ((static_cast<unsigned char>(text.front()) & 0xc0) == 0x80)
    text.erase(0, 1);
  auto answered = post("/incidents/" + id + "/answer",
                       "{\"answer\":" + in_quotes(text) + "}");
  ASSERT_EQ(answered.status, 200) << answered.text.substr(0, 500);
  w->await_file("prompt.3");
  EXPECT_THAT(content_of(w->user() / "prompt.3"),
              HasSubstr("Answer to " + id + ":"));
  EXPECT_THAT(content_of(w->user() / "prompt.3"), HasSubstr(text));
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"why", task},
                                             {"incident", "ls"},
                                             {"incident", "show", id},
                                             {"notify", "ls"},
                                             {"status"}})
    expect_clean_screen(words);
}

} // namespace
