if was_told 'conflict'; then
  keep_both README.md
else
  cat >commands/goodbye.sh <<'EOF'
# Says goodbye.
echo goodbye
EOF
  echo 'test "$(./textkit goodbye </dev/null)" = goodbye' \
    >tests/goodbye_test.sh
  sed -i '$a\
\
It says goodbye.' README.md
  [ "$AO_RUN" != 1 ] || wait_at hello-is-merged
fi
