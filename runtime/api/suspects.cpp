#include "runtime/api/suspects.hpp"

namespace ao::api {
namespace {

template <class Tag>
json id_or_null(const name_of<Tag>& id) {
  return id.empty() ? json() : json(id.text);
}

bool is_open(const row_ptr<task>& t) {
  return t && !is_closed(t->state);
}

/// Whether `later` waits because of `s`.
bool holds(const suspicion& s, const task& later,
           const row_ptr<task>& earlier) {
  return s.hold && later.state == task_state::blocked && is_open(earlier);
}

/// What both lists say of a pair.
json facts_of(const suspicion& s, bool held) {
  return {{"score", s.score / 100.0}, {"reason", s.reason}, {"held", held}};
}

/// The other of a pair, as one of the two shows it.
json other_object(const suspicion& s, const task_id& id, const row_ptr<task>& t,
                  const std::string& title, bool held) {
  auto out = facts_of(s, held);
  out["task"] = id.text;
  out["title"] = t ? t->title : title;
  out["state"] = t ? json(std::string{to_string(t->state)}) : json();
  out["session"] = t ? id_or_null(t->session) : json();
  return out;
}

} // namespace

json suspects_of(const row_view& rows, const task& t, bool open_only) {
  auto out = json::array();
  if (open_only && is_closed(t.state))
    return out;
  for (const auto& s : t.suspects) {
    auto earlier = rows.find<task>(s.other.text);
    if (earlier && (!open_only || is_open(earlier)))
      out.push_back(
        other_object(s, s.other, earlier, s.title, holds(s, t, earlier)));
  }
  auto me = rows.find<task>(t.id.text);
  for (const auto& later : rows.suspected_as(t.id)) {
    if (open_only && is_closed(later->state))
      continue;
    for (const auto& s : later->suspects)
      if (s.other == t.id)
        out.push_back(other_object(s, later->id, later, later->title,
                                   holds(s, *later, me)));
  }
  return out;
}

json suspected_pairs(const row_view& rows,
                     const std::function<bool(const task&)>& shown) {
  auto out = json::array();
  for (const auto& later : rows.suspected_tasks()) {
    if (!shown(*later))
      continue;
    for (const auto& s : later->suspects) {
      auto earlier = rows.find<task>(s.other.text);
      if (!is_open(earlier))
        continue;
      auto pair = facts_of(s, holds(s, *later, earlier));
      pair["task"] = later->id.text;
      pair["title"] = later->title;
      pair["session"] = id_or_null(later->session);
      pair["other"] = earlier->id.text;
      pair["otherTitle"] = earlier->title;
      pair["otherSession"] = id_or_null(earlier->session);
      out.push_back(std::move(pair));
    }
  }
  return out;
}

} // namespace ao::api
