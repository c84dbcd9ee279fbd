#include "tests/support/batch_run.hpp"

#include <algorithm>
#include <sstream>

namespace ao {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

void expect_empty(std::vector<std::string>& objections, const std::string& what,
                  const std::string& found) {
  if (!found.empty())
    objections.push_back(what + ": " + found);
}

} // namespace

std::vector<std::string> run_batch(const world& w, std::size_t count) {
  std::vector<std::string> out;
  std::vector<std::string> words = {"batch-spawn"};
  for (std::size_t i = 0; i < count; ++i)
    words.push_back(w.add_task("Task " + std::to_string(i)));
  words.emplace_back("--json");
  auto after = w.last_event();
  auto end = w.ao(words);
  auto answer = json::parse(end.out, nullptr, false);
  if (end.status.code != 0 || !answer.is_object())
    return {"ao batch-spawn: " + std::to_string(end.status.code.value_or(-1))
            + " " + end.out + end.err};
  const auto& data = answer["data"];
  if (data["created"].size() != count)
    out.push_back(std::to_string(data["created"].size()) + " created");
  for (const auto* list : {"skipped", "failed"})
    if (!data[list].empty())
      out.push_back(std::string{list} + ": " + data[list].dump());
  for (const auto& row : data["created"]) {
    auto session = row.value("session", "");
    w.await("session_cleaned", "session:" + session, after);
    auto task = w.ask({"task", "show", row.value("issue", "")});
    if (task.value("state", "") != "merged")
      out.push_back(row.value("issue", "") + " is " + task.dump());
  }
  return out;
}

std::vector<std::string> leftovers(const world& w) {
  std::vector<std::string> out;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator{w.home() / "worktrees", none})
    out.push_back("worktree " + entry.path().filename().string());
  for (const auto& pane : w.panes())
    out.push_back("pane " + pane);
  auto repository = w.home() / "repos/app.git";
  expect_empty(
    out, "branches of the cache",
    w.git(repository, {"for-each-ref", "--format=%(refname)", "refs/heads"}));
  auto branches
    = w.git(w.forge(), {"for-each-ref", "--format=%(refname)", "refs/heads"});
  if (branches != "refs/heads/main")
    out.push_back("branches of the forge: " + branches);
  std::istringstream worktrees{
    w.git(repository, {"worktree", "list", "--porcelain"})};
  auto known = 0;
  for (std::string line; std::getline(worktrees, line);)
    known += line.rfind("worktree ", 0) == 0 ? 1 : 0;
  // The repository itself is the first of them.
  if (known != 1)
    out.push_back(std::to_string(known - 1) + " worktrees are registered");
  auto status = w.ask({"status"});
  if (!status["data"].empty())
    out.push_back("sessions " + status["data"].dump());
  for (const auto& e : w.events())
    if (e.value("kind", "") == "spawn_failed")
      out.push_back("spawn_failed " + e.dump());
  return out;
}

} // namespace ao
