#include "messages/row_text.hpp"

#include "messages/json.hpp"
#include "messages/row_members.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <type_traits>
#include <utility>

namespace ao {
namespace {

using row_members::members;
using row_members::word_as;

// -- one value to text --------------------------------------------------------

/// Which bytes stand for themselves in a string.
constexpr auto plain_bytes = [] {
  std::array<bool, 256> out{};
  for (std::size_t c = 0x20; c < 0x7f; ++c)
    out[c] = c != '"' && c != '\\';
  return out;
}();

bool is_plain(char c) {
  return plain_bytes[static_cast<unsigned char>(c)];
}

/// Writes rows as text without a tree in between: the store's hot path.
struct text_writer {
  std::string& out;

  template <class T>
  void operator()(std::string_view name, const T& x) {
    out += out.back() == '{' ? "\"" : ",\"";
    out += name;
    out += "\":";
    put(x);
  }

  void put(const std::string& x) {
    if (!std::all_of(x.begin(), x.end(), is_plain)) {
      out += dump(json(x));
      return;
    }
    out += '"';
    out += x;
    out += '"';
  }

  void put(bool x) { out += x ? "true" : "false"; }

  void put(wall_time x) { put(format_time(x)); }

  template <class Tag>
  void put(const name_of<Tag>& x) {
    put(x.text);
  }

  template <class T>
  void put(const std::optional<T>& x) {
    if (x)
      put(*x);
    else
      out += "null";
  }

  template <class T>
  void put(const std::vector<T>& xs) {
    out += '[';
    for (const auto& x : xs) {
      if (&x != xs.data())
        out += ',';
      put(x);
    }
    out += ']';
  }

  template <class T>
  void put(const T& x) {
    if constexpr (std::is_enum_v<T>) {
      out += '"';
      out += to_string(x);
      out += '"';
    } else if constexpr (std::is_integral_v<T>) {
      out += std::to_string(x);
    } else {
      out += '{';
      members<T>::each(*this, x);
      out += '}';
    }
  }
};

template <class T>
std::string text_of(const T& x) {
  std::string out;
  out.reserve(1024);
  text_writer{out}.put(x);
  return out;
}

// -- one value from text ------------------------------------------------------

/// Reads what `text_writer` has written: the same members in the same order.
/// Says no to anything else.
class text_reader {
public:
  explicit text_reader(std::string_view text)
      : at_(text.data()), end_(text.data() + text.size()) {}

  bool at_end() const { return at_ == end_; }

  /// The next member of an object.
  template <std::size_t N, class T>
  void operator()(const char (&name)[N], T& x) {
    good_ = good_ && (std::exchange(first_, false) || take(",")) && take("\"")
      && take(name) && take("\":") && get(x);
  }

  template <class T>
  bool get(T& x) {
    if constexpr (std::is_enum_v<T>) {
      std::string_view word;
      if (!get_plain(word))
        return false;
      auto value = word_as(word, x);
      if (value)
        x = *value;
      return value.has_value();
    } else if constexpr (std::is_integral_v<T>) {
      return get_number(x);
    } else {
      return get_object(x);
    }
  }

  bool get(std::string& x) {
    std::string_view plain;
    if (get_plain(plain)) {
      x = plain;
      return true;
    }
    return get_escaped(x);
  }

  bool get(bool& x) {
    x = take("true");
    return x || take("false");
  }

  bool get(wall_time& x) {
    std::string_view word;
    if (!get_plain(word))
      return false;
    auto t = parse_time(word);
    if (t)
      x = *t;
    return t.has_value();
  }

  template <class Tag>
  bool get(name_of<Tag>& x) {
    return get(x.text);
  }

  template <class T>
  bool get(std::optional<T>& x) {
    x.reset();
    return take("null") || get(x.emplace());
  }

  template <class T>
  bool get(std::vector<T>& xs) {
    xs.clear();
    if (!take("["))
      return false;
    if (take("]"))
      return true;
    do
      if (!get(xs.emplace_back()))
        return false;
    while (take(","));
    return take("]");
  }

private:
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  // Literals, so that a comparison is a few instructions and no call.
  template <std::size_t N>
  bool take(const char (&word)[N]) {
    constexpr auto size = N - 1;
    if (left() < size || std::memcmp(at_, word, size) != 0)
      return false;
    at_ += size;
    return true;
  }

  /// A string without escapes and foreign letters. Takes nothing of any other.
  bool get_plain(std::string_view& x) {
    if (at_ == end_ || *at_ != '"')
      return false;
    const auto* last = at_ + 1;
    while (last != end_ && is_plain(*last))
      ++last;
    if (last == end_ || *last != '"')
      return false;
    x = {at_ + 1, static_cast<std::size_t>(last - at_ - 1)};
    at_ = last + 1;
    return true;
  }

  bool get_escaped(std::string& x) {
    if (at_ == end_ || *at_ != '"')
      return false;
    const auto* last = at_ + 1;
    while (last != end_ && *last != '"')
      last += *last == '\\' && end_ - last > 1 ? 2 : 1;
    if (last == end_)
      return false;
    auto value = json::parse(at_, last + 1, nullptr, false);
    if (!value.is_string())
      return false;
    x = std::move(value.get_ref<std::string&>());
    at_ = last + 1;
    return true;
  }

  template <class T>
  bool get_number(T& x) {
    auto [last, problem] = std::from_chars(at_, end_, x);
    if (problem != std::errc{} || (last - at_ > 1 && *at_ == '0'))
      return false;
    at_ = last;
    return true;
  }

  template <class T>
  bool get_object(T& x) {
    if (!take("{"))
      return false;
    auto outer = std::exchange(first_, true);
    members<T>::each(*this, x);
    first_ = outer;
    return good_ && take("}");
  }

  const char* at_;
  const char* end_;
  /// No member of the present object has been read.
  bool first_ = true;
  bool good_ = true;
};

template <class T>
bool whole_text(std::string_view text, T& x) {
  text_reader in{text};
  return in.get(x) && in.at_end();
}

} // namespace

#define AO_DUMP(type)                                                          \
  std::string dump(const type& x) {                                            \
    return text_of(x);                                                         \
  }                                                                            \
  bool read_text(std::string_view text, type& x) {                             \
    return whole_text(text, x);                                                \
  }

AO_DUMP(task)
AO_DUMP(claim)
AO_DUMP(counter)
AO_DUMP(session)
AO_DUMP(change)
AO_DUMP(ci_run)
AO_DUMP(change_review)
AO_DUMP(message)
AO_DUMP(incident)
AO_DUMP(notification)
AO_DUMP(breaker)
AO_DUMP(cluster_node)
AO_DUMP(join_token)

#undef AO_DUMP

} // namespace ao
