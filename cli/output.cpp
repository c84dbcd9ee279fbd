#include "cli/output.hpp"

#include "runtime/http/problem.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace ao::cli {
namespace {

constexpr char32_t replacement = 0xFFFD;

/// Takes one character off the front; `replacement` for a bad byte.
char32_t take_character(std::string_view& text) {
  auto lead = static_cast<unsigned char>(text[0]);
  std::size_t n = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  char32_t out = n == 1 ? lead : lead & (0xFFu >> (n + 1));
  auto valid = n == 1 || (lead >= 0xC2 && lead <= 0xF4 && text.size() >= n);
  for (std::size_t i = 1; valid && i < n; ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    valid = (byte & 0xC0) == 0x80;
    out = out << 6 | (byte & 0x3Fu);
  }
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  valid = valid && out >= smallest[n] && out <= 0x10FFFF
    && !(out >= 0xD800 && out <= 0xDFFF);
  text.remove_prefix(valid ? n : 1);
  return valid ? out : replacement;
}

void append_character(std::string& out, char32_t c) {
  auto tail
    = [&](int shift) { out += static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

/// Marks that reorder what a reader sees, and invisible separators.
bool is_treacherous(char32_t c) {
  return c == 0x61C || c == 0x200E || c == 0x200F
    || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069)
    || c == 0xFEFF;
}

/// What stands for `c` on a terminal.
char32_t visible(char32_t c) {
  if (c < 0x20)
    return 0x2400 + c; // The pictures of the control characters.
  if (c == 0x7F)
    return 0x2421;
  if ((c >= 0x80 && c < 0xA0) || is_treacherous(c))
    return replacement;
  return c;
}

std::size_t columns_of(char32_t c) {
  if ((c >= 0x300 && c <= 0x36F) || (c >= 0x200B && c <= 0x200D)
      || (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0x20D0 && c <= 0x20FF))
    return 0;
  auto wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF)
    || (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF)
    || (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60)
    || (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF)
    || (c >= 0x20000 && c <= 0x3FFFD);
  return wide ? 2 : 1;
}

const char* escape_of(colour paint) {
  switch (paint) {
  case colour::red:
    return "\x1b[31m";
  case colour::green:
    return "\x1b[32m";
  case colour::yellow:
    return "\x1b[33m";
  case colour::blue:
    return "\x1b[34m";
  case colour::dim:
    return "\x1b[2m";
  case colour::bold:
    return "\x1b[1m";
  case colour::none:
    break;
  }
  return "";
}

void write_line(std::FILE* to, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fputc('\n', to);
  std::fflush(to);
}

std::string dumped(const nlohmann::json& what) {
  return what.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace

std::string sanitize(std::string_view text, bool keep_lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    auto c = take_character(text);
    auto kept = keep_lines && (c == '\n' || c == '\t');
    append_character(out, kept ? c : visible(c));
  }
  return out;
}

std::size_t display_width(std::string_view text) {
  std::size_t out = 0;
  while (!text.empty())
    out += columns_of(take_character(text));
  return out;
}

std::string shorten(std::string_view text, std::size_t width) {
  if (display_width(text) <= width)
    return std::string{text};
  if (width == 0)
    return "";
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    auto c = take_character(text);
    if (used + columns_of(c) > width - 1)
      break;
    used += columns_of(c);
    append_character(out, c);
  }
  return out + "…";
}

std::string padded(std::string text, std::size_t width) {
  auto has = display_width(text);
  if (has < width)
    text.append(width - has, ' ');
  return text;
}

std::string painted(std::string_view text, colour paint) {
  if (paint == colour::none)
    return std::string{text};
  return escape_of(paint) + std::string{text} + "\x1b[0m";
}

output::output(std::FILE* out, std::FILE* err, bool json, bool colours,
               std::size_t columns)
    : out_(out), err_(err), json_(json), colours_(colours), columns_(columns) {}

output output::of_process() {
  if (::isatty(STDOUT_FILENO) == 0)
    return output{stdout, stderr, false, false, 0};
  winsize size{};
  std::size_t columns = 80;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    columns = size.ws_col;
  if (const auto* said = std::getenv("COLUMNS"); said && std::atoi(said) > 0)
    columns = static_cast<std::size_t>(std::atoi(said));
  const auto* plain = std::getenv("NO_COLOR");
  const auto* term = std::getenv("TERM");
  auto colours = (!plain || !*plain) && term && std::string{term} != "dumb";
  return output{stdout, stderr, false, colours, columns};
}

std::string output::in_colour(std::string_view text, colour paint) const {
  return colours_ ? painted(text, paint) : std::string{text};
}

void output::line(std::string_view text, colour paint) {
  if (!json_)
    write_line(out_, in_colour(sanitize(text), paint));
}

void output::print(const table& what) {
  if (json_)
    return;
  auto columns = what.head.size();
  std::vector<std::vector<cell>> rows;
  rows.emplace_back();
  for (const auto& name : what.head)
    rows.back().push_back({name, colour::bold});
  rows.insert(rows.end(), what.rows.begin(), what.rows.end());
  std::vector<std::size_t> width(columns);
  for (auto& row : rows) {
    row.resize(columns);
    for (std::size_t i = 0; i < columns; ++i) {
      row[i].text = sanitize(row[i].text);
      width[i] = std::max(width[i], display_width(row[i].text));
    }
  }
  constexpr std::size_t gap = 2;
  auto total = columns == 0 ? 0 : gap * (columns - 1);
  for (auto w : width)
    total += w;
  if (columns_ > 0 && total > columns_ && columns > 0) {
    auto flexible = what.flexible < 0 ? columns - 1
                                      : static_cast<std::size_t>(what.flexible);
    auto excess = total - columns_;
    // Eight columns still tell titles apart; below that the row wraps.
    width[flexible] = std::max<std::size_t>(
      width[flexible] > excess ? width[flexible] - excess : 0,
      std::min<std::size_t>(width[flexible], 8));
  }
  for (const auto& row : rows) {
    std::string text;
    for (std::size_t i = 0; i < columns; ++i) {
      auto shown = shorten(row[i].text, width[i]);
      text += in_colour(shown, row[i].paint);
      if (i + 1 < columns)
        text.append(width[i] - display_width(shown) + gap, ' ');
    }
    write_line(out_, text);
  }
}

void output::result_line(std::string_view name, std::string_view value) {
  if (!json_)
    write_line(out_, std::string{name} + "=" + sanitize(value));
}

void output::document(const nlohmann::json& what) {
  if (json_)
    write_line(out_, dumped(what));
}

void output::note(std::string_view text) {
  write_line(err_, sanitize(text, true));
}

void output::report(const error& why) {
  note("ao: " + to_string(why));
  for (const auto& [name, value] : why.details)
    note("  " + name + ": " + value);
  if (auto next = hint(why); !next.empty())
    note("next: " + next);
  if (json_)
    document(http::problem(why));
}

std::string output::hint(const error& why) {
  auto detail = [&](std::string_view name) -> std::string {
    for (const auto& [key, value] : why.details)
      if (key == name)
        return value;
    return "";
  };
  switch (why.code) {
  case ec::hub_not_running:
    return "ao start";
  case ec::task_already_claimed:
    return detail("holder").empty() ? "ao status"
                                    : "ao session show " + detail("holder");
  case ec::task_closed:
    return "ao task retry " + detail("task");
  case ec::no_such_task:
    return "ao task ls";
  case ec::no_such_session:
  case ec::session_closed:
    return "ao session ls --include-terminated";
  case ec::no_such_change:
    return "ao pr ls";
  case ec::no_such_project:
    return "ao config show";
  case ec::no_repository:
    return "run it inside a git repository, or give its path";
  case ec::program_missing:
  case ec::home_unusable:
    return "ao doctor";
  case ec::agent_not_ready:
    return "ao agents";
  case ec::timed_out:
    return "the same command again, with the same request id";
  default:
    return "";
  }
}

} // namespace ao::cli
