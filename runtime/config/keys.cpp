#include "runtime/config/keys.hpp"

#include "messages/settings.hpp"
#include "messages/time.hpp"

namespace ao {
namespace {

using type = key_type;

constexpr double no_end = -1;

/// A row in the making: `key("limits.sessions", type::integer, "15", "…")`
/// and then what is special about it.
class key {
public:
  key(std::string pattern, key_type t, std::string fallback, std::string doc) {
    row_.pattern = std::move(pattern);
    row_.type = t;
    row_.fallback = std::move(fallback);
    row_.doc = std::move(doc);
  }

  key&& range(double least, double greatest = no_end) && {
    row_.least = least;
    if (greatest != no_end)
      row_.greatest = greatest;
    return std::move(*this);
  }
  key&& words(std::vector<std::string> list) && {
    row_.words = std::move(list);
    return std::move(*this);
  }
  key&& alias(std::string name) && {
    row_.alias = std::move(name);
    return std::move(*this);
  }
  key&& at(takes_effect when) && {
    row_.effect = when;
    return std::move(*this);
  }
  key&& required() && {
    row_.required = true;
    return std::move(*this);
  }
  key&& secret() && {
    row_.secret = true;
    return std::move(*this);
  }
  key&& nullable() && {
    row_.nullable = true;
    return std::move(*this);
  }
  key&& open() && {
    row_.open = true;
    return std::move(*this);
  }

  operator key_row() && { return std::move(row_); }

private:
  key_row row_;
};

key_row ignored(std::string pattern, std::string reason) {
  key_row row;
  row.pattern = std::move(pattern);
  row.type = type::ignored;
  row.doc = "Read from the original's files and not used: " + reason + ".";
  row.reason = std::move(reason);
  return row;
}

constexpr auto next_session = takes_effect::next_session;
constexpr auto restart = takes_effect::restart;

constexpr double second = 1000;
constexpr double minute = 60 * second;
constexpr double hour = 60 * minute;
constexpr double day = 24 * hour;

class table_writer {
public:
  void add(key_row row) { rows_.push_back(std::move(row)); }
  std::vector<key_row> take() { return std::move(rows_); }

private:
  std::vector<key_row> rows_;
};

void add_restart_and_hang(table_writer& t, const std::string& below, bool top) {
  auto or_empty
    = [top](std::string text) { return top ? text : std::string{}; };
  auto of = below + "restart";
  t.add(key(of, type::section, "",
            top ? "How often and how patiently a dead agent is started again."
                : "Replaces keys of the top-level restart here."));
  t.add(key(of + ".intensity", type::integer, or_empty("2"),
            "More restarts than this within the period climb one tier.")
          .range(0, 100));
  t.add(key(of + ".period", type::duration, or_empty("30m"),
            "The window in which restarts are counted.")
          .range(second, 7 * day));
  t.add(key(of + ".delay", type::duration, or_empty("15s"),
            "The pause before the first restart; it doubles.")
          .range(0, hour));
  t.add(key(of + ".maxDelay", type::duration, or_empty("5m"),
            "The longest pause between two restarts.")
          .range(0, day));
  t.add(key(of + ".jitter", type::number, or_empty("0.25"),
            "The share of a pause that is random.")
          .range(0, 1));
  of = below + "hang";
  t.add(key(of, type::section, "",
            top ? "When a silent agent counts as hung."
                : "Replaces keys of the top-level hang here."));
  t.add(key(of + ".after", type::duration, or_empty("10m"),
            "An agent without a sign of life for this long is hung.")
          .range(second, 7 * day));
}

void add_own_limits(table_writer& t, const std::string& below,
                    const std::string& of_whom) {
  auto of = below + "limits";
  t.add(
    key(of, type::section, "", "Caps of its own, within the ones of the hub."));
  t.add(key(of + ".sessions", type::integer, "",
            "Live sessions of " + of_whom + "; absent = no cap of its own.")
          .range(1, 100'000));
}

void add_agent_config(table_writer& t, const std::string& below) {
  auto of = below + "agentConfig";
  t.add(key(of, type::section, "", "Options of the built-in agents.").open());
  t.add(key(of + ".permissions", type::word, "permissionless",
            "How much an agent may do unasked.")
          .words({"permissionless", "default", "auto-edit", "suggest", "skip"})
          .at(next_session));
  t.add(key(of + ".model", type::text, "", "The model of the agents.")
          .at(next_session));
  t.add(key(of + ".orchestratorModel", type::text, "",
            "The model of orchestrators, before model.")
          .at(next_session));
  t.add(
    key(of + ".subagent", type::text, "", "The program's own agent to be used.")
      .at(next_session));
  t.add(ignored(of + ".opencodeSessionId",
                "ao finds the conversation of a session by itself"));
}

void add_role(table_writer& t, const std::string& of, const std::string& who) {
  t.add(key(of, type::section, "", "The agent of " + who + "."));
  t.add(key(of + ".agent", type::agent, "",
            "The agent of " + who + ", before agent.")
          .at(next_session));
}

void add_reactions(table_writer& t, const std::string& below) {
  auto of = below + "reactions";
  t.add(key(of, type::table, "", "What follows an event (the original's).")
          .words({"ci-failed", "changes-requested", "bugbot-comments",
                  "merge-conflicts", "approved-and-green", "agent-idle",
                  "agent-stuck", "agent-needs-input", "agent-exited",
                  "pr-closed", "all-complete", "report-no-acknowledge",
                  "report-stale", "report-needs-input"}));
  of += ".*";
  t.add(key(of, type::section, "", "What follows this event."));
  t.add(key(of + ".auto", type::boolean, "true",
            "Acts by itself; false leaves only notify."));
  t.add(key(of + ".action", type::word, "",
            "What is done; else what the event leads to by itself.")
          .words({"send-to-agent", "notify", "auto-merge"}));
  t.add(key(of + ".message", type::prose, "",
            "Said to the agent besides the facts."));
  t.add(key(of + ".priority", type::word, "", "Of the notification.")
          .words({"urgent", "action", "warning", "info"}));
  t.add(key(of + ".retries", type::integer, "",
            "Tries before the next tier; of ci-failed it replaces "
            "escalation.selfHeal.attempts, at most 5.")
          .range(0, 1'000'000));
  t.add(key(of + ".escalateAfter", type::tries_or_duration, "",
            "Tries or time after which the next tier is asked."));
  t.add(key(of + ".threshold", type::duration, "",
            "How long the state must last."));
  t.add(key(of + ".includeSummary", type::boolean, "false",
            "Adds a summary to the notification."));
}

void add_top(table_writer& t) {
  t.add(key("$schema", type::prose, "", "A hint for editors."));
  t.add(key("defaults", type::section, "",
            "What holds where a project says nothing."));
  t.add(key("defaults.agent", type::agent, "claude-code",
            "The agent of every project that names none.")
          .at(next_session));
  t.add(key("defaults.notifiers", type::notifiers, "[]",
            "Receive each priority that notificationRouting leaves out."));
  t.add(key("defaults.runtime", type::word, "tmux", "Where agents run.")
          .words({"tmux"}));
  t.add(key("defaults.workspace", type::word, "worktree",
            "How a session gets its copy of the repository.")
          .words({"worktree"}));
  add_role(t, "defaults.worker", "workers");
  add_role(t, "defaults.orchestrator", "orchestrators");

  t.add(key("limits", type::section, "",
            "Admission: what does not fit is queued."));
  t.add(
    key("limits.sessions", type::integer, "15", "Live sessions of this hub.")
      .range(1, 100'000));
  t.add(key("limits.spawnsPerMinute", type::integer, "30",
            "Sessions provisioned in one minute; 0 = no limit.")
          .range(0, 100'000));
  t.add(key("limits.parallelSpawns", type::integer, "16",
            "Sessions provisioned at once.")
          .range(1, 1'000));
  t.add(key("limits.minFreeMemory", type::size, "1GiB",
            "Less free memory than this keeps sessions queued."));
  t.add(key("limits.minFreeDisk", type::size, "2GiB",
            "Less free space than this keeps sessions queued."));
  add_restart_and_hang(t, "", true);
  t.add(key("breaker", type::section, "",
            "When agents of one program and account are held together."));
  t.add(key("breaker.halfOpen", type::duration, "30s",
            "The pause between two probes of a lost login, or two tries.")
          .range(100, day));
  t.add(key("breaker.probation", type::duration, "15s",
            "How long the one that is tried must live.")
          .range(0, day));
  t.add(key("breaker.stagger", type::duration, "1s",
            "The pause between two that go on when the login works again.")
          .range(0, hour));
  t.add(key("breaker.deaths", type::integer, "3",
            "So many sessions that die of one class hold the others; 0 = "
            "never.")
          .range(0, 1'000));
  t.add(key("breaker.within", type::duration, "2m",
            "The time within which they die.")
          .range(second, day));
  t.add(key("readyThresholdMs", type::millis, "300000",
            "An agent that is ready for this long is idle.")
          .range(0));
  t.add(key("lifecycle", type::section, "", "What follows a merge."));
  t.add(key("lifecycle.autoCleanupOnMerge", type::boolean, "true",
            "Removes worktree, pane and branch of a merged session."));
  t.add(key("lifecycle.mergeCleanupIdleGraceMs", type::millis, "300000",
            "How long a merged session's agent may still be busy; 0 = no "
            "wait, else at least 10000.")
          .range(0));
}

void add_agents(table_writer& t) {
  t.add(key("agents", type::table, "",
            "Agent programs; the built-in ones need no entry."));
  t.add(key("agents.*", type::section, "", "One agent program."));
  auto adapters = builtin_agents();
  adapters.insert(adapters.begin(), "command");
  t.add(key("agents.*.adapter", type::word, "",
            "Who speaks to the program; the name itself for a built-in one.")
          .words(adapters)
          .at(next_session));
  t.add(key("agents.*.command", type::command, "",
            "Program and arguments; needed by the adapter command.")
          .at(next_session));
  t.add(key("agents.*.prompt", type::word, "",
            "How the prompt reaches the program; argument for command.")
          .words({"argument", "stdin", "paste", "file"})
          .at(next_session));
  t.add(key("agents.*.resume", type::command, "",
            "Program and arguments after a crash; else as command.")
          .at(next_session));
  t.add(key("agents.*.env", type::text_map, "{}",
            "Variables added to the environment.")
          .at(next_session));
  t.add(key("agents.*.passEnv", type::variables, "[]",
            "Names of the hub's variables that are passed on.")
          .at(next_session));
  t.add(key("agents.*.account", type::prose, "",
            "Agents of one program and account fail together.")
          .at(next_session));
  t.add(key("agents.*.probe", type::command, "", "Exit 0 = the agent is ready.")
          .at(next_session));
  add_own_limits(t, "agents.*.", "this agent");
  t.add(key("agents.*.limits.memory", type::size, "",
            "Memory of a session with all that it starts; absent = no limit.")
          .range(64 << 20)
          .at(next_session));
  t.add(key("agents.*.limits.processes", type::integer, "",
            "Processes and threads of a session with all that it starts; "
            "absent = no limit.")
          .range(8, 4'000'000)
          .at(next_session));
  add_restart_and_hang(t, "agents.*.", false);
}

void add_forge(table_writer& t) {
  const std::string of = "projects.*.forge";
  t.add(key(of, type::section, "", "Where changes are opened and merged.")
          .alias("scm"));
  t.add(key(of + ".plugin", type::word, "local", "local, the forge in the hub.")
          .words({"local", "github"})
          .at(restart));
  t.add(key(of + ".publish", type::text, "",
            "The remote to which merged work is pushed; null = none.")
          .nullable()
          .at(restart));
  t.add(key(of + ".apiUrl", type::url, "https://api.github.com",
            "The forge's API; http only on loopback.")
          .at(restart));
  t.add(key(of + ".tokenEnv", type::variable, "GITHUB_TOKEN",
            "The variable of the hub that holds the token.")
          .at(restart));
  t.add(key(of + ".webhook", type::section, "", "Calls from the forge."));
  t.add(
    key(of + ".webhook.enabled", type::boolean, "true", "Accepts the calls."));
  t.add(key(of + ".webhook.secretEnv", type::variable, "",
            "The variable that holds the secret of the signature.")
          .alias("secretEnvVar")
          .required());
  t.add(key(of + ".webhook.signatureHeader", type::text, "x-hub-signature-256",
            "The header with the signature."));
  t.add(key(of + ".webhook.eventHeader", type::text, "x-github-event",
            "The header with the kind of event."));
  t.add(key(of + ".webhook.deliveryHeader", type::text, "x-github-delivery",
            "The header with the id of the delivery."));
  t.add(key(of + ".webhook.maxBodyBytes", type::integer, "1048576",
            "Larger calls are refused.")
          .range(1, 64.0 * 1024 * 1024));
  t.add(
    ignored(of + ".webhook.path", "webhooks arrive at /webhooks/<project>"));
}

void add_tracker_and_ci(table_writer& t) {
  auto of = std::string{"projects.*.tracker"};
  t.add(key(of, type::section, "", "Where tasks come from."));
  t.add(key(of + ".plugin", type::word, "file", "file, a backlog.")
          .words({"file", "github"}));
  t.add(key(of + ".path", type::text, "",
            "The backlog, below the project's path or absolute."));
  for (auto name : {"teamId", "workspaceSlug", "host"})
    t.add(ignored(of + "." + name, "it belongs to another tracker"));
  of = "projects.*.ci";
  t.add(key(of, type::section, "", "The checks of the local forge."));
  t.add(key(of + ".command", type::command, "",
            "Runs in a clean worktree of the head; exit 0 = passed.")
          .required()
          .at(restart));
  t.add(key(of + ".timeout", type::duration, "30m",
            "Checks that last longer have failed.")
          .range(second, 7 * day));
  t.add(key(of + ".rerun", type::boolean, "false",
            "Runs once more before a change's first failure is told."));
  of = "projects.*.merge";
  t.add(key(of, type::section, "", "How changes land."));
  t.add(key(of + ".auto", type::boolean, "",
            "Merges what is green by itself; true for the local forge, "
            "false for GitHub."));
  t.add(key(of + ".method", type::word, "squash", "How a change lands.")
          .words({"squash", "merge", "rebase"}));
  t.add(key(of + ".requireReview", type::boolean, "false",
            "Merges only what is approved, by a reviewer or the operator."));
  t.add(key(of + ".deleteBranch", type::boolean, "true",
            "Removes the branch of a merged change."));
}

void add_project_work(table_writer& t) {
  const std::string of = "projects.*";
  t.add(key(of + ".openChange", type::word, "auto",
            "Who opens the change: auto = the hub when the agent is done.")
          .words({"auto", "agent"}));
  t.add(key(of + ".branch", type::branch_template, "ao/{session}",
            "The branch of a session.")
          .at(next_session));
  t.add(key(of + ".symlinks", type::inner_paths, "[]",
            "Paths of the checkout that are linked into each worktree.")
          .at(next_session));
  t.add(key(of + ".postCreate", type::texts, "[]",
            "Shell commands that run in each new worktree.")
          .at(next_session));
  t.add(key(of + ".reviewer", type::section, "",
            "The agent that reviews each head of a change, whose verdict is "
            "waited for while one may come; absent = none."));
  t.add(key(of + ".reviewer.agent", type::agent, "", "The reviewing agent.")
          .required()
          .at(next_session));
  t.add(
    key(of + ".duplicates", type::word, "warn",
        "A task that looks like another open one: warn says so, hold keeps it "
        "waiting until that is closed or it is retried, off says nothing.")
      .words({"warn", "hold", "off"})
      .at(restart));
  t.add(key(of + ".disconnect", type::section, "",
            "What happens when a node is cut off."));
  t.add(key(of + ".disconnect.stopOnClientAfter", type::duration, "8s",
            "A node without hub stops its agents after this.")
          .range(0, day)
          .at(next_session));
  t.add(key(of + ".disconnect.replace", type::boolean, "true",
            "Starts a replacement once the lease has ended."));
  t.add(key(of + ".disconnect.reconcile", type::word, "keep_original",
            "Whose work counts when the node returns. A replacement that has "
            "delivered stays in any case.")
          .words({"keep_original", "keep_replacement", "best_score"}));
}

void add_projects(table_writer& t) {
  const std::string of = "projects.*";
  t.add(key("projects", type::table, "", "The repositories, by their id."));
  t.add(key(of, type::section, "", "One repository."));
  t.add(
    key(of + ".path", type::path, "", "The checkout.").required().at(restart));
  t.add(key(of + ".name", type::text, "", "Shown to people; else the id."));
  t.add(
    key(of + ".repo", type::text, "", "owner/repo at the forge.").at(restart));
  t.add(key(of + ".defaultBranch", type::branch, "main",
            "The branch that changes land on.")
          .at(restart));
  t.add(key(of + ".sessionPrefix", type::identifier, "",
            "Sessions are <prefix>-<n>; else derived from the path.")
          .at(next_session));
  t.add(key(of + ".agent", type::agent, "", "Before defaults.agent.")
          .at(next_session));
  t.add(
    key(of + ".runtime", type::word, "", "Where agents run.").words({"tmux"}));
  t.add(key(of + ".workspace", type::word, "",
            "How a session gets its copy of the repository.")
          .words({"worktree"}));
  add_role(t, of + ".worker", "workers");
  add_agent_config(t, of + ".worker.");
  add_role(t, of + ".orchestrator", "orchestrators");
  add_agent_config(t, of + ".orchestrator.");
  t.add(key(of + ".orchestrator.session", type::text, "",
            "A standing session that mediates; else each incident gets a "
            "mediator."));
  add_agent_config(t, of + ".");
  t.add(key(of + ".dispatch", type::word, "manual",
            "auto: every ready task starts within the limits.")
          .words({"manual", "auto"}));
  add_own_limits(t, of + ".", "this project");
  add_forge(t);
  add_tracker_and_ci(t);
  add_project_work(t);
  t.add(key(of + ".agentRules", type::prose, "",
            "Added to the prompt of each worker.")
          .at(next_session));
  t.add(key(of + ".agentRulesFile", type::text, "",
            "A file below the project with more of them.")
          .at(next_session));
  t.add(key(of + ".orchestratorRules", type::prose, "",
            "Added to the prompt of the orchestrator.")
          .at(next_session));
  t.add(ignored(of + ".orchestratorSessionStrategy",
                "an orchestrator is one role claim per project"));
  t.add(ignored(of + ".opencodeIssueSessionStrategy",
                "a restart resumes the session's own conversation"));
  t.add(ignored(of + ".decomposer", "a mediator splits tasks"));
  add_restart_and_hang(t, of + ".", false);
  add_reactions(t, of + ".");
}

void add_escalation(table_writer& t) {
  t.add(key("escalation", type::section, "", "The three tiers."));
  const std::string of = "escalation.";
  t.add(
    key(of + "selfHeal", type::section, "", "Tier 1: the same agent repairs."));
  t.add(key(of + "selfHeal.attempts", type::integer, "5", "Tries per cause.")
          .range(0, 5));
  t.add(key(of + "selfHeal.deadline", type::duration, "30m",
            "A try without verdict ends after this.")
          .range(second, 7 * day));
  t.add(key(of + "mediation", type::section, "",
            "Tier 2: an orchestrator decides."));
  t.add(key(of + "mediation.agent", type::agent, "",
            "The mediating agent; else the orchestrator's."));
  t.add(key(of + "mediation.deadline", type::duration, "15m",
            "A mediator without verdict ends after this.")
          .range(second, 7 * day));
  t.add(key(of + "mediation.rounds", type::integer, "2",
            "Mediations before a person is asked.")
          .range(0, 10));
  t.add(key(of + "human", type::section, "", "Tier 3: a person is asked."));
  t.add(key(of + "human.reRaise", type::durations, "[4h, 8h]",
            "Ages of an open question at which it is asked again.")
          .range(second, 30 * day));
}

void add_notifiers(table_writer& t) {
  t.add(key("notifiers", type::table, "", "The ways to a person."));
  const std::string of = "notifiers.*";
  t.add(key(of, type::section, "", "One way to a person."));
  t.add(key(of + ".plugin", type::word, "", "What carries the message.")
          .words({"openclaw", "telegram", "webhook", "desktop", "slack",
                  "discord", "composio"})
          .required());
  t.add(key(of + ".url", type::url, "",
            "Where it is sent; http only on loopback."));
  t.add(key(of + ".webhookUrl", type::url, "",
            "The incoming webhook of slack; who knows it may post.")
          .secret());
  t.add(key(of + ".token", type::prose, "",
            "The gateway's hook token, or the bot's.")
          .secret());
  t.add(key(of + ".secret", type::prose, "",
            "Signs what a webhook gets; whsec_ and base64.")
          .secret());
  t.add(key(of + ".apiRoot", type::url, "https://api.telegram.org",
            "The Bot API of Telegram; http only on loopback."));
  t.add(key(of + ".answers", type::boolean, "true",
            "Takes answers to questions from the chat (telegram)."));
  t.add(key(of + ".username", type::text, "", "Who it is from (slack)."));
  t.add(key(of + ".channel", type::text, "",
            "The gateway's channel, such as telegram; with to."));
  t.add(key(of + ".to", type::text, "", "The recipient in the channel."));
  t.add(key(of + ".accountId", type::text, "", "The channel's account."));
  t.add(key(of + ".agentId", type::text, "", "The gateway's agent."));
  t.add(key(of + ".name", type::text, "AO", "Label at the gateway."));
  t.add(key(of + ".wakeMode", type::word, "now",
            "When the gateway wakes its main session.")
          .words({"now", "next-heartbeat"}));
  t.add(key(of + ".deliver", type::boolean, "true",
            "Asks the gateway to pass it on to the channel."));
  t.add(key(of + ".sessionKeyPrefix", type::prose, "",
            "Sends a session key with this prefix; empty = sends none."));
  t.add(key(of + ".sessionMode", type::word, "", "The gateway's session mode.")
          .words({"isolated", "persistent"}));
  t.add(key(of + ".generation", type::word, "auto",
            "The generation of the gateway's hooks.")
          .words({"auto", "1", "2", "3"}));
  t.add(key(of + ".waitForCompletion", type::boolean, "",
            "Waits for the proof of delivery; else where it is offered."));
  t.add(key(of + ".headers", type::text_map, "{}",
            "Added to each request of a webhook.")
          .secret());
  t.add(key(of + ".timeout", type::duration, "20s",
            "A request without answer ends after this.")
          .range(second, hour));
  t.add(key(of + ".retryDelay", type::duration, "1s",
            "The pause before the first repetition; it doubles.")
          .alias("retryDelayMs")
          .range(0, hour));
  t.add(key(of + ".retryMaxDelay", type::duration, "5m",
            "The longest pause between two repetitions.")
          .range(0, day));
  t.add(key(of + ".quietHours", type::hours, "",
            "Only what is urgent is sent then, by the host's clock."));
  t.add(key(of + ".digest", type::duration, "0s",
            "What is not urgent is collected so long and sent as one.")
          .range(0, day));
  t.add(ignored(of + ".retries", "a notification is repeated until delivered"));
  t.add(ignored(of + ".healthSummaryPath", "ao notify ls shows the health"));
  t.add(ignored(of + ".webhook", "write it as webhookUrl"));
  for (auto name : {"avatarUrl", "threadId", "sound", "composioApiKey",
                    "defaultApp", "channelName", "channelId", "emailTo"})
    t.add(
      ignored(of + "." + name, "its plugin is not available in this release"));
  t.add(key("notificationRouting", type::section, "",
            "Which notifiers get which priority; absent = "
            "defaults.notifiers."));
  for (auto name : {"urgent", "action", "warning", "info"})
    t.add(key(std::string{"notificationRouting."} + name, type::notifiers, "",
              std::string{"Notifiers of priority "} + name + "."));
}

void add_rest(table_writer& t) {
  t.add(key("cluster", type::section, "",
            "heartbeat < suspectAfter < lostAfter < lease."));
  t.add(key("cluster.listen", type::address, "",
            "Where nodes join; absent = no port. Needs ao cluster init.")
          .at(restart));
  t.add(key("cluster.link", type::address, "",
            "Where nodes that have joined dial; absent = the port after that "
            "of listen.")
          .at(restart));
  t.add(
    key("cluster.heartbeat", type::duration, "1s", "How often a node reports.")
      .range(10, hour)
      .at(restart));
  t.add(key("cluster.suspectAfter", type::duration, "3s",
            "A silent node is suspect after this.")
          .range(10, hour)
          .at(restart));
  t.add(key("cluster.lostAfter", type::duration, "8s",
            "A silent node is lost after this.")
          .range(10, hour)
          .at(restart));
  t.add(key("cluster.lease", type::duration, "10s",
            "A claim may be granted anew after this.")
          .range(10, hour)
          .at(restart));
  t.add(key("cluster.certificateLife", type::duration, "90d",
            "How long a node's certificate counts; the node renews it at two "
            "thirds.")
          .range(5'000, 3650 * day)
          .at(restart));
  t.add(key("api", type::section, "", "The HTTP API."));
  t.add(key("api.listen", type::address, "",
            "A TCP address besides the socket of the home.")
          .at(restart));
  t.add(key("keep", type::section, "", "What is kept how long."));
  t.add(
    key("keep.sessions", type::duration, "14d",
        "Worktree and files of ended sessions, counted from their end; their "
        "work stays in refs, their rows in the record.")
      .range(hour));
  t.add(key("keep.events", type::duration, "90d",
            "Events, and the answers to repeated requests.")
          .range(hour));
  t.add(key("keep.logs", type::size, "1GiB",
            "All logs of the hub and of checks together; the oldest go first.")
          .range(1024 * 1024));
  add_reactions(t, "");
  t.add(ignored("port", "there is no dashboard in this release"));
  t.add(ignored("terminalPort", "there is no web terminal in this release"));
  t.add(
    ignored("directTerminalPort", "there is no web terminal in this release"));
  t.add(ignored("dashboard", "there is no dashboard in this release"));
  t.add(ignored("power", "the host's own settings decide when it sleeps"));
  t.add(ignored("plugins", "the original's plugins are not loaded"));
  t.add(ignored("projectOrder", "there is no dashboard in this release"));
}

std::vector<key_row> all_rows() {
  table_writer t;
  add_top(t);
  add_agents(t);
  add_projects(t);
  add_escalation(t);
  add_notifiers(t);
  add_rest(t);
  return t.take();
}

std::string_view parent_of(std::string_view pattern) {
  auto dot = pattern.rfind('.');
  return dot == pattern.npos ? std::string_view{} : pattern.substr(0, dot);
}

} // namespace

std::string_view to_string(key_type x) {
  switch (x) {
  case type::section:
    return "section";
  case type::table:
    return "table";
  case type::boolean:
    return "boolean";
  case type::integer:
    return "integer";
  case type::number:
    return "number";
  case type::word:
    return "word";
  case type::text:
    return "text";
  case type::prose:
    return "prose";
  case type::duration:
    return "duration";
  case type::durations:
    return "durations";
  case type::millis:
    return "millis";
  case type::size:
    return "size";
  case type::texts:
    return "texts";
  case type::text_map:
    return "text_map";
  case type::command:
    return "command";
  case type::path:
    return "path";
  case type::inner_path:
    return "inner_path";
  case type::inner_paths:
    return "inner_paths";
  case type::agent:
    return "agent";
  case type::notifiers:
    return "notifiers";
  case type::address:
    return "address";
  case type::hours:
    return "hours";
  case type::url:
    return "url";
  case type::variable:
    return "variable";
  case type::variables:
    return "variables";
  case type::branch:
    return "branch";
  case type::branch_template:
    return "branch_template";
  case type::identifier:
    return "identifier";
  case type::tries_or_duration:
    return "tries_or_duration";
  case type::ignored:
    return "ignored";
  }
  return "ignored";
}

std::string_view last_part(std::string_view pattern) {
  auto dot = pattern.rfind('.');
  return dot == pattern.npos ? pattern : pattern.substr(dot + 1);
}

key_table::key_table(std::vector<key_row> rows) : rows_(std::move(rows)) {
  below_[""];
  for (const auto& row : rows_) {
    by_pattern_[row.pattern] = &row;
    below_[std::string{parent_of(row.pattern)}].push_back(&row);
  }
}

const key_row* key_table::find(std::string_view pattern) const {
  auto at = by_pattern_.find(pattern);
  return at == by_pattern_.end() ? nullptr : at->second;
}

const std::vector<const key_row*>&
key_table::below(std::string_view pattern) const {
  static const std::vector<const key_row*> none;
  auto at = below_.find(pattern);
  return at == below_.end() ? none : at->second;
}

const key_table& config_keys() {
  static const key_table table{all_rows()};
  return table;
}

} // namespace ao
