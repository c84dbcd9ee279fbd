#include "runtime/http/respond.hpp"

#include "runtime/http/problem.hpp"

#include <atomic>

namespace ao::http {
namespace {

/// Appends `data: <line>` for each line of `text`.
void append_data(std::string& frame, std::string_view text) {
  for (;;) {
    auto end = text.find_first_of("\r\n");
    frame.append("data: ").append(text.substr(0, end)).append("\n");
    if (end == std::string_view::npos)
      return;
    auto pair = text.substr(end, 2) == "\r\n";
    text = text.substr(end + (pair ? 2 : 1));
  }
}

/// A field's value ends at a line break; the rest would be another field.
std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

} // namespace

bool event_stream::write(std::uint64_t id, std::string_view event,
                         std::string_view data) const {
  if (!sink_)
    return false;
  std::string frame = "id: " + std::to_string(id) + "\nevent: ";
  frame.append(first_line(event)).append("\n");
  append_data(frame, data);
  frame += '\n';
  return sink_->push(std::move(frame));
}

void event_stream::close() const {
  if (sink_)
    sink_->close();
}

bool event_stream::closed() const {
  return !sink_ || sink_->closed();
}

void event_stream::on_close(std::function<void()> fn) const {
  if (sink_)
    sink_->on_close(std::move(fn));
  else
    fn();
}

struct respond_once::state {
  explicit state(std::shared_ptr<answer_sink> to) : sink(std::move(to)) {}

  state(const state&) = delete;
  state& operator=(const state&) = delete;

  ~state() {
    if (!taken.exchange(true))
      sink->send(problem_response(ec::internal,
                                  "the request was dropped without an answer"));
  }

  std::shared_ptr<answer_sink> sink;
  std::atomic<bool> taken{false};
};

respond_once::respond_once(std::shared_ptr<answer_sink> sink)
    : state_(std::make_shared<state>(std::move(sink))) {}

bool respond_once::operator()(response answer) const {
  if (!state_ || state_->taken.exchange(true))
    return false;
  state_->sink->send(std::move(answer));
  return true;
}

bool respond_once::operator()(const error& why) const {
  return (*this)(problem_response(why));
}

event_stream respond_once::stream() const {
  if (!state_ || state_->taken.exchange(true))
    return {};
  return state_->sink->open_stream();
}

bool respond_once::answered() const {
  return !state_ || state_->taken.load();
}

} // namespace ao::http
