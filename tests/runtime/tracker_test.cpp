#include "runtime/tracker/backlog_file.hpp"
#include "runtime/tracker/plan.hpp"
#include "tests/support/store_fixture.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include <fstream>

using namespace ao;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

namespace {

/// A project in a directory of its own.
class Tracker : public testing::Test {
protected:
  Tracker() {
    fs::create_directories(root() / "docs");
    app.id = project_id{"app"};
    app.path = root();
    app.session_prefix = "ax";
    app.tracker.emplace().path = root() / "docs/todo.md";
    all.agents["scripted"].name = "scripted";
  }

  fs::path root() const { return dir / "app"; }

  void put(const fs::path& file, const std::string& bytes) {
    std::ofstream{root() / file} << bytes;
  }

  std::string refusal(ec code = ec::bad_input) {
    auto read = read_backlog(app);
    EXPECT_FALSE(read);
    if (read)
      return "";
    EXPECT_EQ(read.error().code, code);
    return read.error().context;
  }

  /// Adds a task to the rows.
  void know(const std::string& id, const std::string& key,
            const std::string& ref, const std::string& project = "app") {
    auto t = test::task_row(id, 1);
    t.key = key;
    t.ref = ref;
    t.project = project_id{project};
    stored.tasks.push_back(std::move(t));
    rows.load(stored, {}, 0);
  }

  result<std::vector<msg::add_task>> plan(const std::string& text) {
    all.projects[app.id] = app;
    auto what = parse_backlog(text, backlog_format::markdown, "todo.md");
    EXPECT_TRUE(what) << to_string(what.error());
    return plan_import(rows, all, app, *what, "docs/todo.md");
  }

  test::private_directory dir;
  project_settings app;
  settings all = default_settings_of_all();
  row_view rows;
  store_rows stored;
};

std::vector<std::string> needs_of(const msg::add_task& item) {
  std::vector<std::string> out;
  for (const auto& need : item.needs)
    out.push_back(need.text);
  return out;
}

} // namespace

TEST_F(Tracker, ReadsTheConfiguredBacklog) {
  put("docs/todo.md", "- [ ] A: x\n");
  auto read = read_backlog(app);
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->source, "docs/todo.md");
  EXPECT_EQ(read->bytes, "- [ ] A: x\n");
}

TEST_F(Tracker, SaysWhyABacklogCannotBeRead) {
  EXPECT_THAT(refusal(), HasSubstr("docs/todo.md: there is no such file"));
  app.tracker->path = root() / "docs";
  EXPECT_THAT(refusal(), HasSubstr("it is a directory"));
  ASSERT_EQ(::mkfifo((root() / "pipe").c_str(), 0600), 0);
  app.tracker->path = root() / "pipe";
  EXPECT_THAT(refusal(), HasSubstr("it is not a file"));
  put("large.md", std::string(largest_backlog + 1, ' '));
  app.tracker->path = root() / "large.md";
  EXPECT_THAT(refusal(ec::too_large), HasSubstr("larger than"));
  app.tracker->path = root() / "docs/todo.md/below";
  put("docs/todo.md", "");
  EXPECT_THAT(refusal(), HasSubstr("docs/todo.md/below: "));
  app.tracker->plugin = tracker_kind::github;
  EXPECT_THAT(refusal(), HasSubstr("project app has no backlog"));
  app.tracker.reset();
  EXPECT_THAT(refusal(), HasSubstr("project app has no backlog"));
}

TEST_F(Tracker, FollowsNoLinkOutOfTheProject) {
  std::ofstream{dir / "secret"} << "- [ ] A: x\n";
  fs::create_symlink(dir / "secret", root() / "docs/todo.md");
  EXPECT_THAT(refusal(), HasSubstr("a link leads out of the project"));
  // One within, and a file that the person has named from the root, are fine.
  put("real.md", "");
  fs::remove(root() / "docs/todo.md");
  fs::create_symlink(root() / "real.md", root() / "docs/todo.md");
  EXPECT_TRUE(read_backlog(app));
  app.tracker->path = dir / "secret";
  auto read = read_backlog(app);
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->source, dir / "secret");
}

TEST_F(Tracker, NamesABacklogByItsPathBelowTheProject) {
  EXPECT_EQ(backlog_source(app, "-"), "-");
  EXPECT_EQ(backlog_source(app, root() / "docs/../x.md"), "x.md");
  EXPECT_EQ(backlog_source(app, "/elsewhere/x.md"), "/elsewhere/x.md");
  EXPECT_EQ(backlog_source(app, root().string() + "-2/x.md"),
            root().string() + "-2/x.md");
  // The same checkout by another way.
  fs::create_symlink(root(), dir / "link");
  put("x.md", "");
  EXPECT_EQ(backlog_source(app, dir / "link/x.md"), "x.md");
}

TEST_F(Tracker, PlansItemsUnderTheirKeys) {
  auto items = plan("- [ ] A: One\npriority: 2\nlabels: l\nagent: scripted\n"
                    "Body.\n"
                    "- [ ] Two words\n");
  ASSERT_TRUE(items) << to_string(items.error());
  ASSERT_EQ(items->size(), 2u);
  const auto& a = items->at(0);
  EXPECT_EQ(a.key, "app/file:docs/todo.md#A");
  EXPECT_EQ(a.ref, "A");
  EXPECT_EQ(a.project.text, "app");
  EXPECT_EQ(a.title, "One");
  EXPECT_EQ(a.body, "Body.");
  EXPECT_EQ(a.priority, 2);
  EXPECT_THAT(a.labels, ElementsAre("l"));
  EXPECT_EQ(a.agent, "scripted");
  EXPECT_EQ(items->at(1).key, "app/file:docs/todo.md#two-words");
}

TEST_F(Tracker, PlansNeedsByIdKeyAndTask) {
  know("T1", "app/task:1", "");
  know("T2", "app/file:other.md#X", "X");
  know("T3", "web/file:b.md#X", "X", "web");
  project_settings web;
  web.id = project_id{"web"};
  web.path = "/web";
  web.session_prefix = "w";
  all.projects[web.id] = web;
  auto items = plan("- [ ] A: x\nneeds: B, T1, app/file:other.md#X, w/X, X\n"
                    "- [ ] B: y\n");
  ASSERT_TRUE(items) << to_string(items.error());
  EXPECT_THAT(needs_of(items->at(0)),
              ElementsAre("app/file:docs/todo.md#B", "T1", "T2", "T3", "T2"));
  EXPECT_THAT(needs_of(items->at(1)), IsEmpty());
}

TEST_F(Tracker, TakesANeedThatIsTickedOffForMetUnlessItIsKnown) {
  know("T1", "app/file:docs/todo.md#KNOWN", "KNOWN");
  auto items
    = plan("- [x] DONE: x\n- [x] KNOWN: y\n- [ ] A: z\nneeds: DONE, KNOWN\n");
  ASSERT_TRUE(items) << to_string(items.error());
  ASSERT_EQ(items->size(), 1u);
  EXPECT_THAT(needs_of(items->at(0)), ElementsAre("T1"));
}

TEST_F(Tracker, RefusesNeedsAndAgentsThatNobodyKnows) {
  auto why = [this](const std::string& text) {
    auto items = plan(text);
    EXPECT_FALSE(items) << text;
    return items ? error{} : items.error();
  };
  auto need = why("\n- [ ] A: x\nneeds: B\n");
  EXPECT_EQ(need.code, ec::no_such_task);
  EXPECT_THAT(need.context,
              HasSubstr("docs/todo.md:2: A needs B, which nobody knows"));
  EXPECT_EQ(why("- [ ] A: x\nneeds: T9\n").code, ec::no_such_task);
  EXPECT_EQ(why("- [ ] A: x\nneeds: web/B\n").code, ec::no_such_task);
  auto agent = why("- [ ] A: x\nagent: nobody\n");
  EXPECT_EQ(agent.code, ec::bad_input);
  EXPECT_THAT(agent.context,
              HasSubstr("docs/todo.md:1: no agent is called nobody, expected "
                        "aider, claude-code"));
}

TEST_F(Tracker, KnowsWhoseBacklogMayKnowATask) {
  project_settings web;
  web.id = project_id{"web"};
  web.session_prefix = "w";
  all.projects = {{app.id, app}, {web.id, web}};
  auto of = [this](const std::string& name, const char* here) {
    return project_with_backlog(all, name, project_id{here})
      .value_or(project_id{"-"})
      .text;
  };
  EXPECT_EQ(of("A", "app"), "app");
  EXPECT_EQ(of("app/A", "web"), "app");
  EXPECT_EQ(of("ax/A", ""), "app");
  EXPECT_EQ(of("app/file:x.md#A", ""), "app");
  EXPECT_EQ(of("A", "web"), "-");
  EXPECT_EQ(of("web/A", "app"), "-");
  EXPECT_EQ(of("other/A", "app"), "-");
  EXPECT_EQ(of("T7", "app"), "-");
  EXPECT_EQ(of("no id", "app"), "-");
  EXPECT_EQ(of("A", ""), "-");
}
