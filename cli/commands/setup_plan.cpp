#include "cli/commands/setup_plan.hpp"

#include "cli/commands/secret_prompt.hpp"
#include "runtime/config/load.hpp"
#include "runtime/config/value_rules.hpp"
#include "runtime/config/yaml_edit.hpp"
#include "runtime/home/token.hpp"
#include "runtime/notify/openclaw.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace ao::cli {
namespace {

using namespace notify;
using form = gateway_file::form;
using token_key = openclaw_entry::token_key;

constexpr const char* token_name = "OPENCLAW_HOOKS_TOKEN";
constexpr const char* usual_gateway = "http://127.0.0.1:18789";

/// The environment, in which the token's variable is set in any case.
env_lookup with_token(const env_lookup& env, const std::string& token) {
  return [env, token](const std::string& name) {
    auto value = env(name);
    return name == token_name && (!value || value->empty())
      ? std::optional<std::string>{token}
      : value;
  };
}

/// Empty when a variable in it is not set.
std::string expanded(const std::string& text, const env_lookup& env) {
  auto out = expand(text, env);
  return out.unset.empty() ? out.text : std::string{};
}

std::string lines_of(const std::vector<config_error>& errors) {
  std::string out;
  for (const auto& e : errors)
    out += (out.empty() ? "" : "\n") + to_string(e);
  return out;
}

/// Makes the plan, one thing after the other.
class planner {
public:
  explicit planner(invocation& what)
      : what_(what),
        env_(process_environment()),
        user_(env_("HOME").value_or("")) {}

  result<setup_plan> make() {
    for (auto step : {&planner::read_arguments, &planner::read_our_file,
                      &planner::read_gateways_file, &planner::choose_url,
                      &planner::choose_token, &planner::change_gateways_file,
                      &planner::change_our_file})
      if (auto done = (this->*step)(); !done)
        return fail(done.error());
    note_what_matters();
    return std::move(plan_);
  }

private:
  result<void> read_arguments() {
    auto word = what_.args.maybe("routing-preset").value_or("urgent-action");
    auto preset = parse_preset(word);
    if (!preset)
      return fail(preset.error());
    plan_.entry.preset = *preset;
    return {};
  }

  result<void> read_our_file() {
    std::error_code problem;
    auto here = std::filesystem::current_path(problem);
    auto home = home_path_from_environment();
    auto found = find_config(here, env_, home);
    // One with nothing but notifiers would keep `ao start` from deriving the
    // project of the repository.
    if (!found)
      return fail(ec::bad_input,
                  "no configuration found here, above, or in " + home
                    + ", and none is made, because it must name your "
                      "projects; write ao.yaml in your repository, such as\n"
                      "  projects: {app: {path: .}}\nand repeat it");
    auto file = open_for_edit(found->string());
    if (!file)
      return fail(file.error());
    if (!file->exists)
      return fail(ec::bad_input, file->name + " does not exist");
    plan_.config = std::move(*file);
    auto now = read_config(plan_.config.text, *found, with_token(env_, "-"));
    if (!now.value)
      return fail(ec::bad_input, lines_of(now.errors));
    now_ = std::move(*now.value);
    auto id = notifier_of_gateway(now_);
    if (!id)
      return fail(ec::bad_input, plan_.config.name + ": " + id.error().context);
    plan_.entry.id = *id;
    return {};
  }

  result<void> read_gateways_file() {
    auto file = open_for_edit(user_ + openclaw_config);
    if (!file)
      return fail(file.error());
    plan_.gateway = std::move(*file);
    plan_.new_gateway = plan_.gateway.text;
    gateway_ = read_gateway_file(plan_.gateway.text);
    std::error_code problem;
    installed_ = std::filesystem::is_directory(
      std::filesystem::path{user_ + openclaw_config}.parent_path(), problem);
    return {};
  }

  result<void> choose_url() {
    auto known = now_.notifiers.find(plan_.entry.id);
    auto given = what_.args.maybe("url").value_or(
      known == now_.notifiers.end() ? usual_gateway : known->second.url);
    auto url = hook_url(given, gateway_.path);
    if (!url)
      return fail(url.error());
    plan_.entry.url = *url;
    here_ = is_loopback_url(*url);
    return {};
  }

  result<void> choose_token() {
    auto written = yaml_text_at(plan_.config.text, token_path()).value_or("");
    const std::pair<token_source, std::string> sources[]
      = {{token_source::flag, what_.args.text("token")},
         {token_source::configuration, expanded(written, env_)},
         {token_source::environment, env_(token_name).value_or("")},
         // The one of this host is nobody else's.
         {token_source::gateway, here_ ? expanded(gateway_.token, env_) : ""}};
    for (const auto& [from, token] : sources)
      if (plan_.token.empty() && !token.empty()) {
        plan_.source = from;
        plan_.token = token;
      }
    if (plan_.token.empty())
      if (auto made = make_token(); !made)
        return made;
    auto printable = [](char c) { return c > ' ' && c < 0x7F; };
    if (!std::all_of(plan_.token.begin(), plan_.token.end(), printable))
      return fail(ec::bad_input,
                  "the token (of the " + to_string(plan_.source)
                    + ") has characters that no header takes");
    return {};
  }

  /// There is no token anywhere.
  result<void> make_token() {
    auto give = std::string{"; give it by --token or "} + token_name;
    if (!here_)
      return fail(ec::bad_input,
                  "no token is known for " + plan_.entry.url + give
                    + ": it is hooks.token of that gateway");
    if (!installed_)
      return fail(ec::program_missing,
                  "OpenClaw is not set up here: there is no ~/.openclaw; "
                  "install it and run openclaw onboard, or name another "
                  "gateway by --url and --token");
    if (gateway_.has_token)
      return fail(ec::bad_input,
                  "hooks.token of " + plan_.gateway.name
                    + " is not to be read from there" + give);
    if (gateway_.how != form::strict && gateway_.how != form::absent)
      return fail(ec::bad_input,
                  plan_.gateway.name
                    + " is not plain JSON, so ao does not write to it; add\n"
                      "  hooks: {enabled: true, token: \"<a long random "
                      "text>\"}\nyourself and repeat it");
    auto asks = can_ask() && !what_.json && !what_.args.flag("non-interactive");
    if (asks) {
      auto typed = ask_secret("Token for the gateway's hooks (Enter makes a "
                              "new one): ");
      if (!typed)
        return fail(typed.error());
      plan_.token = *typed;
      plan_.source = token_source::flag;
    }
    if (plan_.token.empty()) {
      plan_.token = make_shared_secret();
      plan_.source = token_source::generated;
    }
    return {};
  }

  /// Switches the hooks on, and gives them the token where they had none or
  /// were told to take another.
  result<void> change_gateways_file() {
    if (!here_ || !installed_)
      return {};
    auto told = plan_.source == token_source::flag
      && expanded(gateway_.token, env_) != plan_.token;
    auto gives = !gateway_.has_token || told;
    if (gateway_.enabled && !gives)
      return {};
    if (gateway_.how == form::strict || gateway_.how == form::absent) {
      auto text = with_hooks(plan_.gateway.text,
                             gives ? std::optional{plan_.token} : std::nullopt);
      if (!text)
        return fail(text.error());
      plan_.new_gateway = *text;
      // It holds a secret.
      plan_.gateway.mode &= 0700;
      return {};
    }
    plan_.by_hand = {"hooks: {enabled: true"
                     + std::string{gives ? ", token: \"<the token>\"}" : "}"}};
    return {};
  }

  /// Whether the notifier will find the token in the gateway's file.
  bool is_in_gateways_file() const {
    return here_ && installed_
      && expanded(read_gateway_file(plan_.new_gateway).token, env_)
      == plan_.token;
  }

  result<void> change_our_file() {
    if (plan_.source != token_source::configuration)
      plan_.entry.token = is_in_gateways_file() ? token_key::absent
                                                : token_key::from_environment;
    auto text = with_openclaw(plan_.config.text, now_, plan_.entry);
    if (!text)
      return by_hand(":" + text.error().context);
    auto checked
      = read_config(*text, plan_.config.name, with_token(env_, plan_.token));
    if (!checked.value)
      return by_hand(" would no longer be valid:\n" + lines_of(checked.errors));
    plan_.new_config = *text;
    return {};
  }

  result<void> by_hand(const std::string& why) const {
    auto text = plan_.config.name + why
      + "\nnothing was changed; write it "
        "yourself:";
    for (const auto& line : openclaw_lines(now_, plan_.entry))
      text += "\n  " + line;
    return fail(ec::bad_input, text);
  }

  void note_what_matters() {
    auto& notes = plan_.notes;
    auto other = env_(token_name).value_or("");
    auto is_key = plan_.entry.token != token_key::as_it_is;
    if (is_key && !other.empty() && other != plan_.token)
      notes.push_back(std::string{token_name}
                      + " is set to another token here, and a hub started "
                        "like this would use that one: unset it");
    auto kept = expanded(gateway_.token, env_);
    if (here_ && !plan_.changes_gateway() && !kept.empty()
        && kept != plan_.token)
      notes.push_back("the token of the " + to_string(plan_.source)
                      + " is not hooks.token of " + plan_.gateway.name
                      + ", which was left as it is; --token TOKEN sets both");
    auto known = now_.notifiers.find(plan_.entry.id);
    auto keyed = known != now_.notifiers.end()
      && !known->second.session_key_prefix.empty();
    notes.push_back(
      keyed ? "sessionKeyPrefix is set, so the gateway needs "
              "hooks.allowRequestSessionKey, which ao does not turn on"
            : "hooks.allowRequestSessionKey is left as it is: ao sends no "
              "session key");
    if (known == now_.notifiers.end() || !known->second.channel)
      notes.push_back("without channel and to at notifiers." + plan_.entry.id
                      + " the gateway's agent decides what reaches a person");
  }

  yaml_path token_path() const {
    return {"notifiers", plan_.entry.id, "token"};
  }

  invocation& what_;
  env_lookup env_;
  std::string user_;
  setup_plan plan_;
  settings now_;
  gateway_file gateway_;
  /// The gateway's directory is here.
  bool installed_ = false;
  /// The address is on this host.
  bool here_ = false;
};

} // namespace

result<setup_plan> plan_setup(invocation& what) {
  return planner{what}.make();
}

} // namespace ao::cli
