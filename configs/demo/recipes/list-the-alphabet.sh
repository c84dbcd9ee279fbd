name=alphabet
if was_told 'CI failed'; then
  # Short names are the rule by now.
  git fetch --quiet
  git merge --quiet --no-edit origin/main
  git mv commands/alphabet.sh commands/letters.sh
  git mv tests/alphabet_test.sh tests/letters_test.sh
  name=letters
fi
cat >commands/$name.sh <<'EOF'
# Prints each different letter once, in order.
grep -o '[[:alpha:]]' | sort -u | tr -d '\n'
EOF
cat >tests/"$name"_test.sh <<EOF
test "\$(echo 'a cab' | ./textkit $name)" = abc
EOF
[ "$AO_RUN" != 1 ] || wait_at short-names-are-the-rule
