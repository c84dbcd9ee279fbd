#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ao {

/// A word as it is compared: folded, without its ending, synonyms made one.
struct task_word {
  enum class kind : std::uint8_t {
    /// Nearly every title has one: add, fix, update.
    weak,
    plain,
    /// `3.0.13`, `v2`, `17`: two that differ tell two tasks apart.
    number,
    /// `test_retry`, `docs/intro.md`, `--force`: likewise.
    name,
  };

  task_word(std::uint64_t hash_of, kind what_of)
      : hash(hash_of), what(what_of) {}

  /// Both in eight bytes: the index of open tasks has all their words.
  std::uint64_t hash : 62;
  kind what : 2;

  friend bool operator==(const task_word& a, const task_word& b) {
    return a.hash == b.hash;
  }
  friend bool operator<(const task_word& a, const task_word& b) {
    return a.hash < b.hash;
  }
};

/// The words of a text, each once, by hash; at most `most` of them. Left out:
/// what English and issue trackers say everywhere, headings, checklists and
/// comments of issue forms. Case, punctuation and order do not matter.
std::vector<task_word> words_of(std::string_view text, std::size_t most = 256);

/// The digest of a text but for its white space.
std::uint64_t digest_of(std::string_view text);

} // namespace ao
