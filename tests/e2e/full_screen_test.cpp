// Messages to full-screen programs: each arrives once and byte for byte, or
// says that it did not, also over a death of the hub. The large number is in
// `./dev soak messages`.

#include "tests/support/full_screen.hpp"

#include <gmock/gmock.h>

#include <fstream>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;

namespace {

/// Keeps the lines that it is told, and what it is answered while it asks a
/// person. It asks at once (`first`), or when a text stands in its input
/// line.
constexpr const char* asks = R"PERL(
use strict; use warnings; $| = 1;
open(my $log, '>>', "$ENV{HOME}/typed") or die; $log->autoflush(1);
system('stty', 'raw', '-echo');
my $text = '';
sub hear { sysread(STDIN, my $in, 4096) or exit 1; $in =~ s/\e\[20[01]~//g; return $in; }
sub note { print $log "@_\n"; }
sub mark { open(my $file, '>', "$ENV{HOME}/$_[0]"); close $file; }
print "\e[?1049h\e[?2004h\e[2J\e[H> "; mark('ready');
$text = hear() if $ARGV[0] ne 'first';
print "\e[2J\e[HDelete the build directory?\r\n\xe2\x9d\xaf 1. No\r\n  2. Yes\r\n\r\n",
  "Enter to confirm \xc2\xb7 Esc to cancel"; mark('asks');
note('answer: ' . unpack('H*', hear()));
print "\e[2J\e[H> $text";
while (1) {
  $text .= hear();
  if ($text =~ s/\r.*//s) {
    note("text: $text");
    print "\e[2J\e[H* $text\r\n> "; exit 0 if $text eq 'quit'; $text = '';
  } else { print "\e[2J\e[H> $text"; }
}
)PERL";

/// A session of such an agent, and the person that it asks.
class AskingAgent : public testing::Test {
protected:
  void begin(const std::string& when) {
    std::ofstream{w.user() / "asks.pl"} << asks;
    w.add_agent("asks", "exec perl \"$HOME/asks.pl\" " + when + "\n");
    w.start();
    ASSERT_EQ(w.ao({"spawn", "--prompt", "Work"}).status.code, 0);
    w.await_file("ready");
  }

  void post(const std::string& text, const std::string& mode = "now") {
    ASSERT_TRUE(w.api().call("POST", "/api/v1/sessions/app-1/messages",
                             {{"text", text}, {"mode", mode}}));
  }

  json messages() { return w.ask({"messages", "app-1"})["data"]; }

  /// Waits until it is known that it asks; the session then.
  json await_question() {
    asked_ = w.await([](const json& e) {
      return e["kind"] == "activity_changed"
        && e["data"]["activity"] == "waiting_input";
    });
    return w.ask({"session", "show", "app-1"});
  }

  void answer() {
    w.at_pane("app-1", "send-keys", {"2"});
    w.await(
      [](const json& e) {
        return e["kind"] == "activity_changed"
          && e["data"]["activity"] != "waiting_input";
      },
      asked_["seq"].get<std::uint64_t>());
  }

  /// Has it end; all that it was told.
  std::string quit() {
    post("quit");
    w.await("agent_exited", "session:app-1");
    return content_of(w.user() / "typed");
  }

  world w{full_screen_options()};

private:
  json asked_;
};

} // namespace

TEST(FullScreen, ReadsMessagesOnceAndWhole) {
  world w{full_screen_options()};
  full_screen_talk what;
  what.sessions = 10;
  what.texts = 44;
  what.deaths = 1;
  auto found = talk_full_screen(w, what);
  EXPECT_THAT(found.objections, testing::IsEmpty());
  EXPECT_EQ(found.sent, what.sessions * (what.texts + 6));
  // Of the six with keys in them and of what the hub was typing when it died
  // somebody is told.
  EXPECT_GE(found.arrived + found.told, found.sent);
  EXPECT_GE(found.arrived, what.sessions * (what.texts - 2));
}

TEST_F(AskingAgent, HearsMessagesAfterTheAnswer) {
  begin("first");
  w.await_file("asks");
  for (const char* mode : {"turn", "now", "stop"})
    post(std::string{"in "} + mode, mode);
  auto shown = await_question();
  EXPECT_EQ(shown["status"], "needs_input");
  EXPECT_THAT(shown.dump(), HasSubstr("Delete the build directory?"));
  auto all = messages();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0]["evidence"].back()["source"], "dialog") << all[0];
  for (const auto& m : all)
    EXPECT_EQ(m["state"], "queued");
  answer();
  // The stop begins with its key, Ctrl-C.
  EXPECT_EQ(quit(),
            "answer: 32\ntext: in turn\ntext: in now\n"
            "text: \x03"
            "in stop\ntext: quit\n");
}

TEST_F(AskingAgent, HearsOnceWhatStoodInItsInputLineBefore) {
  begin("later");
  post("one two three");
  await_question();
  EXPECT_EQ(messages()[0]["state"], "queued");
  answer();
  EXPECT_EQ(quit(), "answer: 32\ntext: one two three\ntext: quit\n");
}
