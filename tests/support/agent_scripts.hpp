#pragma once

#include <string>

namespace ao::scripts {

// What agents of tests do, as lines of sh.

/// Works until it is ended.
inline const std::string sleeper = "exec sleep 1000\n";

/// Writes one file named after the session, commits; alone, exits 0 then.
inline const std::string diligent = R"(
echo "by $AO_SESSION" > "$AO_SESSION.txt"
git add --all
git commit --quiet --message "Work of $AO_SESSION"
)";

/// Opens its change, then `$HOME/<session>.ready`, and stays.
inline const std::string opener = diligent + R"(
ao pr create
echo > "$HOME/$AO_SESSION.ready"
)" + sleeper;

/// Keeps its prompt as `$HOME/<session>.prompt` and where it began as `.began`,
/// adds a commit and ends.
inline const std::string finisher = R"(
cp "$AO_PROMPT_FILE" "$HOME/$AO_SESSION.prompt"
git rev-parse HEAD > "$HOME/$AO_SESSION.new"
mv "$HOME/$AO_SESSION.new" "$HOME/$AO_SESSION.began"
)" + diligent;

/// `$HOME/<session>.ready`, then nothing at all.
inline const std::string idler = R"(
echo > "$HOME/$AO_SESSION.ready"
)" + sleeper;

/// The member `ci` of a project whose checks pass once `work` says `fine`.
inline const std::string wants_fine_work
  = "ci: {command: [sh, -c, \"! test -e work || grep -q fine work\"]}";

/// Keeps its prompts as `$HOME/prompt.<run>`. Fails those checks with another
/// head each time until its prompt has the word `xyzzy`.
inline const std::string stubborn = R"(
cp "$AO_PROMPT_FILE" "$HOME/prompt.$AO_RUN"
if grep -q xyzzy "$AO_PROMPT_FILE"; then echo fine > work; else
  echo "$AO_RUN" > work; fi
git add --all
git commit --quiet --message "Run $AO_RUN"
)";

/// Waits for a file below the user's home, whose name may hold variables. See
/// `world::touch`.
inline std::string waits_for(const std::string& file) {
  return "while [ ! -e \"$HOME/" + file + "\" ]; do sleep 0.05; done\n";
}

/// Waits for `$HOME/go`, then is diligent.
inline const std::string patient = waits_for("go") + diligent;

} // namespace ao::scripts
