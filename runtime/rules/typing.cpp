#include "runtime/rules/typing.hpp"

#include "runtime/rules/failures.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

namespace ao {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view enter_key = "Enter";

/// The kernel cuts longer lines in line mode (its buffer has 4096 bytes, one
/// of them for the newline).
constexpr std::size_t longest_line = 4095;
/// How much of the text's end is looked for on the screen.
constexpr std::size_t mark_size = 24;

/// How long the screen may go on changing after an interrupt.
constexpr milliseconds rest_patience = 2s;
constexpr milliseconds rest_step = 100ms;
/// For anything to change on it at all: many a program that is interrupted
/// needs a moment to see it.
constexpr milliseconds unanswered_patience = 1s;
/// For the echo before Enter; a terminal in line mode echoes at once.
constexpr milliseconds echo_patience_line = 300ms;
constexpr milliseconds echo_patience_raw = 1s;
/// For proof after Enter.
constexpr milliseconds proof_patience_blind = 500ms;
constexpr milliseconds proof_patience = 5s;
/// A program that kept the text for so long has not taken Enter.
constexpr milliseconds ignored_after = 1500ms;
/// For a program that draws its screen anew: with an input line as it was
/// before the text, and with one that looks otherwise, as a half drawn screen
/// on a busy machine does.
constexpr milliseconds drawing_patience = 150ms;
constexpr milliseconds strange_row_patience = 1200ms;
/// For a text that was typed before and is not to be seen.
constexpr milliseconds redrawing_patience = 2s;
constexpr int most_presses = 8;
/// A dialog that came after Enter is looked at so often, and, where there is no
/// transcript to wait for, so long.
constexpr milliseconds dialog_step = 1s;
constexpr milliseconds dialog_patience = 10s;

bool is_graphic(char c) {
  return c > 0x20 && c < 0x7f;
}

/// Without what terminals and their programs put between characters: spaces,
/// line ends, and, where there is enough else, everything beyond ASCII.
std::string squeezed(std::string_view text, bool ascii) {
  std::string out;
  for (char c : text) {
    auto u = static_cast<unsigned char>(c);
    if (ascii ? is_graphic(c) : u > 0x20 && u != 0x7f)
      out += c;
  }
  return out;
}

std::string_view last_line(std::string_view text) {
  while (!text.empty()) {
    auto cut = text.rfind('\n');
    auto line = cut == std::string_view::npos ? text : text.substr(cut + 1);
    if (!squeezed(line, false).empty())
      return line;
    text = cut == std::string_view::npos ? std::string_view{}
                                         : text.substr(0, cut);
  }
  return text;
}

/// What is looked for on the screen to find `text` there.
struct shown_mark {
  std::string end;
  bool ascii = true;
};

shown_mark mark_of(std::string_view text) {
  auto line = last_line(text);
  shown_mark mark{squeezed(line, true), true};
  if (mark.end.size() < 4)
    mark = {squeezed(line, false), false};
  if (mark.end.size() > mark_size)
    mark.end.erase(0, mark.end.size() - mark_size);
  return mark;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size()
    && text.substr(text.size() - end.size()) == end;
}

/// The dialog or login screen in the pane; nothing when there is none.
/// Line by line there is no dialog: what is typed is read later.
std::optional<failure_verdict> dialog_on(const msg::seen_pane& view) {
  if (view.line_mode)
    return std::nullopt;
  std::vector<std::string> rows;
  std::istringstream in{view.screen};
  for (std::string row; std::getline(in, row);)
    rows.push_back(row);
  auto found = failure_of_screen(rows);
  if (found.failure.empty())
    return std::nullopt;
  return found;
}

/// One input on its way through the machine.
class machine {
public:
  machine(const typing_state& state, mono_time now) : now_(now) {
    out_.next = state;
  }

  typing_step finish() { return std::move(out_); }

  void operator()(const pane_looked& x) {
    if (auto dialog = dialog_on(x.view))
      return yield_to(*dialog);
    switch (s().phase) {
    case typing_phase::aiming:
      return aim(x.view);
    case typing_phase::preparing:
      return await_rest(x.view);
    case typing_phase::echoing:
      return await_echo(x.view);
    case typing_phase::confirming:
      return await_proof(x.view);
    default:
      return;
    }
  }

  void operator()(const text_heard&) {
    if (s().by_transcript && s().phase != typing_phase::done)
      end(message_state::acknowledged, "transcript", "the agent has it");
  }

  void operator()(const pane_lost& x) {
    if (s().by_transcript && s().phase != typing_phase::done)
      return end(message_state::queued, "transcript",
                 "the agent never had it: " + x.why);
    switch (s().phase) {
    case typing_phase::aiming:
    case typing_phase::preparing:
      if (s().resumed)
        return end(s().entered ? message_state::submitted
                               : message_state::unknown,
                   "pane", x.why);
      return end(message_state::queued, "pane", "nothing was typed: " + x.why);
    case typing_phase::echoing:
      if (enters_by_itself())
        return end_of_pane();
      return end(message_state::queued, "pane",
                 "the pane was gone before Enter: " + x.why);
    case typing_phase::confirming:
      return end_of_pane();
    default:
      return;
    }
  }

  void operator()(const typing_done&) {
    switch (s().phase) {
    case typing_phase::preparing:
      return look(rest_step);
    case typing_phase::pasting:
      enter(typing_phase::echoing);
      s().pasted = true;
      tell(message_state::written, false, "pane", "pasted");
      return look(0ms);
    case typing_phase::pressing: {
      auto again = s().presses++;
      enter(typing_phase::confirming);
      s().pressed_at = now_;
      if (again == 0)
        tell(message_state::submitted, false, "pane", "Enter pressed");
      return look(0ms);
    }
    default:
      return;
    }
  }

  void operator()(const typing_failed& x) {
    auto pasting = s().phase == typing_phase::pasting;
    switch (s().phase) {
    case typing_phase::preparing:
      return end(message_state::queued, "pane", "nothing was typed: " + x.why);
    case typing_phase::pasting:
    case typing_phase::pressing:
      if (s().presses > 0)
        return end(message_state::submitted, "pane", x.why);
      if (x.pane_gone && !pasting && enters_by_itself())
        return end_of_pane();
      if (x.pane_gone)
        return end(
          message_state::queued, "pane",
          (pasting ? "nothing was typed: " : "the pane was gone before Enter: ")
            + x.why);
      return end(message_state::unknown, "pane", x.why);
    default:
      return;
    }
  }

private:
  // -- phases -----------------------------------------------------------------

  /// A key would answer it.
  void yield_to(const failure_verdict& dialog) {
    auto first = dialog.text.substr(0, dialog.text.find('\n'));
    switch (s().phase) {
    case typing_phase::aiming:
    case typing_phase::preparing:
    case typing_phase::echoing:
      return end(message_state::queued, std::string{about_dialog},
                 "the agent's screen shows a dialog: " + first);
    case typing_phase::confirming:
      if (!s().by_transcript && now_ >= s().pressed_at + dialog_patience)
        return end(message_state::submitted, std::string{about_dialog},
                   "a dialog came up before there was proof: " + first);
      return look(dialog_step);
    default:
      return;
    }
  }

  void aim(const msg::seen_pane& view) {
    if (auto why = untypable(s().text, view))
      return end(message_state::undeliverable, "pane", *why);
    if (s().resumed)
      return resume(view);
    prepare(view);
  }

  /// What was behind a dialog is drawn anew when that has gone.
  void resume(const msg::seen_pane& view) {
    auto stands = still_stands(view);
    if (!stands && !s().left_at)
      s().left_at = now_;
    if (!stands && now_ < *s().left_at + redrawing_patience)
      return look(rest_step);
    s().left_at.reset();
    if (!stands)
      return s().entered
        ? end(message_state::submitted, "pane",
              "no proof before the node ended")
        : end(message_state::unknown, "pane",
              "its typing was broken off, and it stands in no input line");
    s().echoed = s().stood = true;
    s().row_before = view.cursor_row;
    s().line_mode = view.line_mode;
    tell(message_state::written, false, "pane", "it stands in the input line");
    press_enter();
  }

  void prepare(const msg::seen_pane& view) {
    if (s().keys_before.empty())
      end_kept(view);
    if (s().keys_before.empty())
      return paste(view);
    enter(typing_phase::preparing);
    s().last_screen = view.screen;
    s().answered_key = false;
    auto key = std::move(s().keys_before.front());
    s().keys_before.pop_front();
    effect(press_letter_key{std::move(key), false});
  }

  /// An earlier try may have left the order in the input line.
  void end_kept(const msg::seen_pane& view) {
    auto kept = std::exchange(s().kept, std::nullopt);
    if (kept && view.screen.find(kept->sign) != std::string::npos)
      s().keys_before
        = {std::string{clear_line_key}, kept->order, std::string{enter_key}};
  }

  void await_rest(const msg::seen_pane& view) {
    s().answered_key |= view.screen != s().last_screen;
    auto rests = view.screen == s().last_screen
      && (s().answered_key || now_ >= since(unanswered_patience))
      && now_ > since(rest_step);
    if (rests || now_ >= since(rest_patience))
      return prepare(view);
    s().last_screen = view.screen;
    look(rest_step);
  }

  void paste(const msg::seen_pane& view) {
    enter(typing_phase::pasting);
    s().shown_before = times_shown(s().text, view.screen);
    s().empty_row = view.cursor_row;
    s().line_mode = view.line_mode;
    effect(paste_letter{});
  }

  void await_echo(const msg::seen_pane& view) {
    note_echo(view);
    auto patience = !view.line_mode ? echo_patience_raw
      : view.echo                   ? echo_patience_line
                                    : 0ms;
    if (!s().echoed && now_ < since(patience))
      return look_again();
    s().stood = s().echoed;
    s().row_before = view.cursor_row;
    press_enter();
  }

  void await_proof(const msg::seen_pane& view) {
    note_echo(view);
    auto ignored = !view.line_mode && s().echoed && still_stands(view);
    if (s().echoed && has_left(view, ignored))
      return s().by_transcript ? void() : acknowledge();
    if (ignored && now_ >= s().pressed_at + ignored_after) {
      if (s().presses < most_presses)
        return press_enter();
      return end(message_state::unknown, "pane",
                 "the program does not take Enter: the text stands in its "
                 "input line");
    }
    auto patience
      = view.line_mode && !view.echo ? proof_patience_blind : proof_patience;
    if (!s().echoed && now_ >= s().pressed_at + patience)
      return s().by_transcript
        ? void()
        : end(message_state::submitted, "pane", "no echo");
    look_again();
  }

  // -- what is seen -----------------------------------------------------------

  void note_echo(const msg::seen_pane& view) {
    s().echoed |= times_shown(s().text, view.screen) > s().shown_before;
  }

  /// A program that is drawing shows an input line without the text for a
  /// moment; one that has taken the text goes on to do so.
  bool has_left(const msg::seen_pane& view, bool stands) {
    if (view.line_mode)
      return true;
    if (stands)
      s().left_at.reset();
    else if (!s().left_at)
      s().left_at = now_;
    auto patience = view.cursor_row == s().empty_row ? drawing_patience
                                                     : strange_row_patience;
    return s().left_at && now_ >= *s().left_at + patience;
  }

  /// Lines of the text went to the program before Enter.
  bool enters_by_itself() {
    return s().line_mode && s().text.find('\n') != std::string::npos;
  }

  /// The pane is gone after the program could take the text.
  void end_of_pane() {
    if (s().echoed && s().line_mode)
      return acknowledge();
    end(message_state::submitted, "pane", "no proof before the pane was gone");
  }

  void acknowledge() {
    end(message_state::acknowledged, "echo", "the terminal shows the text");
  }

  /// The row of the cursor is as it was with the text, or it ends like the
  /// text, whole or wrapped.
  bool still_stands(const msg::seen_pane& view) {
    if (s().stood && view.cursor_row == s().row_before)
      return true;
    if (s().empty_row && view.cursor_row == *s().empty_row)
      return false;
    auto mark = mark_of(s().text);
    auto row = squeezed(view.cursor_row, mark.ascii);
    return !row.empty()
      && (ends_with(row, mark.end)
          || ends_with(squeezed(s().text, mark.ascii), row));
  }

  // -- the step ---------------------------------------------------------------

  typing_state& s() { return out_.next; }

  mono_time since(milliseconds d) { return s().phase_since + d; }

  void enter(typing_phase phase) {
    s().phase = phase;
    s().phase_since = now_;
  }

  void press_enter() {
    enter(typing_phase::pressing);
    effect(press_letter_key{std::string{enter_key}, true});
  }

  void look(milliseconds delay) { effect(look_after{delay}); }

  /// Soon at first, then less often.
  void look_again() {
    auto gone
      = std::chrono::duration_cast<milliseconds>(now_ - s().phase_since);
    look(std::clamp<milliseconds>(gone / 2, 10ms, 300ms));
  }

  void tell(message_state state, bool last, std::string source,
            std::string detail) {
    effect(tell_delivery{state, last, std::move(source), std::move(detail)});
  }

  void end(message_state state, std::string source, std::string detail) {
    enter(typing_phase::done);
    tell(state, true, std::move(source), std::move(detail));
  }

  void effect(typing_effect e) { out_.effects.push_back(std::move(e)); }

  mono_time now_;
  typing_step out_;
};

std::string hex(unsigned char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  return {'0', 'x', digits[c >> 4], digits[c & 15]};
}

} // namespace

typing_step next_typing(const typing_state& state, const typing_input& input,
                        mono_time now) {
  machine m{state, now};
  std::visit(m, input);
  return m.finish();
}

std::optional<std::string> untypable(std::string_view text,
                                     const msg::seen_pane& view) {
  std::size_t line = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are control characters of two bytes.
    auto second = i > 0 && static_cast<unsigned char>(text[i - 1]) == 0xc2
      && c >= 0x80 && c < 0xa0;
    if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f || second)
      return "it contains the control character " + hex(c)
        + ", which a terminal takes as a key";
    line = c == '\n' ? 0 : line + 1;
    if (view.line_mode && line > longest_line)
      return "a line of it is longer than the " + std::to_string(longest_line)
        + " bytes that the agent's terminal takes";
  }
  return std::nullopt;
}

std::size_t times_shown(std::string_view text, std::string_view screen) {
  auto mark = mark_of(text);
  if (mark.end.empty())
    return 0;
  auto seen = squeezed(screen, mark.ascii);
  std::size_t count = 0;
  for (auto at = seen.find(mark.end); at != std::string::npos;
       at = seen.find(mark.end, at + mark.end.size()))
    ++count;
  return count;
}

} // namespace ao
