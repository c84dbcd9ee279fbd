#include "runtime/rules/transcript.hpp"
#include "runtime/rules/transcript_parts.hpp"

namespace ao {
namespace {

using namespace transcript_parts;

/// `{"…": {"http_status_code": 401}}`; 0 = none.
int status_in(const json& info) {
  if (!info.is_object())
    return 0;
  for (const auto& [name, value] : info.items())
    if (auto status = number_at(value, "http_status_code"); status != 0)
      return static_cast<int>(status);
  return 0;
}

void end_turn(transcript_state& state, const json& payload) {
  state.activity = activity_state::idle;
  state.question.clear();
  if (auto words = text_at(payload, "last_agent_message"); !words.empty())
    state.last_words = std::move(words);
  const auto& why = member(payload, "error");
  if (!why.is_object())
    return;
  state.problem = text_at(why, "message");
  state.failure
    = failure_of(status_in(member(why, "codex_error_info")), state.problem);
}

void begin_turn(transcript_state& state) {
  state.activity = activity_state::active;
  state.question.clear();
  state.failure.clear();
  state.problem.clear();
}

void take_item(transcript_state& state, const json& item) {
  auto type = text_at(item, "type");
  const auto& content = member(item, "content");
  if (!content.is_array())
    return;
  std::string words;
  for (const auto& part : content)
    words += text_at(part, "text");
  if (type == "UserMessage")
    state.heard.push_back(std::move(words));
  else if (type == "AgentMessage" && !words.empty())
    state.last_words = std::move(words);
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size()
    && text.substr(text.size() - end.size()) == end;
}

void take_event(transcript_state& state, const json& payload) {
  auto type = text_at(payload, "type");
  // It goes on, so it was answered.
  if (state.activity == activity_state::waiting_input) {
    state.activity = activity_state::active;
    state.question.clear();
  }
  if (type == "task_started") {
    begin_turn(state);
  } else if (type == "task_complete" || type == "turn_aborted") {
    end_turn(state, payload);
  } else if (type == "item_completed") {
    take_item(state, member(payload, "item"));
  } else if (type == "user_message") {
    // Versions before items.
    state.heard.push_back(text_at(payload, "message"));
  } else if (type == "token_count") {
    const auto& total = member(member(payload, "info"), "total_token_usage");
    if (total.is_object()) {
      state.input_tokens = number_at(total, "input_tokens");
      state.output_tokens = number_at(total, "output_tokens");
    }
  } else if (ends_with(type, "_approval_request")
             || type == "request_user_input") {
    state.activity = activity_state::waiting_input;
    state.question = "asks for leave: " + text_at(payload, "reason");
  }
}

} // namespace

void take_codex_line(transcript_state& state, std::string_view line) {
  auto parsed = json::parse(line, nullptr, false);
  auto type = text_at(parsed, "type");
  const auto& payload = member(parsed, "payload");
  if (type == "session_meta") {
    // A fork begins with those of its origin.
    if (state.conversation.empty())
      state.conversation = text_at(payload, "id");
  } else if (type == "event_msg") {
    take_event(state, payload);
  }
}

} // namespace ao
