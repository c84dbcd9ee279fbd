#include "messages/event.hpp"

#include <cstddef>

namespace ao {
namespace {

constexpr std::string_view kind_words[] = {
#define AO_EVENT_KIND(name) #name,
  AO_EVENT_KINDS(AO_EVENT_KIND)
#undef AO_EVENT_KIND
};

} // namespace

std::string_view to_string(event_kind k) {
  auto i = static_cast<std::size_t>(k);
  return i < std::size(kind_words) ? kind_words[i] : "invalid";
}

std::optional<event_kind> event_kind_from(std::string_view text) {
  for (auto k : all_event_kinds())
    if (to_string(k) == text)
      return k;
  return std::nullopt;
}

const std::vector<event_kind>& all_event_kinds() {
  static const std::vector<event_kind> kinds{
#define AO_EVENT_KIND(name) event_kind::name,
    AO_EVENT_KINDS(AO_EVENT_KIND)
#undef AO_EVENT_KIND
  };
  return kinds;
}

std::string subject_of(const task_id& id) {
  return "task:" + id.text;
}

std::string subject_of(const session_id& id) {
  return "session:" + id.text;
}

std::string subject_of(const change_id& id) {
  return "change:" + id.text;
}

std::string subject_of(const node_name& id) {
  return "node:" + id.text;
}

} // namespace ao
