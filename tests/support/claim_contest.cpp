#include "tests/support/claim_contest.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

namespace ao {
namespace {

using nlohmann::json;

claim_answer claim(const http::api_client& api, std::size_t client,
                   const std::string& task) {
  claim_answer out;
  out.client = client;
  out.task = task;
  auto id = "client-" + std::to_string(client) + "-" + task;
  auto answer
    = api.call("POST", "/api/v1/tasks/" + task + "/claim", {{"requestId", id}});
  if (answer) {
    out.status = answer->status;
    out.session = answer->body.value("session", "");
    out.epoch = answer->body.value("epoch", epoch_no{0});
    return out;
  }
  const auto& why = answer.error();
  if (why.code != ec::task_already_claimed) {
    out.trouble = to_string(why);
    return out;
  }
  out.status = 409;
  out.session = detail_of(why, "holder");
  auto epoch = detail_of(why, "epoch");
  out.epoch = epoch.empty() ? 0 : std::stoull(epoch);
  return out;
}

std::vector<std::string> add_tasks(std::size_t count, const world& w) {
  auto api = w.api();
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) {
    auto title = "Task " + std::to_string(i);
    auto made = api.call("POST", "/api/v1/tasks",
                         {{"project", "app"}, {"title", title}});
    if (!made)
      throw std::runtime_error{to_string(made.error())};
    out.push_back(made->body.at("id").get<std::string>());
  }
  return out;
}

/// What an event says about one grant.
using grant = std::pair<std::string, epoch_no>;

} // namespace

std::vector<claim_answer> hold(const claim_contest& contest, const world& w) {
  auto tasks = add_tasks(contest.tasks, w);
  std::vector<std::vector<claim_answer>> heard(contest.clients);
  std::vector<std::thread> clients;
  for (std::size_t n = 0; n < contest.clients; ++n)
    clients.emplace_back([n, tasks, &w, &mine = heard[n]]() mutable {
      std::shuffle(tasks.begin(), tasks.end(),
                   std::mt19937{static_cast<std::mt19937::result_type>(n)});
      auto api = w.api();
      for (const auto& task : tasks)
        mine.push_back(claim(api, n, task));
    });
  for (auto& one : clients)
    one.join();
  std::vector<claim_answer> out;
  for (auto& mine : heard)
    out.insert(out.end(), mine.begin(), mine.end());
  return out;
}

std::vector<std::string> objections(const claim_contest& contest,
                                    const std::vector<claim_answer>& answers,
                                    const std::vector<json>& events) {
  std::vector<std::string> out;
  if (answers.size() != contest.clients * contest.tasks)
    out.push_back(std::to_string(answers.size()) + " answers");
  std::map<std::string, claim_answer> winners;
  std::set<std::string> sessions;
  for (const auto& a : answers) {
    auto who = "client " + std::to_string(a.client) + ", " + a.task + ": ";
    if (a.status == 201) {
      if (!winners.emplace(a.task, a).second)
        out.push_back(who + "granted twice");
      if (!sessions.insert(a.session).second)
        out.push_back(who + a.session + " was given twice");
    } else if (a.status != 409)
      out.push_back(who + std::to_string(a.status) + " " + a.trouble);
  }
  for (const auto& a : answers) {
    auto won = winners.find(a.task);
    if (won == winners.end())
      continue;
    if (a.session != won->second.session || a.epoch != won->second.epoch)
      out.push_back("client " + std::to_string(a.client) + ", " + a.task
                    + ": heard of " + a.session + " epoch "
                    + std::to_string(a.epoch) + ", but " + won->second.session
                    + " has it");
  }
  if (winners.size() != contest.tasks)
    out.push_back(std::to_string(winners.size()) + " tasks were granted");
  // The hub's own record tells the same.
  std::map<grant, std::string> recorded;
  std::size_t refused = 0;
  for (const auto& e : events) {
    auto kind = e.value("kind", "");
    refused += kind == "claim_refused" ? 1 : 0;
    if (kind != "task_claimed")
      continue;
    auto task = e.at("data").value("task", "");
    grant g{task, e.value("epoch", epoch_no{0})};
    if (!recorded.emplace(g, e.at("data").value("session", "")).second)
      out.push_back(task + ": two events of one epoch");
  }
  if (recorded.size() != winners.size())
    out.push_back(std::to_string(recorded.size()) + " grants in the events");
  for (const auto& [task, a] : winners) {
    auto found = recorded.find({task, a.epoch});
    if (found == recorded.end() || found->second != a.session)
      out.push_back(task + ": the events do not tell of " + a.session);
  }
  auto lost = answers.size() - winners.size();
  if (refused != lost)
    out.push_back(std::to_string(refused) + " refusals in the events for "
                  + std::to_string(lost));
  return out;
}

} // namespace ao
