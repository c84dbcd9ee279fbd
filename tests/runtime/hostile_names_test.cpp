// Names that a configuration gives to what becomes a file, a ref, a session of
// tmux or a variable: each hostile string is refused in one line, or is a name
// that git and tmux take as it is. Notifications carry the others whole.

#include "messages/json.hpp"
#include "runtime/git/names.hpp"
#include "runtime/notify/desktop.hpp"
#include "runtime/notify/openclaw.hpp"
#include "runtime/notify/webhook.hpp"
#include "runtime/tmux/tmux.hpp"
#include "tests/support/config_reading.hpp"
#include "tests/support/hostile_strings.hpp"
#include "tests/support/notifications.hpp"

#include <gmock/gmock.h>

using namespace ao;
using namespace ao::test;

namespace {

/// `text` as YAML reads it back; bytes that are no text go as they are.
std::string yaml_text(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    auto u = static_cast<unsigned char>(c);
    char code[8];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (u < 0x20 || u == 0x7f) {
      std::snprintf(code, sizeof code, "\\x%02x", u);
      out += code;
    } else if (c == '$') {
      // Not the name of a variable.
      out += "\\x24";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

config_outcome read_with(const std::string& where, const std::string& text) {
  auto value = yaml_text(text);
  std::string key = "app";
  std::string member;
  std::string agent = "helper";
  if (where == "project")
    key = value;
  else if (where == "agent")
    agent = value;
  else
    member
      = ", " + where + ": " + (where == "symlinks" ? "[" + value + "]" : value);
  return read("agents: {" + agent
              + ": {adapter: command, command: [/a]}}\n"
                "projects: {"
              + key + ": {path: /work/app, agent: " + agent + member + "}}\n");
}

TEST(HostileNames, AreRefusedInOneLineOrTakenByGitAndTmux) {
  std::size_t taken = 0;
  std::size_t refused = 0;
  for (const auto& one : hostile_strings("/tmp/trap"))
    for (const auto* where : {"project", "agent", "sessionPrefix", "branch",
                              "defaultBranch", "symlinks"}) {
      if (one.text.size() > 100'000)
        continue;
      SCOPED_TRACE(std::string{where} + " " + one.category + ": "
                   + one.text.substr(0, 200));
      auto outcome = read_with(where, one.text);
      if (!outcome.errors.empty()) {
        ++refused;
        for (const auto& e : outcome.errors) {
          auto line = to_string(e);
          EXPECT_EQ(line.find('\n'), std::string::npos) << line;
        }
        continue;
      }
      ++taken;
      ASSERT_TRUE(outcome.value);
      for (const auto& [id, project] : outcome.value->projects) {
        EXPECT_TRUE(is_tmux_name(project.session_prefix + "-1"))
          << project.session_prefix;
        EXPECT_TRUE(
          valid_ref("refs/ao/rescue/" + project.session_prefix + "-1"));
        EXPECT_TRUE(valid_inner_path(id.text + ".git")) << id.text;
        EXPECT_TRUE(project.default_branch.empty()
                    || valid_branch(project.default_branch));
        for (const auto& path : project.symlinks)
          EXPECT_TRUE(valid_inner_path(path)) << path;
      }
    }
  EXPECT_GT(refused, 2'000u);
  EXPECT_GT(taken, 100u);
}

TEST(HostileNames, AreTextInNotifications) {
  notifier_settings to;
  to.url = "http://127.0.0.1:1/hook";
  for (const auto& one : hostile_strings("/tmp/trap")) {
    if (!is_text(one.text) || one.text.size() > 100'000)
      continue;
    SCOPED_TRACE(one.category + ": " + one.text.substr(0, 200));
    auto n = question_row();
    n.text = "[AO ACTION] app-1 incident_asked\n" + one.text + "\nend";
    to.plugin = "openclaw";
    auto gateway = json::parse(notify::openclaw_call(to, n, "t").body);
    EXPECT_NE(gateway.dump().find("end"), std::string::npos);
    EXPECT_EQ(gateway["message"].get<std::string>().find(n.text) == 0
                || gateway["message"].get<std::string>().find(one.text)
                  != std::string::npos,
              true);
    to.plugin = "webhook";
    auto hook = notify::webhook_call(to, n, wall_time{});
    ASSERT_TRUE(hook);
    EXPECT_TRUE(json::parse(hook->body).is_object());
    auto shown = notify::desktop_process(n, ao::environment{});
    ASSERT_EQ(shown.argv.size(), 6u);
    EXPECT_EQ(shown.argv[3], "--");
    EXPECT_EQ(shown.argv[4], "[AO ACTION] app-1 incident_asked");
  }
}

} // namespace
