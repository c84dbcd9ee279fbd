#include "tests/support/fake_model.hpp"

#include "messages/json.hpp"

#include <algorithm>
#include <sstream>

namespace ao {
namespace {

/// What a request says, whichever API it is of.
struct conversation_seen {
  /// The user's messages without what the program adds by itself.
  std::vector<std::string> asked;
  /// The last entry is the result of a command.
  bool has_result = false;
  /// The tool that runs a command; empty when none is offered.
  std::string tool;
};

std::string text_of(const json& content, const std::string& type) {
  if (content.is_string())
    return content.get<std::string>();
  std::string out;
  if (content.is_array())
    for (const auto& part : content)
      if (part.value("type", "") == type)
        out += part.value("text", "");
  return out;
}

/// Programs put words of their own into messages of the user: `<environment>`.
bool is_of_program(const std::string& text) {
  return text.empty() || text.front() == '<';
}

conversation_seen read_responses(const json& body) {
  conversation_seen out;
  for (const auto& item : body.value("input", json::array())) {
    out.has_result = item.value("type", "") == "function_call_output";
    if (item.value("role", "") != "user")
      continue;
    auto text = text_of(item.value("content", json{}), "input_text");
    if (!is_of_program(text))
      out.asked.push_back(std::move(text));
  }
  for (const auto& tool : body.value("tools", json::array()))
    for (const auto* name : {"exec_command", "shell_command"})
      if (tool.value("name", "") == name && out.tool.empty())
        out.tool = name;
  return out;
}

conversation_seen read_messages(const json& body) {
  conversation_seen out;
  for (const auto& message : body.value("messages", json::array())) {
    out.has_result = false;
    if (message.value("role", "") != "user")
      continue;
    const auto content = message.value("content", json{});
    if (content.is_string() && !is_of_program(content.get<std::string>()))
      out.asked.push_back(content.get<std::string>());
    if (!content.is_array())
      continue;
    for (const auto& part : content) {
      out.has_result |= part.value("type", "") == "tool_result";
      auto text = part.value("text", "");
      if (part.value("type", "") != "text" || is_of_program(text))
        continue;
      out.asked.push_back(std::move(text));
      // What is said after the result of an interrupted command.
      out.has_result = false;
    }
  }
  for (const auto& tool : body.value("tools", json::array()))
    if (tool.value("name", "") == "Bash")
      out.tool = "Bash";
  return out;
}

/// A command that the model has run.
struct wanted_command {
  std::string line;
  /// Outside of what the agent may do unasked.
  bool asks = false;

  bool empty() const { return line.empty(); }
};

/// The command that the text wants; empty when it wants none.
wanted_command command_in(const std::string& text) {
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("RUN: ", 0) == 0)
      return {line.substr(5)};
    if (line.rfind("ASK: ", 0) == 0)
      return {line.substr(5), true};
    if (line.rfind("WAIT: ", 0) == 0)
      return {"touch " + line.substr(6) + ".begun; while [ ! -e "
              + line.substr(6) + " ]; do sleep 0.05; done"};
  }
  return {};
}

std::string event(const json& data) {
  return "event: " + data["type"].get<std::string>() + "\ndata: " + data.dump()
    + "\n\n";
}

std::string responses_stream(int n, const std::string& tool,
                             const wanted_command& command,
                             const std::string& words) {
  auto id = std::to_string(n);
  json item;
  if (command.empty()) {
    item = {{"type", "message"},
            {"role", "assistant"},
            {"id", "msg_" + id},
            {"content", {{{"type", "output_text"}, {"text", words}}}}};
  } else {
    auto key = tool == "exec_command" ? "cmd" : "command";
    json arguments{{key, command.line}};
    if (command.asks) {
      arguments["sandbox_permissions"] = "require_escalated";
      arguments["justification"] = "It writes a file";
    }
    if (tool == "exec_command")
      arguments["yield_time_ms"] = 60'000;
    item = {{"type", "function_call"},
            {"id", "fc_" + id},
            {"call_id", "call_" + id},
            {"name", tool},
            {"arguments", arguments.dump()}};
  }
  return event(
           {{"type", "response.created"}, {"response", {{"id", "resp_" + id}}}})
    + event({{"type", "response.output_item.done"}, {"item", item}})
    + event({{"type", "response.completed"},
             {"response",
              {{"id", "resp_" + id},
               {"usage",
                {{"input_tokens", 11},
                 {"input_tokens_details", nullptr},
                 {"output_tokens", 7},
                 {"output_tokens_details", nullptr},
                 {"total_tokens", 18}}}}}});
}

std::string messages_stream(int n, const std::string& tool,
                            const wanted_command& command,
                            const std::string& words, const json& model) {
  auto id = std::to_string(n);
  json block{{"type", "text"}, {"text", ""}};
  json delta{{"type", "text_delta"}, {"text", words}};
  if (!command.empty()) {
    block = {{"type", "tool_use"},
             {"id", "toolu_" + id},
             {"name", tool},
             {"input", json::object()}};
    delta = {{"type", "input_json_delta"},
             {"partial_json",
              json{{"command", command.line}, {"description", "Work"}}.dump()}};
  }
  return event({{"type", "message_start"},
                {"message",
                 {{"id", "msg_" + id},
                  {"type", "message"},
                  {"role", "assistant"},
                  {"model", model},
                  {"content", json::array()},
                  {"stop_reason", nullptr},
                  {"stop_sequence", nullptr},
                  {"usage", {{"input_tokens", 11}, {"output_tokens", 1}}}}}})
    + event({{"type", "content_block_start"},
             {"index", 0},
             {"content_block", block}})
    + event({{"type", "content_block_delta"}, {"index", 0}, {"delta", delta}})
    + event({{"type", "content_block_stop"}, {"index", 0}})
    + event({{"type", "message_delta"},
             {"delta",
              {{"stop_reason", command.empty() ? "end_turn" : "tool_use"},
               {"stop_sequence", nullptr}}},
             {"usage", {{"output_tokens", 7}}}})
    + event({{"type", "message_stop"}});
}

loopback_reply plain(const std::string& body) {
  loopback_reply out;
  out.headers = {{"Content-Type", "application/json"}};
  out.body = body;
  return out;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size()
    && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

} // namespace

fake_model::fake_model()
    : server_([this](const loopback_request& r) { return answer(r); }) {}

void fake_model::refuse_keys(bool refuse) {
  std::lock_guard<std::mutex> guard{mutex_};
  refuses_ = refuse;
}

std::vector<std::string> fake_model::asked() const {
  std::lock_guard<std::mutex> guard{mutex_};
  return asked_;
}

std::size_t fake_model::longest_conversation() const {
  std::lock_guard<std::mutex> guard{mutex_};
  return longest_;
}

loopback_reply fake_model::answer(const loopback_request& request) {
  auto path = request.target.substr(0, request.target.find('?'));
  auto openai = ends_with(path, "/responses");
  if (request.method != "POST" || (!openai && !ends_with(path, "/messages")))
    return plain(R"({"data":[],"models":[]})");
  auto body = json::parse(request.body, nullptr, false);
  if (!body.is_object())
    return plain("{}");
  auto seen = openai ? read_responses(body) : read_messages(body);
  std::lock_guard<std::mutex> guard{mutex_};
  if (refuses_) {
    auto refused = plain(R"({"error":{"message":"Incorrect API key"}})");
    refused.status = 401;
    return refused;
  }
  auto n = ++count_;
  wanted_command command;
  std::string words = "Heard.";
  // Without tools it is asked for a title.
  if (!seen.tool.empty() && !seen.asked.empty()) {
    longest_ = std::max(longest_, seen.asked.size());
    const auto& last = seen.asked.back();
    if (seen.has_result)
      words = "Done.";
    else
      command = command_in(last);
    if (!seen.has_result || asked_.empty() || asked_.back() != last)
      asked_.push_back(last);
  }
  loopback_reply out;
  out.headers = {{"Content-Type", "text/event-stream"}};
  out.body = openai ? responses_stream(n, seen.tool, command, words)
                    : messages_stream(n, seen.tool, command, words,
                                      body.value("model", json{}));
  return out;
}

} // namespace ao
