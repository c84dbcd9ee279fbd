#include "cli/demo/person.hpp"

#include "cli/commands/common.hpp"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace ao::cli::demo {
namespace {

/// A case that so many answers do not end is not ended by one more.
constexpr unsigned most_answers = 3;

} // namespace

person::person(const stage& where, progress& view, gateway& phone,
               bool at_terminal)
    : where_(where), view_(view), phone_(phone), at_terminal_(at_terminal) {}

void person::read_messages() {
  for (const auto& text : phone_.take())
    take(text);
}

void person::take(const std::string& text) {
  view_.say("a message comes to the gateway, " + phone_.url() + ":");
  view_.quote(text);
  auto read = read_letter(text);
  if (!read)
    return;
  if (!read->is_question()) {
    auto found = open_.find(read->case_id);
    if (found != open_.end() && found->second)
      notified_ += 1;
    return forget(read->case_id);
  }
  open_.emplace(read->case_id, false);
  if (at_terminal_) {
    questions_.push_back(std::move(*read));
    return ask_next();
  }
  if (auto answer = meant(*read, ""))
    answers_.emplace_back(std::move(*read), std::move(*answer));
}

void person::forget(const std::string& case_id) {
  open_.erase(case_id);
  auto is_about = [&](const letter& one) { return one.case_id == case_id; };
  auto withdrawn
    = is_asked() && !questions_.empty() && is_about(questions_.front());
  questions_.erase(
    std::remove_if(questions_.begin(), questions_.end(), is_about),
    questions_.end());
  if (!withdrawn)
    return;
  view_.ask("\n");
  end_asking();
  view_.say(case_id + " needs no answer any more");
  ask_next();
}

void person::end_asking() {
  thought_ += std::chrono::ceil<milliseconds>(clock::now() - *asked_at_);
  asked_at_.reset();
  view_.resume();
}

void person::ask_next() {
  if (is_asked() || questions_.empty())
    return;
  asked_at_ = clock::now();
  const auto& options = questions_.front().options;
  for (std::size_t i = 0; i < options.size(); ++i)
    view_.quote(std::to_string(i + 1) + "  " + options[i]);
  view_.hold();
  // What was typed before is no answer to this.
  ::tcflush(STDIN_FILENO, TCIFLUSH);
  prompt();
}

void person::prompt() {
  const auto& options = questions_.front().options;
  view_.ask("Your answer to " + questions_.front().case_id
            + (options.empty()
                 ? ": "
                 : " (a number or a text; Enter = " + options.front() + "): "));
}

result<void> person::read_line() {
  // A terminal gives a line at a time.
  char line[4096];
  auto n = ::read(STDIN_FILENO, line, sizeof line);
  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return {};
  if (n <= 0)
    return fail(ec::bad_input,
                questions_.front().case_id + " was given no answer");
  auto answer
    = meant(questions_.front(), std::string(line, static_cast<std::size_t>(n)));
  if (!answer) {
    prompt();
    return {};
  }
  answers_.emplace_back(std::move(questions_.front()), std::move(*answer));
  questions_.pop_front();
  end_asking();
  ask_next();
  return {};
}

result<void> person::pass_on(const tally& known) {
  for (; !answers_.empty(); answers_.pop_front()) {
    const auto& [about, text] = answers_.front();
    if (!known.has_asked(about.case_id))
      return {};
    if (!at_terminal_ && ++answered_[about.case_id] > most_answers)
      return fail(ec::process_failed,
                  about.case_id + " is asked again after "
                    + std::to_string(most_answers) + " answers of the demo");
    view_.say((at_terminal_ ? "you answer " : "the demo answers for a person, ")
              + about.case_id + ": " + text);
    // An answer may begin like an option.
    auto given = where_.ask_ao(
      {"incident", "answer", "--code", about.code, "--", about.case_id, text});
    if (!given)
      return fail(given.error());
    auto error = text_at(given->body, "error");
    if (error == "already_answered" || error == "incident_closed")
      view_.say(about.case_id + " was answered by somebody else");
    else if (given->code == 0) {
      if (auto found = open_.find(about.case_id); found != open_.end())
        found->second = true;
    } else
      return fail(ec::process_failed,
                  "ao incident answer " + about.case_id + ": exit "
                    + std::to_string(given->code) + ", "
                    + text_at(given->body, "detail"));
  }
  return {};
}

} // namespace ao::cli::demo
