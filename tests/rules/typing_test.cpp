#include "runtime/rules/typing.hpp"
#include "tests/support/effects.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace ao;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

/// The typing of one text under a clock of the test's own.
class Typing : public testing::Test {
protected:
  explicit Typing(std::string text = "fix the build") {
    state.text = std::move(text);
    view.line_mode = view.echo = true;
  }

  const typing_step& feed(const typing_input& input) {
    step = next_typing(state, input, now);
    state = step.next;
    return step;
  }

  const typing_step& look() { return feed(pane_looked{view}); }

  template <class T>
  const T* effect() const {
    return effect_in<T>(step.effects);
  }

  message_state told() const {
    auto t = effect<tell_delivery>();
    return t ? t->state : message_state::superseded;
  }

  bool ends() const {
    auto t = effect<tell_delivery>();
    return t && t->last;
  }

  /// To the first look after the paste.
  void paste() {
    look();
    ASSERT_TRUE(effect<paste_letter>());
    feed(typing_done{});
    ASSERT_EQ(told(), message_state::written);
  }

  /// None of them submits.
  std::vector<std::string> keys_up_to_the_paste() {
    std::vector<std::string> pressed;
    for (look(); !effect<paste_letter>() && pressed.size() < 9; look()) {
      if (auto key = effect<press_letter_key>()) {
        EXPECT_FALSE(key->submits);
        pressed.push_back(key->key);
        feed(typing_done{});
      }
      now += 200ms;
    }
    return pressed;
  }

  void show(const std::string& input_line) {
    view.cursor_row = input_line;
    view.screen = "some output\n" + input_line + "\n";
  }

  void in_full_screen() {
    view.line_mode = view.echo = false;
    show("> ");
  }

  void ask_a_person() {
    view.screen = "Do you want to proceed?\n"
                  "\xe2\x9d\xaf 1. No\n"
                  "  2. Yes\n\n"
                  "Enter to confirm \xc2\xb7 Esc to cancel\n";
    view.cursor_row = "";
  }

  typing_state state;
  msg::seen_pane view;
  typing_step step;
  mono_time now{1h};
};

} // namespace

TEST_F(Typing, IsAcknowledgedByTheEchoOfALineTerminal) {
  paste();
  show("fix the build");
  look();
  EXPECT_EQ(effect<press_letter_key>()->key, "Enter");
  feed(typing_done{});
  EXPECT_EQ(told(), message_state::submitted);
  EXPECT_FALSE(ends());
  look();
  EXPECT_EQ(told(), message_state::acknowledged);
  EXPECT_TRUE(ends());
}

TEST_F(Typing, DoesNotTakeForEchoWhatWasThereBefore) {
  show("fix the build");
  paste();
  look();
  EXPECT_FALSE(effect<press_letter_key>());
  now += 300ms;
  look();
  EXPECT_TRUE(effect<press_letter_key>());
  feed(typing_done{});
  now += 5s;
  look();
  EXPECT_EQ(told(), message_state::submitted);
  EXPECT_TRUE(ends());
}

TEST_F(Typing, StaysSubmittedSoonWithoutEcho) {
  view.echo = false;
  paste();
  look();
  ASSERT_TRUE(effect<press_letter_key>());
  feed(typing_done{});
  now += 500ms;
  look();
  EXPECT_EQ(told(), message_state::submitted);
  EXPECT_TRUE(ends());
}

TEST_F(Typing, PressesEnterAgainOnlyWhileTheTextStandsInTheInputLine) {
  in_full_screen();
  paste();
  show("> fix the build");
  look();
  feed(typing_done{});
  now += 1400ms;
  look();
  EXPECT_FALSE(effect<press_letter_key>());
  now += 100ms;
  look();
  ASSERT_TRUE(effect<press_letter_key>());
  feed(typing_done{});
  EXPECT_FALSE(effect<tell_delivery>()); // it is known to be submitted
  show("");
  look();
  EXPECT_FALSE(effect<tell_delivery>()); // it may be drawing
  now += 100ms;
  show("> ");
  look();
  EXPECT_FALSE(effect<tell_delivery>());
  now += 100ms;
  look();
  EXPECT_EQ(told(), message_state::acknowledged);
}

TEST_F(Typing, TakesNoHalfDrawnScreenForAnEmptyInputLine) {
  in_full_screen();
  paste();
  show("> fix the build");
  look();
  feed(typing_done{});
  show("some");
  for (int i = 0; i < 10; ++i) {
    look();
    EXPECT_FALSE(effect<tell_delivery>());
    now += 110ms;
  }
  show("> fix the build");
  look();
  EXPECT_FALSE(effect<tell_delivery>());
  now += 500ms;
  look();
  EXPECT_TRUE(effect<press_letter_key>()) << "it was ignored";
}

TEST_F(Typing, BelievesAnInputLineThatGoesOnToLookOtherwise) {
  in_full_screen();
  paste();
  show("> fix the build");
  look();
  feed(typing_done{});
  show("* thinking");
  look();
  EXPECT_FALSE(ends());
  now += 1200ms;
  look();
  EXPECT_EQ(told(), message_state::acknowledged);
}

TEST_F(Typing, GivesUpOnAProgramThatNeverTakesEnter) {
  in_full_screen();
  paste();
  show("> fix the build");
  look();
  int presses = 0;
  while (!ends()) {
    if (effect<press_letter_key>()) {
      ++presses;
      feed(typing_done{});
    } else {
      now += 1s;
      look();
    }
    ASSERT_LT(presses, 20);
  }
  EXPECT_EQ(told(), message_state::unknown);
  EXPECT_EQ(presses, 8);
}

TEST_F(Typing, TakesNoRedrawnInputLineForALeftOne) {
  in_full_screen();
  paste();
  show("> fix the build");
  look();
  feed(typing_done{});
  for (int i = 0; i < 10; ++i) {
    now += 100ms;
    show(i % 2 == 0 ? "" : "> fix the build");
    look();
    EXPECT_FALSE(ends());
  }
}

TEST_F(Typing, KnowsThatALineTerminalShowedTheTextOfAnAgentThatLeft) {
  paste();
  show("fix the build");
  look();
  feed(typing_done{});
  feed(pane_lost{"gone"});
  EXPECT_EQ(told(), message_state::acknowledged);
}

TEST_F(Typing, SeesALateEchoInTheInputLine) {
  in_full_screen();
  paste();
  now += 1s;
  look();
  ASSERT_TRUE(effect<press_letter_key>());
  feed(typing_done{});
  show("> fix the build");
  now += 1600ms;
  look();
  EXPECT_TRUE(effect<press_letter_key>());
}

TEST_F(Typing, InterruptsAndWaitsUntilTheScreenRests) {
  state.keys_before = {"Escape"};
  view.screen = "working 1";
  look();
  EXPECT_EQ(effect<press_letter_key>()->key, "Escape");
  EXPECT_FALSE(effect<press_letter_key>()->submits);
  feed(typing_done{});
  now += 100ms;
  view.screen = "working 2";
  look();
  EXPECT_FALSE(effect<paste_letter>());
  now += 100ms;
  look();
  EXPECT_TRUE(effect<paste_letter>());
}

TEST_F(Typing, InterruptsThenClearsTheInputLine) {
  state.keys_before = {"Escape", "C-u"};
  EXPECT_THAT(keys_up_to_the_paste(), ElementsAre("Escape", "C-u"));
}

TEST_F(Typing, GivesAProgramAMomentToSeeThatItIsInterrupted) {
  state.keys_before = {"Escape"};
  view.screen = "working";
  look();
  feed(typing_done{});
  now += 900ms;
  look();
  EXPECT_FALSE(effect<paste_letter>());
  now += 100ms;
  look();
  EXPECT_TRUE(effect<paste_letter>());
}

TEST_F(Typing, EndsWhatGoesOnInTheBackgroundOfWhoIsInterrupted) {
  in_full_screen();
  state.keys_before = {"Escape"};
  state.kept = kept_commands{"/stop to close", "/stop"};
  view.screen += "1 background terminal running, /stop to close\n";
  EXPECT_THAT(keys_up_to_the_paste(),
              ElementsAre("Escape", "C-u", "/stop", "Enter"));
}

TEST_F(Typing, EndsNothingWhereNothingGoesOn) {
  in_full_screen();
  state.keys_before = {"Escape"};
  state.kept = kept_commands{"/stop to close", "/stop"};
  EXPECT_THAT(keys_up_to_the_paste(), ElementsAre("Escape"));
}

TEST_F(Typing, PressesEnterForATextThatStandsInTheInputLineSinceAnEarlierTry) {
  state.resumed = true;
  show("> fix the build");
  look();
  EXPECT_FALSE(effect<paste_letter>());
  EXPECT_EQ(told(), message_state::written);
  ASSERT_TRUE(effect<press_letter_key>());
  feed(typing_done{});
  EXPECT_EQ(told(), message_state::submitted);
  show("> ");
  look();
  EXPECT_EQ(told(), message_state::acknowledged);
}

TEST_F(Typing, DoesNotTypeASecondTimeWhatMayHaveBeenSubmitted) {
  state.resumed = true;
  show("> ");
  look();
  EXPECT_EQ(step.effects.size(), 1u);
  EXPECT_TRUE(effect<look_after>());
  now += 2s;
  look();
  EXPECT_EQ(step.effects.size(), 1u);
  EXPECT_EQ(told(), message_state::unknown);
  EXPECT_TRUE(ends());
}

TEST_F(Typing, WaitsUntilWhatWasBehindADialogIsDrawnAnew) {
  in_full_screen();
  state.resumed = true;
  show("");
  look();
  EXPECT_TRUE(effect<look_after>());
  now += 1s;
  show("> fix the build");
  look();
  EXPECT_TRUE(effect<press_letter_key>());
  EXPECT_FALSE(state.left_at);
}

TEST_F(Typing, PressesEnterAgainThatWasPressedForNothingBeforeTheNodeEnded) {
  state.resumed = state.entered = true;
  show("> fix the build");
  look();
  EXPECT_FALSE(effect<paste_letter>());
  ASSERT_TRUE(effect<press_letter_key>());
}

TEST_F(Typing, LeavesSubmittedWhatHasLeftTheInputLineSinceAnEarlierEnter) {
  state.resumed = state.entered = true;
  show("> ");
  look();
  EXPECT_FALSE(ends());
  now += 2s;
  look();
  EXPECT_EQ(step.effects.size(), 1u);
  EXPECT_EQ(told(), message_state::submitted);
  EXPECT_TRUE(ends());
}

TEST_F(Typing, LeavesSubmittedWhatWasEnteredIntoAPaneThatIsGone) {
  state.resumed = state.entered = true;
  feed(pane_lost{"gone"});
  EXPECT_EQ(told(), message_state::submitted);
}

TEST_F(Typing, DoesNotKnowWhatBecameOfAnEarlierTryWhosePaneIsGone) {
  state.resumed = true;
  feed(pane_lost{"gone"});
  EXPECT_EQ(told(), message_state::unknown);
}

TEST_F(Typing, TypesNothingWhenThereIsNoPane) {
  feed(pane_lost{"gone"});
  EXPECT_EQ(told(), message_state::queued);
  EXPECT_TRUE(ends());
}

TEST_F(Typing, CountsNothingThatDiedBeforeEnter) {
  paste();
  feed(pane_lost{"gone"});
  EXPECT_EQ(told(), message_state::queued);
}

TEST_F(Typing, CountsLinesThatALineTerminalHasEnteredByThemselves) {
  state.text = "CI failed\nlook at it";
  paste();
  feed(pane_lost{"gone"});
  EXPECT_EQ(told(), message_state::submitted);
}

TEST_F(Typing, CountsThemAlsoWhenEnterCameTooLate) {
  state.text = "CI failed\nlook at it";
  paste();
  show("look at it");
  look();
  ASSERT_TRUE(effect<press_letter_key>());
  feed(typing_failed{true, "gone"});
  EXPECT_EQ(told(), message_state::acknowledged);
}

TEST_F(Typing, DoesNotKnowWhatAFailedPasteDid) {
  look();
  feed(typing_failed{false, "tmux does not answer"});
  EXPECT_EQ(told(), message_state::unknown);
  EXPECT_TRUE(ends());
}

TEST_F(Typing, KnowsThatAPaneWhichIsGoneGotNothing) {
  look();
  feed(typing_failed{true, "can't find pane"});
  EXPECT_EQ(told(), message_state::queued);
}

TEST_F(Typing, DoesNotKnowWhetherAFailedEnterWasPressed) {
  paste();
  now += 1s;
  look();
  feed(typing_failed{false, "no answer"});
  EXPECT_EQ(told(), message_state::unknown);
}

TEST_F(Typing, RefusesWhatATerminalTakesAsKeys) {
  for (std::string text : {"a\x03", "\x1b[201~", "a\rb", "\x7f", "\xc2\x9b"}) {
    SCOPED_TRACE(text);
    EXPECT_TRUE(untypable(text, view));
  }
  for (std::string text :
       {"a\tb\nc", "$(reboot) `x`", "\xf0\x9f\x98\x80", "\xc3\x83\xc2\xa0"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(untypable(text, view));
  }
  state.text = "a\x03";
  look();
  EXPECT_EQ(told(), message_state::undeliverable);
  EXPECT_THAT(effect<tell_delivery>()->detail, HasSubstr("0x03"));
}

TEST_F(Typing, RefusesLinesThatTheKernelWouldCut) {
  EXPECT_FALSE(untypable(std::string(4095, 'x') + "\ny", view));
  EXPECT_TRUE(untypable("y\n" + std::string(4096, 'x'), view));
  in_full_screen();
  EXPECT_FALSE(untypable(std::string(20'000, 'x'), view));
}

TEST(TypingScreen, FindsTheEndOfATextWhateverWrapsIt) {
  EXPECT_EQ(times_shown("one two three", "one t\nwo three\n"), 1u);
  EXPECT_EQ(times_shown("line\none two\n\n", "x\n> one two "), 1u);
  EXPECT_EQ(times_shown("one\ttwo", "one     two\none two"), 2u);
  EXPECT_EQ(times_shown("caf\xc3\xa9 ole and more", "caf ole and more"), 1u);
  EXPECT_EQ(
    times_shown("\xe6\x97\xa5\xe6\x9c\xac", "> \xe6\x97\xa5\xe6\x9c\xac"), 1u);
  EXPECT_EQ(times_shown("y", "nothing"), 0u);
  EXPECT_EQ(times_shown(" \n ", "anything"), 0u);
}

TEST_F(Typing, BelievesTheTranscriptWhereThereIsOne) {
  in_full_screen();
  state.by_transcript = true;
  paste();
  show("> fix the build");
  look();
  feed(typing_done{});
  EXPECT_EQ(told(), message_state::submitted);
  show("> ");
  for (int i = 0; i < 10; ++i) {
    now += 100ms;
    look();
    EXPECT_FALSE(ends()) << "its echo is no proof";
  }
  EXPECT_FALSE(effect<look_after>()) << "there is nothing to look for";
  feed(text_heard{});
  EXPECT_EQ(told(), message_state::acknowledged);
  EXPECT_TRUE(ends());
}

TEST_F(Typing, ComesAgainWhenTheTranscriptNeverHadIt) {
  in_full_screen();
  state.by_transcript = true;
  paste();
  now += 1s;
  look();
  feed(typing_done{});
  now += 6s;
  look();
  EXPECT_FALSE(ends());
  feed(pane_lost{"its run is over"});
  EXPECT_EQ(told(), message_state::queued);
  EXPECT_TRUE(ends());
}

TEST_F(Typing, PressesEnterAgainAlsoWithATranscript) {
  in_full_screen();
  state.by_transcript = true;
  paste();
  show("> fix the build");
  look();
  feed(typing_done{});
  now += 1600ms;
  look();
  EXPECT_TRUE(effect<press_letter_key>());
}

TEST_F(Typing, TouchesNoDialog) {
  in_full_screen();
  state.keys_before = {"Escape"};
  ask_a_person();
  look();
  EXPECT_EQ(told(), message_state::queued);
  EXPECT_TRUE(ends());
  EXPECT_EQ(effect<tell_delivery>()->source, about_dialog);
  EXPECT_THAT(effect<tell_delivery>()->detail,
              HasSubstr("Do you want to proceed?"));
  EXPECT_FALSE(effect<press_letter_key>());
  EXPECT_FALSE(state.pasted);
}

TEST_F(Typing, TakesADialogThatIsOnlyTextForNone) {
  // Line by line it is read after whatever is there.
  ask_a_person();
  look();
  EXPECT_TRUE(effect<paste_letter>());
}

TEST_F(Typing, LeavesItsTextToADialogThatComesUpBeforeEnter) {
  in_full_screen();
  paste();
  ask_a_person();
  now += 5s;
  look();
  EXPECT_FALSE(effect<press_letter_key>());
  EXPECT_EQ(told(), message_state::queued);
  EXPECT_TRUE(ends());
  EXPECT_TRUE(state.pasted);
}

TEST_F(Typing, PressesEnterWhenItComesBackToItsTextAfterADialog) {
  in_full_screen();
  show("> fix the build");
  state.resumed = true;
  ask_a_person();
  look();
  EXPECT_EQ(told(), message_state::queued);
  state = {};
  state.text = "fix the build";
  state.resumed = true;
  show("> fix the build");
  look();
  EXPECT_TRUE(effect<press_letter_key>());
}

TEST_F(Typing, PressesEnterNotAgainIntoADialog) {
  in_full_screen();
  for (bool transcript : {false, true}) {
    state = {};
    state.text = "fix the build";
    state.by_transcript = transcript;
    in_full_screen();
    paste();
    show("> fix the build");
    look();
    feed(typing_done{});
    ask_a_person();
    for (int i = 0; i < 9; ++i) {
      now += 1s;
      look();
      EXPECT_FALSE(effect<press_letter_key>());
      EXPECT_FALSE(ends());
      EXPECT_TRUE(effect<look_after>());
    }
    now += 1s;
    look();
    EXPECT_EQ(ends(), !transcript);
    if (transcript) {
      feed(text_heard{});
      EXPECT_EQ(told(), message_state::acknowledged);
    } else {
      EXPECT_EQ(told(), message_state::submitted);
    }
  }
}
