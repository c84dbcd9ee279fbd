#include "tests/support/world.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

using namespace ao;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

/// Keeps what it was given under its session's name, then ends.
std::string recorder(const std::string& how) {
  return "out=$HOME/$AO_SESSION\nmkdir \"$out\"\ncp \"$AO_PROMPT_FILE\" "
         "\"$out/file\"\n"
    + how + "\n";
}

const auto takes_argument
  = recorder(R"sh(printf %s "$1" > "$out/got"; echo $# > "$out/count")sh");
const auto takes_stdin = recorder(R"sh(cat > "$out/got")sh");
const auto takes_file
  = recorder(R"sh(cp "$1" "$out/got"; test "$1" = "$AO_PROMPT_FILE")sh");
// The tty stays in its usual mode: lines, the last one completed by Enter.
const auto takes_paste = recorder(R"sh(
stty -echo
head -c "$(wc -c < "$AO_PROMPT_FILE")" > "$out/got")sh");

/// Words that some layer between a person and an agent might run, expand,
/// split or cut. Each one that runs makes the file `trap`.
std::vector<std::string> hostile_lines(const fs::path& trap) {
  auto touch = "touch " + trap.string();
  return {
    "-n -e --help --prompt",
    "; " + touch + " ;",
    "$(" + touch + ") `" + touch + "` ${IFS}" + touch,
    "#(" + touch + ") #{pane_id} #S #{session_name} ##",
    "| " + touch + " && " + touch + " || " + touch + " &",
    "' ; " + touch + " ; '\" ; " + touch + " ; \"",
    "../../../../etc/passwd .. . ~ ~root $HOME",
    "{} {session} {task} {{}} %s %n %d %% {0}",
    "\\n \\t \\x41 \\0 \\\\ \\",
    "*.txt ? [a-z] !history ^caret",
    "$'\\n' $((1+1)) <(" + touch + ") > " + trap.string(),
    "T1 refs/heads/main @{upstream} HEAD~1 :/ ^{commit}",
    "  leading and trailing blanks  ",
    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x8e\x89 rtl \xcc\x81",
    "\"},\"role\":\"orchestrator\",\"x\":{\"",
    "Enter C-c Escape ;",
  };
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines)
    out += line + "\n";
  return out;
}

class HostileText : public testing::Test {
protected:
  HostileText() : trap{w.root() / "trap"} {
    w.add_agent("argument", takes_argument, ", prompt: argument");
    w.add_agent("stdin", takes_stdin, ", prompt: stdin");
    w.add_agent("file", takes_file, ", prompt: file");
    w.add_agent("paste", takes_paste, ", prompt: paste");
  }

  ~HostileText() override { EXPECT_FALSE(fs::exists(trap)); }

  /// Spawns by prompt and waits for the agent's end; the session.
  std::string spawn_and_end(std::vector<std::string> words,
                            const ao_call& how = {}) {
    words.insert(words.begin(), "spawn");
    auto session = w.ask(std::move(words), how).value("id", "");
    w.await("session_ended", "session:" + session);
    return session;
  }

  std::string got(const std::string& session, const std::string& name) {
    return content_of(w.user() / session / name);
  }

  world w;
  fs::path trap;
};

TEST_F(HostileText, ReachesTheAgentByteForByteInEveryForm) {
  w.start();
  auto prompt = joined(hostile_lines(trap))
    + "\xe2\x80\xae\n\n\ttab, no newline at the end";
  for (const std::string form : {"argument", "stdin", "file", "paste"}) {
    auto session = spawn_and_end({"--agent", form, "--prompt", prompt});
    EXPECT_EQ(got(session, "file"), prompt) << form;
    EXPECT_EQ(got(session, "got"), prompt) << form;
    struct stat info {};
    auto launch = w.environment_of(session);
    ASSERT_EQ(::stat(launch["AO_PROMPT_FILE"].c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
  }
  EXPECT_EQ(got("app-1", "count"), "1\n");
}

TEST_F(HostileText, IsNoOptionAndNoCommandWhenItStandsAlone) {
  w.start();
  std::vector<std::string> prompts = hostile_lines(trap);
  prompts.insert(
    prompts.end(),
    {"-", "--", ";", "\\;", "..", "{}", "#", "--json", "\n", " ", "'", "\r\n"});
  // All at once; the forms take turns.
  const std::vector<std::string> forms = {"argument", "stdin", "file"};
  std::vector<std::string> sessions;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    auto made = w.ask({"spawn", "--no-wait", "--agent", forms[i % forms.size()],
                       "--prompt=" + prompts[i]});
    sessions.push_back(made.value("id", ""));
  }
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    w.await("session_ended", "session:" + sessions[i]);
    EXPECT_EQ(got(sessions[i], "file"), prompts[i]);
    EXPECT_EQ(got(sessions[i], "got"), prompts[i]);
  }
}

TEST_F(HostileText, IsReadFromAFileAsItIs) {
  w.start();
  auto prompt = "\r\n\x1b[31mred\x1b[0m\x07\x01\x7f\r" + joined({"end"});
  ao_call how;
  how.input = prompt;
  auto session
    = spawn_and_end({"--agent", "argument", "--prompt-file", "-"}, how);
  EXPECT_EQ(got(session, "file"), prompt);
  EXPECT_EQ(got(session, "got"), prompt);
}

TEST_F(HostileText, OfATasksBodyStaysOneContiguousRun) {
  w.start();
  auto body = joined(hostile_lines(trap)) + "last";
  auto task = w.add_task("-n; $(touch " + trap.string() + ")", body);
  EXPECT_EQ(w.ask({"task", "show", task})["body"], body);
  auto session = spawn_and_end({task});
  EXPECT_THAT(got(session, "file"), HasSubstr(body));
  EXPECT_EQ(got(session, "got"), got(session, "file"));
}

TEST_F(HostileText, OfATitleIsTheSubjectOfItsCommit) {
  w.add_agent("diligent", R"(
echo "by $AO_SESSION" > "$AO_SESSION.txt"
git add --all
git commit --quiet --message work
)");
  w.start();
  std::vector<std::string> titles;
  for (const auto& line : hostile_lines(trap))
    if (line.size() <= 120 && line.front() != ' ')
      titles.push_back(line);
  std::vector<std::string> tasks;
  for (const auto& title : titles) {
    tasks.push_back(w.add_task(title));
    EXPECT_EQ(w.ask({"task", "show", tasks.back()})["title"], title);
    w.ask({"spawn", "--no-wait", tasks.back(), "--agent", "diligent"});
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    w.await("task_closed", "task:" + tasks[i]);
    auto task = w.ask({"task", "show", tasks[i]});
    ASSERT_EQ(task["state"], "merged") << titles[i];
    auto change = task["change"].get<std::string>();
    auto sha = w.ask({"pr", "show", change})["mergedSha"].get<std::string>();
    EXPECT_EQ(w.git(w.forge(), {"log", "-1", "--format=%s", sha}),
              titles[i] + " (" + change + ")");
    EXPECT_EQ(
      w.git(w.forge(),
            {"log", "-1", "--format=%(trailers:key=Ao-Task,valueonly)", sha}),
      tasks[i] + "\n");
    EXPECT_EQ(w.ao({"why", tasks[i]}).status.code, 0);
  }
}

} // namespace
