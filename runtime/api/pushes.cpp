#include "runtime/api/requests.hpp"

namespace ao::api {
namespace {

push_claim claim_of(const claim& held, const row_view& rows,
                    const lease_check& lease_holds) {
  push_claim out;
  out.holder = held.session;
  out.epoch = held.epoch;
  auto node = held.node;
  if (auto holder = rows.find<session>(held.session.text)) {
    out.run = holder->run;
    out.branch = holder->branch;
    // It may have been placed after the grant.
    node = holder->node;
  }
  out.lease_provable = lease_holds(node);
  return out;
}

} // namespace

result<push> read_push(const json& body) {
  push out;
  auto project = text_of(body, "project");
  if (!project)
    return fail(project.error());
  out.project = project_id{std::move(*project)};
  auto updates = body.find("updates");
  if (updates == body.end() || !updates->is_array())
    return fail(ec::bad_input, "updates: expected a list");
  std::string lines;
  for (const auto& one : *updates) {
    if (!one.is_object())
      return fail(ec::bad_input, "updates: expected a list of objects");
    for (const auto* name : {"old", "new", "ref"}) {
      auto word = text_of(one, name);
      if (!word)
        return fail(word.error());
      if (word->empty() || word->find_first_of(" \n") != std::string::npos)
        return fail(ec::bad_input,
                    std::string{"updates: "} + name + " is not one word");
      lines += *word + (std::string_view{name} == "ref" ? "\n" : " ");
    }
  }
  auto parsed = parse_ref_updates(lines);
  if (!parsed)
    return fail(parsed.error());
  out.updates = std::move(*parsed);
  return out;
}

std::optional<error> refuse_push_of(const push& what,
                                    const std::optional<token_claims>& who,
                                    const row_view& rows, const settings& all,
                                    const lease_check& lease_holds) {
  push_facts facts;
  if (who) {
    if (who->project != what.project)
      return error{ec::push_refused,
                   "ao: push refused: " + who->session.text
                     + " is not a session of " + what.project.text};
    facts.who = pusher{who->session, who->epoch, who->run};
    if (auto row = rows.find<session>(who->session.text))
      if (auto held = rows.held_claim(row->subject))
        facts.claim = claim_of(*held, rows, lease_holds);
  }
  auto project = all.projects.find(what.project);
  if (project != all.projects.end())
    facts.base_branches.push_back(project->second.default_branch);
  return refuse_push(facts, what.updates);
}

} // namespace ao::api
