#pragma once

#include "cli/demo/tally.hpp"
#include "cli/output.hpp"
#include "messages/time.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace ao::cli::demo {

/// An event in words for people, without the task's title: `text-2 works`.
/// Empty for what is only of interest to the system itself.
std::string in_words(const nlohmann::json& event);

/// The word of an incident to an agent that is to repair what fails; empty for
/// anything else.
std::string attempt_in_words(const nlohmann::json& event, const tally& known);

/// Shows on standard error what happens: on a terminal a picture with a row
/// for each task, drawn anew at each change; elsewhere a line for each event.
class progress {
public:
  /// @param columns Width of the terminal; 0 = not a terminal.
  progress(std::FILE* to, std::size_t columns, bool colours);

  /// Asks standard error (NO_COLOR, TERM, COLUMNS, TIOCGWINSZ).
  static progress of_process();

  /// Something about the demo as a whole.
  void say(const std::string& text);

  /// What somebody else has written, line by line.
  void quote(const std::string& text);

  /// A question, at whose end the cursor waits.
  void ask(const std::string& text);

  /// Shows no events until `resume`: somebody is typing.
  void hold();
  void resume();

  /// An event, which `known` has taken already.
  void show(const nlohmann::json& event, const tally& known);

  /// Draws the picture anew, for its clock; nothing without a terminal.
  void tick(const tally& known);

  /// Leaves the last picture as it is; what follows is written below.
  void finish();

  bool is_live() const { return columns_ > 0; }

private:
  std::string elapsed() const;
  std::string painted(const std::string& text, colour paint) const;
  void draw(const tally& known);
  void erase();
  void write(const std::string& line);

  std::FILE* to_;
  std::size_t columns_;
  bool colours_;
  std::chrono::steady_clock::time_point began_
    = std::chrono::steady_clock::now();
  /// The last words about each task, by its id.
  std::map<std::string, std::string> words_;
  /// Lines of the picture that is shown.
  std::size_t drawn_ = 0;
  bool held_ = false;
  /// Lines that were kept back.
  std::string kept_;
};

} // namespace ao::cli::demo
