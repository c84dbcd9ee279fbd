#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <utility>

namespace ao {

/// A string that knows what it names, so that a session's id can never be
/// passed where a task's is wanted. Empty means "none".
template <class Tag>
struct name_of {
  std::string text;

  name_of() = default;
  explicit name_of(std::string value) : text(std::move(value)) {}

  bool empty() const { return text.empty(); }
  const std::string& str() const { return text; }

  friend bool operator==(const name_of& a, const name_of& b) {
    return a.text == b.text;
  }
  friend bool operator!=(const name_of& a, const name_of& b) {
    return a.text != b.text;
  }
  friend bool operator<(const name_of& a, const name_of& b) {
    return a.text < b.text;
  }
  friend std::ostream& operator<<(std::ostream& out, const name_of& x) {
    return out << x.text;
  }
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, name_of& x) {
    return f(x.text);
  }
};

/// `T42`: the short id of a task, shown to people and used in refs and URLs.
using task_id = name_of<struct task_tag>;

/// `app-7`: a session; never reused.
using session_id = name_of<struct session_tag>;

/// `app`: the key of a project in the configuration.
using project_id = name_of<struct project_tag>;

/// `app#3`: a change (a pull request of the forge).
using change_id = name_of<struct change_tag>;

/// `local`, `n2`: a node.
using node_name = name_of<struct node_tag>;

/// `inc-4`: an incident.
using incident_id = name_of<struct incident_tag>;

/// A ULID: a message to an agent.
using message_id = name_of<struct message_tag>;

/// A ULID made by the first asker of something that changes state; repeating
/// the request under the same id yields the first answer (kept 24 h).
using request_id = name_of<struct request_tag>;

/// Grows with each grant of a claim and never repeats; 0 = never granted.
using epoch_no = std::uint64_t;

/// Grows with each start of the agent within a session; the first is 1.
using run_no = std::uint32_t;

/// The number in `T42`, or 0 when `id` is not of that form (capital T, no
/// leading zero).
std::uint64_t number_of(const task_id& id);

/// `T<n>`.
task_id make_task_id(std::uint64_t n);

/// `<project>#<n>`.
change_id make_change_id(const project_id& project, std::uint64_t n);

} // namespace ao

namespace std {
template <class Tag>
struct hash<ao::name_of<Tag>> {
  size_t operator()(const ao::name_of<Tag>& x) const noexcept {
    return hash<string>{}(x.text);
  }
};
} // namespace std
