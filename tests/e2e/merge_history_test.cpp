// A generated history on the real hub: agents commit what it says, a person's
// word gives the order, and the oracle says what becomes of it.

#include "tests/support/merge_history.hpp"
#include "tests/support/merge_rest.hpp"
#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

using namespace ao;
using nlohmann::json;
using testing::IsEmpty;
namespace fs = std::filesystem;

namespace {

/// Each run has the commits that the history wants, once it wants them.
constexpr const char* agent = R"(
while [ ! -e "$HOME/$AO_SESSION.$AO_RUN" ]; do sleep 0.02; done
git fetch --quiet --no-write-fetch-head origin main
git fetch --quiet --no-write-fetch-head "$HOME/../app" main
git fast-import --quiet --force < "$HOME/$AO_SESSION.$AO_RUN"
git reset --quiet --hard
)";

world_options options(const std::string& method) {
  world_options o;
  o.project = ", ci: {command: [sh, ci.sh]}, merge: {requireReview: true, "
              "method: "
    + method + "}";
  return o;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

/// A hub of which one change is asked after the other.
class real_hub : public merge_world {
public:
  explicit real_hub(const std::string& method) : w_(options(method)) {
    w_.git(w_.checkout(), {"rm", "--quiet", "README"});
    w_.git(w_.checkout(), {"commit", "--quiet", "-m", "Empty"});
    import(w_.checkout(), {with_checks(history_base())});
    w_.git(w_.checkout(), {"reset", "--quiet", "--hard"});
    w_.add_agent("agent", agent);
    w_.start();
  }

  bool is_eager() const override { return true; }

  void open(int number, const std::vector<model_tree>& commits) override {
    auto& c = changes_[number];
    c.session = w_.ask({"spawn", w_.add_task("Change")}).value("id", "");
    let_work(c, commits);
    auto opened = w_.await([&](const json& e) {
      return e["kind"] == "change_opened"
        && e["data"].value("session", "") == c.session;
    });
    c.id = opened["data"].value("change", "");
    c.head = opened["data"].value("sha", "");
  }

  void push(int number, const std::vector<model_tree>& commits) override {
    auto& c = changes_.at(number);
    let_work(c, commits);
    auto moved = w_.await([&](const json& e) {
      return e["kind"] == "head_moved" && e["subject"] == "change:" + c.id
        && e["data"].value("head", "") != c.head;
    });
    c.head = moved["data"].value("head", "");
  }

  void conclude_head(int number) override {
    auto& c = changes_.at(number);
    if (next_of(c, {"ci_passed", "ci_failed"}) == "ci_failed")
      return;
    w_.ask({"review", "submit", c.id, "--approve"});
    auto end = next_of(c, {"merged", "conflict", "ci_failed"});
    if (end == "merged")
      w_.await("session_cleaned", "session:" + c.session);
  }

  void conclude_result() override {}

  void move_base(const model_tree& tree) override {
    w_.git(w_.checkout(),
           {"pull", "--quiet", "--ff-only", w_.forge().string(), "main"});
    import(w_.checkout(), {with_checks(tree)});
    w_.git(w_.checkout(), {"reset", "--quiet", "--hard"});
    persons_.push_back(w_.git(w_.checkout(), {"rev-parse", "main"}));
  }

  void die() override {
    w_.kill_hub();
    w_.start();
  }

  std::vector<std::string> objections(const merge_model& model) override {
    std::vector<std::string> out;
    for (const auto& [number, c] : model.changes())
      look_at_change(c, changes_.at(number).id, model, out);
    std::vector<model_tree> bases;
    for (const auto& base : model.bases())
      bases.push_back(with_checks(base));
    w_.git(w_.checkout(), {"branch", "--quiet", "oracle", first_});
    import(w_.checkout(), bases, "oracle");
    auto wanted = lines_of(w_.git(
      w_.checkout(), {"log", "--reverse", "--format=%T", first_ + "..oracle"}));
    auto there = lines_of(w_.git(w_.forge(),
                                 {"log", "--reverse", "--first-parent",
                                  "--format=%T", first_ + "..main"}));
    if (auto why = compare_bases(wanted, there, model.method()); !why.empty())
      out.push_back(why);
    auto history = w_.git(w_.forge(), {"rev-list", "main"});
    for (const auto& sha : persons_)
      if (history.find(sha) == std::string::npos)
        out.push_back("a commit of the person is lost: " + sha);
    for (const auto& sha : red_commits(w_))
      out.push_back("red: " + sha);
    if (auto found = unsound(w_, w_.forge()); !found.empty())
      out.push_back(found);
    return out;
  }

private:
  struct asked_change {
    std::string session;
    std::string id;
    std::string head;
    int run = 0;
    std::uint64_t heard = 0;
  };

  /// The checks are a file of the project.
  static model_tree with_checks(model_tree tree) {
    std::string text{model_checks};
    tree["ci.sh"] = text.substr(0, text.size() - 1);
    return tree;
  }

  void import(const fs::path& dir, const std::vector<model_tree>& commits,
              const std::string& branch = "main") {
    if (first_.empty())
      first_ = w_.git(dir, {"rev-parse", "main"});
    process_spec spec;
    spec.argv = {"git", "fast-import", "--quiet", "--force"};
    spec.env = w_.variables().to_vector();
    spec.cwd = dir.string();
    spec.in = child_input::bytes(import_stream(
      branch, "refs/heads/" + branch + "^0", commits, ++seconds_));
    auto end = run(spec, world::patience);
    EXPECT_TRUE(end && end->ok()) << (end ? end->err : to_string(end.error()));
  }

  /// Lets the next run of its agent commit these behind the forge's base.
  void let_work(asked_change& c, std::vector<model_tree> commits) {
    for (auto& tree : commits)
      tree = with_checks(std::move(tree));
    // What the person has committed on it is taken over by the next merge.
    auto base = w_.git(w_.forge(), {"rev-parse", "main"});
    auto persons = w_.git(w_.checkout(), {"rev-parse", "main"});
    if (w_.try_git(w_.checkout(),
                   {"merge-base", "--is-ancestor", base, persons})
          .ok())
      base = persons;
    auto name = c.session + "." + std::to_string(++c.run);
    std::ofstream{w_.root() / name}
      << import_stream("ao/" + c.session, base, commits, ++seconds_);
    fs::rename(w_.root() / name, w_.user() / name);
  }

  /// The next of these events about its present head.
  std::string next_of(asked_change& c, const std::set<std::string>& kinds) {
    auto found = w_.await(
      [&](const json& e) {
        return e["subject"] == "change:" + c.id
          && kinds.count(e.value("kind", "")) > 0
          && e["data"].value("head", "") == c.head;
      },
      c.heard);
    c.heard = found.value("seq", c.heard);
    return found.value("kind", "");
  }

  void look_at_change(const model_change& c, const std::string& id,
                      const merge_model& model, std::vector<std::string>& out) {
    auto row = w_.ask({"pr", "show", id});
    using where = model_change::where;
    auto merged = row.value("state", "") == "merged";
    auto red = row.value("ci", "") == "failed";
    if (merged != (c.state == where::merged)
        || (!merged && red != (c.state == where::red)))
      out.push_back(id + " is " + row.dump() + ", not " + to_string(c.state));
    std::map<std::string, int> balance;
    for (const auto& e : w_.events("change:" + id))
      ++balance[e.value("kind", "")];
    for (const auto& one : model.told())
      balance[one.cause] -= one.change == c.number ? 1 : 0;
    for (const auto* cause : {"ci_failed", "conflict"})
      if (balance[cause] != 0)
        out.push_back(id + ": " + std::to_string(balance[cause])
                      + " too many of " + cause);
  }

  std::map<int, asked_change> changes_;
  std::vector<std::string> persons_;
  std::string first_;
  std::int64_t seconds_ = 1'795'464'000;
  world w_;
};

class MergeHistory : public testing::TestWithParam<merge_method> {};

TEST_P(MergeHistory, EndsOnTheHubAsTheOracleSays) {
  real_hub hub{std::string{to_string(GetParam())}};
  auto played = play_history(11, 8, GetParam(), hub);
  EXPECT_THAT(played.objections, IsEmpty())
    << testing::PrintToString(played.steps);
}

INSTANTIATE_TEST_SUITE_P(Method, MergeHistory,
                         testing::Values(merge_method::squash,
                                         merge_method::rebase),
                         [](const auto& info) {
                           return std::string{to_string(info.param)};
                         });

} // namespace
