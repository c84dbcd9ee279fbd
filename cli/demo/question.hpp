#pragma once

#include <optional>
#include <string>
#include <vector>

namespace ao::cli::demo {

/// What a notification says, taken out of its text as a person would.
struct letter {
  /// `inc-2`.
  std::string case_id;
  /// `incident_asked`, `incident_closed`, ….
  std::string kind;
  /// The answers that it offers.
  std::vector<std::string> options;
  /// Empty when no answer is wanted.
  std::string code;

  bool is_question() const { return !code.empty(); }
};

/// Reads a notification (CONTRACT §9); none when it has no head or no case.
std::optional<letter> read_letter(const std::string& text);

/// The answer that a person means who has typed `typed`: the number of an
/// option, nothing for the first one, or a text of its own. None when there is
/// no such option, or nothing to choose from.
std::optional<std::string> meant(const letter& of, const std::string& typed);

} // namespace ao::cli::demo
