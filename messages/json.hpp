#pragma once

#include "messages/breaker.hpp"
#include "messages/change.hpp"
#include "messages/event.hpp"
#include "messages/incident.hpp"
#include "messages/message.hpp"
#include "messages/node.hpp"
#include "messages/session.hpp"
#include "messages/task.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

namespace ao {

using json = nlohmann::json;

/// Rows as they are stored. Unknown members are ignored and missing ones take
/// their defaults, so that a row of an older version still reads; a member of
/// the wrong type throws `nlohmann::json::exception`.
void to_json(json& out, const task& x);
void from_json(const json& in, task& x);
void to_json(json& out, const suspicion& x);
void from_json(const json& in, suspicion& x);
void to_json(json& out, const claim& x);
void from_json(const json& in, claim& x);
void to_json(json& out, const counter& x);
void from_json(const json& in, counter& x);
void to_json(json& out, const exit_info& x);
void from_json(const json& in, exit_info& x);
void to_json(json& out, const worktree_facts& x);
void from_json(const json& in, worktree_facts& x);
void to_json(json& out, const left_work& x);
void from_json(const json& in, left_work& x);
void to_json(json& out, const session& x);
void from_json(const json& in, session& x);
void to_json(json& out, const change& x);
void from_json(const json& in, change& x);
void to_json(json& out, const ci_run& x);
void from_json(const json& in, ci_run& x);
void to_json(json& out, const change_review& x);
void from_json(const json& in, change_review& x);
void to_json(json& out, const incident_attempt& x);
void from_json(const json& in, incident_attempt& x);
void to_json(json& out, const incident& x);
void from_json(const json& in, incident& x);
void to_json(json& out, const notification& x);
void from_json(const json& in, notification& x);
void to_json(json& out, const breaker& x);
void from_json(const json& in, breaker& x);
void to_json(json& out, const message_evidence& x);
void from_json(const json& in, message_evidence& x);
void to_json(json& out, const message& x);
void from_json(const json& in, message& x);
void to_json(json& out, const cluster_node& x);
void from_json(const json& in, cluster_node& x);
void to_json(json& out, const join_token& x);
void from_json(const json& in, join_token& x);

/// An event as the API shows it (`data` is an object there).
void to_json(json& out, const event& x);

/// Text for the disk or the wire: invalid UTF-8 is replaced, never thrown.
std::string dump(const json& value);

/// The same for a row, several times faster: no tree is built in between.
std::string dump(const task& x);
std::string dump(const claim& x);
std::string dump(const counter& x);
std::string dump(const session& x);
std::string dump(const change& x);
std::string dump(const ci_run& x);
std::string dump(const change_review& x);
std::string dump(const message& x);
std::string dump(const incident& x);
std::string dump(const notification& x);
std::string dump(const breaker& x);
std::string dump(const cluster_node& x);
std::string dump(const join_token& x);

/// Reads foreign JSON. Errors: `bad_input` with the position.
result<json> parse_json(std::string_view text, std::string_view what);

} // namespace ao
