#include "actors/api_call.hpp"

namespace ao {
namespace {

/// Answers with the row that an order has made durable.
auto answer_row(api_pointer self, api_call_ptr call) {
  return [self, call](const session& now) {
    answer_session(self, call, 200, std::make_shared<const session>(now));
  };
}

} // namespace

void kill_session_of(api_pointer self, api_call_ptr call) {
  auto row = session_in_path(self, *call);
  if (!row)
    return;
  // Dead already is as good as killed.
  if (is_terminal(*row))
    return answer_session(self, call, 200, std::move(row));
  ask_session(
    self, row->id,
    msg::session_order{msg::session_order::kind::kill, call->id, "api"},
    answer_row(self, call), refuse_by(call));
}

void restore_session_of(api_pointer self, api_call_ptr call) {
  if (auto row = session_in_path(self, *call))
    ask_session(
      self, row->id,
      msg::session_order{msg::session_order::kind::restore, call->id, "api"},
      answer_row(self, call), refuse_by(call));
}

void post_report(api_pointer self, api_call_ptr call) {
  auto row = session_in_path(self, *call);
  if (!row)
    return;
  auto state = api::text_of(call->body, "state");
  auto note = api::text_of(call->body, "note");
  auto url = api::text_of(call->body, "prUrl");
  if (!state || !note || !url)
    return call->refuse((!state ? state : !note ? note : url).error());
  if (!api::is_report_state(*state))
    return call->refuse(
      error{ec::bad_input, "state: \"" + *state + "\" is not a report"});
  if (is_terminal(*row))
    return call->refuse(error{ec::session_closed, row->id.text + " has ended"});
  msg::agent_word word;
  word.request = call->id;
  word.epoch = row->epoch;
  word.run = row->run;
  word.state = std::move(*state);
  word.note = std::move(*note);
  if (!url->empty())
    word.note += (word.note.empty() ? "" : " ") + *url;
  ask_session(self, row->id, std::move(word), answer_row(self, call),
              refuse_by(call));
}

} // namespace ao
