#include "runtime/config/value_rules.hpp"

#include "messages/time.hpp"
#include "runtime/git/names.hpp"
#include "runtime/rules/quiet_hours.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace ao {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_alnum(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

std::string number_text(double x) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.15g", x);
  return buffer;
}

/// A bound as the user would write it.
std::string bound(const key_row& row, double x) {
  switch (row.type) {
  case key_type::duration:
  case key_type::durations:
    return format_duration(milliseconds{static_cast<std::int64_t>(x)});
  case key_type::size:
    return format_size(static_cast<std::uint64_t>(x));
  default:
    return number_text(x);
  }
}

/// ` from 1 to 5`, ` of at least 1`, or nothing.
std::string range_text(const key_row& row) {
  if (row.least && row.greatest)
    return " from " + bound(row, *row.least) + " to "
      + bound(row, *row.greatest);
  if (row.least && *row.least != 0)
    return " of at least " + bound(row, *row.least);
  return {};
}

std::string out_of_range(const key_row& row, double x) {
  if (row.least && x < *row.least)
    return " is too small";
  if (row.greatest && x > *row.greatest)
    return " is too large";
  return {};
}

std::string read_integer(const key_row& row, const std::string& text,
                         bool plain, std::int64_t& out) {
  if (!plain)
    return " is text (in quotes)";
  const auto* end = text.data() + text.size();
  auto [stop, problem] = std::from_chars(text.data(), end, out);
  if (problem == std::errc::result_out_of_range && stop == end)
    return text[0] == '-' ? " is too small" : " is too large";
  if (problem != std::errc{} || stop != end)
    return " is not a whole number";
  if (out < 0 && !row.least)
    return " is too small";
  return out_of_range(row, static_cast<double>(out));
}

std::string read_number(const key_row& row, const std::string& text, bool plain,
                        double& out) {
  if (!plain)
    return " is text (in quotes)";
  // from_chars would take "inf" and "nan", which no key means.
  bool shape = !text.empty() && text.size() < 32
    && text.find_first_not_of("0123456789.-") == text.npos;
  const auto* end = text.data() + text.size();
  auto [stop, problem] = std::from_chars(text.data(), end, out);
  if (!shape || problem != std::errc{} || stop != end || !std::isfinite(out))
    return " is not a number";
  return out_of_range(row, out);
}

std::string read_duration(const key_row& row, const std::string& text,
                          std::int64_t& out) {
  auto read = parse_duration(text);
  if (!read)
    return " is not a duration";
  out = read->count();
  return out_of_range(row, static_cast<double>(out));
}

std::string read_size(const key_row& row, const std::string& text,
                      std::int64_t& out) {
  auto read = parse_size(text);
  if (!read)
    return " is not a size";
  out = static_cast<std::int64_t>(*read);
  return out_of_range(row, static_cast<double>(out));
}

std::string read_tries_or_duration(const key_row& row, const std::string& text,
                                   bool plain, checked_value& out) {
  if (all_digits(text) && plain) {
    auto rule = row;
    rule.least = 0;
    rule.greatest = 1'000'000;
    return read_integer(rule, text, plain, out.number);
  }
  out.is_time = true;
  return read_duration(row, text, out.number).empty()
    ? ""
    : " is neither a number nor a duration";
}

std::string read_word(const key_row& row, const std::string& text) {
  auto found = std::find(row.words.begin(), row.words.end(), text);
  return found == row.words.end() ? " is not supported" : "";
}

bool is_inner_path(std::string_view text) {
  return text.substr(0, 1) != "~" && valid_inner_path(text);
}

bool is_branch_template(const std::string& text) {
  static const std::string mark = "{session}";
  auto at = text.find(mark);
  if (at == text.npos)
    return false;
  auto example = text;
  example.replace(at, mark.size(), "a-1");
  return is_branch_name(example) && example.find_first_of("{}") == example.npos;
}

/// The host of `http://host:port/…` without brackets; empty when none.
std::string_view host_of(std::string_view url) {
  auto at = url.find("://");
  if (at == url.npos)
    return {};
  url.remove_prefix(at + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  auto user = url.rfind('@');
  if (user != url.npos)
    url.remove_prefix(user + 1);
  if (!url.empty() && url[0] == '[') {
    auto end = url.find(']');
    return end == url.npos ? std::string_view{} : url.substr(1, end - 1);
  }
  return url.substr(0, url.find(':'));
}

} // namespace

bool is_identifier(std::string_view text) {
  // With a number behind it, it is the name of a session of tmux, of files and
  // of refs. A leading dash would read as an option somewhere.
  constexpr std::size_t longest = 50;
  return !text.empty() && text.size() <= longest && text[0] != '-'
    && std::all_of(text.begin(), text.end(),
                   [](char c) { return is_alnum(c) || c == '_' || c == '-'; });
}

bool is_branch_name(std::string_view text) {
  return valid_branch(text);
}

bool is_address(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == text.npos || colon == 0)
    return false;
  auto host = text.substr(0, colon);
  auto port = text.substr(colon + 1);
  if (!all_digits(port) || port.size() > 5
      || std::stoi(std::string{port}) > 65535)
    return false;
  if (host[0] == '[')
    return host.size() > 2 && host.back() == ']'
      && host.find_first_not_of("0123456789abcdefABCDEF:.%[]") == host.npos;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return is_alnum(c) || c == '.' || c == '-' || c == '_' || c == '*';
  });
}

bool is_url(std::string_view text) {
  bool scheme
    = text.substr(0, 7) == "http://" || text.substr(0, 8) == "https://";
  return scheme && !host_of(text).empty()
    && std::all_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
         });
}

bool is_loopback_url(std::string_view text) {
  auto host = host_of(text);
  if (host == "localhost" || host == "::1")
    return true;
  // 127.0.0.1.evil.example begins the same.
  return host.substr(0, 4) == "127."
    && host.find_first_not_of("0123456789.") == host.npos;
}

std::string or_list(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0)
      out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

std::string expectation(const key_row& row) {
  switch (row.type) {
  case key_type::section:
  case key_type::table:
    return "a map";
  case key_type::boolean:
    return "true or false";
  case key_type::integer:
    return "a whole number" + range_text(row);
  case key_type::number:
    return "a number" + range_text(row);
  case key_type::millis:
    return "a whole number of milliseconds" + range_text(row);
  case key_type::word:
    return or_list(row.words);
  case key_type::text:
    return "text";
  case key_type::prose:
    return "text (may be empty)";
  case key_type::duration:
    return "a duration" + range_text(row) + " such as 30s or 10m";
  case key_type::durations:
    return "a list of durations such as [4h, 8h]";
  case key_type::size:
    return "a size" + range_text(row) + " such as 64MiB or 1GiB";
  case key_type::texts:
    return "a list of texts";
  case key_type::text_map:
    return "a map of texts";
  case key_type::command:
    return "a list with a program and its arguments";
  case key_type::path:
    return "a path such as ~/app";
  case key_type::inner_path:
    return "a path below the project, without ..";
  case key_type::inner_paths:
    return "a list of paths below the project, without ..";
  case key_type::agent:
    return "the name of an agent";
  case key_type::notifiers:
    return "a list of notifiers";
  case key_type::hours:
    return "two times of a day such as 22:00-07:00";
  case key_type::address:
    return "host:port such as 127.0.0.1:7421";
  case key_type::url:
    return "a URL such as https://example.org/hook";
  case key_type::variable:
    return "the name of an environment variable";
  case key_type::variables:
    return "a list of names of environment variables";
  case key_type::branch:
    return "the name of a git branch";
  case key_type::branch_template:
    return "the name of a git branch that contains {session} once";
  case key_type::identifier:
    return "at most 50 letters, digits, _ and -";
  case key_type::tries_or_duration:
    return "a number of tries or a duration such as 30m";
  case key_type::ignored:
    return "anything";
  }
  return {};
}

key_row item_rule(const key_row& row) {
  auto rule = row;
  rule.words.clear();
  switch (row.type) {
  case key_type::durations:
    rule.type = key_type::duration;
    break;
  case key_type::variables:
    rule.type = key_type::variable;
    break;
  case key_type::notifiers:
  case key_type::texts:
  case key_type::command:
    rule.type = key_type::text;
    break;
  case key_type::inner_paths:
    rule.type = key_type::inner_path;
    break;
  default:
    rule.type = key_type::prose;
    break;
  }
  return rule;
}

std::string read_text(const key_row& row, const std::string& text, bool plain,
                      checked_value& out) {
  auto when = [](bool good, const char* problem) {
    return std::string{good ? "" : problem};
  };
  switch (row.type) {
  case key_type::boolean:
    out.flag = text == "true";
    if (!plain)
      return " is text (in quotes)";
    return when(text == "true" || text == "false", " is not a boolean");
  case key_type::integer:
  case key_type::millis:
    return read_integer(row, text, plain, out.number);
  case key_type::number:
    return read_number(row, text, plain, out.real);
  case key_type::word:
    return read_word(row, text);
  case key_type::duration:
    return read_duration(row, text, out.number);
  case key_type::size:
    return read_size(row, text, out.number);
  case key_type::tries_or_duration:
    return read_tries_or_duration(row, text, plain, out);
  case key_type::inner_path:
    return when(is_inner_path(text), " is not a path below the project");
  case key_type::hours:
    return when(quiet_hours_from(text).has_value(), " is not a part of a day");
  case key_type::address:
    return when(is_address(text), " is not an address");
  case key_type::url:
    return when(is_url(text), " is not a URL");
  case key_type::variable:
    return when(is_variable_name(text), " is not the name of a variable");
  case key_type::branch:
    return when(is_branch_name(text), " is not a name that git accepts");
  case key_type::branch_template:
    return when(is_branch_template(text), " is not the branch of one session");
  case key_type::identifier:
    return when(is_identifier(text), " is not a name");
  case key_type::prose:
    return {};
  default:
    return when(!text.empty(), " is empty");
  }
}

} // namespace ao
