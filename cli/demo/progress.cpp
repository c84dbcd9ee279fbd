#include "cli/demo/progress.hpp"

#include "cli/commands/common.hpp"
#include "cli/commands/event_text.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace ao::cli::demo {
namespace {

using nlohmann::json;

struct phrase {
  std::string_view kind;
  std::string_view pattern;
};

/// What is not here is of no interest to who watches.
constexpr phrase phrases[] = {
  {"task_added", "is added as {task}"},
  {"task_claimed", "belongs to {session}"},
  {"claim_refused", "is refused to another: {why}"},
  {"session_queued", "{session} {reason}"},
  {"session_spawned", "{session} gets a worktree and a terminal"},
  {"session_adopted", "{session} has survived and is adopted"},
  {"session_lost", "{session} is lost: {reason}"},
  {"session_parked", "{session} is parked: {reason}"},
  {"agent_started", "{session} works (run {run})"},
  {"agent_exited", "{session} ends: {reason}"},
  {"agent_restarted", "{session} is started again after a {reason}"},
  {"needs_input", "{session} needs a person: {reason}"},
  {"spawn_failed", "{session} cannot start: {reason}"},
  {"change_opened", "{change} is open"},
  {"ci_started", "{change} is being tested"},
  {"ci_passed", "{change} has passed its tests"},
  {"ci_failed", "{change} has failed its tests"},
  {"conflict", "{change} is in conflict"},
  {"behind", "{change} is behind"},
  {"merged", "{change} is merged as {sha}"},
  {"rescue_saved", "work of {session} is saved"},
  {"message_written", "{session} gets a message"},
  {"task_parked", "is parked: {why}"},
  {"duplicate_suspected", "looks like another task"},
  {"incident_opened", "an incident is opened: {cause}"},
  {"incident_escalated", "a {to} is needed"},
  {"incident_escalated", "a mediator is called, after {attempts} attempts"},
  {"incident_asked", "a person is asked: {question}"},
  {"incident_answered", "a mediator's verdict: {verdict}"},
  {"incident_answered", "a person's answer: {answer}"},
  {"incident_closed", "the incident is {state} by {by}"},
};

colour colour_of_task(const task_facts& one) {
  if (one.stuck)
    return colour::yellow;
  return colour_of(one.run_began ? "working" : one.state);
}

std::string word_of(const task_facts& one) {
  if (one.stuck)
    return "stuck";
  if (one.run_began)
    return "working";
  return one.state == "claimed" ? "waiting"
    : one.state == "in_review"  ? "testing"
                                : one.state;
}

} // namespace

std::string attempt_in_words(const json& event, const tally& known) {
  const auto* task = known.of(event);
  if (!task || !is_word_of_incident(event))
    return "";
  auto found = task->cases.find(known.incident_of(event));
  if (found == task->cases.end() || found->second.escalated)
    return "";
  const auto& one = found->second;
  return "is told what fails, attempt " + std::to_string(one.told)
    + (one.most > 0 ? " of " + std::to_string(one.most) : "");
}

std::string in_words(const json& event) {
  auto kind = text_at(event, "kind");
  for (const auto& one : phrases)
    if (one.kind == kind)
      if (auto words = fill(one.pattern, event); !words.empty())
        return words;
  return "";
}

progress::progress(std::FILE* to, std::size_t columns, bool colours)
    : to_(to), columns_(columns), colours_(colours) {}

progress progress::of_process() {
  if (::isatty(STDERR_FILENO) == 0)
    return progress{stderr, 0, false};
  const auto* term = std::getenv("TERM");
  // A terminal that cannot go up gets lines.
  if (!term || !*term || std::string_view{term} == "dumb")
    return progress{stderr, 0, false};
  winsize size{};
  std::size_t columns = 80;
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    columns = size.ws_col;
  const auto* plain = std::getenv("NO_COLOR");
  return progress{stderr, columns, !plain || !*plain};
}

std::string progress::elapsed() const {
  auto ms = std::chrono::duration_cast<milliseconds>(
              std::chrono::steady_clock::now() - began_)
              .count();
  char text[32];
  std::snprintf(text, sizeof text, "%6.1f s", static_cast<double>(ms) / 1000);
  return text;
}

std::string progress::painted(const std::string& text, colour paint) const {
  return colours_ ? ao::cli::painted(text, paint) : text;
}

void progress::write(const std::string& line) {
  if (held_) {
    kept_ += line;
    return;
  }
  erase();
  std::fputs(line.c_str(), to_);
  std::fflush(to_);
}

void progress::say(const std::string& text) {
  write(elapsed() + "  " + sanitize(text) + "\n");
}

void progress::quote(const std::string& text) {
  std::string lines;
  for (std::size_t from = 0; from < text.size();) {
    auto end = std::min(text.find('\n', from), text.size());
    lines += "          | " + sanitize(text.substr(from, end - from)) + "\n";
    from = end + 1;
  }
  write(lines);
}

void progress::ask(const std::string& text) {
  std::fputs(sanitize(text, true).c_str(), to_);
  std::fflush(to_);
}

void progress::hold() {
  erase();
  held_ = true;
}

void progress::resume() {
  held_ = false;
  write(std::exchange(kept_, {}));
}

void progress::show(const json& event, const tally& known) {
  const auto* task = known.of(event);
  auto words = attempt_in_words(event, known);
  if (words.empty())
    words = in_words(event);
  if (words.empty() || !task)
    return tick(known);
  words_[task->id] = words;
  if (is_live())
    return tick(known);
  std::size_t width = 0;
  for (const auto& one : known.tasks())
    width = std::max(width, display_width(one.title));
  write(elapsed() + "  " + padded(task->title, width) + "  " + sanitize(words)
        + "\n");
}

void progress::tick(const tally& known) {
  if (is_live() && !held_)
    draw(known);
}

void progress::finish() {
  if (held_) {
    // Below the question, which nobody has answered.
    std::fputs("\n", to_);
    resume();
  }
  drawn_ = 0;
}

void progress::erase() {
  if (drawn_ > 0)
    std::fprintf(to_, "\x1b[%zuA\x1b[J", drawn_);
  drawn_ = 0;
}

void progress::draw(const tally& known) {
  std::size_t width = 0;
  std::size_t merged = 0;
  for (const auto& one : known.tasks()) {
    width = std::max(width, display_width(one.title));
    merged += one.state == "merged" ? 1 : 0;
  }
  auto head = elapsed() + "  " + std::to_string(merged) + " of "
    + std::to_string(known.tasks().size()) + " merged";
  // Line over line: erasing it all first would flicker.
  std::string text = drawn_ > 0 ? "\x1b[" + std::to_string(drawn_) + "A" : "";
  constexpr auto line_end = "\x1b[K\n";
  text += painted(shorten(head, columns_), colour::bold) + line_end;
  constexpr std::size_t state_width = 9;
  constexpr std::size_t indent = 2;
  for (const auto& one : known.tasks()) {
    auto title = padded(one.title, width);
    auto state = padded(word_of(one), state_width);
    auto used = indent + width + 2 + state_width + 2;
    auto words = words_.count(one.id) > 0 ? words_.at(one.id) : "";
    text += "  " + title + "  " + painted(state, colour_of_task(one)) + "  "
      + (used < columns_ ? shorten(sanitize(words), columns_ - used) : "")
      + line_end;
  }
  std::fwrite(text.data(), 1, text.size(), to_);
  std::fflush(to_);
  drawn_ = known.tasks().size() + 1;
}

} // namespace ao::cli::demo
