#include "tests/support/full_screen.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

namespace ao {
namespace {

using nlohmann::json;

/// Keeps what was submitted, one text a line, in hex. Now and then a dialog
/// comes up, after a paste or after Enter, and goes by itself as if a person
/// had answered it; what is typed meanwhile is kept as an answer by nobody.
constexpr const char* program = R"PERL(
use strict; use warnings; use Time::HiRes qw(sleep time);
my $me = $ENV{AO_SESSION}; srand(length($me) + ord(substr($me, -1))); $| = 1;
open(my $log, '>>', "$ENV{HOME}/submitted.$me") or die; $log->autoflush(1);
open(my $answers, '>>', "$ENV{HOME}/answers.$me") or die; $answers->autoflush(1);
system('stty', 'raw', '-echo');
print "\e[?1049h\e[?2004h";
my ($in, $text, $pasting, $asks_until, @said) = ('', '', 0, 0);
sub rows { my ($t, $n) = @_; $t =~ s/\t/    /g;
  $t = substr($t, -400) if length($t) > 400;
  my @r = split /\n/, $t, -1; splice(@r, 0, @r - $n) if @r > $n;
  return join("\r\n", @r); }
sub top { return "\e[2J\e[H" . join("\r\n", map { rows($_, 3) } @said[-3..-1]); }
sub draw { sleep(rand(0.15)); print top(), "\r\n---\r\n> ", rows($text, 5); }
sub ask { $asks_until = time + 0.2 + rand(0.5);
  print top(), "\r\n\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80\r\nDo you want to proceed?\r\n",
    "\xe2\x9d\xaf 1. No\r\n  2. Yes\r\n\r\nEnter to confirm"; }
@said = ('', '', ''); draw();
open(my $ready, '>', "$ENV{HOME}/ready.$me"); close $ready;
while (1) {
  if ($asks_until) {
    vec(my $ears = '', fileno(STDIN), 1) = 1;
    my $left = $asks_until - time;
    if ($left > 0 && select($ears, undef, undef, $left)) {
      sysread(STDIN, my $answer, 65536) or last;
      print $answers unpack('H*', $answer), "\n";
    } elsif ($left <= 0) { $asks_until = 0; draw(); }
    next;
  }
  sysread(STDIN, my $chunk, 65536) or last;
  $in .= $chunk;
  my $asks = 0;
  while (length $in) {
    if ($in =~ s/^\e\[200~//) { $pasting = 1; }
    elsif ($in =~ s/^\e\[201~//) { $pasting = 0; $asks = length($text) < 2000 && rand() < 0.06; }
    elsif ($in =~ /^\e(\[(2(0[01]?)?)?)?$/) { last; }
    elsif (!$pasting && $in =~ s/^\x15//) { $text = ''; }
    elsif (!$pasting && $in =~ s/^\r//) {
      next if !length($text) || rand() < 0.2;
      print $log unpack('H*', $text), "\n";
      push @said, "* $text"; $text = '';
      if ($said[-1] eq '* quit') { print "\e[?2004l\e[?1049l"; exit 0; }
      $asks = rand() < 0.06;
    } else { $in =~ s/^(.[^\e\r\x15]*)//s; $text .= $1; }
  }
  if ($asks) { ask(); } else { draw(); }
}
)PERL";

std::string hex_of(const std::string& bytes) {
  std::string out;
  for (unsigned char c : bytes) {
    out += "0123456789abcdef"[c >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}

/// Texts of 1 byte to 100 kB of every kind, no two alike; the last ones have
/// keys in them.
std::vector<std::string> many_texts(std::size_t count, unsigned seed) {
  std::mt19937 random{seed};
  const std::vector<std::string> pieces = {"word ",
                                           "$(touch pwned) ",
                                           "`id` ",
                                           "\t",
                                           "\n",
                                           "#{pid} ",
                                           "\xc3\xbc",
                                           "\\n",
                                           "\xe2\x82\xac ",
                                           "; ",
                                           "'\" ",
                                           "{} ",
                                           "\xf0\x9f\x98\x80"};
  std::vector<std::string> out = {"a", ";", "-l", "\xc3\xa4"};
  for (std::size_t i = 0; out.size() < count; ++i) {
    std::string text = "message " + std::to_string(i) + " ";
    auto size = i % 32 == 15 ? 99'900u
      : i % 8 == 7           ? 20'000u
                             : 1u << (random() % 11);
    while (text.size() < size)
      text += pieces[random() % pieces.size()];
    out.push_back(text + "end of " + std::to_string(i));
  }
  for (std::string keys :
       {"\x03", "x\x1b[201~y", "\x04", "a\rb", "\x1a", "\x7f"})
    out.push_back("keys " + keys + " end");
  return out;
}

class talk {
public:
  talk(world& w, const full_screen_talk& what) : w_(w), what_(what) {}

  full_screen_outcome run() {
    begin();
    send_all();
    await_ends();
    for (const auto& one : listeners_)
      judge(one);
    return std::move(out_);
  }

private:
  struct listener {
    std::string session;
    std::vector<std::string> texts;
    std::vector<std::string> ids;
  };

  void begin() {
    std::ofstream{w_.user() / "screen.pl"} << program;
    w_.add_agent("screen", "exec perl \"$HOME/screen.pl\"\n");
    w_.start();
    for (std::size_t i = 0; i < what_.sessions; ++i) {
      auto made = w_.ask({"spawn", "--prompt", "Listen " + std::to_string(i)});
      listeners_.push_back({made["id"].get<std::string>(),
                            many_texts(what_.texts, 11 + unsigned(i)),
                            {}});
    }
    for (const auto& one : listeners_)
      w_.await_file("ready." + one.session);
  }

  void post(listener& to, const std::string& text) {
    auto answer
      = w_.api().call("POST", "/api/v1/sessions/" + to.session + "/messages",
                      {{"text", text}, {"mode", "now"}});
    ASSERT_TRUE(answer) << to_string(answer.error());
    to.ids.push_back(answer->body["id"].get<std::string>());
  }

  void send_all() {
    auto rounds = listeners_.front().texts.size();
    std::size_t died = 0;
    for (std::size_t i = 0; i < rounds; ++i) {
      for (std::size_t k = 0; k < listeners_.size(); ++k) {
        if ((i + k) % 5 == 2)
          // A person scrolls back.
          w_.at_pane(listeners_[k].session, "copy-mode");
        post(listeners_[k], listeners_[k].texts[i]);
      }
      // Deaths are spread over the deliveries, which take their time.
      if (died < what_.deaths
          && i * (what_.deaths + 1) >= rounds * (died + 1)) {
        await_settled(i / 2);
        w_.kill_hub();
        w_.start();
        ++died;
      }
    }
    for (auto& one : listeners_)
      post(one, "quit");
  }

  /// Waits until the message number `i` of the first session has left.
  void await_settled(std::size_t i) {
    const auto& id = listeners_.front().ids[i];
    w_.await([&](const json& e) {
      return e["data"].is_object() && e["data"].value("message", "") == id
        && e["kind"] != "message_queued" && e["kind"] != "message_written";
    });
  }

  /// There is news all the time until the last has quit.
  void await_ends() {
    std::set<std::string> alive;
    for (const auto& one : listeners_)
      alive.insert("session:" + one.session);
    std::uint64_t seen = 0;
    while (!alive.empty()) {
      auto e = w_.await([](const json&) { return true; }, seen);
      if (!e.is_object())
        return object(std::to_string(alive.size()) + " sessions did not quit");
      seen = e["seq"].get<std::uint64_t>();
      if (e["kind"] == "agent_exited")
        alive.erase(e["subject"].get<std::string>());
    }
  }

  void judge(const listener& one) {
    std::map<std::string, int> got;
    std::ifstream in{w_.user() / ("submitted." + one.session)};
    for (std::string line; std::getline(in, line);)
      ++got[line];
    auto all = w_.ask({"messages", one.session})["data"];
    if (all.size() != one.texts.size() + 1)
      return object(one.session + " has " + std::to_string(all.size())
                    + " messages");
    for (std::size_t i = 0; i < one.texts.size(); ++i)
      judge(all[i], take(got, one.texts[i]));
    take(got, "quit");
    std::ifstream answers{w_.user() / ("answers." + one.session)};
    for (std::string line; std::getline(answers, line);)
      object("a dialog of " + one.session + " was answered with " + line);
    for (const auto& [hex, times] : got)
      object("nobody sent " + std::to_string(times) + " times "
             + hex.substr(0, 200));
  }

  static int take(std::map<std::string, int>& got, const std::string& text) {
    auto i = got.find(hex_of(text));
    if (i == got.end())
      return 0;
    auto times = i->second;
    got.erase(i);
    return times;
  }

  void judge(const json& m, int times) {
    out_.sent += 1;
    out_.arrived += times == 1;
    auto state = m["state"].get<std::string>();
    auto told = state == "undeliverable" || state == "unknown";
    out_.told += told;
    if (times > 1 || (state == "undeliverable" && times != 0)
        || (!told && times != 1))
      object(std::to_string(times) + " times: " + m.dump().substr(0, 600));
  }

  void object(std::string what) { out_.objections.push_back(std::move(what)); }

  world& w_;
  const full_screen_talk what_;
  std::vector<listener> listeners_;
  full_screen_outcome out_;
};

} // namespace

world_options full_screen_options() {
  world_options options;
  options.settings
    = "limits: {sessions: 100, spawnsPerMinute: 0, minFreeMemory: "
      "1MiB, minFreeDisk: 1MiB}\nhang: {after: 12h}\n";
  options.project = ", merge: {auto: false}, duplicates: off";
  return options;
}

full_screen_outcome talk_full_screen(world& w, const full_screen_talk& what) {
  return talk{w, what}.run();
}

} // namespace ao
