# Two tasks that pass alone and fail together; this one is merged first, as a
# rule. A name that is there already stays as it is.
if was_told 'CI failed'; then
  fetch
  git merge --quiet --no-edit origin/main
fi
[ "$AO_RUN" != 1 ] || wait_at alphabet-has-begun
most=7
for name in $(./textkit help); do
  [ "${#name}" -le "$most" ] || most=${#name}
done
cat >tests/names_test.sh <<END
# No command has a name of more than $most letters.
for name in \$(./textkit help); do
  test "\${#name}" -le $most
done
END
