cat >commands/shorten.sh <<'END'
# Prints the first ten letters of each line.
cut -c 1-10
END
cat >tests/shorten_test.sh <<'END'
test "$(echo 'to be or not' | ./textkit shorten)" = 'to be or n'
END
# Its node takes nothing new from now on; what it has is finished.
wait_at n3-is-drained
