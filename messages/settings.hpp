#pragma once

#include "messages/ids.hpp"
#include "messages/incident.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The configuration as typed values: one struct per section of CONTRACT §5,
/// one member per key, the initialiser is the key's default. An optional is
/// empty where the absence of the key means something. The key table
/// (runtime/config/keys.hpp) says how each is written and documented.
namespace ao {

/// An argument vector; the first element is the program. Never a shell line.
using command_line = std::vector<std::string>;

/// Who starts the sessions of a project: a person, or the hub by itself.
enum class dispatch_mode : std::uint8_t { manual, automatic };

/// How an agent program receives its first prompt.
enum class prompt_delivery : std::uint8_t { argument, stdin_, paste, file };

/// Where changes are opened, checked and merged.
enum class forge_kind : std::uint8_t { local, github };

/// Where tasks come from besides `ao task add`.
enum class tracker_kind : std::uint8_t { file, github };

/// How a change lands on its base.
enum class merge_method : std::uint8_t { squash, merge, rebase };

/// Who opens the change of a session: the hub when the agent is done
/// (`auto`), or the agent.
enum class change_opener : std::uint8_t { hub, agent };

/// What is done about a task that looks like another one.
enum class duplicate_policy : std::uint8_t { warn, hold, off };

/// Whose work counts after a lost node has returned.
enum class reconcile_policy : std::uint8_t {
  keep_original,
  keep_replacement,
  best_score
};

/// How much an agent may do unasked (the original's words).
enum class agent_permissions : std::uint8_t {
  permissionless,
  standard, // written `default`
  auto_edit,
  suggest
};

/// What a reaction of the original does.
enum class reaction_action : std::uint8_t { notify, send_to_agent, auto_merge };

/// The words of the enums as written in the configuration.
std::string_view to_string(dispatch_mode x);
std::string_view to_string(prompt_delivery x);
std::string_view to_string(forge_kind x);
std::string_view to_string(tracker_kind x);
std::string_view to_string(merge_method x);
std::string_view to_string(change_opener x);
std::string_view to_string(duplicate_policy x);
std::string_view to_string(reconcile_policy x);
std::string_view to_string(agent_permissions x);
std::string_view to_string(reaction_action x);

/// `restart:` How often and how patiently a dead agent is started again.
struct restart_settings {
  /// More restarts than this within `period` climb one tier.
  std::uint32_t intensity = 2;
  milliseconds period = std::chrono::minutes{30};
  /// Pause before the first restart; doubles up to `max_delay`.
  milliseconds delay = std::chrono::seconds{15};
  milliseconds max_delay = std::chrono::minutes{5};
  /// Share of the pause that is random, 0 to 1.
  double jitter = 0.25;
};

/// `restart:` of one project or agent; what is absent is inherited.
struct restart_override {
  std::optional<std::uint32_t> intensity;
  std::optional<milliseconds> period;
  std::optional<milliseconds> delay;
  std::optional<milliseconds> max_delay;
  std::optional<double> jitter;
};

/// `hang:` When a silent agent counts as hung.
struct hang_settings {
  milliseconds after = std::chrono::minutes{10};
};

/// `hang:` of one project or agent; what is absent is inherited.
struct hang_override {
  std::optional<milliseconds> after;
};

/// `breaker:` When agents of one account are held together.
struct breaker_settings {
  /// Between two probes, or two tries, of an open one.
  milliseconds half_open = std::chrono::seconds{30};
  /// How long the one that is tried must live.
  milliseconds probation = std::chrono::seconds{15};
  /// Between the starts of those that go on when it closes.
  milliseconds stagger = std::chrono::seconds{1};
  /// Sessions that die of one class …; 0 = never.
  std::uint32_t deaths = 3;
  /// … within this time open it.
  milliseconds within = std::chrono::minutes{2};
};

/// `limits:` Admission; what does not fit is queued, never refused.
struct limit_settings {
  /// Live sessions on this hub.
  std::uint32_t sessions = 15;
  /// 0 = no limit.
  std::uint32_t spawns_per_minute = 30;
  /// Provisioned at once by `ao batch-spawn` and the dispatcher.
  std::uint32_t parallel_spawns = 16;
  std::uint64_t min_free_memory = 1ull << 30;
  std::uint64_t min_free_disk = 2ull << 30;
};

/// `limits:` of one project or agent, within the ones of the hub.
struct limit_override {
  /// Live sessions of it; absent = no cap of its own.
  std::optional<std::uint32_t> sessions;
};

/// `agents.<name>.limits:`
struct agent_limits : limit_override {
  /// Bytes of memory of one session's whole tree; absent = no limit.
  std::optional<std::uint64_t> memory;
  /// Processes and threads of one session's whole tree; absent = no limit.
  std::optional<std::uint32_t> processes;
};

/// `defaults:` What a project says nothing about.
struct default_settings {
  std::string agent = "claude-code";
  /// `defaults.worker.agent`, before `agent` for workers.
  std::optional<std::string> worker_agent;
  /// `defaults.orchestrator.agent`, before `agent` for orchestrators.
  std::optional<std::string> orchestrator_agent;
  /// Receive each priority that `notificationRouting` does not name.
  std::vector<std::string> notifiers;
};

/// `agents.<name>:` An agent program. The built-in ones exist unwritten.
struct agent_settings {
  std::string name;
  /// Who speaks to the program: `command` or a built-in agent's name.
  std::string adapter;
  /// Program and fixed arguments; for a built-in agent empty means its own.
  command_line command;
  /// Empty: the adapter's own way.
  std::optional<prompt_delivery> prompt;
  /// How to go on after a crash; empty: as `command`.
  command_line resume;
  /// Added to the environment; wins over everything but AO_*.
  std::map<std::string, std::string> env;
  /// Names of the hub's variables that the agent gets too.
  std::vector<std::string> pass_env;
  /// Sessions of one (program, account) share a breaker; empty = one account.
  std::string account;
  /// Exit 0 = ready; empty: the adapter's own check.
  command_line probe;
  agent_limits limits;
  restart_override restart;
  hang_override hang;
};

/// `agentConfig:` of the original, for the built-in agents.
struct agent_config {
  agent_permissions permissions = agent_permissions::permissionless;
  std::optional<std::string> model;
  std::optional<std::string> orchestrator_model;
  std::optional<std::string> subagent;
};

/// `worker:` or `orchestrator:` of a project.
struct role_settings {
  std::optional<std::string> agent;
  std::optional<agent_config> config;
};

/// `forge.webhook:` What a forge calls on `/webhooks/<project>`.
struct webhook_settings {
  bool enabled = true;
  /// Name of the variable that holds the secret; unsigned calls are refused.
  std::string secret_env;
  std::string signature_header = "x-hub-signature-256";
  std::string event_header = "x-github-event";
  std::string delivery_header = "x-github-delivery";
  std::uint64_t max_body_bytes = 1ull << 20;
};

/// `forge:` (the original's `scm:`).
struct forge_settings {
  forge_kind plugin = forge_kind::local;
  /// The user's remote to which merged work is pushed; empty: never push.
  std::optional<std::string> publish;
  std::string api_url = "https://api.github.com";
  std::string token_env = "GITHUB_TOKEN";
  std::optional<webhook_settings> webhook;
};

/// `tracker:`
struct tracker_settings {
  tracker_kind plugin = tracker_kind::file;
  /// The backlog, absolute (resolved below the project's path).
  std::filesystem::path path;
};

/// `ci:` of the local forge.
struct ci_settings {
  command_line command;
  milliseconds timeout = std::chrono::minutes{30};
  /// Runs once more before a change's first failure is told, as it may be a
  /// flake.
  bool rerun = false;
};

/// `merge:`
struct merge_settings {
  /// Empty: true for the local forge, false for GitHub; see `merges_by_itself`.
  std::optional<bool> automatic;
  merge_method method = merge_method::squash;
  bool require_review = false;
  bool delete_branch = true;
};

/// `reviewer:` The agent that reviews each change; absent = none.
struct reviewer_settings {
  std::string agent;
};

/// `disconnect:` What happens when a node is cut off.
struct disconnect_settings {
  /// The node stops the agent after this long without its hub.
  milliseconds stop_on_client_after = std::chrono::seconds{8};
  /// The hub starts a replacement once the lease has ended.
  bool replace = true;
  reconcile_policy reconcile = reconcile_policy::keep_original;
};

/// `reactions.<key>:` of the original; what it does is in
/// `runtime/rules/reactions.hpp`.
struct reaction_settings {
  bool automatic = true;
  /// Absent: what the event's own default is.
  std::optional<reaction_action> action;
  std::optional<std::string> message;
  std::optional<ao::priority> priority;
  std::optional<std::uint32_t> retries;
  /// `escalateAfter: 2` (tries) or `escalateAfter: 30m` (time).
  std::optional<std::uint32_t> escalate_after_tries;
  std::optional<milliseconds> escalate_after_time;
  std::optional<milliseconds> threshold;
  bool include_summary = false;
};

using reaction_map = std::map<std::string, reaction_settings>;

/// `projects.<id>:`
struct project_settings {
  project_id id;
  /// The person's checkout, absolute.
  std::filesystem::path path;
  /// Shown to people; the id when not written.
  std::string name;
  /// `owner/repo` of the forge; empty = not known.
  std::string repo;
  std::string default_branch = "main";
  /// Sessions are `<prefix>-<n>`; unique among the projects.
  std::string session_prefix;
  /// Of this project alone; see `agent_of`.
  std::optional<std::string> agent;
  role_settings worker;
  role_settings orchestrator;
  /// `orchestrator.session:` The standing session that mediates; empty: each
  /// incident gets a mediator of its own.
  session_id orchestrator_session;
  agent_config agent_defaults;
  dispatch_mode dispatch = dispatch_mode::manual;
  limit_override limits;
  forge_settings forge;
  std::optional<tracker_settings> tracker;
  /// Absent = no checks = passing.
  std::optional<ci_settings> ci;
  merge_settings merge;
  change_opener open_change = change_opener::hub;
  /// Branch of a session; `{session}` is replaced.
  std::string branch = "ao/{session}";
  /// Below `path`, linked into each worktree.
  std::vector<std::string> symlinks;
  /// Run in each new worktree, in order, by `sh -c` (the person's own words).
  std::vector<std::string> post_create;
  std::optional<reviewer_settings> reviewer;
  duplicate_policy duplicates = duplicate_policy::warn;
  disconnect_settings disconnect;
  /// Added to the prompt of workers: text, then the file (absolute).
  std::optional<std::string> agent_rules;
  std::optional<std::filesystem::path> agent_rules_file;
  /// Added to the prompt of the orchestrator.
  std::optional<std::string> orchestrator_rules;
  restart_override restart;
  hang_override hang;
  /// Those written for this project; before `settings::reactions`.
  reaction_map reactions;
};

/// `escalation:` The three tiers.
struct escalation_settings {
  struct {
    /// Tries per cause, at most 5; see `self_heal_attempts`.
    std::uint32_t attempts = 5;
    milliseconds deadline = std::chrono::minutes{30};
  } self_heal;
  struct {
    /// Absent: `agent_of` the orchestrator of the project.
    std::optional<std::string> agent;
    milliseconds deadline = std::chrono::minutes{15};
    std::uint32_t rounds = 2;
  } mediation;
  struct {
    /// Ages of an open question at which it is asked again.
    std::vector<milliseconds> re_raise
      = {std::chrono::hours{4}, std::chrono::hours{8}};
  } human;
};

/// Part of a day, by the host's clock.
struct quiet_hours {
  /// Since midnight; the end may be on the next day.
  std::chrono::minutes begin{0};
  std::chrono::minutes end{0};
};

/// `notifiers.<id>:` A way to a person.
struct notifier_settings {
  std::string id;
  /// `openclaw`, `webhook`, `slack`, …
  std::string plugin;
  /// Of slack its `webhookUrl`, which is secret.
  std::string url;
  /// Secret; empty = none.
  std::string token;
  /// Where the gateway delivers; both or neither.
  std::optional<std::string> channel;
  std::optional<std::string> to;
  std::optional<std::string> account_id;
  std::optional<std::string> agent_id;
  /// Label at the gateway.
  std::string name = "AO";
  std::string wake_mode = "now";
  bool deliver = true;
  /// Empty: no session key is sent (a default gateway refuses one).
  std::string session_key_prefix;
  std::string session_mode;
  /// `auto`, `1`, `2` or `3`: the gateway's generation.
  std::string generation = "auto";
  std::optional<bool> wait_for_completion;
  /// `whsec_<base64>`: signs each request (webhook); empty = unsigned.
  std::string secret;
  /// Of Telegram's Bot API, without the token.
  std::string api_root = "https://api.telegram.org";
  /// Whether the chat may answer questions (telegram).
  bool answers = true;
  /// Shown as sender (slack).
  std::optional<std::string> username;
  /// Added to each request (webhook).
  std::map<std::string, std::string> headers;
  milliseconds timeout = std::chrono::seconds{20};
  milliseconds retry_delay = std::chrono::seconds{1};
  milliseconds retry_max_delay = std::chrono::minutes{5};
  /// Only what is urgent is sent then; the rest comes afterwards, as one.
  std::optional<ao::quiet_hours> quiet_hours;
  /// What is not urgent is collected for so long and sent as one; 0 = is sent
  /// as it comes.
  milliseconds digest{0};
};

/// `notificationRouting:` Absent: `defaults.notifiers`; see `notifiers_for`.
struct routing_settings {
  std::optional<std::vector<std::string>> urgent;
  std::optional<std::vector<std::string>> action;
  std::optional<std::vector<std::string>> warning;
  std::optional<std::vector<std::string>> info;
};

/// `cluster:` heartbeat < suspectAfter < lostAfter < lease (checked).
struct cluster_settings {
  /// `host:port`; absent: no port is open.
  std::optional<std::string> listen;
  /// Where nodes that have joined dial; absent: the port after `listen`'s.
  std::optional<std::string> link;
  milliseconds heartbeat = std::chrono::seconds{1};
  milliseconds suspect_after = std::chrono::seconds{3};
  milliseconds lost_after = std::chrono::seconds{8};
  milliseconds lease = std::chrono::seconds{10};
  /// Of a node's certificate, which it renews at two thirds.
  milliseconds certificate_life = std::chrono::hours{24 * 90};
};

/// `api:`
struct api_settings {
  /// `host:port`; absent: only the sockets of the home.
  std::optional<std::string> listen;
};

/// `keep:` What is kept how long.
struct keep_settings {
  milliseconds sessions = std::chrono::hours{14 * 24};
  milliseconds events = std::chrono::hours{90 * 24};
  std::uint64_t logs = 1ull << 30;
};

/// `lifecycle:` of the original.
struct lifecycle_settings {
  /// Worktree, pane and branch of a merged session are removed by themselves.
  bool auto_cleanup_on_merge = true;
  /// How long a merged session's agent may still be busy; 0 = no wait.
  milliseconds merge_cleanup_idle_grace = std::chrono::minutes{5};
};

/// The whole configuration. Immutable once loaded; shared, never patched.
struct settings {
  /// The file read, or empty when derived.
  std::filesystem::path path;
  default_settings defaults;
  limit_settings limits;
  restart_settings restart;
  hang_settings hang;
  breaker_settings breaker;
  /// `readyThresholdMs`: a `ready` agent is `idle` after this.
  milliseconds ready_threshold = std::chrono::minutes{5};
  /// Every built-in agent and every configured one.
  std::map<std::string, agent_settings> agents;
  std::map<project_id, project_settings> projects;
  escalation_settings escalation;
  std::map<std::string, notifier_settings> notifiers;
  routing_settings notification_routing;
  cluster_settings cluster;
  api_settings api;
  keep_settings keep;
  lifecycle_settings lifecycle;
  /// Written for all projects.
  reaction_map reactions;
};

/// The names of the agents that exist without being configured.
const std::vector<std::string>& builtin_agents();

/// The settings of a configuration without a single key: all defaults, the
/// built-in agents, no project.
settings default_settings_of_all();

/// The agent of a worker: worker.agent, agent, defaults.worker.agent,
/// defaults.agent, in this order.
const std::string& agent_of(const settings& all,
                            const project_settings& project);

/// The agent of an orchestrator, in the analogous order.
const std::string& orchestrator_of(const settings& all,
                                   const project_settings& project);

/// The agent that mediates: escalation.mediation.agent, else
/// `orchestrator_of`.
const std::string& mediator_of(const settings& all,
                               const project_settings& project);

/// The restart policy of `agent` in `project`: the agent's own key, else the
/// project's, else the top one. An agent of no configuration has none.
restart_settings restart_of(const settings& all,
                            const project_settings& project,
                            const std::string& agent);

/// The hang policy, in the same order.
hang_settings hang_of(const settings& all, const project_settings& project,
                      const std::string& agent);

/// The reaction that is written for `event`: the project's before the one for
/// all; null when there is none.
const reaction_settings* reaction_of(const settings& all,
                                     const project_settings& project,
                                     const std::string& event);

/// `merge.auto`, else whether `reactions.approved-and-green` merges, else true
/// for the local forge only.
bool merges_by_itself(const settings& all, const project_settings& project);

/// The notifiers of a priority: the routing, else `defaults.notifiers`.
const std::vector<std::string>& notifiers_for(const settings& all, priority p);

/// Where nodes that have joined dial: `cluster.link`, else the port after that
/// of `cluster.listen`; empty where no port is open.
std::string link_address(const settings& all);

/// The branch of `session` by the project's template.
std::string branch_of(const project_settings& project,
                      const session_id& session);

} // namespace ao
