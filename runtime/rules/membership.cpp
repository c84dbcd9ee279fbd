#include "runtime/rules/membership.hpp"

#include <algorithm>

namespace ao {
namespace {

/// When `look_at` has something to decide next.
std::optional<mono_time> next_look(const membership& m,
                                   const cluster_times& times) {
  if (!m.heard)
    return std::nullopt;
  if (m.link == node_link::alive)
    return *m.heard + times.suspect_after;
  if (m.link == node_link::suspect)
    return *m.heard + times.lost_after;
  // Lost: others may have its claims then.
  if (m.link == node_link::lost)
    return m.lease_until;
  return std::nullopt;
}

membership_step stay(const membership& m, const cluster_times& times) {
  membership_step out;
  out.next = m;
  out.look_at = next_look(m, times);
  return out;
}

membership_step refuse(const membership& m, ec code, std::string why) {
  membership_step out;
  out.next = m;
  out.refused = error{code, std::move(why)};
  return out;
}

membership_step refuse_stale(const membership& m, std::uint64_t incarnation) {
  return refuse(m, ec::stale_incarnation,
                "life " + std::to_string(incarnation)
                  + " of the node is over, life "
                  + std::to_string(m.incarnation) + " has been heard");
}

membership heard_at(const membership& m, const cluster_times& times,
                    mono_time now) {
  auto next = m;
  next.link = node_link::alive;
  next.heard = now;
  next.lease_until = now + times.lease;
  return next;
}

} // namespace

std::optional<std::string> fencing_problem(milliseconds stop_after,
                                           milliseconds lease) {
  if (stop_after + fence_takes <= lease)
    return std::nullopt;
  return "stopOnClientAfter " + format_duration(stop_after) + " + "
    + format_duration(fence_takes)
    + " to stop = " + format_duration(stop_after + fence_takes)
    + ", which is more than " + "cluster.lease " + format_duration(lease)
    + ": a node could still work when its tasks are given away";
}

membership after_start(const cluster_node& row, const cluster_times& times,
                       mono_time now) {
  membership m;
  m.link = row.link;
  m.incarnation = row.incarnation;
  if (row.link == node_link::joining)
    return m;
  m.heard = now;
  m.lease_until = now + times.lease;
  // Whoever was there counts as just heard; who was lost may still work, as
  // far as we know.
  if (row.link == node_link::alive)
    m.link = node_link::suspect;
  return m;
}

membership_step hear_hello(const membership& m, std::uint64_t incarnation,
                           const cluster_times& times, mono_time now) {
  if (incarnation < m.incarnation)
    return refuse_stale(m, incarnation);
  membership_step out;
  out.next = heard_at(m, times, now);
  out.next.incarnation = incarnation;
  if (m.link == node_link::joining)
    out.news = membership_news::joined;
  else if (m.link != node_link::alive)
    out.news = membership_news::returned;
  out.look_at = next_look(out.next, times);
  return out;
}

membership_step hear_beat(const membership& m, std::uint64_t incarnation,
                          const cluster_times& times, mono_time now) {
  if (incarnation != m.incarnation)
    return refuse_stale(m, incarnation);
  if (m.link != node_link::alive && m.link != node_link::suspect)
    return refuse(m, ec::wrong_state,
                  "the node is " + std::string{to_string(m.link)}
                    + "; it has to say hello first");
  membership_step out;
  out.next = heard_at(m, times, now);
  if (m.link == node_link::suspect)
    out.news = membership_news::returned;
  out.look_at = next_look(out.next, times);
  return out;
}

membership_step hear_leave(const membership& m, std::uint64_t incarnation,
                           mono_time now) {
  if (incarnation != m.incarnation)
    return refuse_stale(m, incarnation);
  membership_step out;
  out.next = m;
  out.next.link = node_link::left;
  out.next.heard = now;
  if (m.link != node_link::left)
    out.news = membership_news::left;
  return out;
}

membership_step hear_close(const membership& m, const cluster_times& times,
                           mono_time now) {
  if (m.link != node_link::alive)
    return look_at(m, times, now);
  auto out = stay(m, times);
  out.next.link = node_link::suspect;
  out.news = membership_news::suspect;
  out.look_at = next_look(out.next, times);
  return out;
}

membership_step look_at(const membership& m, const cluster_times& times,
                        mono_time now) {
  auto silent_for
    = [&](milliseconds limit) { return m.heard && now - *m.heard >= limit; };
  auto step = [&](node_link to, membership_news news) {
    membership_step out;
    out.next = m;
    out.next.link = to;
    out.news = news;
    out.look_at = next_look(out.next, times);
    return out;
  };
  auto there = m.link == node_link::alive || m.link == node_link::suspect;
  if (there && silent_for(times.lost_after))
    return step(node_link::lost, membership_news::lost);
  if (m.link == node_link::alive && silent_for(times.suspect_after))
    return step(node_link::suspect, membership_news::suspect);
  auto out = stay(m, times);
  // Nothing more comes of a lease that is over.
  if (m.link == node_link::lost && out.look_at && *out.look_at <= now)
    out.look_at.reset();
  return out;
}

bool may_regrant(const membership& m, mono_time now) {
  return m.link == node_link::lost && (!m.lease_until || now >= *m.lease_until);
}

bool lease_holds(const membership& m, mono_time now) {
  return (m.link == node_link::alive || m.link == node_link::suspect)
    && m.lease_until && now < *m.lease_until;
}

own_lease lease_granted(mono_time sent) {
  return {sent, false};
}

own_lease lease_renewed(const own_lease& x, mono_time sent) {
  auto next = x;
  if (!x.fenced && x.renewed)
    next.renewed = std::max(*x.renewed, sent);
  return next;
}

bool has_to_fence(const own_lease& x, milliseconds stop_after, mono_time now) {
  return !x.renewed || now >= *x.renewed + stop_after;
}

std::optional<mono_time> fence_at(const own_lease& x, milliseconds stop_after) {
  if (!x.renewed)
    return std::nullopt;
  return *x.renewed + stop_after;
}

} // namespace ao
