# Which marks are wanted is a matter of taste: a person has to say it. Until
# then the agent tries both in turn and leaves the question open.
answer=$(sed -n 's/^Answer to [^:]*: //p' "$AO_PROMPT_FILE" | head -n 1)
case $answer in
double) mark='"' ;;
single) mark="'" ;;
# Not an answer to the question.
retry) mark= ;;
*) mark=$answer ;;
esac
question=
if [ -z "$mark" ] && { [ ! -f commands/quote.sh ] \
  || grep -q '^# Open question' commands/quote.sh; }; then
  question="# Open question: which marks? Try $AO_RUN."
  mark=$(printf '%s' "\"'" | cut -c "$((AO_RUN % 2 + 1))")
  hurry=yes
fi
if [ "$mark" ]; then
  printf '%s\n' "$mark" >commands/quote.mark
  cat >commands/quote.sh <<END
# Puts each line in quotation marks.
$question
mark=\$(cat commands/quote.mark)
while IFS= read -r line; do
  printf '%s%s%s\n' "\$mark" "\$line" "\$mark"
done
END
  cat >tests/quote_test.sh <<'END'
mark=$(cat commands/quote.mark)
test "$(echo yes | ./textkit quote)" = "${mark}yes$mark"
END
fi
