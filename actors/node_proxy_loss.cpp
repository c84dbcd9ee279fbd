#include "actors/ask_child.hpp"
#include "actors/node_proxy_parts.hpp"
#include "runtime/rules/incidents.hpp"

/// What follows from the loss of a node.
namespace ao::node_proxy_parts {
namespace {

/// It may have to start an INCIDENT, which writes.
constexpr std::chrono::seconds escalation_deadline{15};

/// The claim is granted anew, and the FORGE asked for what was delivered.
constexpr auto replacement_deadline = 3 * registry_deadline;

/// How the word of whoever closes the incident of a cause that is gone reads.
constexpr std::string_view by_recovery = "recovery";

std::string named(const std::vector<row_ptr<session>>& sessions) {
  constexpr std::size_t most_named = 20;
  std::string out;
  for (std::size_t n = 0; n < sessions.size() && n < most_named; ++n) {
    const auto& s = *sessions[n];
    out += (n == 0 ? "" : ", ") + s.id.text;
    if (!s.task.empty())
      out += " (" + s.task.text + ")";
  }
  if (sessions.size() > most_named)
    out += " and " + std::to_string(sessions.size() - most_named) + " more";
  return out;
}

/// What the loss stops.
std::vector<row_ptr<session>> stopped_there(self_pointer self) {
  auto out = sessions_of(self);
  out.erase(std::remove_if(out.begin(), out.end(),
                           [](const auto& s) { return is_terminal(*s); }),
            out.end());
  return out;
}

std::string loss_text(const cluster_node& row,
                      const std::vector<row_ptr<session>>& stopped) {
  auto text = "Node " + row.name.text + " is lost: " + row.why + ". ";
  if (stopped.empty())
    return text + "It had no session.\n";
  text += "It had " + std::to_string(stopped.size())
    + (stopped.size() == 1 ? " session: " : " sessions: ") + named(stopped)
    + ".\n";
  return text
    + "Where the project wants it (`disconnect.replace`) they go on elsewhere "
      "once the lease of the\nnode is over; `retry` moves the others, too. "
      "Bring the node back, or `ao node revoke "
    + row.name.text + "`.\n";
}

/// Ends the talk with ESCALATION; one that failed is begun again by a look.
void end_talk(self_pointer self, const caf::error& why = {}) {
  auto& st = self->state;
  st.telling = false;
  if (!why)
    return;
  st.context.say(log_level::warn,
                 "incident_not_told node=" + st.node.text + " reason=\""
                   + to_string(to_ao_error(why)) + "\"");
  arm(self, self->clock().now() + retry_pause);
}

void raise(self_pointer self, const cluster_node& row) {
  auto stopped = stopped_there(self);
  msg::report_cause report;
  report.cause = incident_cause::node_lost;
  report.face = row.name.text;
  report.text = loss_text(row, stopped);
  for (const auto& s : stopped)
    if (report.session.empty())
      report.session = s->id;
    else
      report.others.push_back(s->id);
  self->state.telling = true;
  ask<escalation_actor>(self, self->state.context, "escalation"_name,
                        escalation_deadline, std::move(report))
    .then(
      [self](const incident_id&) {
        end_talk(self);
        // It may have come back before anybody was told.
        tell_people(self);
      },
      [self](const caf::error& why) { end_talk(self, why); });
}

void relieve(self_pointer self, const std::string& why) {
  self->state.telling = true;
  ask<escalation_actor>(
    self, self->state.context, "escalation"_name, escalation_deadline,
    msg::report_recovered{
      incident_cause::node_lost, {}, {}, self->state.node.text, why})
    .then(
      [self](std::uint64_t) {
        end_talk(self);
        tell_people(self);
      },
      [self](const caf::error& why) { end_talk(self, why); });
}

} // namespace

void tell_sessions(self_pointer self, const msg::session_fact& what) {
  for (const auto& s : sessions_of(self)) {
    msg::session_report told{s->id, s->epoch, s->run, 0, what};
    ask_child<session_actor>(
      self, self->state.context, "sessions"_name,
      make_actor_name("session", s->id.text), registry_deadline, told,
      [](std::uint64_t) {},
      [self, id = s->id](const caf::error& why) {
        self->state.context.say(log_level::warn,
                                "node_news_not_told session=" + id.text
                                  + " reason=\"" + to_string(to_ao_error(why))
                                  + "\"");
      });
  }
}

void replace_sessions(self_pointer self) {
  auto& context = self->state.context;
  auto row = row_of(self);
  for (const auto& s : sessions_of(self)) {
    const auto* project = context.project(s->project);
    if (is_terminal(*s) || project == nullptr || !project->disconnect.replace)
      continue;
    // One that had ended and waits for its restart has lost its place, too.
    auto held = context.rows->held_claim(s->subject);
    auto waits = s->runtime == runtime_state::queued && held && row->heard_at
      && held->since < *row->heard_at;
    if (s->runtime != runtime_state::lost && !waits)
      continue;
    if (!self->state.replacing.insert(s->id).second)
      continue;
    msg::session_order order{
      waits ? msg::session_order::kind::move
            : msg::session_order::kind::restore,
      request_id{"replace/" + s->id.text + "/" + std::to_string(s->epoch)},
      "node-proxy/" + self->state.node.text};
    ask_child<session_actor>(
      self, context, "sessions"_name, make_actor_name("session", s->id.text),
      replacement_deadline, order,
      [self, id = s->id](const session&) { self->state.replacing.erase(id); },
      [self, id = s->id](const caf::error& why) {
        self->state.replacing.erase(id);
        self->state.context.say(log_level::warn,
                                "not_replaced session=" + id.text + " reason=\""
                                  + to_string(to_ao_error(why)) + "\"");
      });
  }
}

void tell_people(self_pointer self, bool again) {
  auto& st = self->state;
  auto row = row_of(self);
  if (!row || st.telling)
    return;
  auto known = st.context.rows->incident_called(
    incident_key({}, {}, incident_cause::node_lost, row->name.text));
  auto open = known && known->state == incident_state::open;
  auto missed
    = row->link == node_link::lost && row->order != node_order::revoked;
  if (missed && !open && (again || !known || known->closed_by == by_recovery))
    raise(self, *row);
  else if (!missed && open)
    relieve(
      self,
      "node " + row->name.text + " "
        + (row->order == node_order::revoked ? "was revoked" : "is back"));
}

} // namespace ao::node_proxy_parts
