cat >commands/number.sh <<'END'
# Puts its number before each line.
awk '{ printf "%d %s\n", NR, $0 }'
END
cat >tests/number_test.sh <<'END'
test "$(printf 'a\nb\n' | ./textkit number | tail -n 1)" = '2 b'
END
