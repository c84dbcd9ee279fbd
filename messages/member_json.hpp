#pragma once

#include "messages/json.hpp"
#include "messages/row_members.hpp"

#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

/// Structs to JSON and back, by their lists of members (`row_members`); for
/// row_json and wire_json alone.
namespace ao::member_json {

using row_members::members;
using row_members::word_as;

// -- one value to JSON --------------------------------------------------------

template <class T>
json encode(const T& x);

struct writer {
  json& out;

  template <class T>
  void operator()(const char* name, const T& x) const {
    out[name] = encode(x);
  }
};

template <class T>
void write_members(json& out, const T& x) {
  out = json::object();
  members<T>::each(writer{out}, x);
}

template <class T>
struct codec {
  static json encode(const T& x) {
    if constexpr (std::is_enum_v<T>) {
      return std::string{to_string(x)};
    } else if constexpr (std::is_class_v<T>) {
      json out;
      write_members(out, x);
      return out;
    } else {
      return x;
    }
  }
};

template <>
struct codec<std::string> {
  static json encode(const std::string& x) { return x; }
};

template <class Tag>
struct codec<name_of<Tag>> {
  static json encode(const name_of<Tag>& x) { return x.text; }
};

template <>
struct codec<wall_time> {
  static json encode(wall_time x) { return format_time(x); }
};

template <class T>
struct codec<std::optional<T>> {
  static json encode(const std::optional<T>& x) {
    return x ? codec<T>::encode(*x) : json{};
  }
};

template <class T>
struct codec<std::vector<T>> {
  static json encode(const std::vector<T>& xs) {
    auto out = json::array();
    for (const auto& x : xs)
      out.push_back(codec<T>::encode(x));
    return out;
  }
};

template <class T>
json encode(const T& x) {
  return codec<T>::encode(x);
}

// -- one value from JSON ------------------------------------------------------

[[noreturn]] inline void wrong_type(const json& in, const char* wanted) {
  throw json::type_error::create(
    302, std::string{"expected "} + wanted + ", but it is " + in.type_name(),
    &in);
}

inline const std::string& text_in(const json& in) {
  if (!in.is_string())
    wrong_type(in, "a string");
  return in.get_ref<const std::string&>();
}

inline void decode(const json& in, std::string& x) {
  x = text_in(in);
}

template <class Tag>
void decode(const json& in, name_of<Tag>& x) {
  x.text = text_in(in);
}

inline void decode(const json& in, bool& x) {
  if (!in.is_boolean())
    wrong_type(in, "true or false");
  x = in.get<bool>();
}

inline void decode(const json& in, wall_time& x) {
  auto t = parse_time(text_in(in));
  if (!t)
    throw json::type_error::create(302, t.error().context, &in);
  x = *t;
}

/// nlohmann would quietly take 1.5, true or -1 for an unsigned number.
template <class T>
std::enable_if_t<std::is_integral_v<T>> decode(const json& in, T& x) {
  if (!in.is_number_integer())
    wrong_type(in, "a whole number");
  using limits = std::numeric_limits<T>;
  auto fits = [&] {
    if (in.is_number_unsigned())
      return in.get<std::uint64_t>() <= std::uint64_t{limits::max()};
    if constexpr (std::is_unsigned_v<T>)
      return in.get<std::int64_t>() >= 0;
    else
      return in.get<std::int64_t>() >= std::int64_t{limits::min()}
      && in.get<std::int64_t>() <= std::int64_t{limits::max()};
  };
  if (!fits())
    throw json::out_of_range::create(401, "the number is out of range", &in);
  x = in.get<T>();
}

template <class T>
std::enable_if_t<std::is_enum_v<T>> decode(const json& in, T& x) {
  auto value = word_as(text_in(in), x);
  if (!value)
    throw json::type_error::create(302, "\"" + text_in(in) + "\" is no state",
                                   &in);
  x = *value;
}

template <class T>
auto decode(const json& in, T& x) -> decltype(from_json(in, x)) {
  from_json(in, x);
}

template <class T>
void decode(const json& in, std::optional<T>& x) {
  x.reset();
  if (!in.is_null())
    decode(in, x.emplace());
}

template <class T>
void decode(const json& in, std::vector<T>& xs) {
  if (!in.is_array())
    wrong_type(in, "an array");
  xs.clear();
  xs.reserve(in.size());
  for (const auto& element : in)
    decode(element, xs.emplace_back());
}

struct reader {
  const json& in;

  template <class T>
  void operator()(const char* name, T& x) const {
    if (auto i = in.find(name); i != in.end())
      decode(*i, x);
  }
};

template <class T>
void read_members(const json& in, T& x) {
  if (!in.is_object())
    wrong_type(in, "an object");
  x = T{};
  members<T>::each(reader{in}, x);
}

} // namespace ao::member_json
