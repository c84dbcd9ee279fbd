#include "tests/support/mortals.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

using namespace ao;
using nlohmann::json;
using testing::IsEmpty;

namespace {

constexpr int agents = 4;

/// How many deaths of each kind; `./dev soak survival` has more.
int deaths() {
  const auto* text = std::getenv("AO_DEATHS");
  return text != nullptr ? std::atoi(text) : 20;
}

/// A few agents that work while somebody kills.
class Deaths : public testing::Test {
protected:
  void expect_the_work_went_on() { EXPECT_THAT(all.objections(), IsEmpty()); }

  mortals all{agents};
};

TEST_F(Deaths, OfAgentsLoseNoWork) {
  all.spawn_all();
  for (int i = 0; i < deaths(); ++i) {
    all.kill_an_agent();
    all.pass_a_moment();
  }
  expect_the_work_went_on();
}

TEST_F(Deaths, OfShimsLoseNoWork) {
  all.spawn_all();
  for (int i = 0; i < deaths(); ++i) {
    all.kill_a_shim();
    all.pass_a_moment();
  }
  expect_the_work_went_on();
}

TEST_F(Deaths, OfTheTmuxServerLoseNoWork) {
  all.spawn_all();
  for (int i = 0; i < deaths(); ++i) {
    all.kill_the_tmux_server();
    all.pass_a_moment();
  }
  expect_the_work_went_on();
}

TEST_F(Deaths, OfTheHubLoseNoWork) {
  all.spawn_all();
  for (int i = 0; i < deaths(); ++i) {
    all.kill_the_hub();
    all.pass_a_moment();
  }
  expect_the_work_went_on();
  for (int i = 1; i <= agents; ++i)
    EXPECT_EQ(all.runs_of("app-" + std::to_string(i)), "1 none\n")
      << "an agent outlives its hub";
}

TEST_F(Deaths, OfTheHubAtEachStepOfASpawnLeaveNothingHalfMade) {
  for (const auto& step : mortals::steps())
    all.kill_the_hub_at(step);
  expect_the_work_went_on();
}

TEST_F(Deaths, BetweenGrantsGiveNoEpochTwice) {
  for (int i = 0; i < 3; ++i) {
    all.grant_once_more();
    all.kill_the_hub();
  }
  expect_the_work_went_on();
}

TEST_F(Deaths, OfEverythingAtOnceLoseNoWork) {
  all.spawn_all();
  // As after a power cut: every process is gone, and run/ is emptied.
  all.kill_everything();
  for (int i = 1; i <= agents; ++i)
    all.machine().await([&](const json& e) {
      return e["subject"] == "session:app-" + std::to_string(i)
        && e["kind"] == "agent_started" && e["data"]["run"] == 2;
    });
  expect_the_work_went_on();
}

} // namespace
