#!/bin/sh
# The demo's reviewer. It reads what it is to review, and has one rule: the
# first line of every command says what the command does.
set -eu
silent=
for file in commands/*.sh; do
  head -n 1 "$file" | grep -q '^# ' || silent="$silent $file"
done
if [ "$silent" ]; then
  echo "Say in a comment in the first line what it does:$silent" \
    | ao review submit --request-changes --file -
else
  echo "Every command says what it does." | ao review submit --approve --file -
fi
