#include "runtime/rules/base64url.hpp"

#include <array>
#include <cstdint>

namespace ao {
namespace {

constexpr std::string_view alphabet
  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t foreign = 64;

/// The value of each character.
constexpr std::array<std::uint8_t, 256> values_of_characters() {
  std::array<std::uint8_t, 256> out{};
  for (auto& value : out)
    value = foreign;
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    out[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return out;
}

constexpr auto values = values_of_characters();

} // namespace

std::string to_base64url(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  int count = 0;
  for (char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6)
      out += alphabet[bits >> (count - 6) & 63];
  }
  if (count > 0)
    out += alphabet[bits << (6 - count) & 63];
  return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    auto value = values[static_cast<unsigned char>(c)];
    if (value == foreign)
      return std::nullopt;
    bits = bits << 6 | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 255);
    }
  }
  if (count >= 6 || (bits & ((1u << count) - 1)) != 0)
    return std::nullopt;
  return out;
}

} // namespace ao
