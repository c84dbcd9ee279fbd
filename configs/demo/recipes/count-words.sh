cat >commands/words.sh <<'END'
# Prints how many words there are.
wc -w | tr -d ' '
END
cat >tests/words_test.sh <<'END'
test "$(echo 'to be or not' | ./textkit words)" = 4
test "$(printf '' | ./textkit words)" = 0
END
