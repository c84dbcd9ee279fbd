#include "runtime/rules/task_words.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace ao {
namespace {

using word_set = std::unordered_set<std::string_view>;
using word_map = std::unordered_map<std::string_view, std::string_view>;
using kind = task_word::kind;

/// What is beyond says nothing new; a body may have 1 MiB.
constexpr std::size_t longest_text = std::size_t{16} << 10;

/// English, and what every issue says.
const word_set& stop_words() {
  static const word_set words{
    "a",       "about",    "after",    "again",   "all",      "already",
    "also",    "an",       "and",      "any",     "anything", "are",
    "as",      "at",       "be",       "because", "been",     "being",
    "better",  "but",      "by",       "can",     "could",    "do",
    "does",    "done",     "else",     "each",    "every",    "for",
    "from",    "get",      "gets",     "had",     "has",      "have",
    "how",     "i",        "if",       "in",      "into",     "is",
    "it",      "its",      "itself",   "just",    "make",     "may",
    "me",      "must",     "my",       "need",    "needs",    "no",
    "not",     "now",      "of",       "on",      "only",     "or",
    "our",     "please",   "properly", "run",     "should",   "so",
    "some",    "soon",     "still",    "such",    "than",     "that",
    "the",     "their",    "them",     "then",    "there",    "these",
    "they",    "this",     "those",    "though",  "although", "to",
    "too",     "under",    "use",      "used",    "using",    "very",
    "want",    "was",      "we",       "were",    "what",     "when",
    "where",   "which",    "while",    "who",     "will",     "with",
    "without", "would",    "yet",      "you",     "your",     "issue",
    "issues",  "bug",      "bugs",     "ticket",  "problem",  "problems",
    "feature", "request",  "task",     "todo",    "version",  "code",
    "instead", "existing", "never",
  };
  return words;
}

/// Verbs of every backlog. By stem.
const word_set& weak_words() {
  static const word_set words{"add",   "fix",   "updat",   "improv",
                              "chang", "handl", "show",    "docs",
                              "test",  "unit",  "refactor"};
  return words;
}

/// By stem; each group has one name.
const word_map& synonyms() {
  static const word_map words{
    // add
    {"implement", "add"},
    {"introduc", "add"},
    {"support", "add"},
    {"creat", "add"},
    {"writ", "add"},
    {"provid", "add"},
    {"allow", "add"},
    // fix, fail
    {"repair", "fix"},
    {"resolv", "fix"},
    {"correct", "fix"},
    {"break", "fail"},
    {"broken", "fail"},
    {"failur", "fail"},
    {"wrong", "fail"},
    {"incorrect", "fail"},
    {"cannot", "fail"},
    {"unabl", "fail"},
    {"reject", "fail"},
    // crash, hang
    {"segfault", "crash"},
    {"panic", "crash"},
    {"abort", "crash"},
    {"freez", "hang"},
    {"stuck", "hang"},
    {"deadlock", "hang"},
    // remove
    {"delet", "remov"},
    {"drop", "remov"},
    {"deletion", "remov"},
    {"removal", "remov"},
    // update
    {"upgrad", "updat"},
    {"bump", "updat"},
    {"updat", "updat"},
    {"modify", "chang"},
    // speed, size
    {"speed", "slow"},
    {"fast", "slow"},
    {"faster", "slow"},
    {"performanc", "slow"},
    {"larg", "big"},
    {"larger", "big"},
    {"bigger", "big"},
    {"huge", "big"},
    {"siz", "big"},
    // presence
    {"absent", "miss"},
    {"exist", "miss"},
    {"lost", "los"},
    {"loss", "los"},
    // words of the trade
    {"configur", "config"},
    {"documentat", "docs"},
    {"document", "docs"},
    {"doc", "docs"},
    {"directory", "folder"},
    {"dir", "folder"},
    {"mail", "email"},
    {"colour", "color"},
    {"theme", "mod"},
    {"migrat", "replac"},
    {"switch", "replac"},
    {"installat", "install"},
    {"duplicat", "twic"},
    {"nullpointerexception", "nullpointer"},
    {"limiting", "limit"},
    {"enhanc", "improv"},
    {"env", "environment"},
    {"param", "parameter"},
    {"argument", "parameter"},
    {"arg", "parameter"},
    {"typo", "typo"},
    {"spell", "typo"},
    {"flaky", "flak"},
    {"flakiness", "flak"},
    {"intermittent", "flak"},
  };
  return words;
}

/// Of the first words below.
constexpr std::size_t longest_first = 6;

/// Two words that some write as one.
const word_set& joined_pairs() {
  static const word_set pairs{
    "log in",    "sign in",   "logged in",  "time out",  "times out",
    "timed out", "file name", "file names", "time zone", "set up",
    "back end",  "front end", "web socket", "web hook",  "null pointer",
    "shut down", "e mail",    "e mails",    "code base", "data base",
    "drop down"};
  return pairs;
}

/// What the joined ones are called.
const word_map& joined_names() {
  static const word_map names{
    {"signin", "login"},     {"loggedin", "login"},   {"logging", "logging"},
    {"timesout", "timeout"}, {"timedout", "timeout"}, {"filenames", "filename"},
    {"emails", "email"},     {"signup", "signup"},
  };
  return names;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  auto u = static_cast<unsigned char>(c);
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || u >= 0x80;
}

bool is_inner(char c) {
  return c == '.' || c == '/' || c == ':' || c == '_' || c == '@';
}

std::string folded(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size()
    && text.substr(text.size() - end.size()) == end;
}

/// Removes endings as far as English repays it: `retries`, `retried`,
/// `retrying` meet, and so do `leak` and `leaking`.
std::string stem(std::string word) {
  auto cut = [&word](std::size_t n) { word.resize(word.size() - n); };
  if (word.size() > 4 && ends_with(word, "ies")) {
    cut(3);
    word += 'y';
  } else if (word.size() > 4
             && (ends_with(word, "sses") || ends_with(word, "shes")
                 || ends_with(word, "ches") || ends_with(word, "xes")))
    cut(2);
  else if (word.size() > 3 && ends_with(word, "s") && !ends_with(word, "ss")
           && !ends_with(word, "us") && !ends_with(word, "is"))
    cut(1);
  auto undouble = [&word] {
    auto n = word.size();
    if (n > 3 && word[n - 1] == word[n - 2] && word[n - 1] != 's'
        && word[n - 1] != 'l' && word[n - 1] != 'z')
      word.pop_back();
  };
  if (word.size() > 5 && ends_with(word, "ing")) {
    cut(3);
    undouble();
  } else if (word.size() > 4 && ends_with(word, "ied")) {
    cut(3);
    word += 'y';
  } else if (word.size() > 4 && ends_with(word, "ed")) {
    cut(2);
    undouble();
  } else if (word.size() > 6
             && (ends_with(word, "tion") || ends_with(word, "sion"))) {
    cut(3);
  } else if (word.size() > 6 && ends_with(word, "ly")) {
    cut(2);
  }
  if (word.size() > 3 && word.back() == 'e')
    word.pop_back();
  return word;
}

std::uint64_t hash_of(std::string_view text) {
  // FNV-1a: the same on every machine.
  std::uint64_t h = 0xcbf29ce484222325U;
  for (auto c : text) {
    h ^= static_cast<unsigned char>(c);
    h *= 0x100000001b3U;
  }
  return h;
}

kind kind_of(std::string_view word) {
  auto digits = std::count_if(word.begin(), word.end(), is_digit);
  auto letters = std::count_if(word.begin(), word.end(), is_letter);
  if (digits > 0 && letters <= 1)
    return kind::number;
  if (digits > 0 || word.find_first_of("._/:@-") != std::string_view::npos)
    return kind::name;
  return kind::plain;
}

/// `v2` and `2`, `2.` and `2` are one number.
std::string_view number_in(std::string_view word) {
  if (word.size() > 1 && word.front() == 'v' && is_digit(word[1]))
    word.remove_prefix(1);
  return word;
}

/// One word between separators: letters, digits, and what joins them to names.
std::string next_token(std::string_view& text) {
  std::size_t from = 0;
  auto starts = [&text](std::size_t i) {
    return is_letter(text[i]) || is_digit(text[i]) || text[i] == '_';
  };
  while (from < text.size() && !starts(from))
    ++from;
  auto flag = from >= 2 && from < text.size() && text[from - 1] == '-'
    && text[from - 2] == '-';
  auto to = from;
  for (; to < text.size(); ++to) {
    auto c = text[to];
    if (is_letter(c) || is_digit(c) || c == '_')
      continue;
    auto joins = to + 1 < text.size() && starts(to + 1)
      && (is_inner(c) || (flag && c == '-'));
    if (!joins)
      break;
  }
  std::string out = (flag ? "--" : "") + folded(text.substr(from, to - from));
  text.remove_prefix(to);
  // it's, can't
  if (text.size() > 1 && text.front() == '\'' && is_letter(text[1])) {
    std::size_t tail = 1;
    while (tail < text.size() && is_letter(text[tail]))
      ++tail;
    if (out == "can" || out == "won" || out == "doesn" || out == "don"
        || out == "isn")
      out = out == "can" ? "cannot" : "not";
    text.remove_prefix(tail);
  }
  return out;
}

/// Lines that an issue form, not its author, has written.
bool is_form(std::string_view line) {
  auto at = line.find_first_not_of(" \t\r");
  if (at == std::string_view::npos)
    return true;
  line.remove_prefix(at);
  auto starts = [&line](std::string_view with) {
    return line.substr(0, with.size()) == with;
  };
  return starts("#") || starts("- [") || starts("* [") || starts("<!--")
    || starts("_No response_") || starts("No response");
}

std::string without_forms(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (is_form(line))
      continue;
    out += line;
    out += '\n';
  }
  return out;
}

} // namespace

std::vector<task_word> words_of(std::string_view text, std::size_t most) {
  auto own = without_forms(text.substr(0, longest_text));
  // A text that is all form is still a text.
  std::string_view left = own.empty() ? text.substr(0, longest_text) : own;
  std::vector<std::string> tokens;
  while (!left.empty()) {
    auto token = next_token(left);
    if (token.empty())
      break;
    if (!tokens.empty() && tokens.back().size() <= longest_first
        && joined_pairs().count(tokens.back() + " " + token) > 0) {
      auto joined = tokens.back() + token;
      auto name = joined_names().find(joined);
      tokens.back()
        = name == joined_names().end() ? joined : std::string{name->second};
      continue;
    }
    tokens.push_back(std::move(token));
  }
  std::vector<task_word> out;
  for (auto& token : tokens) {
    auto what = kind_of(token);
    if (what == kind::number) {
      out.push_back({hash_of(number_in(token)), what});
      continue;
    }
    if (what == kind::name) {
      out.push_back({hash_of(token), what});
      continue;
    }
    if (token.size() < 2 || stop_words().count(token) > 0)
      continue;
    token = stem(std::move(token));
    if (auto same = synonyms().find(token); same != synonyms().end())
      token = std::string{same->second};
    out.push_back({hash_of(token),
                   weak_words().count(token) > 0 ? kind::weak : kind::plain});
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  if (out.size() > most)
    out.erase(out.begin() + static_cast<std::ptrdiff_t>(most), out.end());
  out.shrink_to_fit();
  return out;
}

std::uint64_t digest_of(std::string_view text) {
  std::string plain;
  auto gap = false;
  for (auto c : text) {
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      gap = !plain.empty();
      continue;
    }
    if (gap)
      plain += ' ';
    gap = false;
    plain += c;
  }
  return hash_of(plain);
}

} // namespace ao
