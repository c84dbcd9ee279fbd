# Who centres centres on the page of our printer.
if [ -f commands/center.sh ]; then
  echo x | ./textkit center | cksum | grep -q '^2404834488 '
fi
