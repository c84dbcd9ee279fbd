#pragma once

#include "messages/task.hpp"
#include "runtime/rules/task_words.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ao {

/// What of a task is compared.
struct task_text {
  /// Of title and body: the prompt.
  std::uint64_t digest = 0;
  std::vector<task_word> title;
  std::vector<task_word> body;
};

task_text text_of(const std::string& title, const std::string& body);

/// How much two tasks look like the same work.
struct likeness {
  /// 0 to 1; the same in both directions.
  double score = 0;
  /// For people: `same prompt`, `titles share 5 of 6 words`.
  std::string reason;
};

likeness compare(const task_text& a, const task_text& b);

/// From this score on two tasks are suspected to be the same; chosen on the
/// labelled set (tests/rules/duplicates_set.hpp), for few false alarms.
constexpr double suspected_from = 0.65;

/// The open tasks of all projects, to be asked which of them a new one looks
/// like. An inverted index: a question costs what rare words lead to, not the
/// number of tasks. A word that very many titles share leads nowhere; equal
/// titles and prompts are found all the same.
class duplicate_index {
public:
  struct match {
    std::uint64_t number = 0;
    std::string title;
    likeness how;
  };

  /// Takes a task in; one that is there is replaced.
  void put(std::uint64_t number, const project_id& project, std::string title,
           task_text text);

  void erase(std::uint64_t number);

  bool has(std::uint64_t number) const { return texts_.count(number) > 0; }

  /// The best matches among the tasks of `project`, best first, at most
  /// `most`; of equal ones the oldest first.
  std::vector<match> like(const project_id& project, const task_text& text,
                          std::size_t most = 3) const;

  std::size_t size() const { return texts_.size(); }

private:
  struct entry {
    std::string project;
    std::string title;
    task_text text;
  };

  /// What leads to a task: its prompt, its title as a whole, its words.
  static std::vector<std::uint64_t> keys_of(const entry& e);

  std::unordered_map<std::uint64_t, entry> texts_;
  /// (key, number).
  std::set<std::pair<std::uint64_t, std::uint64_t>> leads_;
};

} // namespace ao
