#pragma once

#include "messages/settings.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace ao {

/// The files of a commit as the model sees them: a slot is a line of a file
/// (`notes:3`), far enough from the others that git merges them apart, or a
/// file of one line (`lone-4`).
using model_tree = std::map<std::string, std::string>;

/// What one commit sets; none = the file of one line is removed.
using model_edits = std::map<std::string, std::optional<std::string>>;

/// The bytes of the files of a tree, by path.
std::map<std::string, std::string> files_of(const model_tree& tree);

/// The tree with these edits.
model_tree edited(model_tree tree, const model_edits& edits);

/// What the checks say about a set of paths: `red-*` fails, and so do both
/// `pair-<k>.a` and `pair-<k>.b`.
bool is_green(const std::set<std::string>& paths);
bool is_green(const model_tree& tree);

/// The same as a shell script, for `sh -c`.
extern const char* const model_checks;

/// What the queue did to a head, as its owner hears it.
struct model_told {
  int change = 0;
  /// `ci_failed`, `conflict`.
  std::string cause;
  /// Which head of the change, from 1.
  int head = 0;

  bool operator<(const model_told& other) const {
    return std::tie(change, cause, head)
      < std::tie(other.change, other.cause, other.head);
  }
};

/// One change: where it began, and what each of its commits makes of that.
struct model_change {
  int number = 0;
  /// From 1; grows with each push.
  int head = 0;
  model_tree fork;
  std::vector<model_edits> commits;

  enum class where { unchecked, queued, merged, conflict, red };
  where state = where::unchecked;

  model_tree head_tree() const;
};

std::string to_string(model_change::where state);

/// The oracle: takes heads one after the other, in the order in which they
/// have become green, and says which of them is merged and what the base is
/// then. Knows neither git nor actors.
///
/// While `pending`, the merged result of the first one is being checked.
class merge_model {
public:
  merge_model(merge_method method, model_tree base);

  // -- what happens -----------------------------------------------------------

  /// A change of these commits begins at the base; its number.
  int open(std::vector<model_edits> commits);

  /// Its branch is at another head, which begins at the present base.
  void push(int number, std::vector<model_edits> commits);

  /// The checks of its head have ended.
  void conclude_head(int number);

  /// The checks of the pending merged result have ended.
  void conclude_result();

  /// Somebody else has moved the base.
  void move_base(const model_edits& edits);

  /// The queue has forgotten everything and was told again, by number.
  void forget_queue();

  // -- what is then -----------------------------------------------------------

  merge_method method() const { return method_; }
  const model_tree& base() const { return base_; }
  /// The base at each time that it moved, the oldest first.
  const std::vector<model_tree>& bases() const { return bases_; }
  const std::map<int, model_change>& changes() const { return changes_; }
  const std::set<model_told>& told() const { return told_; }
  bool pending() const { return pending_.has_value(); }

private:
  struct outcome {
    std::optional<model_tree> tree;
    std::set<std::string> files;
  };
  outcome merge(const model_change& c) const;
  void advance();
  void land(int number, model_tree tree);
  void pop();
  void turn_red(model_change& c);

  merge_method method_;
  model_tree base_;
  std::vector<model_tree> bases_;
  std::map<int, model_change> changes_;
  std::set<model_told> told_;

  /// Change and head.
  std::deque<std::pair<int, int>> queue_;
  struct check {
    model_tree tree;
    std::size_t base = 0;
  };
  std::optional<check> pending_;
};

} // namespace ao
