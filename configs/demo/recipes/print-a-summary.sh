cat >commands/summary.sh <<'END'
# Prints a heading of the first line, and how many words there are.
text=$(cat)
printf '%s\n' "$text" | head -n 1 | ./textkit heading
printf '%s words\n' "$(printf '%s\n' "$text" | ./textkit words)"
END
cat >tests/summary_test.sh <<'END'
test "$(printf ' to be\nor not\n' | ./textkit summary | tr '\n' ,)" \
  = 'TO BE,4 words,'
END
