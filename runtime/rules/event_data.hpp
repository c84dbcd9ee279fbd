#pragma once

#include "messages/event.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <utility>

namespace ao {

/// The `data` of an event: what is empty is left out, invalid UTF-8 is
/// replaced.
class event_data {
public:
  event_data& with(const char* name, const std::string& value) {
    if (!value.empty())
      data_[name] = value;
    return *this;
  }

  template <class Tag>
  event_data& with(const char* name, const name_of<Tag>& id) {
    return with(name, id.text);
  }

  template <class T>
  event_data& with_value(const char* name, const T& value) {
    data_[name] = value;
    return *this;
  }

  std::string text() const {
    return data_.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

private:
  nlohmann::json data_ = nlohmann::json::object();
};

/// An event without `seq`, which the store gives.
inline event make_event(event_kind kind, wall_time at, std::string subject,
                        std::string actor, epoch_no epoch,
                        const event_data& data) {
  event e;
  e.at = at;
  e.subject = std::move(subject);
  e.kind = kind;
  e.actor = std::move(actor);
  e.epoch = epoch;
  e.data = data.text();
  return e;
}

} // namespace ao
