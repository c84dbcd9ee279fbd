cat >commands/heading.sh <<'END'
# Makes a heading of each line: trimmed, in capital letters.
./textkit trim | ./textkit upper
END
cat >tests/heading_test.sh <<'END'
test "$(echo '  to be  ' | ./textkit heading)" = 'TO BE'
END
