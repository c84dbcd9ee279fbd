cat >commands/upper.sh <<'END'
# Turns small letters into capital ones.
tr '[:lower:]' '[:upper:]'
END
cat >tests/upper_test.sh <<'END'
test "$(echo 'to be' | ./textkit upper)" = 'TO BE'
END
# The hub dies now, and the work goes on when there is one again.
wait_at hub-is-back
