#pragma once

#include "messages/config_change.hpp"
#include "messages/json.hpp"
#include "messages/settings.hpp"
#include "runtime/store/row_view.hpp"

#include <optional>
#include <string>
#include <vector>

/// The API below CAF: the objects that it shows, who may do what, what a
/// request asks for. Everything here is a function of rows and settings.
namespace ao::api {

/// A session with its neighbours' rows as last committed; null where there is
/// none.
struct session_view {
  row_ptr<session> row;
  row_ptr<task> of;
  row_ptr<change> opened;
  /// The claim that it holds at present.
  row_ptr<claim> held;
  /// The breaker that holds it; null = none does.
  row_ptr<breaker> blocked_by;
  /// Who has to leave its branch before it begins; empty = nobody.
  session_id waits_for;
  /// The project's name for people.
  std::string project_name;
  /// Open tasks that may be the same work; see `suspects_of`.
  json suspects = json::array();
};

/// Looks the neighbours of `row` up.
session_view view_of(const row_view& rows, const settings& all,
                     row_ptr<session> row);

/// Work that was saved before something was removed.
struct saved_work {
  std::string ref;
  std::string sha;
  wall_time at{};
};

/// What the events of one session (oldest first) say was saved.
std::vector<saved_work> saved_work_of(const std::vector<event>& events);

/// The objects of CONTRACT §3: what is absent is null.

/// A row of `GET /status`.
json status_row(const session_view& s);

/// A row of `GET /sessions`.
json session_row(const session_view& s);

/// `GET /sessions/<id>`: both rows and all else that is known.
/// @param repository Where the refs of saved work are; a path.
json session_object(const session_view& s, const std::vector<saved_work>& saved,
                    const std::string& repository);

/// @param all Says why a ready task is not started; null = nobody asks that.
json task_object(const row_view& rows, const task& t,
                 const settings* all = nullptr);
json change_object(const change& c);
/// An element of `GET /changes/<id>/reviews`.
json review_object(const change_review& r);

/// An incident as the API shows it; its code is not shown.
json incident_object(const incident& i);
json message_object(const message& m);
/// An element of `GET /notifications`.
json notification_object(const notification& n);

/// `local`, the node inside of the hub.
struct local_node {
  wall_time started_at{};
  std::string version;
  std::uint32_t slots = 0;
  /// The sessions that take a slot.
  std::vector<session_id> sessions;
  bool stopping = false;
};

json node_object(const local_node& n);

/// A node that has joined.
/// @param sessions Those that take a slot there.
/// @param heard When it was heard last.
/// @param closed Why nothing is placed on it although it is there.
json node_object(const cluster_node& n, const std::vector<session_id>& sessions,
                 std::optional<wall_time> heard, const std::string& closed);

/// The hub, in `meta` of `GET /status`.
struct hub_facts {
  int pid = 0;
  std::string version;
  wall_time started_at{};
  /// Sessions that were found alive at its start.
  std::uint64_t adopted = 0;
  /// Set while its database takes no writes.
  std::optional<store_trouble> trouble = {};
};

/// `{data, meta}` of `GET /status`.
/// @param all Every session that is asked about; the terminal ones are
///        counted, and shown if `include_terminated`.
json status_document(const std::vector<session_view>& all,
                     bool include_terminated, const hub_facts& hub);

/// `{data, meta}` of `GET /sessions`.
json sessions_document(const std::vector<session_view>& all,
                       bool include_terminated);

/// `{data: [...]}`.
json list_of(json rows);

/// `GET /config`: what the hub works by; no secrets.
json config_object(const settings& all);

/// `[{key, before, after, takesEffect}]` of a reload.
json changed_keys(const std::vector<config_change>& changed);

} // namespace ao::api
