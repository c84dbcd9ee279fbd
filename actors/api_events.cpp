#include "actors/api_call.hpp"
#include "actors/event_streamer.hpp"

#include <charconv>

namespace ao {
namespace {

constexpr std::uint64_t largest_page = 1000;

/// What an event's subject names, as far as there is a row.
api::target target_of_subject(const row_view& rows,
                              const std::string& subject) {
  auto colon = subject.find(':');
  auto kind = subject.substr(0, colon);
  auto id = colon == std::string::npos ? "" : subject.substr(colon + 1);
  if (kind == "task")
    if (auto t = rows.find<task>(id))
      return target_of(*t);
  if (kind == "session")
    if (auto s = rows.find<session>(id))
      return target_of(*s);
  if (kind == "change")
    if (auto c = rows.find<change>(id))
      return target_of(*c);
  return {};
}

result<msg::read_events> read_wish(const api_call& call) {
  const auto& what = call.what;
  msg::read_events out;
  auto after = read_number("after", what.query_or("after", ""), 0);
  if (auto last = what.header("last-event-id");
      what.wants_events() && !last.empty())
    after = read_number("Last-Event-ID", std::string{last}, 0);
  auto limit = read_number("limit", what.query_or("limit", ""), largest_page);
  if (!after)
    return fail(after.error());
  if (!limit || *limit == 0 || *limit > largest_page)
    return fail(ec::bad_input, "limit: expected a number from 1 to 1000");
  out.after = *after;
  out.limit = static_cast<std::size_t>(*limit);
  if (auto subject = what.query_or("subject", ""); !subject.empty())
    out.subject = std::move(subject);
  return out;
}

void answer_page(api_pointer self, api_call_ptr call, msg::read_events wish) {
  // Whatever is committed later comes with the next page.
  auto newest = self->state.context.rows->events().last_seq();
  read_past(self, wish, [call, wish, newest](auto page) {
    if (!page)
      return call->refuse(page.error());
    auto next = page->size() == wish.limit ? page->back().seq
                                           : std::max(wish.after, newest);
    auto rows = json::array();
    for (const auto& e : *page) {
      rows.push_back(e);
      next = std::max(next, e.seq);
    }
    call->answer(200, {{"data", std::move(rows)}, {"next", next}});
  });
}

} // namespace

result<std::uint64_t> read_number(const std::string& name,
                                  const std::string& text,
                                  std::uint64_t otherwise) {
  if (text.empty())
    return otherwise;
  std::uint64_t out = 0;
  const auto* end = text.data() + text.size();
  auto [stop, bad] = std::from_chars(text.data(), end, out);
  if (bad != std::errc{} || stop != end)
    return fail(ec::bad_input, name + ": expected a number");
  return out;
}

void get_events(api_pointer self, api_call_ptr call) {
  auto& context = self->state.context;
  auto wish = read_wish(*call);
  if (!wish)
    return call->refuse(wish.error());
  if (!call->admits(
        target_of_subject(*context.rows, wish->subject.value_or("")),
        "read the events of " + wish->subject.value_or("everything")))
    return;
  if (!call->what.wants_events())
    return answer_page(self, call, std::move(*wish));
  self->home_system().spawn(
    event_streamer, context, self->address(),
    event_wish{wish->after, wish->subject, call->respond});
}

} // namespace ao
