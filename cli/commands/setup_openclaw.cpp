#include "cli/commands/ask_gateway.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/setup_plan.hpp"
#include "runtime/home/lock.hpp"

namespace ao::cli {
namespace {

using namespace notify;
using nlohmann::json;
using state = gateway_probe::state;
using token_key = openclaw_entry::token_key;

/// The gateway first: alone it changes nothing for ao.
result<void> write_all(const setup_plan& plan) {
  if (plan.changes_gateway())
    if (auto done = replace_text(plan.gateway, plan.new_gateway); !done)
      return done;
  if (plan.changes_config())
    return replace_text(plan.config, plan.new_config);
  return {};
}

bool hub_runs() {
  auto holder = find_lock_holder(locate_home(home_path_from_environment()));
  return holder && *holder;
}

/// What is left for a person to do, in its order.
std::vector<std::string> next_steps(const setup_plan& plan,
                                    const gateway_probe& probe) {
  std::vector<std::string> out;
  if (!plan.by_hand.empty()) {
    out.push_back("write into " + plan.gateway.name + ":");
    for (const auto& line : plan.by_hand)
      out.push_back("  " + line);
  }
  if (plan.changes_gateway() || !plan.by_hand.empty())
    out.emplace_back("restart the gateway: openclaw gateway restart");
  else if (probe.what != state::ready)
    out.push_back(probe.remedy);
  if (plan.entry.token == token_key::from_environment)
    out.emplace_back("have it in the hub's environment: export "
                     "OPENCLAW_HOOKS_TOKEN=<the token>");
  // A hub reads its configuration when it starts.
  if (!hub_runs())
    out.emplace_back("ao start");
  else if (plan.changes_config())
    out.emplace_back("ao stop, then ao start; agents go on meanwhile");
  out.push_back("ao notify test " + plan.entry.id);
  return out;
}

void tell_files(output& out, const setup_plan& plan) {
  auto tell = [&out](const edited_file& file, bool changed) {
    if (changed && file.exists)
      out.line("changed " + file.name + " (as it was: " + file.path + ".bak)");
    else if (changed)
      out.line("made " + file.name);
    else if (file.exists)
      out.line("unchanged " + file.name);
  };
  tell(plan.config, plan.changes_config());
  tell(plan.gateway, plan.changes_gateway());
}

void tell(output& out, const setup_plan& plan, const gateway_probe& probe,
          const std::vector<std::string>& next) {
  tell_files(out, plan);
  out.line("notifier " + plan.entry.id + " sends to " + plan.entry.url
           + ", token: " + to_string(plan.source));
  out.line((probe.what == state::ready ? "PASS  " : "WARN  ") + probe.detail,
           probe.what == state::ready ? colour::green : colour::yellow);
  for (const auto& note : plan.notes)
    out.line("note: " + note);
  for (const auto& step : next)
    out.line("next: " + step);
}

json report(const setup_plan& plan, const gateway_probe& probe,
            const std::vector<std::string>& next) {
  auto changed = json::array();
  if (plan.changes_config())
    changed.push_back(plan.config.path);
  if (plan.changes_gateway())
    changed.push_back(plan.gateway.path);
  return {{"ready", probe.what == state::ready},
          {"config", plan.config.name},
          {"gatewayConfig", plan.gateway.name},
          {"changed", changed},
          {"notifier", plan.entry.id},
          {"url", plan.entry.url},
          {"tokenFrom", to_string(plan.source)},
          {"probe",
           {{"state", to_string(probe.what)},
            {"detail", probe.detail},
            {"remedy", probe.remedy}}},
          {"notes", plan.notes},
          {"next", next}};
}

/// Whether the next steps explain that the gateway is not ready yet.
bool is_expected(const setup_plan& plan, const gateway_probe& probe) {
  switch (probe.what) {
  case state::ready:
  case state::not_running:
    return true;
  case state::wrong_token:
  case state::no_hooks:
    return plan.changes_gateway() || !plan.by_hand.empty();
  default:
    return false;
  }
}

} // namespace

outcome run_setup_openclaw(invocation& what) {
  if (what.in_session())
    return fail(ec::not_allowed,
                "ao setup openclaw is for people, not for sessions");
  auto plan = plan_setup(what);
  if (!plan)
    return fail(plan.error());
  if (auto done = write_all(*plan); !done)
    return fail(done.error());
  auto probe = ask_gateway(what, plan->entry.url, plan->token);
  auto next = next_steps(*plan, probe);
  tell(what.out, *plan, probe, next);
  if (!is_expected(*plan, probe)) {
    error why{ec::process_failed, probe.detail + "; " + probe.remedy};
    why.details = {{"probe", to_string(probe.what)}};
    return fail(std::move(why));
  }
  what.out.document(report(*plan, probe, next));
  return 0;
}

} // namespace ao::cli
