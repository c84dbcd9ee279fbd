# The reviewer sends it back at first, as the command does not say what it does.
: >commands/summary.sh
if was_told 'Say in a comment'; then
  echo '# Prints a heading of the first line, and how many words there are.' \
    >commands/summary.sh
fi
cat >>commands/summary.sh <<'END'
text=$(cat)
printf '%s\n' "$text" | head -n 1 | ./textkit heading
printf '%s words\n' "$(printf '%s\n' "$text" | ./textkit words)"
END
cat >tests/summary_test.sh <<'END'
test "$(printf ' to be\nor not\n' | ./textkit summary | tr '\n' ,)" \
  = 'TO BE,4 words,'
END
