#include "runtime/agents/launch.hpp"
#include "runtime/api/plan_parts.hpp"

#include <openssl/evp.h>

#include <array>

namespace ao::api {
namespace {

constexpr std::string_view crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t ulid_length = 26;
constexpr std::size_t longest_title = 80;
constexpr std::uint64_t lowest_priority = 9;
constexpr std::uint64_t usual_priority = 5;

/// The node inside of the hub; others join later.
const node_name local_node_name{"local"};

} // namespace

namespace plan_parts {

result<std::string> agent_in(const settings& all, const json& body) {
  auto agent = text_of(body, "agent");
  if (!agent || agent->empty() || all.agents.count(*agent) != 0)
    return agent;
  std::string known;
  for (const auto& [name, a] : all.agents)
    known += (known.empty() ? "" : ", ") + name;
  return fail(ec::bad_input,
              "no agent is called " + *agent + ", expected " + known);
}

result<node_name> node_in(const row_view& rows, const json& body) {
  auto node = text_of(body, "node");
  if (!node)
    return fail(node.error());
  if (node->empty() || *node == local_node_name.text)
    return node_name{*node};
  auto known = rows.find<cluster_node>(*node);
  if (known && known->order != node_order::revoked)
    return known->name;
  std::string names = local_node_name.text;
  for (const auto& n : rows.all<cluster_node>())
    if (n->order != node_order::revoked)
      names += ", " + n->name.text;
  return fail(ec::bad_input,
              "no node is called " + *node + ", expected " + names);
}

void go_to(const node_name& node, const row_view& rows,
           msg::open_session& open) {
  if (!node.empty() || rows.count<cluster_node>() > 0)
    open.node = node;
}

msg::open_session session_of(const project_settings& p, const request_id& id) {
  msg::open_session out;
  out.request = id;
  out.session_prefix = p.session_prefix;
  out.branch_template = p.branch;
  out.base = p.default_branch;
  out.node = local_node_name;
  return out;
}

result<void> check_deliverable(const settings& all, const std::string& agent,
                               const std::string& prompt) {
  auto found = all.agents.find(agent);
  if (found == all.agents.end())
    return fail(ec::bad_input, "the configuration has no agent " + agent);
  return check_prompt(found->second, prompt);
}

} // namespace plan_parts

using namespace plan_parts;

namespace {

result<spawn_plan> plan_prompt(const settings& all, const std::string& prompt,
                               const std::string& agent, const request_id& id,
                               const place& where) {
  if (prompt.empty())
    return fail(ec::bad_input, "the prompt is empty");
  auto p = resolve_project(all, where.project, where.cwd, where.of_session);
  if (!p)
    return fail(p.error());
  spawn_plan out;
  out.project = (*p)->id;
  out.open = session_of(**p, id);
  out.open.agent = agent.empty() ? agent_of(all, **p) : agent;
  if (auto ok = check_deliverable(all, out.open.agent, prompt); !ok)
    return fail(ok.error());
  // Its key makes a repeat find the same task; the request id is the
  // session's.
  out.add.emplace();
  out.add->project = (*p)->id;
  out.add->key = (*p)->id.text + "/prompt:" + ulid_of(id);
  out.add->title = title_of_prompt(prompt);
  out.add->body = prompt;
  out.add->agent = agent;
  return out;
}

result<spawn_plan>
plan_issue(const row_view& rows, const settings& all, const std::string& issue,
           const std::string& agent, const request_id& id, const place& where) {
  auto t = resolve_task(rows, all, issue, where);
  if (!t)
    return fail(t.error());
  auto p = resolve_project(all, (*t)->project.text, {});
  if (!p)
    return fail(p.error());
  spawn_plan out;
  out.project = (*p)->id;
  out.existing = *t;
  out.open = session_of(**p, id);
  out.open.task = (*t)->id;
  out.open.agent = !agent.empty() ? agent
    : !(*t)->agent.empty()        ? (*t)->agent
                                  : agent_of(all, **p);
  if (auto ok = check_deliverable(all, out.open.agent, prompt_of(**t)); !ok)
    return fail(ok.error());
  return out;
}

/// The length of the character at the front of valid UTF-8.
std::size_t length_of_first(std::string_view text) {
  auto lead = static_cast<unsigned char>(text.front());
  auto n = lead < 0x80 ? 1u : lead < 0xe0 ? 2u : lead < 0xf0 ? 3u : 4u;
  return std::min<std::size_t>(n, text.size());
}

/// C0, DEL and C1.
bool is_control(std::string_view character) {
  auto lead = static_cast<unsigned char>(character.front());
  if (character.size() == 1)
    return lead < 0x20 || lead == 0x7f;
  return lead == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

/// `line` with controls as spaces, no spaces at the ends and none twice.
std::string cleaned(std::string_view line) {
  std::string out;
  auto gap = false;
  std::size_t characters = 0;
  while (!line.empty() && characters < longest_title) {
    auto next = line.substr(0, length_of_first(line));
    line.remove_prefix(next.size());
    if (next == " " || is_control(next)) {
      gap = !out.empty();
      continue;
    }
    if (gap && ++characters < longest_title)
      out += ' ';
    gap = false;
    if (characters < longest_title) {
      out += next;
      ++characters;
    }
  }
  return out;
}

} // namespace

std::string title_of_prompt(std::string_view prompt) {
  while (!prompt.empty()) {
    auto end = prompt.find('\n');
    auto out = cleaned(prompt.substr(0, end));
    if (!out.empty())
      return out;
    prompt.remove_prefix(end == std::string_view::npos ? prompt.size()
                                                       : end + 1);
  }
  return "prompt";
}

std::string ulid_of(const request_id& id) {
  auto is_ulid = id.text.size() == ulid_length && id.text.front() <= '7';
  for (auto c : id.text)
    is_ulid = is_ulid && crockford.find(c) != std::string_view::npos;
  if (is_ulid)
    return id.text;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(id.text.data(), id.text.size(), digest.data(), &size, EVP_sha256(),
             nullptr);
  std::string out;
  for (std::size_t i = 0; i < ulid_length; ++i)
    out += crockford[digest[i] & (i == 0 ? 7 : 31)];
  return out;
}

result<msg::add_task> plan_task(const row_view& rows, const settings& all,
                                const json& body, const request_id& id,
                                const place& where) {
  msg::add_task out;
  out.request = id;
  auto title = text_of(body, "title");
  auto text = text_of(body, "body");
  auto needs = list_of_texts(body, "needs");
  auto labels = list_of_texts(body, "labels");
  auto priority = number_of(body, "priority", usual_priority, lowest_priority);
  auto agent = agent_in(all, body);
  if (!title || !text)
    return fail((title ? text : title).error());
  if (!needs || !labels)
    return fail((needs ? labels : needs).error());
  if (!priority)
    return fail(priority.error());
  if (!agent)
    return fail(agent.error());
  auto p = resolve_project(all, where.project, where.cwd, where.of_session);
  if (!p)
    return fail(p.error());
  place here = where;
  here.project = (*p)->id.text;
  for (const auto& need : *needs) {
    auto t = resolve_task(rows, all, need, here);
    if (!t)
      return fail(t.error());
    out.needs.push_back((*t)->id);
  }
  out.project = (*p)->id;
  out.title = std::move(*title);
  out.body = std::move(*text);
  out.labels = std::move(*labels);
  out.priority = static_cast<int>(*priority);
  out.agent = std::move(*agent);
  return out;
}

result<spawn_plan> plan_spawn(const row_view& rows, const settings& all,
                              const json& body, const request_id& id,
                              const place& where) {
  auto issue = text_of(body, "issue");
  auto prompt = text_of(body, "prompt");
  auto agent = agent_in(all, body);
  auto node = node_in(rows, body);
  if (!issue || !prompt)
    return fail((issue ? prompt : issue).error());
  if (!agent)
    return fail(agent.error());
  if (!node)
    return fail(node.error());
  auto by_prompt = body.contains("prompt") && !body["prompt"].is_null();
  if (by_prompt == !issue->empty())
    return fail(ec::bad_input, "expected either an issue or a prompt");
  auto plan = by_prompt ? plan_prompt(all, *prompt, *agent, id, where)
                        : plan_issue(rows, all, *issue, *agent, id, where);
  if (plan)
    go_to(*node, rows, plan->open);
  return plan;
}

result<msg::open_session> plan_claim(const settings& all, const task& t,
                                     const request_id& id) {
  auto p = resolve_project(all, t.project.text, {});
  if (!p)
    return fail(p.error());
  auto out = session_of(**p, id);
  out.task = t.id;
  out.role = session_role::manual;
  return out;
}

} // namespace ao::api
