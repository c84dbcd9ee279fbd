// Transcripts are followed as they are written, from before they are there.

#include "runtime/agents/transcript_reader.hpp"
#include "runtime/io/loop.hpp"

#include <gmock/gmock.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>

using namespace ao;
using testing::ElementsAre;
using testing::IsEmpty;
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds patience{60};

const std::string meta
  = R"({"type":"session_meta","payload":{"id":"01a2","cwd":"/w/app-1"}})"
    "\n";
const std::string started
  = R"({"type":"event_msg","payload":{"type":"task_started"}})"
    "\n";
const std::string complete
  = R"({"type":"event_msg","payload":{"type":"task_complete"}})"
    "\n";

std::string said(const std::string& text) {
  return R"({"type":"event_msg","payload":{"type":"user_message","message":")"
    + text + "\"}}\n";
}

class TranscriptReader : public testing::Test {
protected:
  void SetUp() override {
    auto name = (fs::temp_directory_path() / "ao-reader-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root = fs::canonical(name);
    target.place.kind = transcript_kind::codex;
    target.place.directory = (root / "codex/sessions").string();
    target.place.worktree = "/w/app-1";
  }

  void TearDown() override { fs::remove_all(root); }

  auto follow() {
    return reader.follow(
      target,
      [this](const transcript_news& news) {
        std::lock_guard<std::mutex> guard{mutex};
        last = news;
        for (const auto& text : news.state.heard)
          heard.push_back(text);
        changed.notify_all();
      },
      [this] {
        std::lock_guard<std::mutex> guard{mutex};
        ++calls;
        changed.notify_all();
      });
  }

  template <class Wanted>
  bool await(Wanted wanted) {
    std::unique_lock<std::mutex> lock{mutex};
    return changed.wait_for(lock, patience, wanted);
  }

  bool await_activity(activity_state activity) {
    return await([&] { return last.state.activity == activity; });
  }

  fs::path rollout() {
    auto day = root / "codex/sessions/2026/11/27";
    fs::create_directories(day);
    return day / "rollout-2026-11-27T08-00-00-01a2.jsonl";
  }

  void append(const fs::path& file, const std::string& text) {
    std::ofstream{file, std::ios::app} << text << std::flush;
  }

  fs::path root;
  transcript_target target;
  std::mutex mutex;
  std::condition_variable changed;
  transcript_news last;
  std::vector<std::string> heard;
  int calls = 0;
  io_loop loop;
  transcript_reader reader{loop};
};

} // namespace

TEST_F(TranscriptReader, WaitsForAFileInDirectoriesThatAreNotThere) {
  auto following = follow();
  // Of somebody else, and first.
  auto other = rollout().parent_path() / "rollout-2026-11-27T07-00-00-x.jsonl";
  append(other,
         R"({"type":"session_meta","payload":{"cwd":"/w/app-2"}})"
         "\n"
           + said("no"));
  append(rollout(), meta + started + said("Fix it"));
  ASSERT_TRUE(await_activity(activity_state::active));
  EXPECT_EQ(last.state.conversation, "01a2");
  EXPECT_EQ(last.file, rollout().string());
  append(rollout(), complete);
  ASSERT_TRUE(await_activity(activity_state::idle));
  EXPECT_THAT(heard, ElementsAre("Fix it"));
}

TEST_F(TranscriptReader, ReadsLinesThatComeInPieces) {
  auto following = follow();
  auto text = meta + started;
  append(rollout(), text.substr(0, 20));
  append(rollout(), text.substr(20, meta.size()));
  append(rollout(), text.substr(20 + meta.size()));
  EXPECT_TRUE(await_activity(activity_state::active));
}

TEST_F(TranscriptReader, LeavesOutWhatAnEarlierRunHeard) {
  auto before = meta + started + said("Old");
  append(rollout(), before);
  target.file = rollout().string();
  target.run_from = before.size();
  auto following = follow();
  append(rollout(), started + said("New"));
  ASSERT_TRUE(await([&] { return !heard.empty(); }));
  EXPECT_THAT(heard, ElementsAre("New"));
}

TEST_F(TranscriptReader, KnowsNoTurnOfARunThatWasKilled) {
  auto before = meta + started;
  append(rollout(), before);
  target.file = rollout().string();
  target.run_from = before.size();
  auto following = follow();
  ASSERT_TRUE(await([&] { return !last.file.empty(); }));
  EXPECT_EQ(last.state.activity, activity_state::unknown);
}

TEST_F(TranscriptReader, DrainsWhatIsThere) {
  auto following = follow();
  append(rollout(), meta + said("One") + said("Two"));
  bool done = false;
  following->drain([&] {
    std::lock_guard<std::mutex> guard{mutex};
    done = true;
    changed.notify_all();
  });
  ASSERT_TRUE(await([&] { return done; }));
  EXPECT_THAT(heard, ElementsAre("One", "Two"));
}

TEST_F(TranscriptReader, DrainsWhereThereIsNothing) {
  auto following = follow();
  bool done = false;
  following->drain([&] {
    std::lock_guard<std::mutex> guard{mutex};
    done = true;
    changed.notify_all();
  });
  EXPECT_TRUE(await([&] { return done; }));
  EXPECT_THAT(heard, IsEmpty());
}

TEST_F(TranscriptReader, HearsThatAPersonIsWaitedFor) {
  target.calls = (root / "calls").string();
  auto following = follow();
  append(rollout(), meta + started);
  ASSERT_TRUE(await_activity(activity_state::active));
  EXPECT_EQ(calls, 0);
  append(target.calls, "{}\n");
  ASSERT_TRUE(await([&] { return calls > 0; }));
  // The transcript goes on beside it.
  append(rollout(), complete);
  EXPECT_TRUE(await_activity(activity_state::idle));
  following.reset();
  // What was called while nobody listened is called now.
  calls = 0;
  following = follow();
  EXPECT_TRUE(await([&] { return calls > 0; }));
}
