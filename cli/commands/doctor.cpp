#include "cli/commands/ask_gateway.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/doctor_checks.hpp"
#include "runtime/notify/openclaw.hpp"

#include <filesystem>

namespace ao::cli {
namespace {

using nlohmann::json;

const char* word_of(verdict how) {
  return how == verdict::pass ? "PASS" : how == verdict::warn ? "WARN" : "FAIL";
}

/// The configuration that a hub started here would read.
std::optional<config_outcome> find_configuration(const std::string& home) {
  std::error_code problem;
  auto here = std::filesystem::current_path(problem);
  auto env = process_environment();
  auto found = find_config(here, env, home);
  if (!found)
    return std::nullopt;
  return load_config(*found, env);
}

/// Whether a gateway takes what a notifier sends; no run of it is begun. One
/// that does not run is waited for, one that refuses is not.
finding check_gateway(const invocation& what, const notifier_settings& to) {
  using state = notify::gateway_probe::state;
  auto token = to.token.empty()
    ? notify::token_of_gateway(process_environment()("HOME").value_or(""))
    : to.token;
  auto probe = ask_gateway(what, to.url, token);
  auto how = probe.what == state::ready ? verdict::pass
    : probe.what == state::not_running || probe.what == state::no_answer
    ? verdict::warn
    : verdict::fail;
  auto known = token.empty() && probe.what == state::wrong_token
    ? "ao setup openclaw; no token is known here"
    : probe.remedy;
  return {"notifier " + to.id, how, probe.detail, known};
}

std::vector<check> gateway_checks(const invocation& what,
                                  const std::optional<config_outcome>& loaded) {
  std::vector<check> out;
  if (loaded && loaded->value)
    for (const auto& [id, to] : loaded->value->notifiers)
      if (to.plugin == "openclaw")
        out.push_back([&what, &to = to] { return check_gateway(what, to); });
  return out;
}

/// What a check has found, after its repair where that is wanted.
struct examined {
  finding now;
  bool fixed = false;
  /// Why the repair failed; empty = it did not.
  std::string trouble;
};

examined examine(const check& look, bool fix) {
  examined out{look(), false, {}};
  if (!fix || out.now.how == verdict::pass || !out.now.fix)
    return out;
  if (auto done = out.now.fix(); !done) {
    out.trouble = done.error().context;
    return out;
  }
  out.now = look();
  out.fixed = out.now.how == verdict::pass;
  return out;
}

void tell(output& to, const examined& one) {
  const auto& f = one.now;
  auto remedy = f.remedy.empty() ? "" : "  -> " + f.remedy;
  if (!one.trouble.empty())
    remedy += " (--fix failed: " + one.trouble + ")";
  to.line(std::string{one.fixed ? "FIXED" : word_of(f.how)} + "  " + f.name
            + ": " + f.detail + remedy,
          f.how == verdict::pass     ? colour::green
            : f.how == verdict::warn ? colour::yellow
                                     : colour::red);
}

void append(std::vector<check>& to, std::vector<check> more) {
  to.insert(to.end(), more.begin(), more.end());
}

} // namespace

outcome run_doctor(invocation& what) {
  auto path = home_path_from_environment();
  auto loaded = find_configuration(path);
  auto checks = host_checks();
  append(checks, home_checks(path));
  append(checks, configuration_checks(loaded));
  append(checks, gateway_checks(what, loaded));
  auto rows = json::array();
  auto healthy = true;
  for (const auto& look : checks) {
    auto one = examine(look, what.args.flag("fix"));
    tell(what.out, one);
    rows.push_back({{"check", one.now.name},
                    {"verdict", word_of(one.now.how)},
                    {"detail", one.now.detail},
                    {"remedy", one.now.remedy},
                    {"fixed", one.fixed}});
    healthy = healthy && one.now.how != verdict::fail;
  }
  what.out.document({{"ok", healthy}, {"data", std::move(rows)}});
  return healthy ? 0 : 1;
}

} // namespace ao::cli
