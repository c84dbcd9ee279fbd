cat >commands/trim.sh <<'END'
# Removes blanks at both ends of each line.
sed 's/^[[:blank:]]*//; s/[[:blank:]]*$//'
END
cat >tests/trim_test.sh <<'END'
test "$(printf '  a b \t\n' | ./textkit trim)" = 'a b'
END
