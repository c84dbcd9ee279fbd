#include "runtime/rules/join_tokens.hpp"

#include <algorithm>
#include <cctype>

namespace ao {
namespace {

constexpr std::string_view prefix = "aoj_";
constexpr std::size_t longest_name = 40;
constexpr std::size_t longest_label = 100;

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits
    && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_alnum(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

} // namespace

std::string to_string(const join_token_parts& x) {
  return std::string{prefix} + x.id + "." + x.secret + "." + x.fingerprint;
}

result<join_token_parts> parse_join_token(std::string_view text) {
  auto wrong = [] {
    return fail(ec::bad_token,
                "this is no join token, expected aoj_… as ao node token "
                "prints it");
  };
  if (text.substr(0, prefix.size()) != prefix)
    return wrong();
  text.remove_prefix(prefix.size());
  auto first = text.find('.');
  auto second
    = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos)
    return wrong();
  join_token_parts out{std::string{text.substr(0, first)},
                       std::string{text.substr(first + 1, second - first - 1)},
                       std::string{text.substr(second + 1)}};
  if (!is_hex(out.id, join_id_digits) || !is_hex(out.secret, join_secret_digits)
      || !is_hex(out.fingerprint, fingerprint_digits))
    return wrong();
  return out;
}

bool is_node_name(std::string_view text) {
  auto allowed
    = [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; };
  return !text.empty() && text.size() <= longest_name && is_alnum(text.front())
    && std::all_of(text.begin(), text.end(), allowed) && text != "local"
    && text != "hub";
}

bool is_label(std::string_view text) {
  auto at = text.find('=');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size()
    && text.size() <= longest_label
    && std::all_of(text.begin(), text.end(), [](char c) {
           return std::isgraph(static_cast<unsigned char>(c)) != 0 && c != ',';
         });
}

result<void> judge_join(const join_attempt& x) {
  if (x.shown.fingerprint != x.fingerprint)
    return fail(ec::token_foreign,
                "the token was made for another cluster; ask its hub for one "
                "of this one (ao node token)");
  if (x.known == nullptr || x.known->hash != x.hash)
    return fail(ec::bad_token, "this hub has made no such token");
  if (x.known->used_at)
    return fail(
      ec::token_used,
      "the token has let " + x.known->used_by.text
        + " in; each token counts once (ao node token makes another)");
  if (x.now > x.known->expires_at)
    return fail(ec::token_expired,
                "the token counted until " + format_time(x.known->expires_at)
                  + "; ao node token makes another");
  return {};
}

} // namespace ao
