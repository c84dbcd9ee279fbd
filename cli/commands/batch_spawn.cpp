#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "cli/commands/spawning.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace ao::cli {
namespace {

using nlohmann::json;

/// One of the words that were given, and what became of it.
struct order {
  std::string issue;
  /// Empty when nobody knows the issue.
  std::string task;
  /// The order before it that means the same task.
  std::optional<std::size_t> same_as;
  /// Absent while it is under way.
  std::optional<result<json>> outcome;
};

/// Finds every task before anything is started. Fills `parallel`.
result<std::vector<order>> resolve(invocation& what, const json& place,
                                   std::size_t& parallel) {
  auto body = place;
  body["issues"] = what.args.list("issues");
  auto answer = what.api().call("POST", api_root + "/tasks/resolve", body);
  if (!answer)
    return fail(answer.error());
  const auto& meta = answer->body["meta"];
  parallel
    = meta.is_object() ? meta.value("parallelSpawns", parallel) : parallel;
  std::vector<order> out;
  std::map<std::string, std::size_t> first;
  for (const auto& row : answer->body.value("data", json::array())) {
    order one{text_at(row, "issue"), text_at(row, "task"), {}, {}};
    if (one.task.empty()) {
      one.outcome
        = fail(ec_from_name(text_at(row, "error")), text_at(row, "detail"));
    } else if (auto [at, is_new] = first.emplace(one.task, out.size());
               !is_new) {
      one.same_as = at->second;
    }
    out.push_back(std::move(one));
  }
  return out;
}

/// Starts them, so many at once.
class starter {
public:
  starter(invocation& what, json body, milliseconds allowed)
      : what_(what),
        body_(std::move(body)),
        request_(request_id_of(what)),
        allowed_(allowed) {}

  void run(std::vector<order>& orders, std::size_t parallel) {
    std::vector<order*> left;
    for (auto& one : orders)
      if (!one.outcome && !one.same_as)
        left.push_back(&one);
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    for (auto n = std::min(std::max<std::size_t>(parallel, 1), left.size());
         n > 0; --n)
      threads.emplace_back([&] {
        for (auto i = next++; i < left.size(); i = next++)
          start(*left[i]);
      });
    for (auto& one : threads)
      one.join();
  }

private:
  void start(order& one) {
    auto body = body_;
    // The task, not the word: that cannot come to mean another one.
    body["issue"] = one.task;
    auto id = request_ + "-" + one.task;
    body["requestId"] = id;
    one.outcome
      = start_session(what_, body, id, !what_.args.flag("no-wait"), allowed_);
    if (what_.json)
      return;
    std::lock_guard<std::mutex> alone{mutex_};
    what_.out.note(one.issue + ": "
                   + (*one.outcome ? shown(**one.outcome, "id") + " is "
                          + shown(**one.outcome, "status")
                                   : to_string(one.outcome->error())));
  }

  invocation& what_;
  json body_;
  std::string request_;
  milliseconds allowed_;
  std::mutex mutex_;
};

/// The three lists, in the order of the words.
struct lists {
  json created = json::array();
  json skipped = json::array();
  json failed = json::array();

  void take(const order& one, const std::vector<order>& all) {
    json row{{"issue", one.issue}};
    if (one.same_as)
      return skip(std::move(row), all[*one.same_as]);
    if (!*one.outcome)
      return refuse(std::move(row), one.outcome->error());
    const auto& session = **one.outcome;
    row["session"] = session.value("id", json{});
    row["task"] = session.value("task", json{});
    row["status"] = session.value("status", json{});
    row["reason"]
      = session.value("runtime", json::object()).value("reason", json{});
    created.push_back(std::move(row));
  }

private:
  void skip(json row, const order& first) {
    auto started = first.outcome && *first.outcome;
    row["holder"] = started ? (**first.outcome).value("id", json{}) : json{};
    row["reason"] = "repeated";
    row["detail"] = "means the same task as " + first.issue;
    skipped.push_back(std::move(row));
  }

  void refuse(json row, const error& why) {
    auto name = std::string{to_string(why.code)};
    auto taken = why.code == ec::task_already_claimed;
    row["detail"] = why.context;
    if (!taken && why.code != ec::task_closed) {
      row["error"] = name;
      return failed.push_back(std::move(row));
    }
    auto holder = detail_of(why, "holder");
    row["holder"] = holder.empty() ? json{} : json(holder);
    row["reason"] = name;
    skipped.push_back(std::move(row));
  }
};

void tell(output& out, const lists& all) {
  auto list = [&out](const char* title, const json& rows,
                     std::vector<std::pair<std::string, std::string>> columns) {
    out.line(std::string{title} + ": " + std::to_string(rows.size()),
             colour::bold);
    if (!rows.empty())
      print_rows(out, rows, columns, -1, "");
  };
  list("Created", all.created,
       {{"ISSUE", "issue"},
        {"TASK", "task"},
        {"SESSION", "session"},
        {"STATUS", "status"},
        {"REASON", "reason"}});
  list("Skipped", all.skipped,
       {{"ISSUE", "issue"},
        {"HOLDER", "holder"},
        {"REASON", "reason"},
        {"DETAIL", "detail"}});
  list("Failed", all.failed,
       {{"ISSUE", "issue"}, {"ERROR", "error"}, {"DETAIL", "detail"}});
  for (const auto& row : all.created)
    out.result_line("SESSION", text_at(row, "session"));
}

} // namespace

outcome run_batch_spawn(invocation& what) {
  auto allowed = what.args.duration("timeout", milliseconds{600'000});
  if (!allowed)
    return fail(allowed.error());
  json body = json::object();
  put_place(what, body);
  std::size_t parallel = 1;
  auto orders = resolve(what, body, parallel);
  if (!orders)
    return fail(orders.error());
  for (const auto* name : {"agent", "node"})
    if (auto value = what.args.maybe(name))
      body[name] = *value;
  starter{what, std::move(body), *allowed}.run(*orders, parallel);
  lists all;
  for (const auto& one : *orders)
    all.take(one, *orders);
  tell(what.out, all);
  auto ok = all.failed.empty();
  what.out.document({{"data",
                      {{"created", std::move(all.created)},
                       {"skipped", std::move(all.skipped)},
                       {"failed", std::move(all.failed)}}}});
  return ok ? 0 : 1;
}

} // namespace ao::cli
