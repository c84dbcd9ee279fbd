#include "tests/support/merge_history.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace ao {
namespace {

constexpr int slots = 12;

/// What is known about a change from the start.
enum class culprit { none, alone, pair, clash };

/// One history on its way.
class player {
public:
  player(std::uint32_t seed, int changes, merge_method method,
         merge_world& world)
      : changes_(changes),
        random_(seed),
        model_(method, history_base()),
        world_(world) {
    for (int i = 0; i < slots; ++i) {
      free_.push_back("notes:" + std::to_string(10 + i));
      free_.push_back("list:" + std::to_string(10 + i));
    }
    std::shuffle(free_.begin(), free_.end(), random_);
  }

  played_history play() {
    while (opened_ < changes_ || any(2) != 0)
      step();
    while (!unchecked().empty() || model_.pending())
      step();
    out_.objections = world_.objections(model_);
    look_for_culprits();
    return std::move(out_);
  }

private:
  int any(int n) {
    return static_cast<int>(random_() % static_cast<std::uint32_t>(n));
  }

  int pick(const std::vector<int>& from) {
    return from[static_cast<std::size_t>(any(static_cast<int>(from.size())))];
  }

  void step() {
    auto what = any(opened_ < changes_ ? 20 : 16);
    if (what < 7 && opened_ < changes_)
      open();
    else if (what < 13 && !unchecked().empty())
      conclude_head(pick(unchecked()));
    else if (what < 16 && model_.pending())
      conclude_result();
    else if (what < 17)
      move_base();
    else if (what < 18)
      die();
    else if (what < 19 || world_.is_eager())
      repair();
    else
      push();
    while (world_.is_eager() && model_.pending())
      model_.conclude_result();
  }

  // -- steps ------------------------------------------------------------------

  void open() {
    auto [known, edits] = some_edits();
    known_[opened_ + 1] = known;
    auto commits = in_commits(edits);
    auto fork = model_.base();
    opened_ = model_.open(commits);
    note("open", opened_, edits);
    world_.open(opened_, trees_of(fork, commits));
  }

  void conclude_head(int number) {
    out_.steps.push_back("checks end of " + std::to_string(number));
    model_.conclude_head(number);
    world_.conclude_head(number);
  }

  void conclude_result() {
    out_.steps.emplace_back("checks end of the merged result");
    model_.conclude_result();
    world_.conclude_result();
  }

  void move_base() {
    model_edits edits{{"person-" + std::to_string(++moves_), fresh_text()}};
    auto contested = chosen([&](const model_change& c) {
      return known_[c.number] == culprit::clash && any(3) == 0;
    });
    if (!contested.empty())
      edits = model_.changes().at(contested.front()).commits.front();
    note("person", 0, edits);
    model_.move_base(edits);
    world_.move_base(model_.base());
  }

  void die() {
    out_.steps.emplace_back("everything dies");
    model_.forget_queue();
    world_.die();
  }

  /// The owner of a change that was sent back leaves the culprit out.
  void repair() {
    auto sent_back = chosen([](const model_change& c) {
      return c.state == model_change::where::red
        || c.state == model_change::where::conflict;
    });
    if (sent_back.empty())
      return;
    auto number = pick(sent_back);
    known_[number] = culprit::none;
    push(number, {{"repair-" + std::to_string(number), fresh_text()}});
  }

  /// Also while it is queued or being merged.
  void push() {
    auto open = chosen([&](const model_change& c) {
      return c.state != model_change::where::merged
        && known_[c.number] == culprit::none;
    });
    if (!open.empty())
      push(pick(open), {{"more-" + std::to_string(any(1000)), fresh_text()}});
  }

  void push(int number, const model_edits& edits) {
    note("push", number, edits);
    auto commits = in_commits(edits);
    auto fork = model_.base();
    model_.push(number, commits);
    world_.push(number, trees_of(fork, commits));
  }

  // -- what changes do --------------------------------------------------------

  std::string fresh_text() {
    return std::to_string(random_()) + "-" + std::to_string(random_());
  }

  /// A slot of which nobody else knows.
  std::string own_slot() {
    if (free_.empty())
      return "own-" + std::to_string(++files_);
    auto slot = free_.back();
    free_.pop_back();
    return slot;
  }

  std::pair<culprit, model_edits> some_edits() {
    auto number = std::to_string(opened_ + 1);
    switch (any(8)) {
    case 0:
      return {culprit::alone, {{"red-" + number, fresh_text()}}};
    case 1:
    case 2: {
      auto side = pairs_ % 2 == 0 ? ".a" : ".b";
      auto pair = std::to_string(pairs_++ / 2);
      return {culprit::pair, {{"pair-" + pair + side, fresh_text()}}};
    }
    case 3:
    case 4:
      if (clashes_++ % 2 == 0)
        contested_ = own_slot();
      return {culprit::clash, {{contested_, fresh_text()}}};
    case 5:
      if (lone_ < slots)
        return {culprit::none, {{"lone-" + std::to_string(lone_++), {}}}};
      [[fallthrough]];
    case 6:
      // Twice the same.
      if (repeated_.empty())
        return {culprit::none, repeated_ = {{own_slot(), fresh_text()}}};
      return {culprit::none, std::exchange(repeated_, {})};
    default:
      return {culprit::none,
              {{own_slot(), fresh_text()}, {"new-" + number, fresh_text()}}};
    }
  }

  /// In one commit or in several, the last one with what was meant.
  std::vector<model_edits> in_commits(const model_edits& edits) {
    if (any(3) != 0 || edits.begin()->second == std::nullopt)
      return {edits};
    model_edits first{*edits.begin()};
    if (any(2) == 0 && first.begin()->first.rfind("pair-", 0) != 0)
      return {first, edits};
    return {{{"part-" + std::to_string(++files_), fresh_text()}}, edits};
  }

  // -- what is known ----------------------------------------------------------

  template <class Predicate>
  std::vector<int> chosen(Predicate wanted) const {
    std::vector<int> out;
    for (const auto& [number, c] : model_.changes())
      if (wanted(c))
        out.push_back(number);
    return out;
  }

  std::vector<int> unchecked() const {
    return chosen([](const model_change& c) {
      return c.state == model_change::where::unchecked;
    });
  }

  void note(const std::string& what, int number, const model_edits& edits) {
    auto line = what + " " + std::to_string(number);
    for (const auto& [slot, value] : edits)
      line += " " + slot + "=" + value.value_or("none");
    out_.steps.push_back(line);
  }

  void look_for_culprits() {
    for (const auto& [number, c] : model_.changes()) {
      auto known = known_[number];
      auto merged = c.state == model_change::where::merged;
      auto red = c.state == model_change::where::red;
      if ((known == culprit::none && !merged)
          || (known == culprit::alone && !red)
          || (known == culprit::pair && !merged && !red))
        out_.objections.push_back("the oracle is wrong about "
                                  + std::to_string(number));
    }
    for (const auto& tree : model_.bases())
      if (!is_green(tree))
        out_.objections.emplace_back("the oracle has a red base");
  }

  int changes_;
  std::mt19937 random_;
  merge_model model_;
  merge_world& world_;
  played_history out_;
  std::map<int, culprit> known_;
  std::vector<std::string> free_;
  std::string contested_;
  model_edits repeated_;
  int opened_ = 0;
  int moves_ = 0;
  int pairs_ = 0;
  int clashes_ = 0;
  int files_ = 0;
  int lone_ = 0;
};

} // namespace

model_tree history_base() {
  model_tree out;
  for (int i = 0; i < slots; ++i) {
    auto number = std::to_string(i);
    out["notes:" + std::to_string(10 + i)] = "note " + number;
    out["list:" + std::to_string(10 + i)] = "entry " + number;
    out["lone-" + number] = number + " alone";
  }
  return out;
}

played_history play_history(std::uint32_t seed, int changes,
                            merge_method method, merge_world& world) {
  return player{seed, changes, method, world}.play();
}

std::string compare_bases(std::vector<std::string> wanted,
                          const std::vector<std::string>& there,
                          merge_method method) {
  if (method != merge_method::rebase)
    return wanted == there ? ""
                           : "the base has " + std::to_string(there.size())
        + " trees, not these " + std::to_string(wanted.size());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  auto i = there.begin();
  for (const auto& tree : wanted)
    i = std::find(i, there.end(), tree);
  return i == there.end() || wanted.back() != there.back()
    ? "the base has other trees"
    : "";
}

std::vector<model_tree> trees_of(model_tree fork,
                                 const std::vector<model_edits>& commits) {
  std::vector<model_tree> out;
  for (const auto& edits : commits)
    out.push_back(fork = edited(std::move(fork), edits));
  return out;
}

std::string import_stream(const std::string& branch, const std::string& from,
                          const std::vector<model_tree>& commits,
                          std::int64_t when) {
  auto data = [](const std::string& bytes) {
    return "data " + std::to_string(bytes.size()) + "\n" + bytes + "\n";
  };
  std::string out;
  auto parent = from;
  for (const auto& tree : commits) {
    out += "commit refs/heads/" + branch + "\n";
    out += "committer Ann <ann@example.org> " + std::to_string(when)
      + " +0000\n" + data("A commit of " + branch);
    if (!parent.empty())
      out += "from " + std::exchange(parent, {}) + "\n";
    out += "deleteall\n";
    for (const auto& [path, bytes] : files_of(tree))
      out += "M 100644 inline " + path + "\n" + data(bytes);
    out += "\n";
  }
  return out;
}

} // namespace ao
