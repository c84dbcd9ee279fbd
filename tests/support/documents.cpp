#include "tests/support/documents.hpp"

#include "tests/support/places.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

namespace ao {
namespace {

namespace fs = std::filesystem;

/// The text of `<!-- not run: text -->`, else nothing.
std::string reason_in(const std::string& line) {
  const std::string begin = "<!-- not run: ";
  const std::string end = " -->";
  if (line.size() < begin.size() + end.size()
      || line.compare(0, begin.size(), begin) != 0)
    return {};
  return line.substr(begin.size(), line.size() - begin.size() - end.size());
}

} // namespace

std::vector<fs::path> documents() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator{source_file("docs")})
    out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  out.insert(out.begin(), source_file("README.md"));
  return out;
}

std::vector<fenced_block> blocks_of(const fs::path& document) {
  std::vector<fenced_block> out;
  bool inside = false;
  std::string before;
  std::ifstream in{document};
  for (std::string line; std::getline(in, line); before = line) {
    if (line.compare(0, 3, "```") == 0) {
      inside = !inside;
      if (inside)
        out.push_back({line.substr(3), "", reason_in(before)});
    } else if (inside) {
      out.back().text += line + "\n";
    }
  }
  EXPECT_FALSE(inside) << document;
  return out;
}

} // namespace ao
