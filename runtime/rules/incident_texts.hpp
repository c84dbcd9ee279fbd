#pragma once

#include "messages/incident.hpp"
#include "runtime/rules/verdicts.hpp"

#include <string>
#include <string_view>

/// What agents and people are told about an incident.
namespace ao {

/// Tier 1: what failed, which attempt this is, and what counts as done.
std::string self_heal_text(const incident& i);

/// What the agent is told of a verdict; empty for verdicts that tell it
/// nothing.
std::string verdict_text(const incident& i, const verdict& v);

/// `Answer to <id>: …`, and what it answers.
std::string answer_text(const incident& i);

/// The question of tier 3 when nobody has put another.
std::string question_text(const incident& i);

/// What a notification says (CONTRACT §9): headline, case, question, options,
/// code and how to answer. At most 3,500 bytes, unless the options alone are
/// longer.
std::string notification_text(const incident& i, priority p,
                              const std::string& kind);

/// The code that such a text names; empty when it asks nothing.
std::string code_in(std::string_view text);

/// What those are told who were asked, when it is over.
std::string closing_text(const incident& i);

/// `CI failed`, `a review asked for changes`, …: for sentences.
std::string_view describe(incident_cause c);

/// Eight hexadecimal digits that tell texts apart; they protect nothing.
std::string hash_of(const std::string& text);

/// `ao-<case>-<seq>-<hash>`: the same text of one step is one notification.
std::string notification_key(const std::string& subject, std::uint64_t number,
                             const std::string& text);

} // namespace ao
