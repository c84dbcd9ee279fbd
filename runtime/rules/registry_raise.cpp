#include "runtime/rules/event_data.hpp"
#include "runtime/rules/registry.hpp"

#include <algorithm>

namespace ao {
namespace {

/// What was seen, for the record.
class report {
public:
  void add(const std::string& what, std::uint64_t known) {
    count_ += 1;
    constexpr std::uint64_t most_named = 20;
    if (count_ <= most_named)
      text_ += (count_ == 1 ? "" : ", ") + what + " (" + std::to_string(known)
        + " is known)";
  }

  std::uint64_t count() const { return count_; }
  const std::string& text() const { return text_; }

private:
  std::uint64_t count_ = 0;
  std::string text_;
};

} // namespace

bool registry_book::raise_counter(const std::string& name, std::uint64_t to,
                                  registry_decision& d) {
  auto known = counters_.find(name);
  auto last = known == counters_.end() ? 0 : known->second.last;
  if (last >= to)
    return false;
  (void)take_numbers(name, to - last, d);
  return true;
}

result<registry_decision> registry_book::decide(const raise_numbers& request,
                                                wall_time now) {
  for (const auto& [id, epoch] : request.epochs)
    if (busy(id.text))
      return fail(ec::request_in_flight,
                  "a decision about " + id.text + " is being written");
  registry_decision d;
  report seen;
  for (const auto& [id, epoch] : request.epochs) {
    auto tasks = counters_["task"].last;
    if (raise_counter("task", number_of(id), d)) {
      seen.add(id.text, tasks);
      continue;
    }
    const auto* t = task_of(id);
    auto last = find_claim(id.text);
    auto known = last == nullptr ? 0 : last->epoch;
    if (t == nullptr || epoch <= known)
      continue;
    seen.add(id.text + " at epoch " + std::to_string(epoch), known);
    (void)lock(d, id.text);
    claim c;
    if (last != nullptr)
      c = *last;
    auto was_held = c.held;
    c.subject = id.text;
    c.version += 1;
    c.epoch = epoch;
    c.held = false;
    c.since = now;
    if (was_held) {
      auto why = "node " + request.node.text + " has seen epoch "
        + std::to_string(epoch);
      auto next = *t;
      auto needs = outlook_of(*t);
      next.version += 1;
      next.state = needs.open ? task_state::blocked : task_state::ready;
      next.why = needs.open ? needs.why : why;
      next.session = {};
      next.updated_at = now;
      d.write.events.push_back(note(event_kind::claim_expired, c, t, now, why));
      d.write.events.push_back(
        note(needs.open ? event_kind::task_blocked : event_kind::task_ready,
             next, now));
      d.write.rows.emplace_back(std::move(next));
    }
    d.write.rows.emplace_back(std::move(c));
  }
  for (const auto& [prefix, number] : request.sessions) {
    auto name = "session/" + prefix;
    auto known = counters_[name].last;
    if (raise_counter(name, number, d))
      seen.add(prefix + "-" + std::to_string(number), known);
  }
  d.answer = numbers_raised{seen.count()};
  if (seen.count() > 0)
    d.write.events.push_back(make_event(
      event_kind::numbers_raised, now, subject_of(request.node), actor_, 0,
      event_data{}
        .with("node", request.node)
        .with("reason",
              "the records are older than what the node has seen: "
                + seen.text())
        .with_value("count", seen.count())));
  return d;
}

} // namespace ao
