name=alphabet
if was_told 'CI failed' && [ -e commands/alphabet.sh ]; then
  # Short names are the rule by now.
  fetch
  git merge --quiet --no-edit origin/main
  git mv commands/alphabet.sh commands/letters.sh
  git mv tests/alphabet_test.sh tests/letters_test.sh
  name=letters
fi
# They may have been from the beginning.
[ ! -e tests/names_test.sh ] || name=letters
cat >commands/$name.sh <<'END'
# Prints each different letter once, in order.
grep -o '[[:alpha:]]' | sort -u | tr -d '\n'
END
cat >tests/"$name"_test.sh <<END
test "\$(echo 'a cab' | ./textkit $name)" = abc
END
[ "$AO_RUN" != 1 ] || wait_at short-names-are-the-rule
