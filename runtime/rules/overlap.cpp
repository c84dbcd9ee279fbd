#include "runtime/rules/overlap.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_set>

namespace ao {
namespace {

using range = line_ranges::range;

bool touch(const range& a, const range& b) {
  return a.from <= b.to && b.from <= a.to;
}

/// What of `mine` is touched by `theirs`.
double touched(const std::vector<range>& mine,
               const std::vector<range>& theirs) {
  double sum = 0;
  for (const auto& m : mine) {
    double best = 0;
    // In order by `from`, not by `to`; a branch has few hunks in a file.
    for (const auto& t : theirs) {
      if (t.from > m.to)
        break;
      if (touch(m, t))
        best = std::max(best, m.inserts && t.inserts ? 0.5 : 1.0);
    }
    sum += best;
  }
  return sum;
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return out;
}

} // namespace

line_ranges::line_ranges(const std::vector<hunk>& hunks) {
  for (const auto& h : hunks) {
    range r;
    r.inserts = h.count == 0;
    // Line n is 2n; behind it is 2n + 1.
    r.from = r.inserts ? 2 * h.first + 1 : 2 * h.first;
    r.to = r.inserts ? r.from : 2 * (h.first + h.count - 1);
    files_[h.path].push_back(r);
  }
  for (auto& [path, ranges] : files_)
    std::sort(ranges.begin(), ranges.end(), [](const range& a, const range& b) {
      return std::pair{a.from, a.to} < std::pair{b.from, b.to};
    });
}

line_overlap compare(const line_ranges& a, const line_ranges& b,
                     const std::function<bool(const std::string&)>& common) {
  std::size_t all_a = 0;
  std::size_t all_b = 0;
  double in_a = 0;
  double in_b = 0;
  std::size_t places = 0;
  std::vector<std::string> files;
  for (const auto& [path, ranges] : b.files())
    if (!common(path))
      all_b += ranges.size();
  for (const auto& [path, ranges] : a.files()) {
    if (common(path))
      continue;
    all_a += ranges.size();
    auto other = b.files().find(path);
    if (other == b.files().end())
      continue;
    auto of_a = touched(ranges, other->second);
    if (of_a == 0)
      continue;
    in_a += of_a;
    in_b += touched(other->second, ranges);
    files.push_back(path);
  }
  line_overlap out;
  if (files.empty())
    return out;
  auto a_is_smaller = all_a != all_b ? all_a < all_b : in_a <= in_b;
  auto most = a_is_smaller ? all_a : all_b;
  auto in = all_a == all_b ? std::max(in_a, in_b) : a_is_smaller ? in_a : in_b;
  for (const auto& path : files)
    for (const auto& m : (a_is_smaller ? a : b).files().at(path)) {
      const auto& theirs = (a_is_smaller ? b : a).files().at(path);
      places += std::any_of(theirs.begin(), theirs.end(),
                            [&](const range& t) { return touch(m, t); });
    }
  out.ratio = in / static_cast<double>(most);
  out.reason = "both change the same lines in " + std::to_string(places)
    + " of " + std::to_string(most) + (most == 1 ? " place" : " places")
    + ", in " + files.front();
  if (files.size() > 1)
    out.reason += " and " + std::to_string(files.size() - 1)
      + (files.size() == 2 ? " other file" : " other files");
  return out;
}

bool is_common_file(const std::string& path) {
  static const std::unordered_set<std::string> names{
    "package-lock.json", "npm-shrinkwrap.json",
    "yarn.lock",         "pnpm-lock.yaml",
    "bun.lockb",         "cargo.lock",
    "poetry.lock",       "uv.lock",
    "pipfile.lock",      "gemfile.lock",
    "composer.lock",     "go.sum",
    "go.work.sum",       "flake.lock",
    "mix.lock",          "podfile.lock",
    "pubspec.lock",      "packages.lock.json",
    "gradle.lockfile"};
  auto name = lower(path.substr(path.rfind('/') + 1));
  if (names.count(name) > 0)
    return true;
  auto stem = name.substr(0, name.find('.'));
  return stem == "changelog" || stem == "changes" || stem == "news"
    || stem == "history" || stem == "releases" || stem == "release_notes";
}

} // namespace ao
