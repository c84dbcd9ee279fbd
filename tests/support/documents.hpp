#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ao {

/// A fenced block of a document.
struct fenced_block {
  /// `sh`, `yaml`, or nothing.
  std::string language;
  std::string text;
  /// Why no test runs it, from `<!-- not run: why -->` on the line before.
  std::string not_run;
};

/// README.md and docs/*.md, in the order of reading.
std::vector<std::filesystem::path> documents();

/// The blocks of a document; fails the test when one has no end.
std::vector<fenced_block> blocks_of(const std::filesystem::path& document);

} // namespace ao
