#include "runtime/rules/blast_radius.hpp"

#include <algorithm>

namespace ao {
namespace {

/// Nobody tells when the one that is tried lives; looked at this often, and
/// only during a pause.
constexpr milliseconds probe_pause{500};

bool contains(const std::vector<session_id>& in, const session_id& id) {
  return std::find(in.begin(), in.end(), id) != in.end();
}

} // namespace

blast_step next_blast(const blast_state& state, const blast_picture& seen,
                      const blast_limits& limits, mono_time now) {
  blast_step out;
  auto& s = out.next = state;
  // One that dies again counts once.
  s.recent.erase(std::remove_if(s.recent.begin(), s.recent.end(),
                                [&](const blast_state::death& d) {
                                  return now - d.at >= limits.window
                                    || contains(seen.died, d.session);
                                }),
                 s.recent.end());
  for (const auto& id : seen.died)
    s.recent.push_back({id, now});
  if (!s.paused) {
    auto all = s.recent.size();
    for (const auto& id : seen.alive)
      all += std::none_of(
        s.recent.begin(), s.recent.end(),
        [&](const blast_state::death& d) { return d.session == id; });
    if (s.recent.size() >= limits.deaths && s.recent.size() * 2 > all) {
      s.paused = true;
      out.said = std::to_string(s.recent.size()) + " of " + std::to_string(all)
        + " agents died within " + format_duration(limits.window)
        + "; restarts wait while one is tried";
    }
    return out;
  }
  if (s.probe.empty()) {
    out.again_at = now + probe_pause;
    return out;
  }
  if (seen.probe_has_finished) {
    out.said = s.probe.text + " has come to its end; restarts go on";
    s = {};
    return out;
  }
  if (contains(seen.died, s.probe) || seen.probe_has_left) {
    s.probe = {};
    s.probe_alive_since.reset();
    out.again_at = now + probe_pause;
    return out;
  }
  if (!contains(seen.alive, s.probe)) {
    out.again_at = now + probe_pause;
    return out;
  }
  if (!s.probe_alive_since)
    s.probe_alive_since = now;
  auto proven = *s.probe_alive_since + limits.probation;
  if (now < proven) {
    out.again_at = proven;
    return out;
  }
  out.said = s.probe.text + " lives; restarts go on";
  s = {};
  return out;
}

void look_at_probe(const session* probe, bool away, blast_picture& seen) {
  auto ended
    = probe && (probe->runtime == runtime_state::exited || is_terminal(*probe));
  seen.probe_has_finished = ended && probe->exit
    && probe->exit->run == probe->run && probe->exit->failure.empty();
  seen.probe_has_left = !probe || is_terminal(*probe) || away
    || probe->runtime == runtime_state::parked
    || probe->runtime == runtime_state::lost;
}

std::string hold_restart(blast_state& state, const session_id& id, bool away) {
  if (!state.paused)
    return {};
  if (state.probe.empty() && away)
    return "many agents died at once; one is tried first, on a node that is "
           "heard";
  if (state.probe.empty())
    state.probe = id;
  if (state.probe == id)
    return {};
  return "many agents died at once; " + state.probe.text + " is tried first";
}

} // namespace ao
