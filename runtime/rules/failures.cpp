#include "runtime/rules/failures.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <regex>

namespace ao {
namespace {

/// Rows that a program may write after the one that says why it ends.
constexpr std::size_t last_words = 3;
/// Of a dialog: choices with their explanations, and the text above them.
constexpr std::size_t most_choices = 16;
constexpr std::size_t most_question = 24;
/// Longer limits are a matter for people.
constexpr std::chrono::hours longest_limit{8 * 24};

bool begins_with(std::string_view text, std::string_view front) {
  return text.substr(0, front.size()) == front;
}

bool has(std::string_view text, std::string_view what) {
  return text.find(what) != std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  auto from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos)
    return {};
  return text.substr(from, text.find_last_not_of(" \t\r\n") + 1 - from);
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// -- times --------------------------------------------------------------------

milliseconds unit_of(char c) {
  switch (c) {
  case 'd':
    return std::chrono::hours{24};
  case 'h':
    return std::chrono::hours{1};
  case 'm':
    return std::chrono::minutes{1};
  default:
    return std::chrono::seconds{1};
  }
}

/// `3 days 4 hours 9 minutes`, `3m20s`, `1.898s`, `20ms` behind `in`.
std::optional<milliseconds> span_in(const std::string& words) {
  static const std::regex front{
    R"((?:again|resets?|retry|available)[a-z ]* (?:in|after):? )"
    R"(((?:[0-9]+(?:\.[0-9]+)? ?)"
    R"((?:ms|milliseconds?|d|days?|h|hours?|hrs?|m|minutes?|mins?|s|seconds?|secs?)(?![a-z]),? ?(?:and )?)+))"};
  static const std::regex part{R"(([0-9]+(?:\.[0-9]+)?) ?([a-z]+))"};
  std::smatch found;
  if (!std::regex_search(words, found, front))
    return std::nullopt;
  auto text = found[1].str();
  double sum = 0;
  for (std::sregex_iterator i{text.begin(), text.end(), part}, end; i != end;
       ++i) {
    auto unit = (*i)[2].str();
    auto is_small = unit == "ms" || begins_with(unit, "milli");
    sum += std::stod((*i)[1].str().substr(0, 12))
      * (is_small ? 1. : static_cast<double>(unit_of(unit[0]).count()));
  }
  auto most = static_cast<double>(milliseconds{longest_limit}.count());
  if (sum > most)
    return std::nullopt;
  return milliseconds{static_cast<std::int64_t>(sum)};
}

/// From 1; 0 for what is no month.
int month_of(const std::string& word) {
  static const std::array<const char*, 12> months{"jan", "feb", "mar", "apr",
                                                  "may", "jun", "jul", "aug",
                                                  "sep", "oct", "nov", "dec"};
  for (std::size_t i = 0; i < months.size(); ++i)
    if (begins_with(word, months.at(i)))
      return static_cast<int>(i) + 1;
  return 0;
}

/// `3pm`, `3:45 PM`, `oct 9, 10am`, `nov 28th, 2026 3:45 pm`, local time.
std::optional<wall_time> moment_in(const std::string& words,
                                   const local_clock& clock) {
  static const std::regex form{
    R"((?:again|resets?) (?:at |on )?)"
    R"((?:([a-z]{3,9}) ([0-9]{1,2})(?:st|nd|rd|th)?,? (?:([0-9]{4}),? )?(?:at )?)?)"
    R"(([0-9]{1,2})(?::([0-9]{2}))? ?(am|pm)\b)"};
  std::smatch m;
  if (!std::regex_search(words, m, form))
    return std::nullopt;
  auto day = calendar_of(clock.now + clock.utc_offset);
  auto dated = m[1].matched;
  if (dated) {
    auto this_month = day.month;
    day.month = month_of(m[1].str());
    day.day = std::stoi(m[2].str());
    if (day.month == 0)
      return std::nullopt;
    if (m[3].matched)
      day.year = std::stoi(m[3].str());
    else if (day.month < this_month)
      day.year += 1;
  }
  auto hour = std::stoi(m[4].str());
  if (hour < 1 || hour > 12)
    return std::nullopt;
  day.hour = hour % 12 + (m[6].str() == "pm" ? 12 : 0);
  day.minute = m[5].matched ? std::stoi(m[5].str()) : 0;
  auto at = moment_of(day) - clock.utc_offset;
  if (at <= clock.now && !dated)
    at += std::chrono::hours{24};
  return at;
}

/// `Claude AI usage limit reached|1795464000`.
std::optional<wall_time> stamp_in(const std::string& words) {
  static const std::regex form{R"(\|([0-9]{10})\b)"};
  std::smatch m;
  if (!std::regex_search(words, m, form))
    return std::nullopt;
  return wall_time{milliseconds{std::chrono::seconds{std::stoll(m[1].str())}}};
}

// -- the words of programs ----------------------------------------------------

struct saying {
  const char* front;
  const char* failure;
};

/// How the last rows of programs begin, without what `without_label` takes.
/// `plan` is a limit where the time is told when it ends, else a used-up plan.
constexpr saying sayings[] = {
  {"Not logged in", "auth"},
  {"Please run /login", "auth"},
  {"Invalid API key", "auth"},
  {"OAuth token has expired", "auth"},
  {"OAuth token revoked", "auth"},
  {"Your access token could not be refreshed", "auth"},
  {"unexpected status 401", "auth"},
  {"unexpected status 403", "auth"},
  {"exceeded retry limit, last status: 401", "auth"},
  {"Failed to authenticate", "auth"},
  {"401 {", "auth"},
  {"Rate limit reached", "rate_limited"},
  {"exceeded retry limit, last status: 429", "rate_limited"},
  {"unexpected status 429", "rate_limited"},
  {"Request rejected (429)", "rate_limited"},
  {"429 {", "rate_limited"},
  {"You've hit your session limit", "rate_limited"},
  {"5-hour limit reached", "rate_limited"},
  {"Weekly limit reached", "rate_limited"},
  {"Claude AI usage limit reached", "plan"},
  {"Claude usage limit reached", "plan"},
  {"You've hit your usage limit", "plan"},
  {"You've hit your limit", "plan"},
  {"You exceeded your current quota", "quota"},
  {"Quota exceeded", "quota"},
  {"Credit balance is too low", "quota"},
  {"529 {", "overloaded"},
  {"Overloaded", "overloaded"},
  {"exceeded retry limit, last status: 503", "overloaded"},
  {"exceeded retry limit, last status: 529", "overloaded"},
  {"unexpected status 503", "overloaded"},
  {"Prompt is too long", "context_exhausted"},
  {"Codex ran out of room in the model's context window", "context_exhausted"},
  {"stream disconnected before completion", "network"},
  {"Connection error", "network"},
  {"Unable to connect to API", "network"},
  {"error sending request", "network"},
};

/// `ERROR: …`, `API Error: …`, `■ …`: who speaks, not what is said.
std::string_view without_label(std::string_view row) {
  for (bool found = true; found;) {
    found = false;
    for (std::string_view label :
         {"ERROR: ", "Error: ", "error: ", "API Error: ", "\u25a0 ", "\u23bf ",
          "\u25cf ", "\u26a0 "})
      if (begins_with(row, label)) {
        row = trimmed(row.substr(label.size()));
        found = true;
      }
  }
  return row;
}

failure_verdict verdict_of(std::string_view failure, std::string_view words,
                           const local_clock& clock) {
  failure_verdict out;
  out.text = std::string{words};
  out.failure = std::string{failure};
  auto limit = failure == "rate_limited" || failure == "plan"
    || failure == "quota" || failure == "overloaded";
  if (limit)
    out.until = reset_time(words, clock);
  if (failure == "plan" || failure == "quota")
    out.failure = out.until ? "rate_limited" : "quota";
  return out;
}

// -- screens ------------------------------------------------------------------

/// The cursor of a choice: `❯`, `›` or `>`.
std::string_view without_cursor(std::string_view row) {
  for (std::string_view cursor : {"\u276f ", "\u203a ", "> "})
    if (begins_with(row, cursor))
      return row.substr(cursor.size());
  return {};
}

/// `1. Yes`.
bool is_choice(std::string_view row) {
  return row.size() > 3 && std::isdigit(static_cast<unsigned char>(row[0])) != 0
    && row.substr(1, 2) == ". ";
}

/// `Enter to confirm · Esc to cancel`: what keys do.
bool is_hint(std::string_view row) {
  auto text = lower(row);
  return begins_with(text, "enter ") || begins_with(text, "press enter")
    || begins_with(text, "esc ");
}

struct dialog {
  std::string question;
  std::string choices;
};

/// The dialog at the bottom of the rows, which have no empty ones at their end.
std::optional<dialog> dialog_in(const std::vector<std::string>& rows) {
  auto end = rows.size();
  auto hinted = false;
  while (
    end > 0
    && (trimmed(rows[end - 1]).empty() || is_hint(trimmed(rows[end - 1])))) {
    hinted |= is_hint(trimmed(rows[end - 1]));
    --end;
  }
  if (!hinted)
    return std::nullopt;
  // From the last choice up to the first.
  auto begin = end;
  auto first = end;
  auto cursors = 0;
  while (begin > 0 && end - begin < most_choices) {
    auto row = trimmed(rows[begin - 1]);
    auto chosen = without_cursor(row);
    auto is_one = is_choice(row) || is_choice(chosen);
    cursors += is_choice(chosen) ? 1 : 0;
    // An explanation of the choice above it is set in.
    auto set_in = begins_with(rows[begin - 1], "    ");
    if (!is_one && !row.empty() && !set_in)
      break;
    --begin;
    if (is_one)
      first = begin;
    if (is_one && (row[0] == '1' || begins_with(chosen, "1")))
      break;
  }
  if (cursors != 1 || first == end)
    return std::nullopt;
  dialog out;
  for (auto i = first; i < end; ++i)
    out.choices += std::string{trimmed(rows[i])} + "\n";
  auto from = first > most_question ? first - most_question : 0;
  for (auto i = from; i < first; ++i) {
    auto row = trimmed(rows[i]);
    // A line across the screen parts it from what was said before.
    if (begins_with(row, "\u2500\u2500\u2500"))
      out.question.clear();
    else if (!row.empty())
      out.question += std::string{row} + "\n";
  }
  return out;
}

bool has_one_of(const std::string& text,
                std::initializer_list<std::string_view> all) {
  return std::any_of(all.begin(), all.end(),
                     [&](auto x) { return has(text, x); });
}

std::string class_of(const dialog& d) {
  if (has_one_of(d.choices, {"Sign in with ChatGPT", "Claude account with"})
      || has_one_of(d.question, {"Select login method"}))
    return "auth";
  if (has_one_of(d.question,
                 {"rust this folder", "you trust", "trust the",
                  "Bypass Permissions mode", "use this API key?"}))
    return "trust_prompt";
  return "permission_prompt";
}

} // namespace

std::optional<wall_time> reset_time(std::string_view words,
                                    const local_clock& clock) {
  auto text = lower(words.substr(0, 2'000));
  std::optional<wall_time> at;
  if (auto span = span_in(text))
    at = clock.now + *span;
  else if (auto stamp = stamp_in(text))
    at = stamp;
  else
    at = moment_in(text, clock);
  if (!at || *at < clock.now || *at - clock.now > longest_limit)
    return std::nullopt;
  return at;
}

failure_verdict failure_of_turn(const conversation_state& turn,
                                const local_clock& clock) {
  if (turn.failure.empty())
    return {};
  return verdict_of(turn.failure, turn.problem, clock);
}

failure_verdict failure_of_exit(const exit_info& end,
                                const local_clock& clock) {
  std::size_t seen = 0;
  for (auto i = end.last_lines.rbegin();
       i != end.last_lines.rend() && seen < last_words; ++i) {
    auto row = trimmed(*i);
    if (row.empty())
      continue;
    ++seen;
    if (begins_with(row, "FATAL ERROR: ") && has(row, "heap out of memory"))
      return {"oom", std::string{row}, {}};
    auto words = without_label(row);
    for (const auto& [front, failure] : sayings)
      if (begins_with(words, front))
        return verdict_of(failure, words, clock);
  }
  return {};
}

failure_verdict failure_of_screen(const std::vector<std::string>& rows) {
  auto last = std::find_if(rows.rbegin(), rows.rend(), [](const auto& row) {
    return !trimmed(row).empty();
  });
  if (last == rows.rend())
    return {};
  if (auto d = dialog_in(rows))
    return {class_of(*d), d->question + d->choices, {}};
  // The line below the composer of claude.
  auto bottom = trimmed(*last);
  constexpr std::string_view logged_out = "Not logged in \u00b7 Run /login";
  auto above = last + 1;
  if (above != rows.rend() && begins_with(trimmed(*above), "\u2500\u2500\u2500")
      && bottom.size() >= logged_out.size()
      && bottom.substr(bottom.size() - logged_out.size()) == logged_out)
    return {"auth", std::string{logged_out}, {}};
  return {};
}

} // namespace ao
