#pragma once

#include "cli/demo/gateway.hpp"
#include "cli/demo/progress.hpp"
#include "cli/demo/question.hpp"
#include "cli/demo/stage.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace ao::cli::demo {

/// Reads what comes to the gateway and answers it by `ao incident answer`, as
/// who has the phone would:
///
///   question --> the demo takes its first option, or asks at the terminal
///            --> answer, passed on when `pass_on` is called
///            --> waits for the end of the case
class person {
public:
  /// @param at_terminal Whether the one at the terminal is asked; then there
  /// must be one (`can_ask`).
  person(const stage& where, progress& view, gateway& phone, bool at_terminal);

  /// Readable when a message has come.
  int phone() const { return phone_.fd(); }

  /// Whether the terminal is waited for; standard input is readable when
  /// something was typed.
  bool is_asked() const { return asked_at_.has_value(); }

  /// Whether a case is open: its question has come, its end has not.
  bool is_involved() const { return !open_.empty(); }

  /// Takes the messages and shows them.
  void read_messages();

  /// Takes what was typed. Errors: `bad_input` at the end of input.
  result<void> read_line();

  /// Passes the answers on, each when the events have told its question: what
  /// happens to a question is seen before its answer. Errors: those of starting
  /// `ao`, and its refusal; `process_failed` for a case that is asked again and
  /// again although the demo has answered it.
  result<void> pass_on(const tally& known);

  /// The case is over: nothing more about it is asked or waited for.
  void forget(const std::string& case_id);

  /// Cases whose question has come, whose answer was passed on and whose end
  /// has come.
  unsigned notified() const { return notified_; }

  /// How long the terminal was waited for so far.
  milliseconds thought() const { return thought_; }

private:
  using clock = std::chrono::steady_clock;

  void take(const std::string& text);
  void end_asking();
  void ask_next();
  void prompt();

  const stage& where_;
  progress& view_;
  gateway& phone_;
  bool at_terminal_;
  /// To be asked at the terminal, one after the other.
  std::deque<letter> questions_;
  /// To be passed on: the question and its answer.
  std::deque<std::pair<letter, std::string>> answers_;
  /// Whose end has not come yet, and whether an answer was passed on.
  std::map<std::string, bool> open_;
  /// How often the demo itself has answered a case.
  std::map<std::string, unsigned> answered_;
  unsigned notified_ = 0;
  std::optional<clock::time_point> asked_at_;
  milliseconds thought_{0};
};

} // namespace ao::cli::demo
