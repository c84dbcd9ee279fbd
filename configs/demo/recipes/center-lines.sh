# How wide the page is stands nowhere, and guessing does not help: a mediator
# has to say it.
width=$(sed -n 's/.* \([0-9][0-9]*\) columns wide.*/\1/p' "$AO_PROMPT_FILE" \
  | head -n 1)
if [ "$width" ] || [ ! -f commands/center.sh ] \
  || ! sh -eu tests/center_test.sh; then
  if [ -z "$width" ]; then
    width=$((20 + 10 * AO_RUN))
    # Delivers its guess.
    hurry=yes
  fi
  cat >commands/center.sh <<END
# Centres each line on a page of $width columns.
awk '{ printf "%" int(($width - length(\$0)) / 2) "s%s\n", "", \$0 }'
END
fi
