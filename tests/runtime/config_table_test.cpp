#include "runtime/config/check.hpp"
#include "runtime/config/config_json.hpp"
#include "runtime/config/suggestion.hpp"
#include "runtime/config/yaml_tree.hpp"
#include "tests/support/config_reading.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

using namespace ao;
using namespace ao::test;

namespace {

/// The value at a pattern of the table, any name for `*`; null when absent.
const tree_node* at(const tree_node& node, std::string_view pattern) {
  auto dot = pattern.find('.');
  auto name = pattern.substr(0, dot);
  for (const auto& member : node.members) {
    if (name != "*" && member.name != name)
      continue;
    return dot == pattern.npos ? &member.value
                               : at(member.value, pattern.substr(dot + 1));
  }
  return nullptr;
}

const auto example_file = source_file("configs/ao.example.yaml");

} // namespace

TEST(KeyTable, HasEachPatternOnceWithItsParentBeforeIt) {
  std::set<std::string> seen{""};
  for (const auto& row : config_keys().rows()) {
    auto dot = row.pattern.rfind('.');
    auto parent = dot == row.pattern.npos ? "" : row.pattern.substr(0, dot);
    EXPECT_EQ(seen.count(parent), 1u) << row.pattern;
    EXPECT_TRUE(seen.insert(row.pattern).second) << row.pattern;
    EXPECT_FALSE(row.doc.empty()) << row.pattern;
    EXPECT_EQ(row.type == key_type::word,
              !row.words.empty() && row.type != key_type::table)
      << row.pattern;
    EXPECT_EQ(row.type == key_type::ignored, !row.reason.empty())
      << row.pattern;
  }
}

TEST(KeyTable, IsWrittenOutInTheExample) {
  auto tree = read_yaml(content_of(example_file), "example");
  ASSERT_TRUE(tree.errors.empty()) << to_string(tree.errors[0]);
  auto text = content_of(example_file);
  for (const auto& row : config_keys().rows()) {
    if (row.type == key_type::ignored)
      EXPECT_NE(text.find("#   " + row.pattern + ":"), std::string::npos)
        << row.pattern;
    else
      EXPECT_NE(at(tree.root, row.pattern), nullptr) << row.pattern;
  }
}

TEST(KeyTable, ItsExampleLoads) {
  auto outcome
    = load_config(example_file, environment({{"OPENCLAW_HOOKS_TOKEN", "t"}}));
  EXPECT_TRUE(outcome.value) << report(outcome);
}

TEST(KeyTable, ItsSchemaInTheSourceTreeIsUpToDate) {
  auto file = source_file("configs/ao.schema.json");
  auto fresh = config_schema(config_keys()).dump(2) + "\n";
  // To renew it: AO_RENEW=1 runtime_tests --gtest_filter=KeyTable.*
  if (std::getenv("AO_RENEW"))
    std::ofstream{file} << fresh;
  EXPECT_TRUE(content_of(file) == fresh) << "AO_RENEW=1 renews " << file;
}

TEST(KeyTable, ItsDefaultsAreThoseOfTheSettings) {
  // Writing every default out must change nothing that `config show` tells
  // from the settings themselves.
  std::string text;
  auto write = [&](const std::string& below, int indent, auto& self) -> void {
    for (const auto* row : config_keys().below(below)) {
      std::string name{last_part(row->pattern)};
      std::string pad(static_cast<std::size_t>(indent), ' ');
      if (row->type == key_type::section
          && (name == "ci" || name == "reviewer" || name == "tracker"
              || name == "webhook"))
        continue;
      if (row->type == key_type::section) {
        std::string before = text;
        text += pad + name + ":\n";
        auto length = text.size();
        self(row->pattern, indent + 2, self);
        if (text.size() == length)
          text = before;
      } else if (row->pattern == "projects") {
        text += "projects:\n  app:\n    path: /p/app\n";
        self("projects.*", 4, self);
      } else if (row->type != key_type::table && !row->fallback.empty()) {
        bool quote = row->fallback.find('{') == 0 && row->fallback != "{}";
        auto value = row->type == key_type::branch_template || quote
          ? "\"" + row->fallback + "\""
          : row->fallback;
        text += pad + name + ": " + value + "\n";
      }
    }
  };
  write("", 0, write);
  auto written = read(text);
  auto bare = read("projects: {app: {path: /p/app}}\n");
  ASSERT_TRUE(written.value) << report(written) << text;
  ASSERT_TRUE(bare.value) << report(bare);
  const auto& a = *written.value;
  const auto& b = *bare.value;
  EXPECT_EQ(a.defaults.agent, b.defaults.agent);
  EXPECT_EQ(a.limits.sessions, b.limits.sessions);
  EXPECT_EQ(a.limits.spawns_per_minute, b.limits.spawns_per_minute);
  EXPECT_EQ(a.limits.parallel_spawns, b.limits.parallel_spawns);
  EXPECT_EQ(a.limits.min_free_memory, b.limits.min_free_memory);
  EXPECT_EQ(a.limits.min_free_disk, b.limits.min_free_disk);
  EXPECT_EQ(a.restart.intensity, b.restart.intensity);
  EXPECT_EQ(a.restart.period, b.restart.period);
  EXPECT_EQ(a.restart.delay, b.restart.delay);
  EXPECT_EQ(a.restart.max_delay, b.restart.max_delay);
  EXPECT_EQ(a.restart.jitter, b.restart.jitter);
  EXPECT_EQ(a.hang.after, b.hang.after);
  EXPECT_EQ(a.ready_threshold, b.ready_threshold);
  EXPECT_EQ(a.lifecycle.auto_cleanup_on_merge,
            b.lifecycle.auto_cleanup_on_merge);
  EXPECT_EQ(a.lifecycle.merge_cleanup_idle_grace,
            b.lifecycle.merge_cleanup_idle_grace);
  EXPECT_EQ(a.escalation.self_heal.attempts, b.escalation.self_heal.attempts);
  EXPECT_EQ(a.escalation.self_heal.deadline, b.escalation.self_heal.deadline);
  EXPECT_EQ(a.escalation.mediation.deadline, b.escalation.mediation.deadline);
  EXPECT_EQ(a.escalation.mediation.rounds, b.escalation.mediation.rounds);
  EXPECT_EQ(a.escalation.human.re_raise, b.escalation.human.re_raise);
  EXPECT_EQ(a.cluster.heartbeat, b.cluster.heartbeat);
  EXPECT_EQ(a.cluster.suspect_after, b.cluster.suspect_after);
  EXPECT_EQ(a.cluster.lost_after, b.cluster.lost_after);
  EXPECT_EQ(a.cluster.lease, b.cluster.lease);
  EXPECT_EQ(a.keep.sessions, b.keep.sessions);
  EXPECT_EQ(a.keep.events, b.keep.events);
  EXPECT_EQ(a.keep.logs, b.keep.logs);
  const auto& p = a.projects.at(project_id{"app"});
  const auto& q = b.projects.at(project_id{"app"});
  EXPECT_EQ(p.default_branch, q.default_branch);
  EXPECT_EQ(p.dispatch, q.dispatch);
  EXPECT_EQ(p.forge.plugin, q.forge.plugin);
  EXPECT_EQ(p.forge.api_url, q.forge.api_url);
  EXPECT_EQ(p.forge.token_env, q.forge.token_env);
  EXPECT_EQ(p.merge.method, q.merge.method);
  EXPECT_EQ(p.merge.require_review, q.merge.require_review);
  EXPECT_EQ(p.merge.delete_branch, q.merge.delete_branch);
  EXPECT_EQ(p.open_change, q.open_change);
  EXPECT_EQ(p.branch, q.branch);
  EXPECT_EQ(p.duplicates, q.duplicates);
  EXPECT_EQ(p.disconnect.stop_on_client_after,
            q.disconnect.stop_on_client_after);
  EXPECT_EQ(p.disconnect.replace, q.disconnect.replace);
  EXPECT_EQ(p.disconnect.reconcile, q.disconnect.reconcile);
  EXPECT_EQ(p.agent_defaults.permissions, q.agent_defaults.permissions);
}

TEST(KeyTable, ChecksOtherTreesThanTheConfiguration) {
  key_row verdict, text;
  verdict.pattern = "verdict";
  verdict.type = key_type::word;
  verdict.words = {"advise", "retry"};
  verdict.required = true;
  text.pattern = "text";
  text.type = key_type::prose;
  key_table table{{verdict, text}};
  check_request request;
  request.table = &table;
  request.file = "verdict.json";
  auto tree
    = read_yaml(R"({"verdict": "advize", "text": "${HOME}"})", "verdict.json");
  auto checked = check_tree(tree.root, request);
  ASSERT_EQ(checked.errors.size(), 1u);
  EXPECT_EQ(to_string(checked.errors[0]),
            "verdict.json:1:13: verdict: \"advize\" is not supported, "
            "expected advise or retry; did you mean \"advise\"?");
  // No environment: what a program wrote is not expanded.
  EXPECT_EQ(checked.values.at("text").text, "${HOME}");
}

TEST(ConfigReport, HasTheFieldsOfTheContract) {
  auto json = check_report(read("limit: {}\n"));
  EXPECT_EQ(json["valid"], false);
  EXPECT_EQ(json["errors"][0].dump(),
            R"({"file":"/work/app/ao.yaml","line":1,"column":1,"key":"limit",)"
            R"("message":"unknown key","expected":"a top-level key of the )"
            R"(configuration","suggestion":"limits"})");
  EXPECT_TRUE(check_report(read("limits: {}\n"))["valid"]);
}

// -- properties --------------------------------------------------------------

namespace {

/// Texts that look a little like YAML, so that they get past the scanner.
rc::Gen<std::string> yaml_like() {
  auto pieces = rc::gen::elementOf(std::vector<std::string>{
    "projects",  "limits",  "sessions", "app",    "path",   "ci",
    ": ",        ":",       "\n",       "\n  ",   "\n    ", "- ",
    "[",         "]",       "{",        "}",      ", ",     "\"",
    "'",         "&a ",     "*a",       "|\n",    ">",      "#",
    "~",         "${HOME}", "${X",      "!!map ", "? ",     "---",
    "...",       "\t",      "true",     "1",      "3s",     "<<",
    "%YAML 1.2", "\\",      "\xC3\xA4", "\xFF",   "null",   "@",
    "`",         "\r\n"});
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(pieces),
                      [](const std::vector<std::string>& parts) {
                        std::string text;
                        for (const auto& p : parts)
                          text += p;
                        return text;
                      });
}

void every_error_is_inside(const std::string& text) {
  auto outcome = read(text);
  RC_ASSERT(outcome.value.has_value() == outcome.errors.empty());
  auto lines = static_cast<std::uint32_t>(
    std::count(text.begin(), text.end(), '\n') + 1);
  text_place last{0, 0};
  for (const auto& e : outcome.errors) {
    RC_ASSERT(e.line >= 1u && e.line <= lines);
    RC_ASSERT(e.column >= 1u && e.column <= text.size() + 1);
    RC_ASSERT(!(text_place{e.line, e.column} < last));
    RC_ASSERT(!e.message.empty() && !e.expected.empty() && !e.key.empty());
    RC_ASSERT(to_string(e).find('\n') == std::string::npos);
    last = {e.line, e.column};
  }
}

} // namespace

RC_GTEST_PROP(ConfigProperty, AnyBytesEndInSettingsOrErrorsInsideTheFile,
              (const std::string& text)) {
  every_error_is_inside(text);
}

RC_GTEST_PROP(ConfigProperty, AnythingLikeYamlEndsInSettingsOrErrors, ()) {
  every_error_is_inside(*yaml_like());
}

RC_GTEST_PROP(ConfigProperty, ACutExampleIsNeverReadBeyondItsEnd, ()) {
  static const auto text = content_of(example_file);
  auto length = *rc::gen::inRange<std::size_t>(0, text.size());
  every_error_is_inside(text.substr(0, length));
}

RC_GTEST_PROP(ConfigProperty, AFlippedByteOfTheExampleIsNoDisaster, ()) {
  static const auto text = content_of(example_file);
  auto broken = text;
  broken[*rc::gen::inRange<std::size_t>(0, text.size())]
    = static_cast<char>(*rc::gen::inRange(0, 256));
  every_error_is_inside(broken);
}

RC_GTEST_PROP(Suggestion, IsAMetricUpToSwaps,
              (const std::string& a, const std::string& b)) {
  RC_ASSERT(edit_distance(a, b) == edit_distance(b, a));
  RC_ASSERT((edit_distance(a, b) == 0) == (a == b));
  RC_ASSERT(edit_distance(a, b) <= std::max(a.size(), b.size()));
}

TEST(Suggestion, CountsASwapAsOne) {
  EXPECT_EQ(edit_distance("dealy", "delay"), 1u);
  EXPECT_EQ(suggest("xyz", {"abc"}), "");
  EXPECT_EQ(suggest("sesions", {"sessions", "session"}), "sessions");
}

TEST(YamlTree, DeepBracketsAreRefused) {
  auto tree = read_yaml(std::string(40, '[') + std::string(40, ']'), "x");
  ASSERT_EQ(tree.errors.size(), 1u);
  EXPECT_EQ(tree.errors[0].message, "nested deeper than 32 levels");
  EXPECT_EQ(tree.errors[0].column, 33u);
  for (auto text : {"[", "{", "- ", "? ", "[{", "{a: "}) {
    std::string flood;
    while (flood.size() + 4 < max_tree_bytes)
      flood += text;
    EXPECT_EQ(read_yaml(flood, "x").errors.size(), 1u) << text;
  }
}
