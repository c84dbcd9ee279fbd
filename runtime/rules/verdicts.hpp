#pragma once

#include "messages/error.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ao {

/// What a mediator may decide (CONTRACT §9).
enum class verdict_kind : std::uint8_t {
  /// The agent goes on with this advice.
  advise,
  /// The agent begins again with this task.
  redesign,
  /// These tasks take the place of the task.
  split,
  /// Another agent takes the task over.
  reassign,
  /// The agent is started again.
  retry,
  /// The task is cancelled.
  abandon,
  ask_human,
};

std::string_view to_string(verdict_kind k);

/// A mediator's verdict; only the members of its kind are set.
struct verdict {
  verdict_kind kind = verdict_kind::advise;
  /// `advise`: what the agent is told.
  std::string text;
  /// `redesign`: the task from now on.
  std::string title;
  std::string body;
  struct part {
    std::string title;
    std::string body;
    /// Titles of other parts, or references of tasks.
    std::vector<std::string> needs;
  };
  /// `split`: at least two.
  std::vector<part> parts;
  /// `reassign`: at least one of the two.
  std::string agent;
  std::string node;
  /// `abandon`
  std::string why;
  /// `ask_human`
  std::string question;
  std::vector<std::string> options;
};

/// Longest text of a verdict, in bytes; most parts and options.
constexpr std::size_t longest_verdict_text = 16'384;
constexpr std::size_t most_parts = 20;
constexpr std::size_t most_options = 8;

/// Reads a verdict. Errors: `bad_input` naming the member, what is wrong with
/// it and what is expected; members that do not belong to the kind are wrong.
result<verdict> read_verdict(const nlohmann::json& in);

/// The verdict as `read_verdict` reads it.
nlohmann::json to_json(const verdict& v);

} // namespace ao
