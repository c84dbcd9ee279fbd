./textkit help | grep -qx help
if ./textkit no-such-command 2>/dev/null; then
  exit 1
fi
