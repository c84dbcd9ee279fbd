#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "cli/commands/event_text.hpp"
#include "messages/ids.hpp"

#include <map>
#include <set>

namespace ao::cli {
namespace {

using nlohmann::json;
using story = std::map<std::uint64_t, json>;

/// What the user named, found.
struct subject {
  /// `task:T42` or `session:app-7`.
  std::string name;
  json row;
};

result<subject> find_subject(const http::api_client& api,
                             const std::string& word) {
  if (number_of(task_id{word}) == 0) {
    auto session = api.call("GET", item_path("sessions", word));
    if (session)
      return subject{"session:" + word, std::move(session->body)};
    if (session.error().code != ec::no_such_session)
      return fail(session.error());
  }
  auto task = api.call("GET", item_path("tasks", word));
  if (!task)
    return fail(task.error());
  return subject{"task:" + text_at(task->body, "id"), std::move(task->body)};
}

/// The task that it is or works on; without one an empty object.
result<json> task_of(const http::api_client& api, const subject& found) {
  if (found.name.rfind("task:", 0) == 0)
    return found.row;
  auto id = text_at(found.row, "task");
  if (id.empty())
    return json::object();
  auto task = api.call("GET", item_path("tasks", id));
  if (!task)
    return fail(task.error());
  return std::move(task->body);
}

/// Adds every event of `name` to `out`.
result<void> read_events(const http::api_client& api, const std::string& name,
                         story& out) {
  std::uint64_t after = 0;
  for (;;) {
    auto target = api_root + "/events?limit=1000";
    add_query(target, "after", std::to_string(after));
    add_query(target, "subject", name);
    auto page = api.call("GET", target);
    if (!page)
      return fail(page.error());
    auto rows = page->body.value("data", json::array());
    if (rows.empty())
      return {};
    for (auto& row : rows) {
      auto seq = row.at("seq").get<std::uint64_t>();
      after = std::max(after, seq);
      out[seq] = std::move(row);
    }
  }
}

/// A task's story is also that of its sessions and changes.
result<void> read_neighbours(const http::api_client& api, story& out) {
  std::set<std::string> names;
  for (const auto& [seq, event] : out)
    for (const auto* kind : {"session", "change"})
      if (auto id = text_at(event, std::string{"data."} + kind); !id.empty())
        names.insert(std::string{kind} + ":" + id);
  for (const auto& name : names)
    if (auto read = read_events(api, name, out); !read)
      return read;
  return {};
}

/// What became of the incidents of the task.
result<void> read_incidents(const http::api_client& api,
                            const std::string& task, story& out) {
  auto all = api.call("GET", api_root + "/incidents?all=1");
  if (!all)
    return fail(all.error());
  for (const auto& row : all->body.value("data", json::array()))
    if (!task.empty() && text_at(row, "task") == task)
      if (auto read = read_events(api, "incident:" + text_at(row, "id"), out);
          !read)
        return read;
  return {};
}

/// The suspicion that the task named by `row` is the same work as another is
/// kept with the later of the two: both tell of it.
result<void> read_suspicions(const http::api_client& api, const json& row,
                             story& out) {
  auto mine = text_at(row, "id");
  for (const auto& other : row.value("suspectedDuplicateOf", json::array())) {
    auto theirs = text_at(other, "task");
    auto later
      = number_of(task_id{mine}) > number_of(task_id{theirs}) ? mine : theirs;
    story all;
    if (auto read = read_events(api, "task:" + later, all); !read)
      return read;
    for (auto& [seq, event] : all) {
      auto pair = std::set<std::string>{text_at(event, "data.task"),
                                        text_at(event, "data.other")};
      if (text_at(event, "kind") == "duplicate_suspected"
          && pair == std::set<std::string>{mine, theirs})
        out[seq] = std::move(event);
    }
  }
  return {};
}

/// `because #12 ci_failed`, when the cause is part of the story or known by
/// number.
std::string cause_of(const json& event, const story& all) {
  auto cause = event.value("cause", json{});
  if (!cause.is_number_unsigned() || cause.get<std::uint64_t>() == 0)
    return "";
  auto seq = cause.get<std::uint64_t>();
  auto found = all.find(seq);
  return "because #" + std::to_string(seq)
    + (found == all.end() ? "" : " " + shown(found->second, "kind"));
}

/// What happened, with its cause and the epoch that it gave or took.
std::string words_of(const json& event, const story& all) {
  auto out = detail_of(event);
  auto add = [&out](const std::string& more) {
    if (!more.empty())
      out += (out.empty() ? "" : ", ") + more;
  };
  auto kind = text_at(event, "kind");
  if (kind == "task_claimed" || kind == "claim_refused"
      || kind == "claim_released")
    add("epoch " + shown(event, "epoch"));
  add(cause_of(event, all));
  return out;
}

table table_of(const story& all) {
  table out;
  out.head = {"#", "AT", "ABOUT", "EVENT", "BY", "WHAT"};
  for (const auto& [seq, event] : all)
    out.rows.push_back({{std::to_string(seq)},
                        {shown(event, "at")},
                        {shown(event, "subject")},
                        {shown(event, "kind")},
                        {shown(event, "actor")},
                        {words_of(event, all)}});
  return out;
}

} // namespace

outcome run_why(invocation& what) {
  auto api = what.api();
  auto found = find_subject(api, what.args.text("subject"));
  if (!found)
    return fail(found.error());
  story all;
  if (auto read = read_events(api, found->name, all); !read)
    return fail(read.error());
  if (found->name.rfind("task:", 0) == 0)
    if (auto read = read_neighbours(api, all); !read)
      return fail(read.error());
  auto of = task_of(api, *found);
  if (!of)
    return fail(of.error());
  if (auto read = read_suspicions(api, *of, all); !read)
    return fail(read.error());
  if (auto read = read_incidents(api, text_at(*of, "id"), all); !read)
    return fail(read.error());
  if (what.json) {
    auto rows = json::array();
    for (auto& [seq, event] : all)
      rows.push_back(event);
    what.out.document({{"subject", found->name},
                       {"now", found->row},
                       {"data", std::move(rows)}});
    return 0;
  }
  what.out.print(table_of(all));
  print_suspects(what.out, *of);
  auto task = found->name.rfind("task:", 0) == 0;
  auto reason = text_at(found->row, task ? "why" : "runtime.reason");
  what.out.line("now: " + shown(found->row, task ? "state" : "status")
                  + (reason.empty() ? "" : ": " + reason),
                colour::bold);
  return 0;
}

} // namespace ao::cli
