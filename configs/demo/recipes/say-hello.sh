# Two tasks add a line in the same place; this one is merged first, as a rule.
if was_told 'conflict'; then
  keep_both README.md
else
  [ "$AO_RUN" != 1 ] || wait_at goodbye-has-begun
  cat >commands/hello.sh <<'END'
# Says hello.
echo hello
END
  echo 'test "$(./textkit hello </dev/null)" = hello' >tests/hello_test.sh
  sed -i '$a\
\
It says hello.' README.md
fi
