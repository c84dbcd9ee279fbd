# Two tasks add a line in the same place; this one is merged first.
[ "$AO_RUN" != 1 ] || wait_at goodbye-has-begun
cat >commands/hello.sh <<'EOF'
# Says hello.
echo hello
EOF
echo 'test "$(./textkit hello </dev/null)" = hello' >tests/hello_test.sh
sed -i '$a\
\
It says hello.' README.md
