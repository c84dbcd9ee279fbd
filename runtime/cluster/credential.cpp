#include "runtime/cluster/credential.hpp"

#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <stdexcept>
#include <vector>

namespace ao {
namespace {

constexpr std::string_view prefix = "aon_";
constexpr std::size_t longest = 2048;
constexpr std::string_view digits = "0123456789abcdef";

std::string to_hex(std::string_view bytes) {
  std::string out;
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

bool from_hex(std::string_view text, std::string& out) {
  if (text.size() % 2 != 0)
    return false;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    auto high = digits.find(text[i]);
    auto low = digits.find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos)
      return false;
    out += static_cast<char>(high << 4 | low);
  }
  return true;
}

/// Of another purpose than the tokens of sessions, which the same secret signs.
std::string sign(const home_secret& secret, std::string_view text) {
  auto signed_text = "node credential\n" + std::string{text};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.bytes.data(), static_cast<int>(secret.bytes.size()),
       reinterpret_cast<const unsigned char*>(signed_text.data()),
       signed_text.size(), digest.data(), &size);
  return to_hex(
    std::string_view{reinterpret_cast<const char*>(digest.data()), size});
}

} // namespace

std::string mint_credential(const home_secret& secret,
                            const node_credential& claims) {
  auto payload
    = to_hex(nlohmann::json{{"name", claims.name.text},
                            {"serial", claims.serial},
                            {"until", claims.until.time_since_epoch().count()}}
               .dump());
  return std::string{prefix} + payload + "." + sign(secret, payload);
}

result<node_credential> verify_credential(const home_secret& secret,
                                          std::string_view text) {
  auto refused = [] {
    return fail(ec::bad_token, "the node's credential is not of this hub");
  };
  if (text.size() > longest || text.substr(0, prefix.size()) != prefix)
    return refused();
  text.remove_prefix(prefix.size());
  auto dot = text.find('.');
  if (dot == std::string_view::npos)
    return refused();
  std::string claims;
  if (!equal_in_constant_time(text.substr(dot + 1),
                              sign(secret, text.substr(0, dot)))
      || !from_hex(text.substr(0, dot), claims))
    return refused();
  try {
    auto document = nlohmann::json::parse(claims);
    return node_credential{
      node_name{document.at("name").get<std::string>()},
      document.at("serial").get<std::string>(),
      wall_time{milliseconds{document.value("until", std::int64_t{0})}}};
  } catch (const nlohmann::json::exception&) {
    return refused();
  }
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(),
             nullptr);
  return to_hex(
    std::string_view{reinterpret_cast<const char*>(digest.data()), size});
}

std::string random_hex(std::size_t count) {
  std::vector<unsigned char> bytes((count + 1) / 2);
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw std::runtime_error("no random bytes");
  return to_hex(std::string_view{reinterpret_cast<const char*>(bytes.data()),
                                 bytes.size()})
    .substr(0, count);
}

} // namespace ao
