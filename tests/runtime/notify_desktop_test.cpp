#include "runtime/home/files.hpp"
#include "runtime/notify/desktop.hpp"
#include "runtime/notify/send.hpp"
#include "tests/support/notifications.hpp"
#include "tests/support/store_fixture.hpp"

#include <gmock/gmock.h>

using namespace ao;
using namespace ao::notify;
using testing::ElementsAre;
using kind = send_outcome::kind;

namespace {

notification showing(const std::string& text, priority p = priority::action) {
  auto n = question_row();
  n.text = text;
  n.priority = p;
  return n;
}

TEST(Desktop, PassesTheTextAsArguments) {
  environment env;
  env.set("DISPLAY", ":0");
  auto spec = desktop_process(showing("head\nbody\nmore\n"), env);
  EXPECT_THAT(spec.argv,
              ElementsAre("notify-send", "--app-name=ao", "--urgency=normal",
                          "--", "head", "body\nmore\n"));
  EXPECT_THAT(spec.env, ElementsAre("DISPLAY=:0"));
}

TEST(Desktop, KnowsHowUrgentItIs) {
  auto urgency
    = [](priority p) { return desktop_process(showing("x", p), {}).argv[2]; };
  EXPECT_EQ(urgency(priority::urgent), "--urgency=critical");
  EXPECT_EQ(urgency(priority::warning), "--urgency=normal");
  EXPECT_EQ(urgency(priority::info), "--urgency=low");
}

TEST(Desktop, TakesNoTextForAnOption) {
  auto argv = desktop_process(showing("--help\n--version"), {}).argv;
  ASSERT_EQ(argv.size(), 6u);
  EXPECT_EQ(argv[3], "--");
  EXPECT_EQ(argv[4], "--help");
  EXPECT_EQ(argv[5], "--version");
}

// The body is read as by `echo -e`, then as markup.
TEST(Desktop, ShowsTheBodyAsItIs) {
  EXPECT_EQ(desktop_process(showing("h\n<option|text> & C:\\new"), {}).argv[5],
            "&lt;option|text&gt; &amp; C:\\\\new");
}

class DesktopProgram : public testing::Test {
protected:
  send_outcome shown_by(const std::string& script) {
    environment env;
    env.set("PATH", dir / "");
    if (!script.empty()) {
      auto made = write_file_durably(dir / "notify-send",
                                     "#!/bin/sh\n" + script + "\n", 0755);
      EXPECT_TRUE(made);
    }
    notifier_settings to;
    to.plugin = "desktop";
    return send(to, showing("-x\n-y"), env, {});
  }

  test::private_directory dir;
};

TEST_F(DesktopProgram, HasShownItWhenItEndsWell) {
  auto out = shown_by("[ \"$4\" = -x ] && [ \"$5\" = -y ]");
  EXPECT_EQ(out.what, kind::accepted) << out.error;
}

TEST_F(DesktopProgram, ThatIsMissingIsNamed) {
  auto out = shown_by("");
  EXPECT_EQ(out.what, kind::refused);
  EXPECT_EQ(out.error, "notify-send is not installed");
}

TEST_F(DesktopProgram, WithoutADesktopIsUnusable) {
  auto out = shown_by("echo no bus >&2; exit 1");
  EXPECT_EQ(out.what, kind::unusable);
  EXPECT_THAT(out.error, testing::HasSubstr("no bus"));
}

} // namespace
