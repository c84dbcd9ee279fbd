# The first run falls silent: no output, no work, until somebody ends it.
if [ "$AO_RUN" = 1 ]; then
  echo "agent: dozes off"
  exec sleep 600
fi
cat >commands/number.sh <<'EOF'
# Puts its number before each line.
awk '{ printf "%d %s\n", NR, $0 }'
EOF
cat >tests/number_test.sh <<'EOF'
test "$(printf 'a\nb\n' | ./textkit number | tail -n 1)" = '2 b'
EOF
