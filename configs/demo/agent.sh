#!/bin/sh
# The demo's agent. It works as any other: reads its task, edits its worktree,
# tests, commits and pushes. What others ask a model for, it finds in the
# recipe of its task, a script named after the task's title.
set -eu
demo=$(dirname "$0")

# Dies as a program dies that the kernel ends: without a word.
crash() {
  echo "agent: crashes"
  kill -KILL $$
}

# Waits until the demo opens the gate $1 (a named pipe).
wait_at() {
  echo "agent: waits at the gate $1"
  read -r _ <"$demo/gates/$1"
}

# Whether what this run is to read is about $1.
was_told() {
  grep -q "$1" "$AO_PROMPT_FILE"
}

# The worktrees of a project share their remote refs: of two that fetch at the
# same moment git lets one fail.
fetch() {
  git fetch --quiet || git fetch --quiet || git fetch --quiet
}

# Merges what was merged before, and keeps what both have written in $1.
keep_both() {
  fetch
  git merge --quiet --no-edit origin/main \
    || sed -i '/^<<<<<<<\|^=======\|^>>>>>>>/d' "$1"
}

# A later run is given something else to read; the task stays the same.
memory=$(git rev-parse --absolute-git-dir)/demo-task
[ -f "$memory" ] || head -n 1 "$AO_PROMPT_FILE" >"$memory"
title=$(cat "$memory")
recipe=$demo/recipes/$(printf %s "$title" | tr 'A-Z ' 'a-z-').sh

echo "agent: run $AO_RUN of \"$title\"${AO_RESUME_REASON:+ ($AO_RESUME_REASON)}"
hurry=
. "$recipe"
[ "$hurry" ] || tests/run
git add --all
if git diff --cached --quiet && [ ! -e "$(git rev-parse --git-path MERGE_HEAD)" ]
then
  echo "agent: nothing is left to commit"
else
  git commit --quiet --message "$title"
fi
git push --quiet
echo "agent: done"
