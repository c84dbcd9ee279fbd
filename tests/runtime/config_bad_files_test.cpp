#include "tests/support/config_reading.hpp"

#include <gtest/gtest.h>

using namespace ao;
using namespace ao::test;

namespace {

/// A file and everything that is said about it.
struct bad_file {
  const char* name;
  std::string text;
  std::string lines;
};

void PrintTo(const bad_file& file, std::ostream* out) {
  *out << file.name;
}

std::string deep(int levels) {
  std::string text;
  for (int i = 0; i < levels; ++i)
    text += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  return text;
}

/// A project with one more line at its end.
std::string app(const std::string& line) {
  return "projects:\n  app:\n    path: ~/app\n    " + line + "\n";
}

const std::string top_word = "a top-level key of the configuration";

// clang-format off
const bad_file bad_files[] = {
  // The document
  {"Empty", "", "ao.yaml:1:1: (document): nothing is written here, expected a map of keys"},
  {"OnlyComments", "# later\n", "ao.yaml:1:1: (document): nothing is written here, expected a map of keys"},
  {"AList", "- a\n- b\n", "ao.yaml:1:1: (document): a list, expected a map of keys"},
  {"AWord", "hello\n", "ao.yaml:1:1: (document): \"hello\", expected a map of keys"},
  {"TwoDocuments", "limits: {sessions: 1}\n---\nlimits: {sessions: 2}\n", "ao.yaml:2:1: (document): a second document, expected one document"},
  {"Tab", "limits:\n\tsessions: 3\n", "ao.yaml:2:1: (document): a tab in the indentation, expected spaces"},
  {"Nul", std::string("limits:\n  a\0: 3\n", 15), "ao.yaml:2:4: (document): a NUL byte, expected text"},
  {"InvalidUtf8", "limits: {}\nname: \xC3\x28\n", "ao.yaml:2:7: (document): invalid UTF-8, expected UTF-8"},
  {"OverlongUtf8", "a: \xC0\xAF\n", "ao.yaml:1:4: (document): invalid UTF-8, expected UTF-8"},
  {"Surrogate", "a: \xED\xA0\x80\n", "ao.yaml:1:4: (document): invalid UTF-8, expected UTF-8"},
  {"EndOfTransmission", "limits: {sessions: 3}\n\x04\njunk: [\n", "ao.yaml:2:1: (document): a control character (0x4), expected text"},
  {"OpenBracket", "limits: {sessions: 3\n", "ao.yaml:2:1: (document): no YAML: end of map flow not found, expected valid YAML"},
  {"OpenQuote", "a: \"b\n", "ao.yaml:1:4: (document): a quote that is never closed, expected the closing quote"},
  {"OpenSingleQuote", "limits: {sessions: 3}\nx: 'it''s\n", "ao.yaml:2:4: (document): a quote that is never closed, expected the closing quote"},
  {"UnknownAlias", "a: *b\n", "ao.yaml:1:4: (document): no YAML: the referenced anchor is not defined, expected valid YAML"},
  {"AliasInItself", "a: &a [*a]\n", "ao.yaml:1:8: (document): an alias inside its own value, expected an alias of a value before it"},
  {"AliasBomb", "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n", "ao.yaml:5:14: (document): more than 50000 values, expected fewer"},
  {"TooDeep", deep(40), "ao.yaml:33:33: (document): nested deeper than 32 levels, expected less nesting"},
  {"Tag", "limits: !!map {sessions: 3}\n", "ao.yaml:1:9: (document): a YAML tag, expected a value without tag"},
  {"KeyIsAList", "? [a]\n: b\n", "ao.yaml:1:3: (document): a key that is no text, expected a name"},
  {"KeyIsNull", "~: b\n", "ao.yaml:1:1: (document): a key that is no text, expected a name"},
  {"TooLarge", "a: " + std::string(1 << 20, 'x'), "ao.yaml:1:1: (document): 1048579 bytes, expected at most 1048576 bytes"},
  // Keys
  {"UnknownKeyWithSlip", "limit: {sessions: 3}\n", "ao.yaml:1:1: limit: unknown key, expected " + top_word + "; did you mean \"limits\"?"},
  {"UnknownKey", "colour: red\n", "ao.yaml:1:1: colour: unknown key, expected " + top_word},
  {"UnknownKeyBelow", "limits:\n  sesions: 3\n", "ao.yaml:2:3: limits.sesions: unknown key, expected sessions, spawnsPerMinute, parallelSpawns, minFreeMemory or minFreeDisk; did you mean \"sessions\"?"},
  {"SwappedLetters", "restart: {dealy: 3s}\n", "ao.yaml:1:11: restart.dealy: unknown key, expected intensity, period, delay, maxDelay or jitter; did you mean \"delay\"?"},
  {"UnknownProjectKey", app("dispach: auto"), "ao.yaml:4:5: projects.app.dispach: unknown key, expected a key of projects.*; did you mean \"dispatch\"?"},
  {"RepeatedKey", "limits: {sessions: 3}\nhang: {after: 1m}\nlimits: {sessions: 4}\n", "ao.yaml:3:1: limits: repeated key, first at line 1, expected each key once"},
  {"RepeatedProject", "projects:\n  app: {path: /a}\n  app: {path: /b}\n", "ao.yaml:3:3: projects.app: repeated key, first at line 2, expected each key once"},
  {"RepeatedInFlow", "limits: {sessions: 3, sessions: 4}\n", "ao.yaml:1:23: limits.sessions: repeated key, first at line 1, expected each key once"},
  {"ForgeAndScm", app("forge: {plugin: local}\n    scm: {plugin: local}"), "ao.yaml:5:5: projects.app.scm: the same key as forge, expected one of the two"},
  {"MergeKey", "a: &a {sessions: 3}\nlimits:\n  <<: *a\n", "ao.yaml:1:1: a: unknown key, expected " + top_word + "\nao.yaml:3:3: limits.<<: unknown key, expected sessions, spawnsPerMinute, parallelSpawns, minFreeMemory or minFreeDisk"},
  {"MissingPath", "projects:\n  app: {agent: codex}\n", "ao.yaml:2:3: projects.app.path: missing, expected a path such as ~/app"},
  {"MissingCiCommand", app("ci: {timeout: 5m}"), "ao.yaml:4:5: projects.app.ci.command: missing, expected a list with a program and its arguments"},
  {"MissingReviewerAgent", app("reviewer: {}"), "ao.yaml:4:5: projects.app.reviewer.agent: missing, expected the name of an agent"},
  {"MissingAdapter", "agents:\n  mine: {command: [x]}\n", "ao.yaml:2:3: agents.mine.adapter: missing, expected command, claude-code, codex, opencode, aider, gemini or cursor"},
  {"MissingCommand", "agents:\n  mine: {adapter: command}\n", "ao.yaml:2:3: agents.mine.command: missing, expected a list with a program and its arguments"},
  {"MissingBacklog", app("tracker: {plugin: file}"), "ao.yaml:4:5: projects.app.tracker.path: missing, expected the path of a backlog"},
  {"MissingPlugin", "notifiers:\n  phone: {to: x}\n", "ao.yaml:2:3: notifiers.phone.plugin: missing, expected openclaw, telegram, webhook, desktop, slack, discord or composio"},
  {"MissingSecret", app("forge: {webhook: {enabled: true}}"), "ao.yaml:4:13: projects.app.forge.webhook.secretEnv: missing, expected the name of an environment variable"},
  {"BadProjectId", "projects:\n  my app: {path: /a}\n", "ao.yaml:2:3: projects.my app: \"my app\" is not a name, expected at most 50 letters, digits, _ and -"},
  {"BadReaction", "reactions:\n  ci-faled: {retries: 2}\n", "ao.yaml:2:3: reactions.ci-faled: unknown key, expected one of ci-failed, changes-requested, bugbot-comments, merge-conflicts, approved-and-green, agent-idle, agent-stuck, agent-needs-input, agent-exited, pr-closed, all-complete, report-no-acknowledge, report-stale or report-needs-input; did you mean \"ci-failed\"?"},
  // Values
  {"NoInteger", "limits:\n  sessions: many\n", "ao.yaml:2:13: limits.sessions: \"many\" is not a whole number, expected a whole number from 1 to 100000"},
  {"QuotedInteger", "limits: {sessions: \"3\"}\n", "ao.yaml:1:20: limits.sessions: \"3\" is text (in quotes), expected a whole number from 1 to 100000"},
  {"IntegerTooSmall", "limits: {sessions: 0}\n", "ao.yaml:1:20: limits.sessions: \"0\" is too small, expected a whole number from 1 to 100000"},
  {"IntegerBeyond64Bits", "limits: {sessions: 99999999999999999999}\n", "ao.yaml:1:20: limits.sessions: \"99999999999999999999\" is too large, expected a whole number from 1 to 100000"},
  {"Fraction", "limits: {sessions: 1.5}\n", "ao.yaml:1:20: limits.sessions: \"1.5\" is not a whole number, expected a whole number from 1 to 100000"},
  {"SixAttempts", "escalation: {selfHeal: {attempts: 6}}\n", "ao.yaml:1:35: escalation.selfHeal.attempts: \"6\" is too large, expected a whole number from 0 to 5"},
  {"JitterTooLarge", "restart: {jitter: 1.5}\n", "ao.yaml:1:19: restart.jitter: \"1.5\" is too large, expected a number from 0 to 1"},
  {"NotANumber", "restart: {jitter: nan}\n", "ao.yaml:1:19: restart.jitter: \"nan\" is not a number, expected a number from 0 to 1"},
  {"Yes", app("merge: {auto: yes}"), "ao.yaml:4:19: projects.app.merge.auto: \"yes\" is not a boolean, expected true or false"},
  {"On", app("merge: {requireReview: on}"), "ao.yaml:4:28: projects.app.merge.requireReview: \"on\" is not a boolean, expected true or false"},
  {"CapitalTrue", app("merge: {auto: True}"), "ao.yaml:4:19: projects.app.merge.auto: \"True\" is not a boolean, expected true or false; did you mean \"true\"?"},
  {"QuotedTrue", app("merge: {auto: \"true\"}"), "ao.yaml:4:19: projects.app.merge.auto: \"true\" is text (in quotes), expected true or false"},
  {"DurationWithoutUnit", "hang: {after: 10}\n", "ao.yaml:1:15: hang.after: \"10\" is not a duration, expected a duration from 1s to 7d such as 30s or 10m"},
  {"UnknownUnit", "keep: {events: 1w}\n", "ao.yaml:1:16: keep.events: \"1w\" is not a duration, expected a duration of at least 1h such as 30s or 10m"},
  {"DurationTooSmall", "hang: {after: 0s}\n", "ao.yaml:1:15: hang.after: \"0s\" is too small, expected a duration from 1s to 7d such as 30s or 10m"},
  {"DecimalSize", "limits: {minFreeDisk: 2GB}\n", "ao.yaml:1:23: limits.minFreeDisk: \"2GB\" is not a size, expected a size such as 64MiB or 1GiB"},
  {"MapForText", app("name: {a: b}"), "ao.yaml:4:11: projects.app.name: a map, expected text"},
  {"TextForMap", "limits: 15\n", "ao.yaml:1:9: limits: \"15\", expected a map"},
  {"TextForList", app("ci: {command: make test}"), "ao.yaml:4:19: projects.app.ci.command: \"make test\", expected a list with a program and its arguments"},
  {"EmptyCommand", app("ci: {command: []}"), "ao.yaml:4:19: projects.app.ci.command: an empty list, expected a list with a program and its arguments"},
  {"EmptyProgram", app("ci: {command: [\"\", a]}"), "ao.yaml:4:20: projects.app.ci.command[0]: \"\" is empty, expected text"},
  {"NothingWritten", app("agent:"), "ao.yaml:4:5: projects.app.agent: nothing is written here, expected the name of an agent"},
  {"NullSection", "limits:\nhang: {after: 1m}\n", "ao.yaml:1:1: limits: nothing is written here, expected a map"},
  {"UnknownWord", app("dispatch: atuo"), "ao.yaml:4:15: projects.app.dispatch: \"atuo\" is not supported, expected manual or auto; did you mean \"auto\"?"},
  {"OtherRuntime", app("runtime: process"), "ao.yaml:4:14: projects.app.runtime: \"process\" is not supported, expected tmux"},
  {"OtherWorkspace", "defaults: {workspace: clone}\n", "ao.yaml:1:23: defaults.workspace: \"clone\" is not supported, expected worktree"},
  {"BacklogOutside", app("tracker: {plugin: file, path: a/../../b.md}"), "ao.yaml:4:35: projects.app.tracker.path: \"a/../../b.md\" leads out of the project, expected a path below it, or an absolute one"},
  {"BacklogIsTheProject", app("tracker: {path: ..}"), "ao.yaml:4:21: projects.app.tracker.path: \"..\" leads out of the project, expected a path below it, or an absolute one"},
  {"OwnCapTooSmall", app("limits: {sessions: 0}"), "ao.yaml:4:24: projects.app.limits.sessions: \"0\" is too small, expected a whole number from 1 to 100000"},
  {"OwnLimitThatIsNone", "agents: {codex: {limits: {parallelSpawns: 2}}}\n", "ao.yaml:1:27: agents.codex.limits.parallelSpawns: unknown key, expected sessions, memory or processes"},
  {"TooLittleMemory", "agents: {codex: {limits: {memory: 1MiB}}}\n", "ao.yaml:1:35: agents.codex.limits.memory: \"1MiB\" is too small, expected a size of at least 64MiB such as 64MiB or 1GiB"},
  {"OtherTracker", app("tracker: {plugin: linear}"), "ao.yaml:4:23: projects.app.tracker.plugin: \"linear\" is not supported, expected file or github"},
  {"GithubForge", app("forge: {plugin: github}"), "ao.yaml:4:21: projects.app.forge.plugin: forge_not_available: \"github\" is not available in this release, expected local"},
  {"GithubScm", app("scm: {plugin: github}"), "ao.yaml:4:19: projects.app.scm.plugin: forge_not_available: \"github\" is not available in this release, expected local"},
  {"PlainHttpApi", app("forge: {apiUrl: \"http://git.example\"}"), "ao.yaml:4:21: projects.app.forge.apiUrl: \"http://git.example\" would send the token in the clear, expected https, or http on loopback"},
  {"FalseLoopback", app("forge: {apiUrl: \"http://127.0.0.1.evil.example\"}"), "ao.yaml:4:21: projects.app.forge.apiUrl: \"http://127.0.0.1.evil.example\" would send the token in the clear, expected https, or http on loopback"},
  {"SymlinkOutside", app("symlinks: [a, ../b]"), "ao.yaml:4:19: projects.app.symlinks[1]: \"../b\" is not a path below the project, expected a path below the project, without .."},
  {"BranchWithoutSession", app("branch: ao/work"), "ao.yaml:4:13: projects.app.branch: \"ao/work\" is not the branch of one session, expected the name of a git branch that contains {session} once"},
  {"BadDefaultBranch", app("defaultBranch: \"-f\""), "ao.yaml:4:20: projects.app.defaultBranch: \"-f\" is not a name that git accepts, expected the name of a git branch"},
  {"BadPrefix", app("sessionPrefix: a.b"), "ao.yaml:4:20: projects.app.sessionPrefix: \"a.b\" is not a name, expected at most 50 letters, digits, _ and -"},
  {"BadAddress", "api: {listen: \"127.0.0.1\"}\n", "ao.yaml:1:15: api.listen: \"127.0.0.1\" is not an address, expected host:port such as 127.0.0.1:7421"},
  {"PortTooLarge", "api: {listen: \"127.0.0.1:70000\"}\n", "ao.yaml:1:15: api.listen: \"127.0.0.1:70000\" is not an address, expected host:port such as 127.0.0.1:7421"},
  {"BadUrl", "notifiers: {a: {plugin: webhook, url: ftp://x}}\n", "ao.yaml:1:39: notifiers.a.url: \"ftp://x\" is not a URL, expected a URL such as https://example.org/hook"},
  {"BadVariable", "agents: {codex: {passEnv: [MY-KEY]}}\n", "ao.yaml:1:28: agents.codex.passEnv[0]: \"MY-KEY\" is not the name of a variable, expected the name of an environment variable"},
  {"BadEnvName", "agents: {codex: {env: {1X: a}}}\n", "ao.yaml:1:24: agents.codex.env.1X: \"1X\" is not the name of a variable, expected letters, digits and _"},
  {"UnsetVariable", app("name: ${NOBODY}"), "ao.yaml:4:11: projects.app.name: ${NOBODY} is not set, expected a variable of the environment ($${NOBODY} is the text itself)"},
  {"NeitherTriesNorTime", "reactions: {ci-failed: {escalateAfter: soon}}\n", "ao.yaml:1:40: reactions.ci-failed.escalateAfter: \"soon\" is neither a number nor a duration, expected a number of tries or a duration such as 30m"},
  // More than one key
  {"UnknownAgent", app("agent: codx"), "ao.yaml:4:12: projects.app.agent: \"codx\" is no agent, expected aider, claude-code, codex, cursor, gemini or opencode; did you mean \"codex\"?"},
  {"UnknownMediator", "escalation: {mediation: {agent: nobody-at-all}}\n", "ao.yaml:1:33: escalation.mediation.agent: \"nobody-at-all\" is no agent, expected aider, claude-code, codex, cursor, gemini or opencode"},
  {"UnknownNotifier", "notifiers: {phone: {plugin: openclaw}}\nnotificationRouting: {urgent: [phone, phon]}\n", "ao.yaml:2:39: notificationRouting.urgent[1]: \"phon\" is no notifier, expected phone; did you mean \"phone\"?"},
  {"NoNotifierAtAll", "defaults: {notifiers: [pager]}\n", "ao.yaml:1:24: defaults.notifiers[0]: \"pager\" is no notifier, expected a key of notifiers"},
  {"ChannelWithoutTo", "notifiers:\n  phone: {plugin: openclaw, channel: telegram}\n", "ao.yaml:2:3: notifiers.phone.to: missing beside channel, expected both or neither"},
  {"WebhookWithoutUrl", "notifiers:\n  hook: {plugin: webhook}\n", "ao.yaml:2:3: notifiers.hook.url: missing, expected a URL such as https://example.org/hook"},
  {"SamePrefix", "projects:\n  a: {path: /x/app}\n  b: {path: /y/app}\n", "ao.yaml:3:3: projects.b.sessionPrefix: \"app\" is the prefix of a too (derived from the path), expected a prefix of its own such as \"app2\""},
  {"SameWrittenPrefix", "projects:\n  a: {path: /x, sessionPrefix: p}\n  b: {path: /y, sessionPrefix: p}\n", "ao.yaml:3:32: projects.b.sessionPrefix: \"p\" is the prefix of a, expected a prefix of its own such as \"p2\""},
  {"LeaseBeforeLost", "cluster: {lostAfter: 12s}\n", "ao.yaml:1:22: cluster.lostAfter: \"12s\" is not shorter than lease, expected less than 10s"},
  {"LeaseAsLongAsLost", "cluster: {lease: 8s}\n", "ao.yaml:1:18: cluster.lease: \"8s\" is not longer than lostAfter, expected more than 8s"},
  {"SuspectBeforeHeartbeat", "cluster: {heartbeat: 3s, suspectAfter: 2s}\n", "ao.yaml:1:40: cluster.suspectAfter: \"2s\" is not longer than heartbeat, expected more than 3s"},
  {"StopAfterLease", app("disconnect: {stopOnClientAfter: 10s}"), "ao.yaml:4:37: projects.app.disconnect.stopOnClientAfter: \"10s\" is too long: stopOnClientAfter 10s + 1s to stop = 11s, which is more than cluster.lease 10s: a node could still work when its tasks are given away, expected at most 9s"},
  {"DelayBeyondMaxDelay", "restart: {delay: 1m, maxDelay: 30s}\n", "ao.yaml:1:18: restart.delay: \"1m\" is longer than maxDelay, expected at most 30s"},
  {"GraceInSeconds", "lifecycle: {mergeCleanupIdleGraceMs: 300}\n", "ao.yaml:1:38: lifecycle.mergeCleanupIdleGraceMs: \"300\" is too small, expected 0 or at least 10000 (milliseconds)"},
  {"ReRaiseBackwards", "escalation: {human: {reRaise: [8h, 4h]}}\n", "ao.yaml:1:36: escalation.human.reRaise[1]: \"4h\" is not later than the one before, expected growing ages"},
  // Places
  {"SeveralSortedByPlace", "limits: {sessions: x}\nprojects:\n  app: {agent: codx}\n", "ao.yaml:1:20: limits.sessions: \"x\" is not a whole number, expected a whole number from 1 to 100000\nao.yaml:3:3: projects.app.path: missing, expected a path such as ~/app\nao.yaml:3:16: projects.app.agent: \"codx\" is no agent, expected aider, claude-code, codex, cursor, gemini or opencode; did you mean \"codex\"?"},
  {"ColumnsCountCharacters", "projects: {app: {name: \"äöü\", path: /a, x: 1}}\n", "ao.yaml:1:41: projects.app.x: unknown key, expected a key of projects.*"},
  {"LineBreaksStayOutOfTheReport", "\"a\\nb\": 1\n", "ao.yaml:1:1: a b: unknown key, expected " + top_word + "; did you mean \"api\"?"},
  {"WindowsLines", "limits:\r\n  sessions: x\r\n", "ao.yaml:2:13: limits.sessions: \"x\" is not a whole number, expected a whole number from 1 to 100000"},
};
// clang-format on

class BadFile : public ::testing::TestWithParam<bad_file> {};

} // namespace

TEST_P(BadFile, IsRefusedWithOnePreciseLinePerErrorAndNoEffect) {
  auto outcome = read(GetParam().text);
  EXPECT_EQ(report(outcome), GetParam().lines);
  EXPECT_FALSE(outcome.value.has_value());
  EXPECT_TRUE(outcome.shown.empty());
}

INSTANTIATE_TEST_SUITE_P(Config, BadFile, ::testing::ValuesIn(bad_files),
                         [](const auto& info) {
                           return std::string{info.param.name};
                         });

TEST(Config, NamesTheForgeThatIsNotAvailableByItsOwnCode) {
  auto outcome = read(app("forge: {plugin: github}"));
  ASSERT_EQ(outcome.errors.size(), 1u);
  EXPECT_EQ(outcome.errors[0].code, ec::forge_not_available);
  EXPECT_EQ(info(outcome.errors[0].code).exit_code, 2);
}
