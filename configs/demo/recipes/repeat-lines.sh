# The first agent and its node are killed.
[ "$AO_EPOCH" != 1 ] || exec sleep 600
cat >commands/repeat.sh <<'END'
# Prints each line twice.
sed p
END
cat >tests/repeat_test.sh <<'END'
test "$(echo a | ./textkit repeat | wc -l)" -eq 2
END
