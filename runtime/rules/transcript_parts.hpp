#pragma once

#include "messages/json.hpp"

#include <cstdint>
#include <string>

/// Foreign JSON, in which anything may be missing or of another type; for
/// those who read transcripts.
namespace ao::transcript_parts {

/// The member, or null.
inline const json& member(const json& in, const char* name) {
  static const json none;
  if (!in.is_object())
    return none;
  auto at = in.find(name);
  return at == in.end() ? none : *at;
}

inline std::string text_at(const json& in, const char* name) {
  const auto& x = member(in, name);
  return x.is_string() ? x.get<std::string>() : std::string{};
}

inline std::uint64_t number_at(const json& in, const char* name) {
  const auto& x = member(in, name);
  return x.is_number_unsigned() ? x.get<std::uint64_t>() : 0;
}

inline bool is_true(const json& in, const char* name) {
  const auto& x = member(in, name);
  return x.is_boolean() && x.get<bool>();
}

} // namespace ao::transcript_parts
