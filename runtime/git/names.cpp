#include "runtime/git/names.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace ao {
namespace {

/// Longest ref component that we make: it is a file name, and git's lock on it
/// one with five letters more.
constexpr std::size_t longest_name = 200;

bool forbidden_in_ref(unsigned char c) {
  return c <= 0x20 || c == 0x7f
    || std::string_view{"~^:?*[\\"}.find(static_cast<char>(c))
    != std::string_view::npos;
}

bool valid_component(std::string_view part) {
  constexpr std::string_view lock = ".lock";
  if (part.empty() || part.front() == '.')
    return false;
  return part.size() < lock.size()
    || part.substr(part.size() - lock.size()) != lock;
}

/// Calls `f` with each component of a slash-separated text; stops at false.
template <class F>
bool all_components(std::string_view text, F f) {
  for (;;) {
    auto slash = text.find('/');
    if (!f(text.substr(0, slash)))
      return false;
    if (slash == std::string_view::npos)
      return true;
    text.remove_prefix(slash + 1);
  }
}

bool well_formed(std::string_view name) {
  if (name.empty() || name.back() == '.')
    return false;
  if (std::any_of(name.begin(), name.end(), [](char c) {
        return forbidden_in_ref(static_cast<unsigned char>(c));
      }))
    return false;
  if (name.find("..") != std::string_view::npos
      || name.find("@{") != std::string_view::npos)
    return false;
  return all_components(name, valid_component);
}

/// Length of the UTF-8 sequence at the front of `text`, 0 when it is none;
/// the character goes to `out`.
std::size_t decode(std::string_view text, std::uint32_t& out) {
  auto byte
    = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  auto lead = byte(0);
  if (lead < 0x80) {
    out = lead;
    return 1;
  }
  std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size)
    return 0;
  out = lead & (0xffu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80)
      return 0;
    out = out << 6 | (byte(i) & 0x3fu);
  }
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (out < least[size] || out > 0x10ffff || (out >= 0xd800 && out < 0xe000))
    return 0;
  return size;
}

/// Characters that end a line, move the cursor or reorder what follows them.
bool unprintable(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029
    || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e)
    || (c >= 0x2066 && c <= 0x2069);
}

} // namespace

bool valid_branch(std::string_view name) {
  return well_formed(name) && name.size() <= longest_name && name != "HEAD"
    && name != "@" && name.front() != '-';
}

bool valid_ref(std::string_view name) {
  constexpr std::string_view prefix = "refs/";
  return name.substr(0, prefix.size()) == prefix && well_formed(name)
    && all_components(name, [](std::string_view part) {
           return part.size() <= longest_name;
         });
}

bool valid_oid(std::string_view text) {
  return (text.size() == 40 || text.size() == 64)
    && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool valid_inner_path(std::string_view path) {
  if (path.find('\0') != std::string_view::npos)
    return false;
  return all_components(path, [](std::string_view part) {
    return !part.empty() && part != "." && part != ".." && part != ".git";
  });
}

std::string branch_ref(std::string_view branch) {
  return "refs/heads/" + std::string{branch};
}

const std::string& zero_oid() {
  static const std::string zeros(40, '0');
  return zeros;
}

bool valid_utf8(std::string_view text) {
  std::uint32_t c = 0;
  while (!text.empty()) {
    auto size = decode(text, c);
    if (size == 0)
      return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string one_line(std::string_view text, std::size_t limit) {
  constexpr std::string_view ellipsis = "\xe2\x80\xa6";
  std::string line;
  // Where the last whole character ends that leaves room for an ellipsis.
  std::size_t cut = 0;
  bool space = false;
  while (!text.empty()) {
    std::uint32_t c = 0;
    auto size = decode(text, c);
    auto piece = size == 0 ? std::string_view{"?"} : text.substr(0, size);
    text.remove_prefix(std::max<std::size_t>(size, 1));
    if (size != 0 && (c == ' ' || unprintable(c))) {
      space = !line.empty();
      continue;
    }
    if (std::exchange(space, false))
      line += ' ';
    line += piece;
    if (line.size() > limit) {
      line.resize(cut);
      return line.append(ellipsis);
    }
    if (line.size() + ellipsis.size() <= limit)
      cut = line.size();
  }
  return line;
}

} // namespace ao
