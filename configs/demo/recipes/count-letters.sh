cat >commands/letters.sh <<'END'
# Prints how many letters there are.
tr -cd '[:alpha:]' | wc -c | tr -d ' '
END
cat >tests/letters_test.sh <<'END'
test "$(echo 'to be' | ./textkit letters)" = 4
END
# Its node is cut off now. Another agent does the same on another node, and the
# work of this one comes too late.
wait_at n1-is-lost
