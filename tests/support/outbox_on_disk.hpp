#pragma once

#include "runtime/rules/outbox.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace ao {

/// The machine of one OUTBOX, and the rows that it has had committed.
class outbox_on_disk : public testing::Test {
protected:
  outbox_on_disk() {
    policy.jitter = 0;
    state.channel = "gate";
  }

  /// A row that nothing has happened to.
  notification fresh(const std::string& subject, std::uint64_t number,
                     priority p) const {
    notification n;
    n.version = 1;
    n.channel = "gate";
    n.subject = subject;
    n.number = number;
    n.id = "gate/" + subject + "/" + std::to_string(number);
    n.key = "key-of-" + n.id;
    n.priority = p;
    n.created_at = now;
    n.updated_at = now;
    return n;
  }

  const outbox_step& feed(const outbox_input& input) {
    step = next_outbox(state, input, policy, now);
    state = step.next;
    for (const auto& n : step.rows) {
      auto was = disk.find(n.id);
      EXPECT_EQ(n.version, was == disk.end() ? 1 : was->second.version + 1);
      disk[n.id] = n;
    }
    ever_sent.insert(ever_sent.end(), step.sends.begin(), step.sends.end());
    return step;
  }

  /// Others have committed these.
  void see(std::vector<notification> rows) {
    for (const auto& n : rows)
      disk[n.id] = n;
    feed(notifications_seen{std::move(rows)});
  }

  /// The send of `id` ended so.
  const outbox_step& end(const std::string& id, send_outcome how) {
    how.form = state.open.at(id).form;
    return feed(send_ended{id, std::move(how), 0});
  }

  /// The hub is killed and started again: the rows alone are left.
  void restart() {
    std::vector<notification> rows;
    for (const auto& [id, n] : disk)
      rows.push_back(n);
    state = {};
    state.channel = "gate";
    feed(outbox_recovered{rows});
  }

  outbox_policy policy;
  outbox_state state;
  outbox_step step;
  wall_time now{milliseconds{1'000'000}};
  std::map<std::string, notification> disk;
  std::vector<notification> ever_sent;
};

} // namespace ao
