#include "runtime/rules/incident_texts.hpp"

#include "runtime/rules/fence.hpp"
#include "runtime/rules/log_lines.hpp"
#include "runtime/rules/notification_text.hpp"

#include <algorithm>

namespace ao {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& w : words)
    out += (out.empty() ? "" : " | ") + w;
  return out;
}

/// Who is spoken of: the session, else the project, else all.
const std::string& protagonist(const incident& i) {
  static const std::string cluster = "cluster";
  if (!i.session.empty())
    return i.session.text;
  return i.project.empty() ? cluster : i.project.text;
}

} // namespace

std::string_view describe(incident_cause c) {
  switch (c) {
  case incident_cause::ci_failed:
    return "CI fails";
  case incident_cause::changes_requested:
    return "the review asks for changes";
  case incident_cause::conflict:
    return "the work conflicts with the base";
  case incident_cause::stuck:
    return "the agent gets nowhere";
  case incident_cause::crash_loop:
    return "the agent keeps dying";
  case incident_cause::needs_input:
    return "the agent asks";
  case incident_cause::auth:
    return "the agent is not logged in";
  case incident_cause::duplicate:
    return "two tasks seem to be the same";
  case incident_cause::budget:
    return "the budget is used up";
  case incident_cause::node_lost:
    return "a node is lost";
  case incident_cause::child_given_up:
    return "an actor was given up";
  case incident_cause::base_red:
    return "the base branch itself fails";
  }
  return "something is wrong";
}

std::string self_heal_text(const incident& i) {
  auto text = i.text;
  if (!text.empty() && text.back() != '\n')
    text += '\n';
  return text + "This is attempt " + std::to_string(i.attempts) + " of "
    + std::to_string(i.max_attempts) + " (" + i.id.text
    + "). Done is when the checks of your pushed head pass.\n";
}

std::string verdict_text(const incident& i, const verdict& v) {
  auto front = "A mediator has looked at " + i.id.text + " ("
    + std::string{describe(i.cause)} + ").\n";
  switch (v.kind) {
  case verdict_kind::advise:
    return front + "Its advice:\n" + fenced(v.text)
      + "Follow it where it is right, commit and push to the same branch.\n";
  case verdict_kind::redesign:
    return front + "From now on your task is: " + v.title + "\n"
      + fenced(v.body)
      + "Begin again with that, commit and push to the same branch.\n";
  case verdict_kind::retry:
    return front + "Try once more:\n" + i.text;
  default:
    return {};
  }
}

std::string answer_text(const incident& i) {
  auto text = "Answer to " + i.id.text + ": " + i.answer + "\n";
  if (!i.question.empty())
    text += "The question was:\n" + fenced(i.question);
  if (!i.text.empty())
    text += "What is wrong:\n" + i.text;
  if (text.back() != '\n')
    text += '\n';
  return text;
}

std::string question_text(const incident& i) {
  auto about = !i.task.empty() ? i.task.text
    : !i.project.empty()       ? "project " + i.project.text
                               : std::string{"cluster"};
  if (!i.change.empty())
    about += ", " + i.change.text;
  std::string text = about + ": " + std::string{describe(i.cause)};
  if (i.attempts > 0)
    text += " after " + std::to_string(i.attempts)
      + (i.attempts == 1 ? " attempt" : " attempts");
  if (i.rounds > 0)
    text += " and " + std::to_string(i.rounds)
      + (i.rounds == 1 ? " mediation" : " mediations");
  if (count_of(i) > 1)
    text += ", in " + std::to_string(count_of(i)) + " sessions";
  text += ". How to go on?";
  if (!i.text.empty())
    text += "\n\n" + cut(i.text, 1'500);
  return text;
}

std::string notification_text(const incident& i, priority p,
                              const std::string& kind) {
  auto text = notification_heading(p, protagonist(i), kind, i.id.text);
  std::string end;
  if (!i.options.empty())
    end += "\nOptions: " + joined(i.options);
  end += "\nCode: " + i.code;
  end += "\nAnswer: ao incident answer " + i.id.text + " "
    + (i.options.empty() ? "<text>" : "<option|text>") + " --code " + i.code
    + "\n";
  // What is needed to answer is never cut, and options may be long.
  constexpr std::size_t least_question = 200;
  auto used
    = std::min(text.size() + end.size(), longest_notification - least_question);
  return text + cut(i.question, longest_notification - used) + end;
}

std::string code_in(std::string_view text) {
  constexpr std::string_view front = "\nCode: ";
  // The last one: a question may quote anything.
  auto at = text.rfind(front);
  if (at == text.npos)
    return {};
  auto rest = text.substr(at + front.size());
  return std::string{rest.substr(0, rest.find('\n'))};
}

std::string closing_text(const incident& i) {
  return cut(notification_heading(priority::info, protagonist(i),
                                  "incident_closed", i.id.text)
               + std::string{to_string(i.state)} + " by " + i.closed_by
               + (i.why.empty() ? "" : ": " + i.why)
               + "\nNo answer is needed any more.\n",
             longest_notification);
}

// FNV-1a, 32 bits.
std::string hash_of(const std::string& text) {
  constexpr char digits[] = "0123456789abcdef";
  std::uint32_t h = 2'166'136'261u;
  for (auto c : text)
    h = (h ^ static_cast<unsigned char>(c)) * 16'777'619u;
  std::string out(8, '0');
  for (auto i = out.size(); i-- > 0; h >>= 4)
    out[i] = digits[h & 15];
  return out;
}

std::string notification_key(const std::string& subject, std::uint64_t number,
                             const std::string& text) {
  return "ao-" + subject + "-" + std::to_string(number) + "-" + hash_of(text);
}

} // namespace ao
