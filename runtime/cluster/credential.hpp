#pragma once

#include "messages/error.hpp"
#include "messages/ids.hpp"
#include "messages/time.hpp"
#include "runtime/home/token.hpp"

#include <string>
#include <string_view>

namespace ao {

/// What a node's credential says: which node it is, and which certificate it
/// came with. CAF tells nobody whose certificate a connection has, so a node
/// shows this in its hello.
struct node_credential {
  node_name name;
  /// Of the certificate that was signed with it.
  std::string serial;
  /// Until when that counts: of two, the later one is the newer.
  wall_time until{};
};

/// `aon_<claims>.<HMAC-SHA256>`, in hexadecimal, signed by the hub's secret.
std::string mint_credential(const home_secret& secret,
                            const node_credential& claims);

/// Errors: `bad_token`, when this hub has not signed it.
result<node_credential> verify_credential(const home_secret& secret,
                                          std::string_view text);

/// SHA-256, 64 hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

/// Random hexadecimal digits, of which nobody can guess the next.
std::string random_hex(std::size_t digits);

} // namespace ao
