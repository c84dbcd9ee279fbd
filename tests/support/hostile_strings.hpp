#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace ao {

/// A text that some layer might run, expand, split, cut or print raw.
struct hostile_string {
  /// What it is about: `shell`, `git option`, `ref`, ...
  std::string category;
  std::string text;
};

/// `count` different strings, always the same ones: seeds of each category,
/// then what mutation makes of them. Each that a shell, git or tmux runs makes
/// the file `trap`.
std::vector<hostile_string> hostile_strings(const std::filesystem::path& trap,
                                            std::size_t count = 1'000);

/// UTF-8 without NUL: what can be a text at all.
bool is_text(const std::string& s);

/// What is shown to a person has no control characters but line ends, tabs and
/// our colours, and nothing that reorders text. The first offence with its
/// place, or empty.
std::string offence_on_screen(const std::string& screen);

} // namespace ao
