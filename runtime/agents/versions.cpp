#include "runtime/agents/versions.hpp"

#include <charconv>
#include <vector>

namespace ao {
namespace {

/// `2.1.330-beta` is 2, 1, 330.
std::vector<unsigned> numbers_of(std::string_view version) {
  std::vector<unsigned> out;
  const auto* at = version.data();
  const auto* end = at + version.size();
  while (at != end) {
    unsigned number = 0;
    auto [next, problem] = std::from_chars(at, end, number);
    if (problem != std::errc{})
      break;
    out.push_back(number);
    if (next == end || *next != '.')
      break;
    at = next + 1;
  }
  return out;
}

constexpr std::string_view between = " - ";

} // namespace

std::string version_warning(const agent_adapter& adapter,
                            std::string_view version) {
  auto name = std::string{adapter.name};
  if (adapter.tested.empty())
    return name + " is untested: ao was never run with it";
  auto range = "what ao was tested with (" + std::string{adapter.tested} + ")";
  auto told = numbers_of(version);
  if (told.empty())
    return name + " tells no version: it may be outside of " + range;
  auto cut = adapter.tested.find(between);
  auto first = numbers_of(adapter.tested.substr(0, cut));
  auto last = cut == std::string_view::npos
    ? first
    : numbers_of(adapter.tested.substr(cut + between.size()));
  if (told >= first && told <= last)
    return {};
  return name + " " + std::string{version} + " is outside of " + range;
}

} // namespace ao
