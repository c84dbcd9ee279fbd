// The merge queue against an oracle, on generated histories: the real queue,
// forge, watchers, store and git; only the checks are a twin's, which holds its
// verdicts back for as long as the history wants.

#include "actors/ci_watcher.hpp"
#include "actors/forge.hpp"
#include "actors/merge_queue.hpp"
#include "actors/store.hpp"
#include "messages/interfaces.hpp"
#include "runtime/git/git.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/merge_history.hpp"
#include "tests/support/store_fixture.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <gmock/gmock.h>

#include <cstdlib>
#include <sstream>

using namespace ao;
using namespace ao::test;
using testing::IsEmpty;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

// -- twins --------------------------------------------------------------------

struct no_state {};

/// The checks that have been asked for and whose end has not been told.
struct checks {
  std::string forge;
  struct run {
    msg::run_ci order;
    std::vector<caf::typed_response_promise<msg::ci_finished>> askers;
  };
  std::map<std::string, run> runs;
};

/// The verdict of the model's rule on the paths of a commit.
bool passes(const std::string& forge, const std::string& sha) {
  auto names = git_runner{}.ask({forge, {"ls-tree", "--name-only", sha}});
  EXPECT_TRUE(names);
  auto lines = lines_of(names.value_or(""));
  return is_green(std::set<std::string>{lines.begin(), lines.end()});
}

/// Ends a run when it is told by `ci_ended`.
ci_runners_actor::behavior_type
patient_checks(ci_runners_actor::stateful_pointer<no_state> self,
               std::shared_ptr<checks> all) {
  auto end = [all](const std::string& key, const std::string& cause) {
    auto found = all->runs.extract(key);
    if (found.empty())
      return;
    msg::ci_finished out;
    out.change = found.mapped().order.change;
    out.sha = found.mapped().order.sha;
    out.merged_result = found.mapped().order.merged_result;
    out.cause = cause;
    out.state = cause == "exited" && passes(all->forge, out.sha)
      ? ci_state::passed
      : ci_state::failed;
    for (auto& asker : found.mapped().askers)
      asker.deliver(out);
  };
  return {
    [self, all](const msg::run_ci& order) -> caf::result<msg::ci_finished> {
      auto promise = self->make_response_promise<msg::ci_finished>();
      auto& run
        = all->runs[ci_key(order.change, order.sha, order.merged_result)];
      run.order = order;
      run.askers.push_back(promise);
      return promise;
    },
    [end](const msg::cancel_ci& order) {
      end(ci_key(order.change, order.sha, order.merged_result), "superseded");
    },
    [end](const msg::ci_ended& order) { end(order.key, "exited"); },
  };
}

/// What ESCALATION was told: the session, the cause and the commit.
using letters = std::set<std::pair<std::string, std::string>>;

escalation_actor::behavior_type
keeping_escalation(escalation_actor::stateful_pointer<no_state>,
                   std::shared_ptr<letters> all) {
  return {
    [all](const msg::report_cause& what) -> caf::result<incident_id> {
      all->emplace(what.session.text,
                   std::string{to_string(what.cause)} + "/" + what.change.text
                     + "/" + what.sha);
      return incident_id{"inc-1"};
    },
    [](const msg::report_recovered&) -> caf::result<std::uint64_t> {
      return std::uint64_t{0};
    },
    [](look_atom) {},
  };
}

/// The bases of the model are green.
base_watch_actor::behavior_type
sound_base(base_watch_actor::stateful_pointer<no_state>) {
  return {
    [](const msg::judge_failure&) -> caf::result<msg::base_judgement> {
      return msg::base_judgement{false};
    },
    [](const msg::base_moved&) {},
    [](look_atom) {},
  };
}

// -- the queue ----------------------------------------------------------------

/// The real thing below a history.
class real_queue : public merge_world {
public:
  real_queue(actor_fixture& fixture, merge_method method)
      : fixture_(fixture), checkout_(dir_ / "app") {
    place_ = std::make_shared<const home>(dir_ / "home", dir_ / "run");
    for (const auto& path : {checkout_, place_->forge()})
      std::filesystem::create_directories(path);
    git(checkout_, {"init", "--quiet", "--bare", "--initial-branch=main", "."});
    commit(checkout_, "main", "", {history_base()});
    static_cast<actor_context&>(hub_) = fixture.context;
    hub_.rows = &rows_;
    hub_.place = place_;
    hub_.programs = dir_ / "programs";
    hub_.now = [this] { return wall_time{std::chrono::seconds{++seconds_}}; };
    auto all = default_settings_of_all();
    auto& p = all.projects[project_id{"app"}];
    p.id = project_id{"app"};
    p.path = checkout_;
    p.merge.method = method;
    p.ci.emplace().command = {"true"};
    hub_.config = std::make_shared<const settings>(std::move(all));
    checks_->forge = forge();
    fixture.spawn_as("escalation", keeping_escalation, letters_);
    fixture.spawn_as("base-watch/app", sound_base);
    begin();
  }

  ~real_queue() override { end(); }

  // -- what happens -----------------------------------------------------------

  void open(int number, const std::vector<model_tree>& commits) override {
    auto head = push_branch(number, commits);
    change c;
    c.id = make_change_id(project_id{"app"}, static_cast<unsigned>(number));
    c.number = static_cast<unsigned>(number);
    c.version = 1;
    c.project = project_id{"app"};
    c.session = session_id{"app-" + std::to_string(number)};
    c.task = task_id{"T" + std::to_string(number)};
    c.title = "Change " + std::to_string(number);
    c.branch = branch_of(number);
    c.base = "main";
    c.head_sha = head;
    c.created_at = c.updated_at = hub_.now();
    store_write write;
    write.rows = {c};
    fixture_.ask<store_written>(store_, write);
    watch(number);
  }

  void push(int number, const std::vector<model_tree>& commits) override {
    caf::anon_send(
      watchers_.at(number),
      msg::branch_pushed{branch_of(number), push_branch(number, commits)});
    fixture_.settle();
  }

  void conclude_head(int number) override { conclude(number, false); }

  void conclude_result() override {
    for (const auto& [key, run] : checks_->runs)
      if (run.order.merged_result)
        return conclude(static_cast<int>(number_of(run.order.change)), true);
    ADD_FAILURE() << "no merged result is checked";
  }

  void move_base(const model_tree& tree) override {
    git(checkout_, {"fetch", "--quiet", "--", forge(), "+main:main"});
    persons_.push_back(commit(checkout_, "main", main, {tree}));
    fixture_.ask<std::string>(forge_, msg::follow_checkout{fixture_.now()});
  }

  void die() override {
    end();
    begin();
    for (const auto& row : rows_.changes_of(project_id{"app"}))
      if (row->state == change_state::open)
        watch(static_cast<int>(row->number));
  }

  // -- what is then -----------------------------------------------------------

  std::vector<std::string> objections(const merge_model& model) override {
    std::vector<std::string> out;
    for (const auto& [number, c] : model.changes())
      look_at_change(c, out);
    look_at_letters(model, out);
    look_at_base(model, out);
    return out;
  }

private:
  static std::string branch_of(int number) {
    return "ao/app-" + std::to_string(number);
  }

  static std::uint64_t number_of(const change_id& id) {
    return std::stoull(id.text.substr(id.text.find('#') + 1));
  }

  std::string forge() const { return place_->forge() + "/app.git"; }

  std::string git(const std::string& dir, std::vector<std::string> args,
                  std::string input = {}) {
    git_call call{dir, std::move(args), std::move(input)};
    auto out = git_runner{}.ask_line(call);
    if (!out)
      ADD_FAILURE() << to_string(out.error());
    return out.value_or("");
  }

  static constexpr const char* main = "refs/heads/main^0";

  /// Commits behind `from`; where the branch is then. All files are written:
  /// which of them change is git's to see.
  std::string commit(const std::string& dir, const std::string& branch,
                     const std::string& from,
                     const std::vector<model_tree>& commits) {
    git(dir, {"fast-import", "--quiet", "--force"},
        import_stream(branch, from, commits, ++seconds_));
    return git(dir, {"rev-parse", "refs/heads/" + branch});
  }

  std::string push_branch(int number, const std::vector<model_tree>& commits) {
    return commit(forge(), branch_of(number), main, commits);
  }

  void begin() {
    store_ = fixture_.spawn_as("store", store_keeper, hub_);
    fixture_.spawn_as("ci-runners/app", patient_checks, checks_);
    forge_ = fixture_.spawn_as("forge/app", ao::forge, hub_, project_id{"app"});
    queue_ = fixture_.spawn_as("merge-queue/app", merge_queue, hub_,
                               project_id{"app"});
    fixture_.settle();
  }

  void watch(int number) {
    auto id = make_change_id(project_id{"app"}, static_cast<unsigned>(number));
    watchers_[number]
      = fixture_.spawn_as("ci-watcher/" + id.text, ci_watcher, hub_, id);
    fixture_.settle();
  }

  void end() {
    for (auto& [number, watcher] : watchers_)
      kill(watcher);
    watchers_.clear();
    kill(queue_);
    kill(forge_);
    kill(store_);
    checks_->runs.clear();
  }

  template <class Handle>
  void kill(Handle& whom) {
    fixture_.end(whom, caf::exit_reason::kill);
    whom = Handle{};
  }

  void conclude(int number, bool merged_result) {
    auto row = rows_.find<change>("app#" + std::to_string(number));
    for (const auto& [key, run] : checks_->runs)
      if (run.order.change == row->id
          && run.order.merged_result == merged_result) {
        auto ended = key;
        caf::anon_send(caf::actor_cast<ci_runners_actor>(
                         fixture_.names.find(actor_name{"ci-runners/app"})),
                       msg::ci_ended{ended});
        return fixture_.settle();
      }
    ADD_FAILURE() << "no checks of " << row->id.text;
  }

  void look_at_change(const model_change& c, std::vector<std::string>& out) {
    auto row = rows_.find<change>("app#" + std::to_string(c.number));
    using where = model_change::where;
    auto fits = c.state == where::merged
      ? row->state == change_state::merged && !row->merged_sha.empty()
      : row->state == change_state::open
        && (row->merge == merge_state::conflict) == (c.state == where::conflict)
        && (row->ci == ci_state::failed) == (c.state == where::red);
    if (!fits)
      out.push_back(row->id.text + " is " + std::string{to_string(row->state)}
                    + ", ci " + std::string{to_string(row->ci)} + ", merge "
                    + std::string{to_string(row->merge)} + ", not "
                    + to_string(c.state));
    if (fits && c.state == where::merged) {
      auto left
        = git_runner{}.commit_of(forge(), "refs/heads/" + branch_of(c.number));
      if (left && *left)
        out.push_back(row->id.text + " has left its branch");
    }
  }

  /// Each owner hears of its own, once for each head.
  void look_at_letters(const merge_model& model,
                       std::vector<std::string>& out) {
    std::map<std::pair<std::string, std::string>, int> wanted;
    std::map<std::pair<std::string, std::string>, int> told;
    for (const auto& one : model.told())
      ++wanted[{"app-" + std::to_string(one.change), one.cause}];
    for (const auto& [session, request] : *letters_)
      ++told[{session, request.substr(0, request.find('/'))}];
    for (const auto* all : {&wanted, &told})
      for (const auto& [about, times] : *all)
        if (wanted[about] != told[about])
          out.push_back(about.first + " was told " + about.second + " "
                        + std::to_string(told[about]) + " times, not "
                        + std::to_string(wanted[about]));
  }

  /// The same trees in the same order.
  void look_at_base(const merge_model& model, std::vector<std::string>& out) {
    commit(checkout_, "oracle", "", model.bases());
    auto wanted
      = lines_of(git(checkout_, {"log", "--reverse", "--format=%T", "oracle"}));
    auto there = lines_of(git(
      forge(), {"log", "--reverse", "--first-parent", "--format=%T", "main"}));
    if (auto why = compare_bases(wanted, there, model.method()); !why.empty())
      out.push_back(why);
    auto history = git(forge(), {"rev-list", "main"});
    for (const auto& sha : persons_)
      if (history.find(sha) == std::string::npos)
        out.push_back("a commit of the person is lost: " + sha);
  }

  actor_fixture& fixture_;
  private_directory dir_;
  std::string checkout_;
  std::shared_ptr<const home> place_;
  row_view rows_;
  hub_context hub_;
  std::int64_t seconds_ = 1'795'464'000;
  std::shared_ptr<checks> checks_ = std::make_shared<checks>();
  std::shared_ptr<letters> letters_ = std::make_shared<letters>();
  std::vector<std::string> persons_;
  store_actor store_;
  forge_actor forge_;
  merge_queue_actor queue_;
  std::map<int, ci_watcher_actor> watchers_;
};

/// How many histories of each kind; more by hand.
int histories() {
  const auto* text = std::getenv("AO_HISTORIES");
  return text != nullptr ? std::atoi(text) : 2;
}

class MergeQueueModel
    : public actor_fixture,
      public testing::WithParamInterface<std::tuple<merge_method, int>> {};

TEST_P(MergeQueueModel, DoesWhatTheOracleDoes) {
  auto [method, first] = GetParam();
  for (int i = 0; i < histories(); ++i) {
    auto seed = static_cast<std::uint32_t>(first * 1000 + i);
    real_queue real{*this, method};
    auto played = play_history(seed, 6, method, real);
    ASSERT_THAT(played.objections, IsEmpty())
      << "seed " << seed << ":\n"
      << testing::PrintToString(played.steps);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, MergeQueueModel,
                         testing::Combine(testing::Values(merge_method::squash,
                                                          merge_method::merge,
                                                          merge_method::rebase),
                                          testing::Range(1, 5)),
                         [](const auto& info) {
                           return std::string{
                                    to_string(std::get<0>(info.param))}
                           + "_" + std::to_string(std::get<1>(info.param));
                         });

} // namespace
