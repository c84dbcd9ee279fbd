#include "runtime/rules/notices.hpp"

#include "runtime/rules/notification_text.hpp"

namespace ao {
namespace {

constexpr std::size_t most_left = 20;

/// The reaction of a project, or the one for all; null when none is written.
const reaction_settings* written(const settings& all, const project_id& project,
                                 const std::string& event) {
  auto at = all.projects.find(project);
  if (at != all.projects.end())
    return reaction_of(all, at->second, event);
  auto everywhere = all.reactions.find(event);
  return everywhere == all.reactions.end() ? nullptr : &everywhere->second;
}

/// Nothing but `notify` is done of itself where `auto` is off; where another
/// action is written, that one speaks.
bool is_told(const reaction_settings* r) {
  return r == nullptr || !r->action || *r->action == reaction_action::notify;
}

void finish(notice& n, const reaction_settings* r, const std::string& body) {
  if (r != nullptr && r->priority)
    n.priority = *r->priority;
  n.text = notification_heading(n.priority, n.session.text, n.kind, n.subject)
    + body + "\n";
  if (r != nullptr && r->message)
    n.text += *r->message + "\n";
  n.text = cut(n.text, longest_notification);
}

std::string number(std::size_t n, const std::string& what) {
  return std::to_string(n) + " " + what;
}

} // namespace

bool is_about_a_change(event_kind k) {
  return k == event_kind::merge_ready || k == event_kind::change_closed;
}

std::optional<notice> notice_of(const event& e, const settings& all,
                                const change& c) {
  auto ready = e.kind == event_kind::merge_ready;
  if (!is_about_a_change(e.kind))
    return std::nullopt;
  const auto* r
    = written(all, c.project, ready ? "approved-and-green" : "pr-closed");
  if (!is_told(r))
    return std::nullopt;
  notice n;
  n.subject = c.id.text;
  n.priority = priority::action;
  n.project = c.project;
  n.session = c.session;
  n.kind = std::string{to_string(e.kind)};
  auto what = c.id.text + " (" + c.task.text + ", " + c.title + ")";
  finish(n, r,
         ready
           ? what + " is green"
             + (c.review == review_state::approved ? " and approved" : "")
             + " and waits for you.\nMerge: ao pr merge " + c.id.text
           : what + " was closed without a merge.\nWhy: ao why " + c.id.text);
  return n;
}

void count(work_at_hand& all, const session& s) {
  if (!is_terminal(s) && s.runtime != runtime_state::parked
      && s.role == session_role::worker)
    all.active += 1;
}

void count(work_at_hand& all, const task& t, dispatch_mode dispatch) {
  all.tasks[t.state] += 1;
  if (t.state == task_state::ready && dispatch == dispatch_mode::automatic)
    all.active += 1;
  if (t.state != task_state::merged && t.state != task_state::done)
    all.left.push_back(t.id.text + " (" + std::string{to_string(t.state)}
                       + "): " + t.title);
}

notice all_complete(const settings& all, const work_at_hand& work) {
  const auto* r = written(all, {}, "all-complete");
  notice n;
  n.subject = "all-complete";
  n.kind = "all_complete";
  if (!is_told(r))
    return n;
  auto of = [&](task_state s) {
    auto at = work.tasks.find(s);
    return at == work.tasks.end() ? 0 : at->second;
  };
  auto body = "No session is at work any more: "
    + number(of(task_state::merged) + of(task_state::done), "tasks done, ")
    + number(work.left.size(), "not.") + "\nMore: ao summary";
  if (r != nullptr && r->include_summary)
    for (std::size_t i = 0; i < work.left.size(); ++i) {
      if (i == most_left) {
        body += "\nand " + number(work.left.size() - i, "more");
        break;
      }
      body += "\n" + work.left[i];
    }
  finish(n, r, body);
  return n;
}

bool may_end_work(event_kind k) {
  return k == event_kind::session_ended || k == event_kind::session_killed
    || k == event_kind::session_parked || k == event_kind::task_closed;
}

} // namespace ao
