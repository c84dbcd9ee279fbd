#include "actors/forge.hpp"
#include "messages/interfaces.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/store_fixture.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <gmock/gmock.h>

using namespace ao;
using namespace ao::test;
using testing::ElementsAre;

namespace {

/// The forge of a project with one commit; what it is asked comes in at once.
class Forge : public actor_fixture {
protected:
  private_directory root;
  row_view rows;
  forge_actor all;
  /// What was answered, in order.
  std::vector<std::string> answers;

  void SetUp() override {
    git_runner git;
    auto checkout = root / "checkout";
    std::filesystem::create_directories(checkout);
    ASSERT_TRUE(git.ask({checkout, {"init", "--quiet", "-b", "main", "."}}));
    ASSERT_TRUE(git.ask({checkout,
                         {"-c", "user.name=a", "-c", "user.email=a@b.invalid",
                          "commit", "--quiet", "--allow-empty", "-m", "one"}}));
    hub_context hub;
    static_cast<actor_context&>(hub) = context;
    std::filesystem::create_directories(root / "home");
    hub.place = std::make_shared<home>(root / "home", root / "home/run");
    std::filesystem::create_directories(hub.place->forge());
    hub.rows = &rows;
    auto known = default_settings_of_all();
    auto& project = known.projects[project_id{"app"}];
    project.id.text = "app";
    project.path = checkout;
    project.default_branch = "main";
    hub.config = std::make_shared<const settings>(std::move(known));
    all = spawn_as("forge/app", forge, hub, project_id{"app"});
    settle();
  }

  /// Notes down when it is answered, whatever the answer is.
  template <class Reply, class Request>
  void ask_about(const Request& what, const std::string& name) {
    spawn([this, what, name](caf::event_based_actor* asker) -> caf::behavior {
      asker->request(all, caf::infinite, what)
        .then([this, name](const Reply&) { answers.push_back(name); },
              [this, name](const caf::error&) { answers.push_back(name); });
      return {};
    });
  }

  /// A branch that is not there.
  static msg::open_change change_of(const std::string& branch) {
    msg::open_change out;
    out.branch = branch;
    return out;
  }
};

/// Whoever is not answered in time asks again, and would have what is too much
/// already done once more each time.
TEST_F(Forge, DoesOnceWhatIsAskedAgainMeanwhile) {
  ask_about<change>(change_of("one"), "one");
  ask_about<change>(change_of("two"), "two");
  ask_about<change>(change_of("one"), "one again");
  settle();
  EXPECT_THAT(answers, ElementsAre("one", "one again", "two"));
}

TEST_F(Forge, DoesFirstWhatHoldsUpOthers) {
  ask_about<change>(change_of("one"), "one");
  ask_about<msg::found_head>(msg::find_head{"two"}, "head");
  settle();
  EXPECT_THAT(answers, ElementsAre("head", "one"));
}

/// Each of them gets the checkout as it is after it has asked.
TEST_F(Forge, FollowsTheCheckoutOnceForAllThatWait) {
  auto early = msg::follow_checkout{now()};
  ask_about<std::string>(early, "first");
  ask_about<std::string>(early, "second");
  settle();
  EXPECT_THAT(answers, ElementsAre("first", "second"));
}

} // namespace
