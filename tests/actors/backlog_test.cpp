#include "actors/backlog.hpp"
#include "messages/interfaces.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/scripted_store.hpp"
#include "tests/support/store_fixture.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <gmock/gmock.h>

#include <fstream>

using namespace ao;
using namespace ao::test;
using testing::Contains;
using testing::HasSubstr;

namespace {

/// What the BACKLOG asked for, and what it is to be told.
struct script {
  std::vector<msg::add_tasks> added;
  std::vector<store_write> writes;
  std::optional<error> refusal;
  bool silent = false;
};

struct no_state {};

registry_actor::behavior_type
scripted_registry(registry_actor::stateful_pointer<no_state> self,
                  std::shared_ptr<script> s) {
  return {
    [](const msg::add_task&) -> caf::result<task> { return task{}; },
    [self, s](const msg::add_tasks& asked) -> caf::result<msg::tasks_added> {
      s->added.push_back(asked);
      if (s->silent)
        return self->make_response_promise<msg::tasks_added>();
      if (s->refusal)
        return make_error(*s->refusal);
      msg::tasks_added out;
      out.tasks.resize(asked.items.size());
      out.fresh.assign(asked.items.size(), true);
      return out;
    },
    [](const msg::open_session&) -> caf::result<msg::opened_session> {
      return msg::opened_session{};
    },
    [](const msg::move_task&) -> caf::result<task> { return task{}; },
    [](const msg::release_claim&) -> caf::result<task> { return task{}; },
    [](const msg::regrant_claim&) -> caf::result<claim> { return claim{}; },
    [](const msg::cancel_task&) -> caf::result<task> { return task{}; },
    [](const msg::park_task&) -> caf::result<task> { return task{}; },
    [](const msg::retry_task&) -> caf::result<task> { return task{}; },
    [](const msg::revise_task&) -> caf::result<task> { return task{}; },
    [](const msg::suspect_tasks&) -> caf::result<task> { return task{}; },
    [](const msg::raise_numbers&) -> caf::result<std::uint64_t> {
      return std::uint64_t{0};
    },
  };
}

class Backlog : public actor_fixture {
protected:
  std::shared_ptr<script> seen = std::make_shared<script>();
  private_directory dir;
  row_view rows;
  hub_context hub;

  Backlog() {
    static_cast<actor_context&>(hub) = context;
    hub.rows = &rows;
    hub.now = [] { return wall_time{std::chrono::seconds{1}}; };
    auto all = default_settings_of_all();
    for (const auto* id : {"app", "web"}) {
      auto& p = all.projects[project_id{id}];
      p.id = project_id{id};
      p.path = dir / id;
      p.tracker.emplace().path = dir / id + "/b.md";
      std::filesystem::create_directory(p.path);
    }
    all.projects[project_id{"bare"}].id = project_id{"bare"};
    hub.config = std::make_shared<const settings>(std::move(all));
    spawn_as("store", scripted_store,
             std::shared_ptr<std::vector<store_write>>{seen, &seen->writes},
             std::uint64_t{1});
  }

  void put(const char* project, const std::string& text) {
    std::ofstream{dir / project + "/b.md"} << text;
  }

  backlog_actor start() {
    spawn_as("registry", scripted_registry, seen);
    return spawn(backlog_keeper, hub);
  }
};

} // namespace

TEST_F(Backlog, ReadsEachProjectsAtItsStart) {
  put("app", "- [ ] A: One\n");
  put("web", "- [ ] B: Two\n- [ ] C: Three\nneeds: B\n");
  ask<child_list>(start(), ready_atom::value);
  ASSERT_EQ(seen->added.size(), 2u);
  EXPECT_EQ(seen->added[0].items.at(0).key, "app/file:b.md#A");
  EXPECT_EQ(seen->added[1].items.at(1).needs.at(0).text, "web/file:b.md#B");
  EXPECT_TRUE(seen->writes.empty());
}

TEST_F(Backlog, IsReadyThoughABacklogIsWrong) {
  put("app", "- [ ] A: One\npriority: soon\npriority: later\n");
  put("web", "- [ ] B: Two\n");
  ask<child_list>(start(), ready_atom::value);
  EXPECT_EQ(seen->added.size(), 1u);
  ASSERT_EQ(seen->writes.size(), 1u);
  const auto& said = seen->writes[0].events.at(0);
  EXPECT_EQ(said.kind, event_kind::backlog_refused);
  EXPECT_EQ(said.subject, "hub");
  EXPECT_THAT(said.data, HasSubstr("\"project\":\"app\""));
  EXPECT_THAT(log,
              Contains(HasSubstr("backlog_refused project=app reason=\""
                                 "b.md:2: the priority")));
}

TEST_F(Backlog, IsReadyThoughTheRegistryDoesNotAnswer) {
  put("app", "- [ ] A: One\n");
  put("web", "");
  seen->silent = true;
  auto backlog = start();
  auto pending = self->request(backlog, caf::infinite, ready_atom::value);
  settle();
  EXPECT_FALSE(has_mail());
  advance(registry_deadline);
  answer<child_list>(pending);
  EXPECT_EQ(seen->writes.size(), 1u);
}

TEST_F(Backlog, TakesInWhatSomebodyElseHasRead) {
  put("app", "");
  put("web", "");
  auto backlog = start();
  msg::import_backlog order;
  order.request = request_id{"r"};
  order.project = project_id{"bare"};
  order.file = "-";
  order.text = R"([{"id": "J", "title": "Json"}])";
  auto done = ask<msg::backlog_imported>(backlog, order);
  EXPECT_EQ(done.source, "-");
  EXPECT_EQ(done.items.at(0).key, "bare/file:-#J");
  EXPECT_EQ(done.outcome.tasks.size(), 1u);
  EXPECT_EQ(seen->added.back().request.text, "r");
}

TEST_F(Backlog, AnswersWhatIsWrong) {
  put("app", "");
  put("web", "- [ ] A: x\n");
  auto backlog = start();
  auto why = [&](const char* project, std::optional<std::string> text = {}) {
    msg::import_backlog order;
    order.project = project_id{project};
    order.text = std::move(text);
    order.file = "-";
    auto got = outcome<msg::backlog_imported>(
      self->request(backlog, caf::infinite, order));
    EXPECT_FALSE(got);
    return got ? error{} : to_ao_error(got.error());
  };
  EXPECT_EQ(why("nobody").code, ec::no_such_project);
  EXPECT_EQ(why("bare").code, ec::bad_input);
  EXPECT_THAT(why("app", "- [ ]\n").context, HasSubstr("-:1: the title"));
  EXPECT_EQ(why("app", "- [ ] A: x\nneeds: B\n").code, ec::no_such_task);
  seen->refusal = error{ec::dependency_cycle, "a -> a"};
  auto cycle = why("web");
  EXPECT_EQ(cycle.code, ec::dependency_cycle);
  EXPECT_EQ(cycle.context, "b.md: a -> a");
}
