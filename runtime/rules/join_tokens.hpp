#pragma once

#include "messages/error.hpp"
#include "messages/node.hpp"

#include <string>
#include <string_view>

namespace ao {

/// What a join token consists of: `aoj_<id>.<secret>.<fingerprint>`, in
/// hexadecimal. The secret has 128 bits; the fingerprint is that of the
/// cluster's authority, so that the node knows whom it may talk to before it
/// says anything.
struct join_token_parts {
  std::string id;
  std::string secret;
  std::string fingerprint;
};

constexpr std::size_t join_id_digits = 16;
constexpr std::size_t join_secret_digits = 32;
constexpr std::size_t fingerprint_digits = 64;

std::string to_string(const join_token_parts& x);

/// Errors: `bad_token`, when it is not of that form.
result<join_token_parts> parse_join_token(std::string_view text);

/// Whether `text` may be the name of a node: a letter or digit, then also `.`,
/// `_` and `-`, at most 40; never `local` or `hub`.
bool is_node_name(std::string_view text);

/// Whether `text` may be a label: `key=value` without blanks and commas.
bool is_label(std::string_view text);

/// What is known when a token is shown.
struct join_attempt {
  join_token_parts shown;
  /// The hash of the secret that is shown.
  std::string hash;
  /// Of our own authority.
  std::string fingerprint;
  wall_time now{};
  /// The row of the shown id; null when there is none.
  const join_token* known = nullptr;
};

/// Whether the token lets its bearer in. Errors: `token_foreign` (it was made
/// for another authority), `bad_token` (nobody has made it), `token_used`,
/// `token_expired`. Of a token whose secret is wrong nothing is said.
result<void> judge_join(const join_attempt& x);

} // namespace ao
