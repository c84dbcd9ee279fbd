#include "runtime/rules/chat_answers.hpp"

#include "runtime/rules/digest.hpp"
#include "runtime/rules/incident_texts.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

namespace ao {
namespace {

using told_list = std::vector<row_ptr<notification>>;

constexpr std::string_view blanks = " \t\r\n";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string in_lower(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string in_upper(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (c >= 'a' && c <= 'z')
      c = static_cast<char>(c - 'a' + 'A');
  return out;
}

std::string_view trimmed(std::string_view text) {
  auto first = text.find_first_not_of(blanks);
  if (first == text.npos)
    return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// The whole of `text` as a number.
template <class T>
std::optional<T> number_in(std::string_view text) {
  T out{};
  auto [end, bad]
    = std::from_chars(text.data(), text.data() + text.size(), out);
  if (bad != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return out;
}

/// Takes the first word of `text`.
std::string_view next_word(std::string_view& text) {
  text = trimmed(text);
  auto end = std::min(text.find_first_of(blanks), text.size());
  auto word = text.substr(0, end);
  text = trimmed(text.substr(end));
  return word;
}

/// `inc-7`, whatever the keyboard has made of it; empty for other words.
std::string case_in(std::string_view word) {
  constexpr std::string_view front = "inc-";
  constexpr std::size_t most_digits = 18;
  while (!word.empty() && (word.back() == ':' || word.back() == ','))
    word.remove_suffix(1);
  auto out = in_lower(word);
  auto digits
    = std::string_view{out}.substr(std::min(front.size(), out.size()));
  auto good = out.compare(0, front.size(), front) == 0 && !digits.empty()
    && digits.size() <= most_digits
    && std::all_of(digits.begin(), digits.end(), is_digit);
  return good ? out : std::string{};
}

/// `answer`, also as a command to a bot: `/answer`, `/answer@ao_bot`.
bool is_call(std::string_view word) {
  auto text = in_lower(word);
  return text == "answer" || text == "/answer"
    || text.compare(0, 8, "/answer@") == 0;
}

bool is_code(std::string_view word) {
  constexpr std::size_t length = 8;
  return word.size() == length
    && std::all_of(word.begin(), word.end(), [](char c) {
           return is_digit(c) || (c >= 'A' && c <= 'Z');
         });
}

/// Takes `code ABCDEFGH` from the end of `text`; empty when it is not there.
std::string take_code(std::string_view& text) {
  auto last = text.find_last_of(blanks);
  if (last == text.npos)
    return {};
  auto code = in_upper(text.substr(last + 1));
  auto front = trimmed(text.substr(0, last));
  auto word = front.find_last_of(blanks);
  auto before = in_lower(front.substr(word == front.npos ? 0 : word + 1));
  if (!is_code(code) || (before != "code" && before != "code:"))
    return {};
  text
    = word == front.npos ? std::string_view{} : trimmed(front.substr(0, word));
  return code;
}

/// An option that differs in its capitals only is that option.
std::string chosen(const std::vector<std::string>& options,
                   std::string_view text) {
  for (const auto& option : options)
    if (in_lower(option) == in_lower(text))
      return option;
  return std::string{text};
}

chat_decision refused(std::string why) {
  chat_decision out;
  out.what = chat_decision::kind::refuse;
  out.why = std::move(why);
  return out;
}

chat_decision answered(const std::string& id, std::string text,
                       std::string code) {
  if (text.empty())
    return refused("The answer to " + id + " is missing: write it behind "
                   + id);
  if (text.size() > longest_answer)
    return refused("The answer is too long, at most "
                   + std::to_string(longest_answer) + " bytes are taken");
  chat_decision out;
  out.what = chat_decision::kind::answer;
  out.incident.text = id;
  out.text = std::move(text);
  out.code = std::move(code);
  return out;
}

/// `<case> <number> <option> <code>`
chat_decision decide_press(const chat_update& u, const told_list& told) {
  std::string_view rest = u.text;
  std::string id{next_word(rest)};
  auto number = number_in<std::uint64_t>(next_word(rest));
  auto option = number_in<std::size_t>(next_word(rest));
  std::string code{next_word(rest)};
  if (!number || !option || !is_code(code) || !rest.empty())
    return refused("This button is of no question");
  for (const auto& n : told)
    if (n->subject == id && n->number == *number)
      return *option < n->options.size()
        ? answered(id, n->options[*option], code)
        : refused("The question has no such option");
  return refused("This question is not known any more");
}

/// The message that was replied to.
struct replied_message {
  /// It was written down.
  bool known = false;
  /// The questions that it asks, by case; a digest may ask several.
  std::map<std::string, const notification*> questions;
};

replied_message message_replied(const chat_update& u, const told_list& told) {
  replied_message out;
  if (u.reply_to == 0)
    return out;
  auto remote = std::to_string(u.reply_to);
  for (const auto& n : told) {
    if (n->remote != remote)
      continue;
    out.known = true;
    if (!is_digest(*n) && !code_in(n->text).empty())
      out.questions[n->subject] = n.get();
  }
  return out;
}

/// The one case that a text of ours tells of; empty when it is none, or not
/// the only one.
std::string case_told(std::string_view text) {
  constexpr std::string_view front = "\nCase ";
  auto at = text.find(front);
  if (at == text.npos || text.find(front, at + 1) != text.npos)
    return {};
  auto rest = text.substr(at + front.size());
  return case_in(next_word(rest));
}

/// What was last asked of the case here.
const notification* newest_of(const std::string& id, const told_list& told) {
  const notification* out = nullptr;
  for (const auto& n : told)
    if (n->subject == id && !code_in(n->text).empty()
        && (out == nullptr || n->number > out->number))
      out = n.get();
  return out;
}

chat_decision answer_named(const std::string& id, std::string_view text,
                           const told_list& told) {
  auto code = take_code(text);
  if (code.empty() && !text.empty())
    return refused("The code of " + id
                   + " is missing: reply to the question, or end with: code "
                     "XXXXXXXX");
  const auto* n = newest_of(id, told);
  return answered(id, n ? chosen(n->options, text) : std::string{text}, code);
}

/// @param code Of the question.
chat_decision answer_reply(const notification& n, const std::string& code,
                           std::string_view text) {
  // Any other code at its end belongs to what is said.
  auto rest = text;
  if (take_code(rest) == code)
    text = rest;
  if (text.empty())
    return refused("Only a text can be an answer");
  return answered(n.subject, chosen(n.options, text), code);
}

chat_decision decide_message(const chat_update& u, const told_list& told) {
  auto text = trimmed(u.text);
  auto rest = text;
  auto word = next_word(rest);
  if (is_call(word))
    word = next_word(rest);
  auto named = case_in(word);
  auto replied = message_replied(u, told);
  const auto& questions = replied.questions;
  if (auto at = questions.find(named); at != questions.end())
    return answer_reply(*at->second, code_in(at->second->text), rest);
  // Sent, but that was not written down yet, or never was.
  auto quoted = u.reply_to_us && !replied.known ? case_told(u.replied_text)
                                                : std::string{};
  auto code = code_in(u.replied_text);
  const auto* asked = newest_of(quoted, told);
  if (asked && !code.empty() && (named.empty() || named == quoted))
    return answer_reply(*asked, code, named.empty() ? text : rest);
  if (!named.empty())
    return answer_named(named, rest, told);
  if (questions.size() == 1) {
    const auto& n = *questions.begin()->second;
    return answer_reply(n, code_in(n.text), text);
  }
  if (!questions.empty())
    return refused("That message asks more than once: begin with the case, as "
                   + questions.begin()->first);
  if (replied.known || u.reply_to_us)
    return refused("That message asks nothing");
  return {};
}

} // namespace

std::optional<chat_place> chat_place_from(std::string_view text) {
  constexpr std::string_view middle = ":topic:";
  chat_place out;
  auto at = text.find(middle);
  auto chat = number_in<std::int64_t>(text.substr(0, at));
  if (!chat || *chat == 0)
    return std::nullopt;
  out.chat = *chat;
  if (at == text.npos)
    return out;
  auto topic = number_in<std::int64_t>(text.substr(at + middle.size()));
  if (!topic || *topic <= 0)
    return std::nullopt;
  out.topic = *topic;
  return out;
}

bool is_at(const chat_update& u, const chat_place& place) {
  return u.where.chat == place.chat
    && (place.topic == 0 || u.where.topic == place.topic);
}

chat_decision decide_chat(const chat_update& u,
                          const std::vector<row_ptr<notification>>& told) {
  switch (u.what) {
  case chat_update::kind::press:
    return decide_press(u, told);
  case chat_update::kind::message:
    return decide_message(u, told);
  default:
    return {};
  }
}

} // namespace ao
