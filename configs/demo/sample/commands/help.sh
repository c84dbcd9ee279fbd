# Names every command.
for file in commands/*.sh; do
  basename "$file" .sh
done
