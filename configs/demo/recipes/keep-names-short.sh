# Two tasks that pass alone and fail together; this one is merged first.
[ "$AO_RUN" != 1 ] || wait_at alphabet-has-begun
cat >tests/names_test.sh <<'EOF'
# No command has a name of more than seven letters.
if ./textkit help | grep '........'; then
  exit 1
fi
EOF
