#include "runtime/rules/reactions.hpp"

#include <algorithm>
#include <initializer_list>

namespace ao {
namespace {

/// DESIGN §10: nothing allows more.
constexpr std::uint32_t most_self_heals = 5;

const reaction_settings* reaction_to(const settings& all,
                                     const project_settings& project,
                                     incident_cause cause) {
  auto first_of = [&](std::initializer_list<const char*> events) {
    const reaction_settings* found = nullptr;
    for (const auto* event : events)
      if (found == nullptr)
        found = reaction_of(all, project, event);
    return found;
  };
  switch (cause) {
  case incident_cause::ci_failed:
    return first_of({"ci-failed"});
  case incident_cause::changes_requested:
    return first_of({"changes-requested", "bugbot-comments"});
  case incident_cause::conflict:
    return first_of({"merge-conflicts"});
  case incident_cause::stuck:
    return first_of({"agent-stuck"});
  case incident_cause::crash_loop:
    return first_of({"agent-exited"});
  case incident_cause::needs_input:
    return first_of({"agent-needs-input", "report-needs-input"});
  default:
    return nullptr;
  }
}

/// Tries that are written; none when there are none.
std::optional<std::uint32_t> tries_in(const reaction_settings& r) {
  auto tries = r.retries;
  if (r.escalate_after_tries)
    tries = std::min(tries.value_or(*r.escalate_after_tries),
                     *r.escalate_after_tries);
  return tries;
}

void apply(escalation_policy& out, const reaction_settings& r,
           incident_cause cause) {
  out.urgency = r.priority.value_or(out.urgency);
  out.heal_for = r.escalate_after_time;
  auto heals = first_tier(cause) == incident_tier::self_heal;
  auto to_agent = r.action.value_or(heals ? reaction_action::send_to_agent
                                          : reaction_action::notify)
    == reaction_action::send_to_agent;
  if (!r.automatic || (heals && !to_agent)) {
    out.first = incident_tier::human;
    return;
  }
  if (!to_agent)
    return;
  out.first = incident_tier::self_heal;
  out.self_heals = std::min(tries_in(r).value_or(heals ? out.self_heals : 1u),
                            most_self_heals);
}

} // namespace

escalation_policy escalation_policy_of(const settings& all,
                                       const project_settings* project,
                                       incident_cause cause) {
  escalation_policy out;
  const auto& e = all.escalation;
  out.first = first_tier(cause);
  out.urgency = priority_of(cause);
  out.self_heals = std::min(e.self_heal.attempts, most_self_heals);
  out.heal_deadline = e.self_heal.deadline;
  out.rounds = project == nullptr ? 0 : e.mediation.rounds;
  out.mediation_deadline = e.mediation.deadline;
  out.re_raise = e.human.re_raise;
  for (auto p :
       {priority::urgent, priority::action, priority::warning, priority::info})
    out.channels[p] = notifiers_for(all, p);
  if (project == nullptr)
    return out;
  // Who stands by to decide is asked before any person (DESIGN §10).
  if (!project->orchestrator_session.empty()
      && out.first == incident_tier::human)
    out.first = incident_tier::mediation;
  if (const auto* r = reaction_to(all, *project, cause))
    apply(out, *r, cause);
  return out;
}

std::string reaction_message(const settings& all,
                             const project_settings& project,
                             incident_cause cause) {
  const auto* r = reaction_to(all, project, cause);
  return r == nullptr ? std::string{} : r->message.value_or("");
}

} // namespace ao
