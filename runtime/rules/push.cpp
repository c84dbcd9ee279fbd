#include "runtime/rules/push.hpp"

#include <algorithm>

namespace ao {
namespace {

constexpr std::string_view heads = "refs/heads/";

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool is_zero(std::string_view sha) {
  return sha.find_first_not_of('0') == std::string_view::npos;
}

bool is_object_name(std::string_view text) {
  return (text.size() == 40 || text.size() == 64)
    && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// A foreign name within one line of ASCII, at most 120 bytes.
std::string shown(std::string_view name) {
  std::string text{name.substr(0, 120)};
  for (auto& c : text)
    if (auto byte = static_cast<unsigned char>(c); byte <= 0x20 || byte > 0x7e)
      c = '?';
  return text;
}

error refused(const std::string& why, ec code = ec::push_refused) {
  return error{code, "ao: push refused: " + why};
}

error stale(std::string_view what, std::uint64_t had, std::uint64_t now) {
  return refused("stale " + std::string{what} + " " + std::to_string(had)
                   + " (current " + std::to_string(now) + ")",
                 ec::stale_epoch);
}

/// Whether this session may push anything now.
std::optional<error> refuse_pusher(const push_facts& facts) {
  if (!facts.who)
    return refused("no session (AO_TOKEN is missing or not valid)");
  const auto& who = *facts.who;
  if (!facts.claim)
    return refused(shown(who.session.text) + " holds no claim");
  const auto& claim = *facts.claim;
  // The newer grant speaks first: whoever lost the claim is told so, whatever
  // else is wrong.
  if (who.epoch != claim.epoch)
    return stale("epoch", who.epoch, claim.epoch);
  if (who.session != claim.holder)
    return refused(shown(who.session.text) + " does not hold epoch "
                   + std::to_string(claim.epoch));
  if (who.run != claim.run)
    return stale("run", who.run, claim.run);
  if (!claim.lease_provable)
    return refused("lease not provable");
  return std::nullopt;
}

/// Whether the claim's branch is what this update moves.
std::optional<error> refuse_update(const push_facts& facts,
                                   const ref_update& update) {
  const auto& branch = facts.claim->branch;
  const auto& bases = facts.base_branches;
  if (starts_with(update.ref, "refs/tags/"))
    return refused("tags are not pushed (" + shown(update.ref) + ")");
  if (!starts_with(update.ref, heads))
    return refused(shown(update.ref) + " is not a branch");
  auto name = std::string_view{update.ref}.substr(heads.size());
  if (std::find(bases.begin(), bases.end(), name) != bases.end())
    return refused("only the merge queue moves " + shown(name));
  if (branch.empty())
    return refused(facts.who->session.text + " has no branch to push");
  if (name != branch)
    return refused(shown(name) + " is not the branch of "
                   + shown(facts.who->session.text) + " (" + shown(branch)
                   + ")");
  if (update.deletes())
    return refused(shown(name) + " is not deleted by a push");
  return std::nullopt;
}

} // namespace

bool ref_update::creates() const {
  return is_zero(old_sha);
}

bool ref_update::deletes() const {
  return is_zero(new_sha);
}

result<std::vector<ref_update>> parse_ref_updates(std::string_view text) {
  std::vector<ref_update> updates;
  while (!text.empty()) {
    auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    auto first = line.find(' ');
    auto second
      = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos || second + 1 == line.size())
      return fail(ec::bad_input, "not a ref update: " + shown(line));
    ref_update update{std::string{line.substr(0, first)},
                      std::string{line.substr(first + 1, second - first - 1)},
                      std::string{line.substr(second + 1)}};
    if (!is_object_name(update.old_sha) || !is_object_name(update.new_sha))
      return fail(ec::bad_input, "not a ref update: " + shown(line));
    updates.push_back(std::move(update));
  }
  return updates;
}

std::optional<error> refuse_push(const push_facts& facts,
                                 const std::vector<ref_update>& updates) {
  if (auto why = refuse_pusher(facts))
    return why;
  for (const auto& update : updates)
    if (auto why = refuse_update(facts, update))
      return why;
  return std::nullopt;
}

} // namespace ao
