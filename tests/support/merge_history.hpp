#pragma once

#include "tests/support/merge_model.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ao {

/// What a history is played to beside the oracle.
class merge_world {
public:
  virtual ~merge_world() = default;

  /// Whether it checks merged results at once, and goes on from there before
  /// anything else happens.
  virtual bool is_eager() const { return false; }

  /// A change has these commits, behind the base.
  virtual void open(int number, const std::vector<model_tree>& commits) = 0;
  /// Its branch is made anew of these, behind the present base.
  virtual void push(int number, const std::vector<model_tree>& commits) = 0;
  /// The checks of its head end.
  virtual void conclude_head(int number) = 0;
  /// The checks of the merged result end.
  virtual void conclude_result() = 0;
  /// The person takes the base over and commits; the forge follows.
  virtual void move_base(const model_tree& tree) = 0;
  /// Everything dies and comes back from its rows.
  virtual void die() = 0;
  /// What is otherwise than the oracle says.
  virtual std::vector<std::string> objections(const merge_model& model) = 0;
};

/// A history that the seed makes, played to both.
struct played_history {
  /// What happened, one line each.
  std::vector<std::string> steps;
  /// What is wrong: the world and the oracle do not agree, or the oracle has
  /// not found the known culprits.
  std::vector<std::string> objections;
};

/// The base that histories begin at.
model_tree history_base();

/// Plays a history of `changes` changes, some of which are red alone, red with
/// another, in each other's way, or the same as another; in between heads and
/// base move, and everything dies.
played_history play_history(std::uint32_t seed, int changes,
                            merge_method method, merge_world& world);

/// Input of `git fast-import`: commits of these trees on `branch`, behind
/// `from`; an empty `from` is no commit.
std::string import_stream(const std::string& branch, const std::string& from,
                          const std::vector<model_tree>& commits,
                          std::int64_t when);

/// What is wrong with the trees of a base, the oldest first, when the oracle
/// has those `wanted`; empty = nothing. A rebase may have some in between.
std::string compare_bases(std::vector<std::string> wanted,
                          const std::vector<std::string>& there,
                          merge_method method);

/// The trees of commits that begin at `fork`.
std::vector<model_tree> trees_of(model_tree fork,
                                 const std::vector<model_edits>& commits);

} // namespace ao
