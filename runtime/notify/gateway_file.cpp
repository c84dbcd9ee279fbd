#include "runtime/notify/gateway_file.hpp"

#include <nlohmann/json.hpp>

namespace ao::notify {
namespace {

/// Keeps the order of its members.
using json = nlohmann::ordered_json;

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == text.npos;
}

void read_hooks(const json& hooks, gateway_file& out) {
  auto enabled = hooks.find("enabled");
  out.enabled
    = enabled != hooks.end() && enabled->is_boolean() && enabled->get<bool>();
  auto token = hooks.find("token");
  if (token != hooks.end() && token->is_string())
    out.token = token->get<std::string>();
  out.has_token = token != hooks.end() && !token->is_null()
    && !(token->is_string() && out.token.empty());
  auto path = hooks.find("path");
  if (path == hooks.end() || !path->is_string())
    return;
  auto text = path->get<std::string>();
  while (!text.empty() && text.back() == '/')
    text.pop_back();
  if (!text.empty())
    out.path = (text.front() == '/' ? "" : "/") + text;
}

} // namespace

gateway_file read_gateway_file(const std::string& text) {
  gateway_file out;
  if (is_blank(text))
    return out;
  auto all = json::parse(text, nullptr, false);
  out.how = gateway_file::form::strict;
  if (all.is_discarded()) {
    all = json::parse(text, nullptr, false, true);
    out.how = gateway_file::form::commented;
  }
  if (!all.is_object() || (all.contains("hooks") && !all["hooks"].is_object()))
    out.how = gateway_file::form::unknown;
  else if (all.contains("hooks"))
    read_hooks(all["hooks"], out);
  return out;
}

result<std::string> with_hooks(const std::string& text,
                               const std::optional<std::string>& token) {
  auto how = read_gateway_file(text).how;
  if (how == gateway_file::form::commented
      || how == gateway_file::form::unknown)
    return fail(ec::bad_input, "it is not plain JSON, so a person changes it");
  auto all = is_blank(text) ? json::object() : json::parse(text);
  all["hooks"]["enabled"] = true;
  if (token)
    all["hooks"]["token"] = *token;
  return all.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

} // namespace ao::notify
