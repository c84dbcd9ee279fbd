#include "tests/support/merge_model.hpp"

#include <algorithm>

namespace ao {
namespace {

/// Lines between two slots of a file: more than git needs to see them apart.
constexpr int distance = 4;

std::string file_of(const std::string& slot) {
  return slot.substr(0, slot.find(':'));
}

std::optional<std::string> value_in(const model_tree& tree,
                                    const std::string& slot) {
  auto i = tree.find(slot);
  return i == tree.end() ? std::nullopt : std::optional{i->second};
}

std::set<std::string> paths_of(const model_tree& tree) {
  std::set<std::string> out;
  for (const auto& [slot, value] : tree)
    out.insert(file_of(slot));
  return out;
}

/// What a change from `before` to `after` makes of `base`; the files where
/// that is not clear.
std::set<std::string> apply(const model_tree& before, const model_tree& after,
                            model_tree& base) {
  std::set<std::string> slots;
  std::set<std::string> unclear;
  for (const auto* tree : {&before, &after})
    for (const auto& [slot, value] : *tree)
      slots.insert(slot);
  for (const auto& slot : slots) {
    auto old = value_in(before, slot);
    auto wanted = value_in(after, slot);
    auto there = value_in(base, slot);
    if (wanted == old || wanted == there)
      continue;
    if (there != old)
      unclear.insert(file_of(slot));
    else if (wanted)
      base[slot] = *wanted;
    else
      base.erase(slot);
  }
  return unclear;
}

} // namespace

std::map<std::string, std::string> files_of(const model_tree& tree) {
  std::map<std::string, std::string> out;
  for (const auto& [slot, value] : tree) {
    auto& text = out[file_of(slot)];
    text += value + "\n";
    if (slot.find(':') != std::string::npos)
      for (int i = 0; i < distance; ++i)
        text += "between " + slot + " " + std::to_string(i) + "\n";
  }
  return out;
}

model_tree edited(model_tree tree, const model_edits& edits) {
  for (const auto& [slot, value] : edits)
    if (value)
      tree[slot] = *value;
    else
      tree.erase(slot);
  return tree;
}

const char* const model_checks = R"sh(
for red in red-*; do test ! -e "$red" || exit 1; done
for a in pair-*.a; do test ! -e "${a%.a}.b" || test ! -e "$a" || exit 1; done
)sh";

bool is_green(const std::set<std::string>& paths) {
  return std::none_of(paths.begin(), paths.end(), [&](const std::string& path) {
    auto is_a = path.rfind("pair-", 0) == 0 && path.back() == 'a';
    return path.rfind("red-", 0) == 0
      || (is_a && paths.count(path.substr(0, path.size() - 1) + "b") > 0);
  });
}

bool is_green(const model_tree& tree) {
  return is_green(paths_of(tree));
}

std::string to_string(model_change::where state) {
  constexpr const char* words[]
    = {"unchecked", "queued", "merged", "in conflict", "red"};
  return words[static_cast<int>(state)];
}

model_tree model_change::head_tree() const {
  auto tree = fork;
  for (const auto& edits : commits)
    tree = edited(std::move(tree), edits);
  return tree;
}

merge_model::merge_model(merge_method method, model_tree base)
    : method_(method), base_(std::move(base)), bases_{base_} {}

int merge_model::open(std::vector<model_edits> commits) {
  auto number = static_cast<int>(changes_.size()) + 1;
  changes_[number].number = number;
  push(number, std::move(commits));
  return number;
}

void merge_model::push(int number, std::vector<model_edits> commits) {
  auto& c = changes_.at(number);
  c.head += 1;
  c.fork = base_;
  c.commits = std::move(commits);
  c.state = model_change::where::unchecked;
  // Whatever is said about the head before it is not heard any more.
  if (pending_ && queue_.front().first == number) {
    pop();
    advance();
  }
}

void merge_model::conclude_head(int number) {
  auto& c = changes_.at(number);
  if (!is_green(c.head_tree()))
    return turn_red(c);
  c.state = model_change::where::queued;
  // One place in the queue for each change: that of an older head is given up
  // when its turn comes.
  if (std::none_of(queue_.begin(), queue_.end(),
                   [&](const auto& item) { return item.first == number; }))
    queue_.emplace_back(number, c.head);
  advance();
}

void merge_model::conclude_result() {
  auto& c = changes_.at(queue_.front().first);
  auto checked = *pending_;
  if (!is_green(checked.tree)) {
    pop();
    turn_red(c);
  } else if (checked.base == bases_.size()) {
    land(c.number, std::move(checked.tree));
  } else {
    pending_.reset();
  }
  advance();
}

void merge_model::move_base(const model_edits& edits) {
  base_ = edited(base_, edits);
  bases_.push_back(base_);
}

void merge_model::forget_queue() {
  pending_.reset();
  queue_.clear();
  for (const auto& [number, c] : changes_)
    if (c.state == model_change::where::queued)
      queue_.emplace_back(number, c.head);
  advance();
}

merge_model::outcome merge_model::merge(const model_change& c) const {
  outcome out;
  out.tree = base_;
  if (method_ != merge_method::rebase) {
    out.files = apply(c.fork, c.head_tree(), *out.tree);
    return out;
  }
  auto before = c.fork;
  for (const auto& edits : c.commits) {
    auto after = edited(before, edits);
    out.files = apply(before, after, *out.tree);
    if (!out.files.empty())
      return out;
    before = std::move(after);
  }
  return out;
}

void merge_model::advance() {
  while (!pending_ && !queue_.empty()) {
    auto [number, head] = queue_.front();
    auto& c = changes_.at(number);
    if (c.head != head) {
      pop();
      if (c.state == model_change::where::queued)
        queue_.emplace_back(number, c.head);
      continue;
    }
    auto result = merge(c);
    if (!result.files.empty()) {
      pop();
      c.state = model_change::where::conflict;
      told_.insert({number, "conflict", head});
    } else if (*result.tree == c.head_tree()) {
      land(number, std::move(*result.tree));
    } else {
      pending_ = check{std::move(*result.tree), bases_.size()};
    }
  }
}

void merge_model::land(int number, model_tree tree) {
  pop();
  changes_.at(number).state = model_change::where::merged;
  base_ = std::move(tree);
  bases_.push_back(base_);
}

void merge_model::pop() {
  queue_.pop_front();
  pending_.reset();
}

void merge_model::turn_red(model_change& c) {
  c.state = model_change::where::red;
  told_.insert({c.number, "ci_failed", c.head});
}

} // namespace ao
