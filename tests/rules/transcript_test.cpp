// What the transcripts of codex and claude-code say, line by line as these
// programs write them.

#include "runtime/rules/transcript.hpp"

#include <gmock/gmock.h>

using namespace ao;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

transcript_state state_of(transcript_kind kind,
                          const std::vector<std::string>& lines) {
  transcript_state state;
  state.kind = kind;
  for (const auto& line : lines)
    take_line(state, line);
  return state;
}

const std::string meta
  = R"({"type":"session_meta","payload":{"id":"01a2","cwd":"/w"}})";
const std::string started
  = R"({"type":"event_msg","payload":{"type":"task_started"}})";
const std::string asked
  = R"({"type":"event_msg","payload":{"type":"item_completed","item":{"type":"UserMessage","content":[{"type":"text","text":"Fix it"}]}}})";
const std::string tokens
  = R"({"type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"input_tokens":22,"output_tokens":14}}}})";
const std::string complete
  = R"({"type":"event_msg","payload":{"type":"task_complete","last_agent_message":"All done"}})";

std::string failed(int status, const std::string& words) {
  return R"({"type":"event_msg","payload":{"type":"task_complete","last_agent_message":null,"error":{"message":")"
    + words
    + R"(","codex_error_info":{"http_connection_failed":{"http_status_code":)"
    + std::to_string(status) + "}}}}}";
}

const std::string typed
  = R"({"type":"user","isSidechain":false,"message":{"role":"user","content":"Fix it"},"sessionId":"7f79"})";
const std::string used
  = R"({"type":"assistant","message":{"id":"m1","content":[{"type":"tool_use","name":"Bash","input":{}}],"stop_reason":"tool_use","usage":{"input_tokens":11,"cache_read_input_tokens":100,"output_tokens":7}},"sessionId":"7f79"})";
const std::string answer
  = R"({"type":"user","message":{"content":[{"type":"tool_result","content":"ok"}]},"sessionId":"7f79"})";
const std::string said
  = R"({"type":"assistant","message":{"id":"m2","content":[{"type":"text","text":"All done"}],"stop_reason":"end_turn","usage":{"input_tokens":12,"output_tokens":3}},"sessionId":"7f79"})";

} // namespace

TEST(CodexTranscript, IsBusyFromTheBeginOfATurnToItsEnd) {
  auto state = state_of(transcript_kind::codex, {meta});
  EXPECT_EQ(state.conversation, "01a2");
  EXPECT_EQ(state.activity, activity_state::unknown);
  state = state_of(transcript_kind::codex, {meta, started, asked});
  EXPECT_EQ(state.activity, activity_state::active);
  EXPECT_THAT(state.heard, ElementsAre("Fix it"));
  state = state_of(transcript_kind::codex,
                   {meta, started, asked, tokens, complete});
  EXPECT_EQ(state.activity, activity_state::idle);
  EXPECT_EQ(state.last_words, "All done");
  EXPECT_EQ(state.input_tokens, 22u);
  EXPECT_EQ(state.output_tokens, 14u);
  EXPECT_THAT(state.failure, IsEmpty());
}

TEST(CodexTranscript, TellsWhyATurnFailed) {
  auto turn = [](const std::string& end) {
    return state_of(transcript_kind::codex, {meta, started, end});
  };
  EXPECT_EQ(turn(failed(401, "unexpected status 401")).failure, "auth");
  EXPECT_EQ(turn(failed(429, "too many requests")).failure, "rate_limited");
  EXPECT_EQ(turn(failed(429, "You've hit your usage limit.")).failure, "quota");
  EXPECT_EQ(turn(failed(503, "overloaded")).failure, "overloaded");
  EXPECT_EQ(turn(failed(429, "x")).activity, activity_state::idle);
  auto next = turn(failed(401, "no"));
  take_line(next, started);
  EXPECT_THAT(next.failure, IsEmpty());
}

TEST(CodexTranscript, WaitsWhileItAsksForLeave) {
  auto state = state_of(
    transcript_kind::codex,
    {started,
     R"({"type":"event_msg","payload":{"type":"exec_approval_request","reason":"to push"}})"});
  EXPECT_EQ(state.activity, activity_state::waiting_input);
  EXPECT_EQ(state.question, "asks for leave: to push");
  take_line(state,
            R"({"type":"event_msg","payload":{"type":"item_completed"}})");
  EXPECT_EQ(state.activity, activity_state::active);
}

TEST(ClaudeTranscript, IsBusyFromTheBeginOfATurnToItsEnd) {
  auto state = state_of(transcript_kind::claude_code, {typed});
  EXPECT_EQ(state.conversation, "7f79");
  EXPECT_EQ(state.activity, activity_state::active);
  EXPECT_THAT(state.heard, ElementsAre("Fix it"));
  state = state_of(transcript_kind::claude_code, {typed, used, answer});
  EXPECT_EQ(state.activity, activity_state::active);
  EXPECT_THAT(state.heard, ElementsAre("Fix it"));
  state
    = state_of(transcript_kind::claude_code, {typed, used, used, answer, said});
  EXPECT_EQ(state.activity, activity_state::idle);
  EXPECT_EQ(state.last_words, "All done");
  EXPECT_EQ(state.input_tokens, 123u) << "one answer in two lines counts once";
  EXPECT_EQ(state.output_tokens, 10u);
}

TEST(ClaudeTranscript, HearsWhatWasTypedWhileItWorked) {
  auto state = state_of(
    transcript_kind::claude_code,
    {typed,
     R"({"type":"attachment","attachment":{"type":"queued_command","prompt":"And this"}})"});
  EXPECT_THAT(state.heard, ElementsAre("Fix it", "And this"));
}

TEST(ClaudeTranscript, LeavesItsHelpersOut) {
  auto state = state_of(
    transcript_kind::claude_code,
    {typed, said,
     R"({"type":"user","isSidechain":true,"message":{"content":"Look"}})"});
  EXPECT_EQ(state.activity, activity_state::idle);
  EXPECT_THAT(state.heard, ElementsAre("Fix it"));
}

TEST(ClaudeTranscript, TellsErrorsAndInterrupts) {
  auto state = state_of(
    transcript_kind::claude_code,
    {typed,
     R"({"type":"assistant","isApiErrorMessage":true,"message":{"content":[{"type":"text","text":"Please run /login"}]}})"});
  EXPECT_EQ(state.failure, "auth");
  EXPECT_EQ(state.activity, activity_state::idle);
  state = state_of(
    transcript_kind::claude_code,
    {typed,
     R"({"type":"user","message":{"content":[{"type":"text","text":"[Request interrupted by user]"}]}})"});
  EXPECT_EQ(state.activity, activity_state::idle);
}

TEST(Transcripts, SayNothingInLinesThatAreBroken) {
  for (auto kind : {transcript_kind::codex, transcript_kind::claude_code})
    for (const auto* line :
         {"", "{", "[]", "null", "{\"type\":7}", "{\"type\":\"event_msg\"}",
          "{\"type\":\"user\",\"message\":[]}",
          "{\"type\":\"assistant\",\"message\":{\"content\":7}}", "\xff\xfe"}) {
      auto state = state_of(kind, {line});
      EXPECT_THAT(state.heard, IsEmpty()) << line;
    }
}

TEST(Transcripts, KnowATextWhateverSpacesWereChanged) {
  EXPECT_TRUE(is_same_text("a\nb", "a\r\n b\n"));
  EXPECT_FALSE(is_same_text("a", "a b"));
}
