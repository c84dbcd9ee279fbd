#pragma once

#include "messages/change.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ao {

/// What a branch changes: by file, the lines of the base that it replaces, in
/// order.
class line_ranges {
public:
  line_ranges() = default;
  explicit line_ranges(const std::vector<hunk>& hunks);

  struct range {
    /// Half lines, so that an insertion between two lines has a place too.
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    bool inserts = false;

    friend bool operator==(const range& a, const range& b) {
      return a.from == b.from && a.to == b.to && a.inserts == b.inserts;
    }
  };

  friend bool operator==(const line_ranges& a, const line_ranges& b) {
    return a.files_ == b.files_;
  }

  const std::map<std::string, std::vector<range>>& files() const {
    return files_;
  }
  bool empty() const { return files_.empty(); }

private:
  std::map<std::string, std::vector<range>> files_;
};

/// How far two branches change the same lines.
struct line_overlap {
  /// 0 to 1: which part of the smaller one's hunks the other one touches; two
  /// that only insert at the same place count half. Symmetric.
  double ratio = 0;
  /// For people: `both change 3 of 4 places, in auth/form.py and 1 other file`.
  std::string reason;
};

/// @param common Files that everybody touches; they count for nothing.
line_overlap compare(const line_ranges& a, const line_ranges& b,
                     const std::function<bool(const std::string&)>& common);

/// From this ratio on two live sessions are suspected of the same work.
constexpr double overlap_suspected_from = 0.5;

/// Files that change with most work whatever it is about: lock files of
/// package managers, change logs.
bool is_common_file(const std::string& path);

} // namespace ao
