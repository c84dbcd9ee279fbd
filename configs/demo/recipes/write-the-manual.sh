cat >>README.md <<'END'

## Commands

END
for file in commands/*.sh; do
  printf -- '- `%s`: %s\n' "$(basename "$file" .sh)" \
    "$(sed -n '1s/^# //p' "$file")" >>README.md
done
cat >tests/manual_test.sh <<'END'
# Every command is in the manual.
for command in $(./textkit help); do
  grep -q "^- .$command.: " README.md
done
END
