#include "runtime/rules/transcript.hpp"
#include "runtime/rules/transcript_parts.hpp"

namespace ao {
namespace {

using namespace transcript_parts;

/// The words of a message: a string, or its parts of type text.
std::string words_of(const json& content) {
  if (content.is_string())
    return content.get<std::string>();
  std::string out;
  if (content.is_array())
    for (const auto& part : content)
      if (text_at(part, "type") == "text")
        out += text_at(part, "text");
  return out;
}

bool has_part(const json& content, const char* type) {
  if (content.is_array())
    for (const auto& part : content)
      if (text_at(part, "type") == type)
        return true;
  return false;
}

/// Which tool asks a person.
std::string question_in(const json& content) {
  if (content.is_array())
    for (const auto& part : content)
      if (text_at(part, "type") == "tool_use"
          && text_at(part, "name") == "AskUserQuestion")
        return "asks: " + dump(member(part, "input"));
  return {};
}

void take_user(transcript_state& state, const json& line) {
  const auto& content = member(member(line, "message"), "content");
  auto words = words_of(content);
  state.question.clear();
  if (words.rfind("[Request interrupted", 0) == 0) {
    state.activity = activity_state::idle;
    return;
  }
  state.activity = activity_state::active;
  if (has_part(content, "tool_result") || is_true(line, "isMeta"))
    return;
  state.failure.clear();
  state.problem.clear();
  if (!words.empty())
    state.heard.push_back(std::move(words));
}

void take_assistant(transcript_state& state, const json& line) {
  const auto& message = member(line, "message");
  auto words = words_of(member(message, "content"));
  if (is_true(line, "isApiErrorMessage")) {
    state.activity = activity_state::idle;
    state.problem = std::move(words);
    const auto& status = member(line, "apiErrorStatus");
    state.failure = failure_of(
      status.is_number_integer() ? status.get<int>() : 0, state.problem);
    return;
  }
  if (!words.empty())
    state.last_words = std::move(words);
  state.question = question_in(member(message, "content"));
  auto stop = text_at(message, "stop_reason");
  state.activity = !state.question.empty() ? activity_state::waiting_input
    : stop == "end_turn" || stop == "stop_sequence" || stop == "max_tokens"
      || stop == "refusal"
    ? activity_state::idle
    : activity_state::active;
  // An answer of several parts comes as several lines of one id, with the use
  // of all of it in each.
  auto id = text_at(message, "id");
  if (!id.empty() && id == state.counted)
    return;
  state.counted = std::move(id);
  const auto& usage = member(message, "usage");
  state.input_tokens += number_at(usage, "input_tokens")
    + number_at(usage, "cache_creation_input_tokens")
    + number_at(usage, "cache_read_input_tokens");
  state.output_tokens += number_at(usage, "output_tokens");
}

void take_system(transcript_state& state, const json& line) {
  auto subtype = text_at(line, "subtype");
  if (subtype == "turn_duration")
    state.activity = activity_state::idle;
}

/// What is typed while the agent works is kept, and given to it at the next
/// step as an attachment.
void take_attachment(transcript_state& state, const json& attachment) {
  if (text_at(attachment, "type") == "queued_command")
    state.heard.push_back(words_of(member(attachment, "prompt")));
}

} // namespace

void take_claude_line(transcript_state& state, std::string_view line) {
  auto parsed = json::parse(line, nullptr, false);
  if (auto id = text_at(parsed, "sessionId"); !id.empty())
    state.conversation = std::move(id);
  // Of the agent's own helpers.
  if (is_true(parsed, "isSidechain"))
    return;
  auto type = text_at(parsed, "type");
  if (type == "user")
    take_user(state, parsed);
  else if (type == "assistant")
    take_assistant(state, parsed);
  else if (type == "system")
    take_system(state, parsed);
  else if (type == "attachment")
    take_attachment(state, member(parsed, "attachment"));
}

} // namespace ao
