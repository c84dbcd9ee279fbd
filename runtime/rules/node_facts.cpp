#include "runtime/rules/node_facts.hpp"

#include <algorithm>
#include <tuple>

namespace ao {
namespace {

bool same(const msg::unready_agent& a, const msg::unready_agent& b) {
  return std::tie(a.agent, a.by_login, a.why)
    == std::tie(b.agent, b.by_login, b.why);
}

bool differs_by_a_quarter(std::uint64_t known, std::uint64_t now) {
  auto apart = known > now ? known - now : now - known;
  return apart > known / 4;
}

} // namespace

milliseconds pause_of_probe(const msg::node_facts& found,
                            milliseconds half_open) {
  return found.unready.empty() ? milliseconds{probe_pause}
                               : std::min<milliseconds>(half_open, probe_pause);
}

bool worth_telling(const std::optional<msg::node_facts>& told,
                   const msg::node_facts& found) {
  return !told || told->agents != found.agents
    || !std::equal(told->unready.begin(), told->unready.end(),
                   found.unready.begin(), found.unready.end(), same)
    || differs_by_a_quarter(told->memory, found.memory);
}

msg::node_facts with_unready(msg::node_facts facts, msg::unready_agent failed) {
  auto& all = facts.unready;
  all.erase(std::remove_if(
              all.begin(), all.end(),
              [&failed](const auto& x) { return x.agent == failed.agent; }),
            all.end());
  all.push_back(std::move(failed));
  return facts;
}

} // namespace ao
