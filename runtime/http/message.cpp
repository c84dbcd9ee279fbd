#include "runtime/http/message.hpp"

namespace ao::http {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
    || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

bool has_nul(const std::string& text) {
  return text.find('\0') != std::string::npos;
}

/// Splits off everything up to `separator`, which is dropped.
std::string_view next_part(std::string_view& rest, char separator) {
  auto at = rest.find(separator);
  auto part = rest.substr(0, at);
  rest
    = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return part;
}

bool parse_path(std::string_view text, std::vector<std::string>& path) {
  while (!text.empty()) {
    auto raw = next_part(text, '/');
    if (raw.empty())
      continue;
    auto segment = percent_decode(raw);
    if (!segment || *segment == "." || *segment == ".." || has_nul(*segment))
      return false;
    path.emplace_back(std::move(*segment));
  }
  return true;
}

bool parse_query(std::string_view text,
                 std::map<std::string, std::string>& query) {
  while (!text.empty()) {
    auto pair = next_part(text, '&');
    if (pair.empty())
      continue;
    auto name = percent_decode(next_part(pair, '='));
    auto value = percent_decode(pair);
    if (!name || !value || has_nul(*name) || has_nul(*value))
      return false;
    query[std::move(*name)] = std::move(*value);
  }
  return true;
}

} // namespace

std::string_view request::header(std::string_view name) const {
  auto found = headers.find(std::string{name});
  return found == headers.end() ? std::string_view{} : found->second;
}

std::string_view request::bearer() const {
  constexpr std::string_view scheme = "Bearer ";
  auto value = header("authorization");
  return value.substr(0, scheme.size()) == scheme ? value.substr(scheme.size())
                                                  : std::string_view{};
}

std::string request::query_or(const std::string& name,
                              std::string otherwise) const {
  auto found = query.find(name);
  return found == query.end() ? otherwise : found->second;
}

bool request::wants_events() const {
  return header("accept").find("text/event-stream") != std::string_view::npos;
}

response json_response(int status, const nlohmann::json& body) {
  response out;
  out.status = status;
  // Foreign bytes may hide in a title; an answer is better than a throw.
  out.body
    = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return out;
}

std::string percent_encode(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size())
      return std::nullopt;
    auto high = hex_value(text[i + 1]);
    auto low = hex_value(text[i + 2]);
    if (high < 0 || low < 0)
      return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

bool parse_target(std::string_view target, request& out) {
  if (target.empty() || target[0] != '/'
      || target.find('\0') != std::string_view::npos)
    return false;
  auto rest = target;
  auto path = next_part(rest, '?');
  return parse_path(path, out.path) && parse_query(rest, out.query);
}

} // namespace ao::http
