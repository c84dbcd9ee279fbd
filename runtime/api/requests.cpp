#include "runtime/api/requests.hpp"

#include "runtime/home/files.hpp"

namespace ao::api {
namespace {

constexpr std::size_t longest_request_id = 128;

auto bad_member(const std::string& name, const std::string& expected) {
  return fail(ec::bad_input, name + ": expected " + expected);
}

bool clean(const json& value) {
  if (value.is_string())
    return is_clean_utf8(value.get_ref<const std::string&>());
  if (value.is_object())
    for (const auto& [name, inner] : value.items())
      if (!is_clean_utf8(name) || !clean(inner))
        return false;
  if (value.is_array())
    for (const auto& inner : value)
      if (!clean(inner))
        return false;
  return true;
}

bool clean(const http::request& what) {
  for (const auto& segment : what.path)
    if (!is_clean_utf8(segment))
      return false;
  for (const auto& [name, value] : what.query)
    if (!is_clean_utf8(name) || !is_clean_utf8(value))
      return false;
  return true;
}

/// Null for absent and null members.
const json* member(const json& body, const std::string& name) {
  auto at = body.find(name);
  return at == body.end() || at->is_null() ? nullptr : &*at;
}

} // namespace

result<json> read_body(const http::request& what) {
  if (!clean(what))
    return fail(ec::bad_input, "the path or query is not valid UTF-8");
  if (what.body.empty())
    return json::object();
  auto body = parse_json(what.body, "body");
  if (!body)
    return body;
  if (!body->is_object())
    return fail(ec::bad_input, "body: expected a JSON object");
  if (!clean(*body))
    return fail(ec::bad_input, "body: a text contains a NUL or invalid UTF-8");
  return body;
}

result<std::string> text_of(const json& body, const std::string& name) {
  const auto* value = member(body, name);
  if (!value)
    return std::string{};
  if (!value->is_string())
    return bad_member(name, "a text");
  return value->get<std::string>();
}

result<bool> flag_of(const json& body, const std::string& name) {
  const auto* value = member(body, name);
  if (!value)
    return false;
  if (!value->is_boolean())
    return bad_member(name, "true or false");
  return value->get<bool>();
}

result<std::uint64_t> number_of(const json& body, const std::string& name,
                                std::uint64_t otherwise,
                                std::uint64_t largest) {
  const auto* value = member(body, name);
  if (!value)
    return otherwise;
  if (!value->is_number_unsigned() || value->get<std::uint64_t>() > largest)
    return bad_member(name,
                      "a whole number from 0 to " + std::to_string(largest));
  return value->get<std::uint64_t>();
}

result<std::vector<std::string>> list_of_texts(const json& body,
                                               const std::string& name) {
  std::vector<std::string> out;
  const auto* value = member(body, name);
  if (!value)
    return out;
  if (!value->is_array())
    return bad_member(name, "a list of texts");
  for (const auto& element : *value) {
    if (!element.is_string())
      return bad_member(name, "a list of texts");
    out.push_back(element.get<std::string>());
  }
  return out;
}

result<request_id> request_id_of(const http::request& what, const json& body) {
  auto id = text_of(body, "requestId");
  if (!id)
    return fail(id.error());
  if (id->empty())
    *id = std::string{what.request_id()};
  if (id->empty())
    *id = make_ulid();
  auto printable = id->size() <= longest_request_id;
  for (auto c : *id)
    printable = printable && c > ' ' && c < '\x7f';
  if (!printable)
    return bad_member("requestId", "1 to 128 printable ASCII characters");
  return request_id{std::move(*id)};
}

bool is_report_state(std::string_view state) {
  constexpr std::string_view known[]
    = {"started",     "working",          "waiting",
       "needs_input", "fixing_ci",        "addressing_reviews",
       "pr_created",  "draft_pr_created", "ready_for_review",
       "completed"};
  for (auto word : known)
    if (word == state)
      return true;
  return false;
}

} // namespace ao::api
