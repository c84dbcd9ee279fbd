cat >commands/reverse.sh <<'END'
# Prints the lines, the last one first.
sed -n '1!G;h;$p'
END
# The first run dies in the middle of its work. The second one finds what the
# first has left in the worktree, and goes on.
if [ "$AO_RUN" = 1 ]; then
  crash
fi
test -f commands/reverse.sh
cat >tests/reverse_test.sh <<'END'
test "$(printf 'a\nb\nc\n' | ./textkit reverse | tr '\n' ' ')" = 'c b a '
END
