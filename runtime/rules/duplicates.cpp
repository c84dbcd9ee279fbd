#include "runtime/rules/duplicates.hpp"

#include <algorithm>

namespace ao {
namespace {

using kind = task_word::kind;

/// More tasks than this share a word: it tells nothing.
constexpr std::size_t common_word = 64;

/// What the bodies, where both have one, weigh beside the titles.
constexpr double body_weight = 0.25;

double weight_of(const task_word& w) {
  switch (w.what) {
  case kind::weak:
    return 0.25;
  case kind::plain:
  case kind::number:
    return 1;
  case kind::name:
    return 1.5;
  }
  return 1;
}

/// Two sets of words, laid side by side.
struct overlap {
  double dice = 0;
  /// Words that count (not weak ones), in both and of the larger side.
  std::size_t shared = 0;
  std::size_t most = 0;
  /// Words that count of one side alone.
  std::size_t own_a = 0;
  std::size_t own_b = 0;
  /// Numbers or names that each side has alone.
  bool contradicts = false;
  bool same = false;
};

overlap lay(const std::vector<task_word>& a, const std::vector<task_word>& b) {
  overlap out;
  double both = 0;
  double all = 0;
  std::size_t numbers_a = 0;
  std::size_t numbers_b = 0;
  std::size_t names_a = 0;
  std::size_t names_b = 0;
  auto own = [&all](const task_word& w, std::size_t& count,
                    std::size_t& numbers, std::size_t& names) {
    all += weight_of(w);
    count += w.what != kind::weak;
    numbers += w.what == kind::number;
    names += w.what == kind::name;
  };
  auto i = a.begin();
  auto j = b.begin();
  while (i != a.end() || j != b.end()) {
    if (j == b.end() || (i != a.end() && *i < *j)) {
      own(*i++, out.own_a, numbers_a, names_a);
    } else if (i == a.end() || *j < *i) {
      own(*j++, out.own_b, numbers_b, names_b);
    } else {
      both += weight_of(*i) + weight_of(*j);
      all += weight_of(*i) + weight_of(*j);
      out.shared += i->what != kind::weak;
      ++i;
      ++j;
    }
  }
  out.dice = all > 0 ? both / all : 0;
  out.most = out.shared + std::max(out.own_a, out.own_b);
  out.contradicts
    = (numbers_a > 0 && numbers_b > 0) || (names_a > 0 && names_b > 0);
  out.same = !a.empty() && out.dice == 1;
  return out;
}

/// False when no body could make the two alike; most candidates end here.
bool may_match(const task_text& a, const task_text& b) {
  auto most = body_weight + (1 - body_weight) * lay(a.title, b.title).dice;
  return a.digest == b.digest || most >= suspected_from;
}

std::string share(const char* what, const overlap& o) {
  return std::string{what} + " share " + std::to_string(o.shared) + " of "
    + std::to_string(o.most) + " words";
}

} // namespace

task_text text_of(const std::string& title, const std::string& body) {
  task_text out;
  out.digest = digest_of(title + "\n" + body);
  out.title = words_of(title);
  out.body = words_of(body);
  return out;
}

likeness compare(const task_text& a, const task_text& b) {
  if (a.digest == b.digest)
    return {1, "same prompt"};
  auto titles = lay(a.title, b.title);
  auto bodies = lay(a.body, b.body);
  auto told = a.body.size() >= 4 && b.body.size() >= 4;
  auto score = titles.dice;
  // Each side has something of its own: `… to A` and `… to B`.
  auto swapped = titles.own_a > 0 && titles.own_b > 0;
  // One word for another is the mark of a series.
  if (titles.own_a == 1 && titles.own_b == 1)
    score -= 0.22;
  else if (swapped)
    score -= 0.12 + 0.12 / static_cast<double>(titles.shared + 1);
  if (titles.contradicts)
    score *= 0.5;
  // One word in common may be the name of the product.
  if (titles.shared < 2 && !titles.same)
    score *= 0.6;
  if (told) {
    auto copied = bodies.dice > 0.8;
    // A frame with other work in it.
    if (titles.same && bodies.dice > 0.5
        && (bodies.contradicts || (bodies.own_a > 1 && bodies.own_b > 1)))
      score *= 0.6;
    else if (swapped && copied)
      score *= 0.8;
    else
      score = (1 - body_weight) * score
        + body_weight * std::min(1.0, 1.6 * bodies.dice);
  }
  likeness out;
  out.score = std::clamp(score, 0.0, 0.99);
  out.reason
    = titles.same ? "same words in the title" : share("titles", titles);
  if (told && bodies.shared > 2)
    out.reason += ", " + share("bodies", bodies);
  return out;
}

// -- index --------------------------------------------------------------------

namespace {

/// One number of two, of which the first says what the second is.
std::uint64_t joined(std::uint64_t what, std::uint64_t value) {
  return (what ^ (value + 0x9e3779b97f4a7c15U + (what << 6) + (what >> 2)))
    * 0x100000001b3U;
}

constexpr std::uint64_t prompt_key = 1;
constexpr std::uint64_t title_key = 2;
constexpr std::uint64_t word_key = 3;

} // namespace

std::vector<std::uint64_t> duplicate_index::keys_of(const entry& e) {
  auto of_project = digest_of(e.project);
  auto key = [of_project](std::uint64_t what, std::uint64_t value) {
    return joined(joined(of_project, what), value);
  };
  std::uint64_t whole = 0;
  for (const auto& w : e.text.title)
    whole = joined(whole, w.hash);
  // These two count even if very many have them.
  std::vector<std::uint64_t> out{key(prompt_key, e.text.digest),
                                 key(title_key, whole)};
  for (const auto& w : e.text.title)
    if (w.what != kind::weak)
      out.push_back(key(word_key, w.hash));
  return out;
}

void duplicate_index::put(std::uint64_t number, const project_id& project,
                          std::string title, task_text text) {
  erase(number);
  entry e{project.text, std::move(title), std::move(text)};
  for (auto key : keys_of(e))
    leads_.emplace(key, number);
  texts_.emplace(number, std::move(e));
}

void duplicate_index::erase(std::uint64_t number) {
  auto i = texts_.find(number);
  if (i == texts_.end())
    return;
  for (auto key : keys_of(i->second))
    leads_.erase({key, number});
  texts_.erase(i);
}

std::vector<duplicate_index::match>
duplicate_index::like(const project_id& project, const task_text& text,
                      std::size_t most) const {
  std::set<std::uint64_t> candidates;
  auto keys = keys_of(entry{project.text, {}, text});
  for (std::size_t k = 0; k < keys.size(); ++k) {
    std::vector<std::uint64_t> found;
    for (auto i = leads_.lower_bound({keys[k], 0}); i != leads_.end()
         && i->first == keys[k] && found.size() <= common_word;
         ++i)
      found.push_back(i->second);
    // The first two keys are whole texts, the others words.
    if (k < 2 || found.size() <= common_word)
      candidates.insert(found.begin(), found.end());
  }
  std::vector<match> out;
  for (auto number : candidates) {
    const auto& known = texts_.at(number);
    if (!may_match(text, known.text))
      continue;
    auto how = compare(text, known.text);
    if (how.score >= suspected_from)
      out.push_back({number, known.title, std::move(how)});
  }
  std::stable_sort(out.begin(), out.end(), [](const match& a, const match& b) {
    return a.how.score > b.how.score;
  });
  if (out.size() > most)
    out.resize(most);
  return out;
}

} // namespace ao
