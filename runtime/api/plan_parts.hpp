#pragma once

#include "runtime/api/requests.hpp"

/// What the files that plan requests to the registry share; nobody else
/// includes this.
namespace ao::api::plan_parts {

/// `agent` of a body; empty = not named. Errors: `bad_input`.
result<std::string> agent_in(const settings& all, const json& body);

/// `node` of a body; empty = any. Errors: `bad_input`.
result<node_name> node_in(const row_view& rows, const json& body);

/// Has a session go where it is asked for; where there are no nodes, it is
/// clear where.
void go_to(const node_name& node, const row_view& rows,
           msg::open_session& open);

/// A session of `p`, as the configuration wants it.
msg::open_session session_of(const project_settings& p, const request_id& id);

/// Errors: `bad_input`, `prompt_too_long`.
result<void> check_deliverable(const settings& all, const std::string& agent,
                               const std::string& prompt);

} // namespace ao::api::plan_parts
