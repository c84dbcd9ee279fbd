#include "runtime/config/bind.hpp"

#include "runtime/config/load.hpp"
#include "runtime/config/suggestion.hpp"
#include "runtime/config/value_rules.hpp"
#include "runtime/rules/membership.hpp"
#include "runtime/rules/quiet_hours.hpp"

#include <algorithm>
#include <set>

namespace ao {
namespace {

namespace fs = std::filesystem;

constexpr auto default_gateway = "http://127.0.0.1:18789/hooks/agent";

const std::vector<std::string>& notifier_plugins() {
  return config_keys().find("notifiers.*.plugin")->words;
}

milliseconds ms(const checked_value& v) {
  return milliseconds{v.number};
}

// One overload per type of member, so that a key is bound in one line.
void assign(std::string& into, const checked_value& v) {
  into = v.text;
}
void assign(bool& into, const checked_value& v) {
  into = v.flag;
}
void assign(double& into, const checked_value& v) {
  into = v.real;
}
void assign(milliseconds& into, const checked_value& v) {
  into = ms(v);
}
void assign(std::uint32_t& into, const checked_value& v) {
  into = static_cast<std::uint32_t>(v.number);
}
void assign(std::uint64_t& into, const checked_value& v) {
  into = static_cast<std::uint64_t>(v.number);
}
void assign(std::vector<std::string>& into, const checked_value& v) {
  into = v.items;
}
void assign(std::map<std::string, std::string>& into, const checked_value& v) {
  into = {v.pairs.begin(), v.pairs.end()};
}
void assign(std::vector<milliseconds>& into, const checked_value& v) {
  into.clear();
  for (auto n : v.numbers)
    into.emplace_back(n);
}

/// The word of an enum; the words are those of `to_string`.
template <class Enum>
void assign_word(Enum& into, const checked_value& v,
                 std::initializer_list<Enum> all) {
  for (auto x : all)
    if (to_string(x) == v.text)
      into = x;
}

void assign(dispatch_mode& into, const checked_value& v) {
  assign_word(into, v, {dispatch_mode::manual, dispatch_mode::automatic});
}
void assign(prompt_delivery& into, const checked_value& v) {
  assign_word(into, v,
              {prompt_delivery::argument, prompt_delivery::stdin_,
               prompt_delivery::paste, prompt_delivery::file});
}
void assign(forge_kind& into, const checked_value& v) {
  assign_word(into, v, {forge_kind::local, forge_kind::github});
}
void assign(tracker_kind& into, const checked_value& v) {
  assign_word(into, v, {tracker_kind::file, tracker_kind::github});
}
void assign(merge_method& into, const checked_value& v) {
  assign_word(
    into, v, {merge_method::squash, merge_method::merge, merge_method::rebase});
}
void assign(change_opener& into, const checked_value& v) {
  assign_word(into, v, {change_opener::hub, change_opener::agent});
}
void assign(duplicate_policy& into, const checked_value& v) {
  assign_word(
    into, v,
    {duplicate_policy::warn, duplicate_policy::hold, duplicate_policy::off});
}
void assign(reconcile_policy& into, const checked_value& v) {
  assign_word(into, v,
              {reconcile_policy::keep_original,
               reconcile_policy::keep_replacement,
               reconcile_policy::best_score});
}
void assign(agent_permissions& into, const checked_value& v) {
  // The original's older word.
  if (v.text == "skip")
    into = agent_permissions::permissionless;
  assign_word(into, v,
              {agent_permissions::permissionless, agent_permissions::standard,
               agent_permissions::auto_edit, agent_permissions::suggest});
}
void assign(priority& into, const checked_value& v) {
  assign_word(
    into, v,
    {priority::urgent, priority::action, priority::warning, priority::info});
}
void assign(reaction_action& into, const checked_value& v) {
  assign_word(into, v,
              {reaction_action::notify, reaction_action::send_to_agent,
               reaction_action::auto_merge});
}
template <class T>
void assign(std::optional<T>& into, const checked_value& v) {
  assign(into.emplace(), v);
}

class binder {
public:
  binder(check_outcome& checked, const bind_request& request)
      : checked_(checked), request_(request) {}

  settings run() {
    all_ = default_settings_of_all();
    bind_top();
    for (const auto& name : names_below("agents"))
      bind_agent(name);
    for (const auto& id : names_below("projects"))
      bind_project(id);
    if (!request_.flat_project.empty())
      bind_project(request_.flat_project);
    bind_escalation();
    for (const auto& id : names_below("notifiers"))
      bind_notifier(id);
    bind_routing();
    bind_reactions("", all_.reactions);
    check_agent_names();
    check_notifier_names();
    check_prefixes();
    check_times();
    note_retries();
    return std::move(all_);
  }

private:
  // -- access --------------------------------------------------------------

  const checked_value* find(const std::string& path) const {
    auto at = checked_.values.find(path);
    return at == checked_.values.end() ? nullptr : &at->second;
  }

  template <class T>
  void bind(const std::string& path, T& into) {
    if (const auto* v = find(path))
      assign(into, *v);
  }

  /// The names directly below a table; they hold no dots.
  std::vector<std::string> names_below(const std::string& table) const {
    std::vector<std::string> names;
    auto prefix = table + ".";
    for (auto at = checked_.values.lower_bound(prefix);
         at != checked_.values.end()
         && at->first.compare(0, prefix.size(), prefix) == 0;
         ++at) {
      auto name = at->first.substr(prefix.size());
      if (name.find('.') == name.npos)
        names.push_back(std::move(name));
    }
    return names;
  }

  void report(text_place at, std::string key, std::string message,
              std::string expected, std::string suggestion = {},
              ec code = ec::bad_input) {
    checked_.errors.push_back(
      {request_.file, at.line, at.column, std::move(key), std::move(message),
       std::move(expected), std::move(suggestion), code});
  }

  void wrong(const checked_value& v, std::string message, std::string expected,
             std::string suggestion = {}) {
    report(v.at, v.shown, std::move(message), std::move(expected),
           std::move(suggestion));
  }

  void note(const checked_value& v, std::string text) {
    checked_.notes.push_back(
      {request_.file, v.at.line, v.at.column, v.shown, std::move(text)});
  }

  /// `name` is missing below `section`: reported at the section's key.
  void missing(const checked_value& section, const std::string& name,
               std::string why, std::string expected) {
    report(section.key_at, section.shown + "." + name,
           "missing" + std::move(why), std::move(expected));
  }

  fs::path absolute(const std::string& text, const fs::path& base,
                    const checked_value& v) {
    if (text == "~" || text.substr(0, 2) == "~/") {
      auto home = (*request_.env)("HOME");
      if (!home || home->empty()) {
        wrong(v, "HOME is not set", "an absolute path");
        return text;
      }
      return (fs::path{*home} / (text.size() > 2 ? text.substr(2) : ""))
        .lexically_normal();
    }
    return (base / text).lexically_normal();
  }

  // -- sections ------------------------------------------------------------

  void bind_top() {
    auto& d = all_.defaults;
    bind("defaults.agent", d.agent);
    bind("defaults.worker.agent", d.worker_agent);
    bind("defaults.orchestrator.agent", d.orchestrator_agent);
    bind("defaults.notifiers", d.notifiers);
    auto& l = all_.limits;
    bind("limits.sessions", l.sessions);
    bind("limits.spawnsPerMinute", l.spawns_per_minute);
    bind("limits.parallelSpawns", l.parallel_spawns);
    bind("limits.minFreeMemory", l.min_free_memory);
    bind("limits.minFreeDisk", l.min_free_disk);
    bind_restart("", all_.restart);
    bind("hang.after", all_.hang.after);
    bind("breaker.halfOpen", all_.breaker.half_open);
    bind("breaker.probation", all_.breaker.probation);
    bind("breaker.stagger", all_.breaker.stagger);
    bind("breaker.deaths", all_.breaker.deaths);
    bind("breaker.within", all_.breaker.within);
    bind("readyThresholdMs", all_.ready_threshold);
    bind("lifecycle.autoCleanupOnMerge", all_.lifecycle.auto_cleanup_on_merge);
    bind("lifecycle.mergeCleanupIdleGraceMs",
         all_.lifecycle.merge_cleanup_idle_grace);
    auto& c = all_.cluster;
    bind("cluster.listen", c.listen);
    bind("cluster.link", c.link);
    bind("cluster.heartbeat", c.heartbeat);
    bind("cluster.suspectAfter", c.suspect_after);
    bind("cluster.lostAfter", c.lost_after);
    bind("cluster.lease", c.lease);
    bind("cluster.certificateLife", c.certificate_life);
    bind("api.listen", all_.api.listen);
    bind("keep.sessions", all_.keep.sessions);
    bind("keep.events", all_.keep.events);
    bind("keep.logs", all_.keep.logs);
  }

  template <class Restart>
  void bind_restart(const std::string& below, Restart& into) {
    auto of = below + "restart.";
    bind(of + "intensity", into.intensity);
    bind(of + "period", into.period);
    bind(of + "delay", into.delay);
    bind(of + "maxDelay", into.max_delay);
    bind(of + "jitter", into.jitter);
    const auto* delay = find(of + "delay");
    const auto* most = find(of + "maxDelay");
    if (delay && most && delay->number > most->number)
      wrong(*delay, "\"" + delay->text + "\" is longer than maxDelay",
            "at most " + most->text);
  }

  void bind_agent(const std::string& name) {
    auto of = "agents." + name + ".";
    const auto& section = *find("agents." + name);
    auto& a = all_.agents[name];
    a.name = name;
    bool written = find(of + "adapter") != nullptr;
    bind(of + "adapter", a.adapter);
    bind(of + "command", a.command);
    bind(of + "prompt", a.prompt);
    bind(of + "resume", a.resume);
    bind(of + "env", a.env);
    bind(of + "passEnv", a.pass_env);
    bind(of + "account", a.account);
    bind(of + "probe", a.probe);
    bind(of + "limits.sessions", a.limits.sessions);
    bind(of + "limits.memory", a.limits.memory);
    bind(of + "limits.processes", a.limits.processes);
    bind_restart(of, a.restart);
    bind(of + "hang.after", a.hang.after);
    bool broken = has_error_at(section.shown + ".adapter")
      || has_error_at(section.shown + ".command");
    if (a.adapter.empty() && !written && !broken)
      missing(section, "adapter", "",
              or_list(config_keys().find("agents.*.adapter")->words));
    if (a.adapter == "command" && a.command.empty() && !broken)
      missing(section, "command", "",
              expectation(*config_keys().find("agents.*.command")));
  }

  /// An error was reported at the key or below it already.
  bool has_error_at(const std::string& key) const {
    return std::any_of(checked_.errors.begin(), checked_.errors.end(),
                       [&](const config_error& e) {
                         auto more = e.key.substr(
                           std::min(key.size(), e.key.size()), 1);
                         return e.key.compare(0, key.size(), key) == 0
                           && (more.empty() || more == "." || more == "[");
                       });
  }

  void bind_agent_config(const std::string& below, agent_config& into) {
    auto of = below + "agentConfig.";
    bind(of + "permissions", into.permissions);
    bind(of + "model", into.model);
    bind(of + "orchestratorModel", into.orchestrator_model);
    bind(of + "subagent", into.subagent);
  }

  void bind_role(const std::string& below, role_settings& into) {
    bind(below + "agent", into.agent);
    if (find(below + "agentConfig"))
      bind_agent_config(below, into.config.emplace());
  }

  void bind_project(const std::string& id) {
    auto of = "projects." + id + ".";
    auto& p = all_.projects[project_id{id}];
    p.id = project_id{id};
    p.path = request_.directory;
    if (const auto* v = find(of + "path"))
      p.path = absolute(v->text, request_.directory, *v);
    p.name = id;
    bind(of + "name", p.name);
    bind(of + "repo", p.repo);
    bind(of + "defaultBranch", p.default_branch);
    auto base = p.path.filename().empty() ? p.path.parent_path().filename()
                                          : p.path.filename();
    p.session_prefix = derive_session_prefix(base.string());
    bind(of + "sessionPrefix", p.session_prefix);
    bind(of + "agent", p.agent);
    bind_role(of + "worker.", p.worker);
    bind_role(of + "orchestrator.", p.orchestrator);
    bind(of + "orchestrator.session", p.orchestrator_session.text);
    bind_agent_config(of, p.agent_defaults);
    bind(of + "dispatch", p.dispatch);
    bind(of + "limits.sessions", p.limits.sessions);
    bind_forge(of + "forge", p.forge);
    bind_tracker(of + "tracker", p);
    if (find(of + "ci")) {
      auto& ci = p.ci.emplace();
      bind(of + "ci.command", ci.command);
      bind(of + "ci.timeout", ci.timeout);
      bind(of + "ci.rerun", ci.rerun);
    }
    bind_work(of, p);
    bind_restart(of, p.restart);
    bind(of + "hang.after", p.hang.after);
    bind_reactions(of, p.reactions);
  }

  void bind_forge(const std::string& at, forge_settings& f) {
    auto of = at + ".";
    bind(of + "plugin", f.plugin);
    bind(of + "publish", f.publish);
    bind(of + "apiUrl", f.api_url);
    bind(of + "tokenEnv", f.token_env);
    if (f.plugin == forge_kind::github) {
      const auto& v = *find(of + "plugin");
      report(v.at, v.shown,
             "forge_not_available: \"github\" is not available in this "
             "release",
             "local", {}, ec::forge_not_available);
    }
    refuse_clear(find(of + "apiUrl"), "the token");
    if (!find(of + "webhook"))
      return;
    auto& w = f.webhook.emplace();
    bind(of + "webhook.enabled", w.enabled);
    bind(of + "webhook.secretEnv", w.secret_env);
    bind(of + "webhook.signatureHeader", w.signature_header);
    bind(of + "webhook.eventHeader", w.event_header);
    bind(of + "webhook.deliveryHeader", w.delivery_header);
    bind(of + "webhook.maxBodyBytes", w.max_body_bytes);
  }

  void bind_tracker(const std::string& at, project_settings& p) {
    const auto* section = find(at);
    if (!section)
      return;
    auto& t = p.tracker.emplace();
    bind(at + ".plugin", t.plugin);
    const auto* path = find(at + ".path");
    if (path)
      t.path = backlog_path(*path, p.path);
    if (t.plugin == tracker_kind::github)
      note(*find(at + ".plugin"),
           "the github tracker is not available in this release: tasks come "
           "from ao task add, import and spawn --prompt");
    else if (!path && !has_error_at(section->shown))
      missing(*section, "path", "", "the path of a backlog");
  }

  /// A backlog is below the project, unless it is named from the root.
  fs::path backlog_path(const checked_value& v, const fs::path& project) {
    auto path = absolute(v.text, project, v);
    auto relative = path.lexically_relative(project.lexically_normal());
    if (fs::path{v.text}.is_relative() && v.text.substr(0, 1) != "~"
        && (relative.empty() || *relative.begin() == ".."))
      wrong(v, "\"" + v.text + "\" leads out of the project",
            "a path below it, or an absolute one");
    return path;
  }

  void bind_work(const std::string& of, project_settings& p) {
    bind(of + "merge.auto", p.merge.automatic);
    bind(of + "merge.method", p.merge.method);
    bind(of + "merge.requireReview", p.merge.require_review);
    bind(of + "merge.deleteBranch", p.merge.delete_branch);
    bind(of + "openChange", p.open_change);
    bind(of + "branch", p.branch);
    bind(of + "symlinks", p.symlinks);
    bind(of + "postCreate", p.post_create);
    if (find(of + "reviewer"))
      bind(of + "reviewer.agent", p.reviewer.emplace().agent);
    bind(of + "duplicates", p.duplicates);
    bind(of + "disconnect.stopOnClientAfter",
         p.disconnect.stop_on_client_after);
    bind(of + "disconnect.replace", p.disconnect.replace);
    bind(of + "disconnect.reconcile", p.disconnect.reconcile);
    bind(of + "agentRules", p.agent_rules);
    if (const auto* v = find(of + "agentRulesFile"))
      p.agent_rules_file = absolute(v->text, p.path, *v);
    bind(of + "orchestratorRules", p.orchestrator_rules);
  }

  void bind_reactions(const std::string& below, reaction_map& into) {
    for (const auto& name : names_below(below + "reactions")) {
      auto of = below + "reactions." + name + ".";
      auto& r = into[name];
      bind(of + "auto", r.automatic);
      bind(of + "action", r.action);
      bind(of + "message", r.message);
      bind(of + "priority", r.priority);
      bind(of + "retries", r.retries);
      bind(of + "threshold", r.threshold);
      bind(of + "includeSummary", r.include_summary);
      if (const auto* v = find(of + "escalateAfter")) {
        if (v->is_time)
          r.escalate_after_time = ms(*v);
        else
          assign(r.escalate_after_tries, *v);
      }
    }
  }

  void bind_escalation() {
    auto& e = all_.escalation;
    bind("escalation.selfHeal.attempts", e.self_heal.attempts);
    bind("escalation.selfHeal.deadline", e.self_heal.deadline);
    bind("escalation.mediation.agent", e.mediation.agent);
    bind("escalation.mediation.deadline", e.mediation.deadline);
    bind("escalation.mediation.rounds", e.mediation.rounds);
    bind("escalation.human.reRaise", e.human.re_raise);
    const auto* raise = find("escalation.human.reRaise");
    for (std::size_t i = 1; raise && i < raise->numbers.size(); ++i)
      if (raise->numbers[i] <= raise->numbers[i - 1])
        report(raise->item_places[i],
               raise->shown + "[" + std::to_string(i) + "]",
               "\"" + raise->items[i] + "\" is not later than the one before",
               "growing ages");
  }

  void bind_notifier(const std::string& id) {
    auto of = "notifiers." + id + ".";
    auto& n = all_.notifiers[id];
    n.id = id;
    bind(of + "plugin", n.plugin);
    bind(of + "url", n.url);
    bind(of + "token", n.token);
    bind(of + "channel", n.channel);
    bind(of + "to", n.to);
    bind(of + "accountId", n.account_id);
    bind(of + "agentId", n.agent_id);
    bind(of + "name", n.name);
    bind(of + "wakeMode", n.wake_mode);
    bind(of + "deliver", n.deliver);
    bind(of + "sessionKeyPrefix", n.session_key_prefix);
    bind(of + "sessionMode", n.session_mode);
    bind(of + "generation", n.generation);
    bind(of + "waitForCompletion", n.wait_for_completion);
    bind(of + "headers", n.headers);
    bind(of + "secret", n.secret);
    bind(of + "apiRoot", n.api_root);
    bind(of + "answers", n.answers);
    bind(of + "username", n.username);
    if (n.plugin == "slack")
      bind(of + "webhookUrl", n.url);
    for (const auto* name : {"url", "webhookUrl", "apiRoot"})
      refuse_clear(find(of + name), "secrets");
    bind(of + "timeout", n.timeout);
    bind(of + "retryDelay", n.retry_delay);
    bind(of + "retryMaxDelay", n.retry_max_delay);
    bind(of + "digest", n.digest);
    if (const auto* hours = find(of + "quietHours"))
      n.quiet_hours = quiet_hours_from(hours->text);
    const auto& section = *find("notifiers." + id);
    finish_notifier(n, section);
    const auto* delay = find(of + "retryDelay");
    if (delay && n.retry_delay > n.retry_max_delay)
      wrong(*delay, "\"" + delay->text + "\" is longer than retryMaxDelay",
            "at most " + format_duration(n.retry_max_delay));
  }

  /// What a gateway needs, and what the original finds by itself.
  void finish_notifier(notifier_settings& n, const checked_value& section) {
    auto url_expected
      = [] { return expectation(*config_keys().find("notifiers.*.url")); };
    if (n.plugin == "openclaw") {
      if (n.url.empty())
        n.url = default_gateway;
      if (n.token.empty())
        n.token = (*request_.env)("OPENCLAW_HOOKS_TOKEN").value_or("");
      if (n.channel.has_value() != n.to.has_value())
        missing(section, n.channel ? "to" : "channel",
                n.channel ? " beside channel" : " beside to",
                "both or neither");
    } else if (n.plugin == "telegram") {
      if (n.token.empty())
        missing(section, "token", "", "the bot's token");
      if (!n.to)
        missing(section, "to", "", "the id of a chat");
    } else if (n.plugin == "webhook") {
      if (n.url.empty() && !has_error_at(section.shown + ".url"))
        missing(section, "url", "", url_expected());
    } else if (n.plugin == "slack") {
      // The original sends nothing then, and says so no louder.
      if (n.url.empty())
        note(section_or_plugin(n, section),
             "without webhookUrl nothing is sent there");
    } else if (n.plugin != "desktop") {
      note(section_or_plugin(n, section),
           "the plugin " + n.plugin
             + " is not available in this release: nothing is sent "
               "there");
    }
  }

  /// Where a notifier is spoken of: its plugin, else where it is named.
  const checked_value& section_or_plugin(const notifier_settings& n,
                                         const checked_value& section) {
    const auto* plugin = find("notifiers." + n.id + ".plugin");
    return plugin ? *plugin : section;
  }

  /// What is secret travels encrypted, or does not leave the host.
  void refuse_clear(const checked_value* url, const std::string& what) {
    if (url && url->text.substr(0, 5) == "http:" && !is_loopback_url(url->text))
      wrong(*url, "\"" + url->text + "\" would send " + what + " in the clear",
            "https, or http on loopback");
  }

  void bind_routing() {
    auto& r = all_.notification_routing;
    bind("notificationRouting.urgent", r.urgent);
    bind("notificationRouting.action", r.action);
    bind("notificationRouting.warning", r.warning);
    bind("notificationRouting.info", r.info);
  }

  // -- more than one key ---------------------------------------------------

  /// Every name of an agent is one that exists.
  void check_agent_names() {
    std::vector<std::string> known;
    for (const auto& [name, agent] : all_.agents)
      known.push_back(name);
    // One that is configured, but wrongly, has its own error.
    for (const auto& [path, v] : checked_.values)
      if (v.row->type == key_type::agent && all_.agents.count(v.text) == 0
          && !has_error_at("agents." + v.text))
        wrong(v, "\"" + v.text + "\" is no agent", or_list(known),
              suggest(v.text, known));
  }

  /// Every name of a notifier is configured or is that of a plugin.
  void check_notifier_names() {
    std::vector<std::string> known;
    for (const auto& [id, n] : all_.notifiers)
      known.push_back(id);
    for (const auto& [path, v] : checked_.values) {
      if (v.row->type != key_type::notifiers)
        continue;
      for (std::size_t i = 0; i < v.items.size(); ++i)
        check_notifier_name(v, i, known);
    }
  }

  void check_notifier_name(const checked_value& v, std::size_t i,
                           const std::vector<std::string>& known) {
    const auto& id = v.items[i];
    if (all_.notifiers.count(id) > 0 || has_error_at("notifiers." + id))
      return;
    const auto& plugins = notifier_plugins();
    if (std::find(plugins.begin(), plugins.end(), id) != plugins.end()
        && id != "webhook" && id != "telegram") {
      auto& n = all_.notifiers[id];
      n.id = id;
      n.plugin = id;
      finish_notifier(n, v);
      return;
    }
    report(v.item_places[i], v.shown + "[" + std::to_string(i) + "]",
           "\"" + id + "\" is no notifier",
           known.empty() ? "a key of notifiers" : or_list(known),
           suggest(id, known));
  }

  void check_prefixes() {
    std::map<std::string, std::string> owner;
    std::set<std::string> taken;
    for (const auto& [id, p] : all_.projects)
      taken.insert(p.session_prefix);
    for (const auto& [id, p] : all_.projects) {
      auto [first, is_new] = owner.emplace(p.session_prefix, id.text);
      if (is_new)
        continue;
      auto of = "projects." + id.text;
      const auto* v = find(of + ".sessionPrefix");
      const auto* section = find(of);
      auto at = v ? v->at : section ? section->key_at : text_place{};
      report(at, of + ".sessionPrefix",
             "\"" + p.session_prefix + "\" is the prefix of " + first->second
               + (v ? "" : " too (derived from the path)"),
             "a prefix of its own such as \""
               + free_prefix(p.session_prefix, taken) + "\"");
    }
  }

  static std::string free_prefix(const std::string& prefix,
                                 std::set<std::string>& taken) {
    for (int n = 2;; ++n) {
      auto candidate = prefix + std::to_string(n);
      if (taken.insert(candidate).second)
        return candidate;
    }
  }

  void check_times() {
    const auto* grace = find("lifecycle.mergeCleanupIdleGraceMs");
    if (grace && grace->number > 0 && grace->number < 10'000)
      wrong(*grace, "\"" + grace->text + "\" is too small",
            "0 or at least 10000 (milliseconds)");
    const auto& c = all_.cluster;
    check_order("heartbeat", c.heartbeat, "suspectAfter", c.suspect_after);
    check_order("suspectAfter", c.suspect_after, "lostAfter", c.lost_after);
    check_order("lostAfter", c.lost_after, "lease", c.lease);
    for (const auto& [id, p] : all_.projects) {
      // The node must have stopped before the hub may grant again.
      auto problem
        = fencing_problem(p.disconnect.stop_on_client_after, c.lease);
      if (!problem)
        continue;
      const auto* v
        = find("projects." + id.text + ".disconnect.stopOnClientAfter");
      if (const auto* lease = v ? nullptr : find("cluster.lease"))
        wrong(
          *lease,
          "\"" + lease->text + "\" is too short for " + id.text + ": "
            + *problem,
          "at least "
            + format_duration(p.disconnect.stop_on_client_after + fence_takes));
      else if (v)
        wrong(*v, "\"" + v->text + "\" is too long: " + *problem,
              "at most " + format_duration(c.lease - fence_takes));
    }
  }

  /// `less` must be shorter than `more`; the one that is written is wrong.
  void check_order(const std::string& less, milliseconds a,
                   const std::string& more, milliseconds b) {
    if (a < b)
      return;
    if (const auto* v = find("cluster." + more))
      wrong(*v, "\"" + v->text + "\" is not longer than " + less,
            "more than " + format_duration(a));
    else if (const auto* w = find("cluster." + less))
      wrong(*w, "\"" + w->text + "\" is not shorter than " + more,
            "less than " + format_duration(b));
  }

  void note_retries() {
    constexpr std::string_view tail = "reactions.ci-failed.retries";
    for (const auto& [path, v] : checked_.values) {
      bool hit = path.size() >= tail.size()
        && path.compare(path.size() - tail.size(), tail.size(), tail) == 0;
      if (!hit)
        continue;
      note(v,
           v.number > 5
             ? "counts as 5, the most that escalation.selfHeal allows"
             : "replaces escalation.selfHeal.attempts");
    }
  }

  check_outcome& checked_;
  const bind_request& request_;
  settings all_;
};

} // namespace

settings bind_settings(check_outcome& checked, const bind_request& request) {
  return binder{checked, request}.run();
}

} // namespace ao
