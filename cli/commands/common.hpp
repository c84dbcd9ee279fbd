#pragma once

#include "cli/command.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What several commands share.
namespace ao::cli {

/// Below this every route lives.
inline const std::string api_root = "/api/v1";

/// `/api/v1/tasks/<id, percent-encoded>` and the like.
std::string item_path(std::string_view collection, std::string_view id,
                      std::string_view action = {});

/// Appends `name=value` to a target, percent-encoded; nothing for an empty
/// value.
void add_query(std::string& target, std::string_view name,
               std::string_view value);

/// The header that makes repeating a request safe.
http::api_client::header_list idempotency(const std::string& request_id);

/// Looks at a session after each of its events until `settled` says that it
/// is where it is waited for. Errors: `timed_out` with the state it is in.
result<nlohmann::json>
follow_session(invocation& what, const nlohmann::json& first,
               const std::function<bool(const nlohmann::json&)>& settled,
               milliseconds allowed);

/// `--request-id`, or a new one.
std::string request_id_of(const invocation& what);

/// The session that is named, else the one that `ao` runs in
/// (`AO_SESSION_NAME`, `AO_SESSION`). Errors: `bad_input`.
result<std::string> session_meant(const invocation& what);

/// Names the project and working directory in a request's body; the hub
/// finds the project by the directory when none is named.
void put_place(const invocation& what, nlohmann::json& body);

/// The bytes of a file, `-` = standard input. Errors: those of `read_file`.
result<std::string> read_input(const std::string& path);

/// The text of `--<name>` or of the file of `--<name>-file` (`-` = standard
/// input); none when neither is given. Errors: `bad_input` (both; NUL or
/// invalid UTF-8), and those of reading.
result<std::optional<std::string>> text_or_file(const invocation& what,
                                                const std::string& name);

/// The member as a word for people: strings as they are, absent and null as
/// `-`, lists joined by commas, everything else as JSON. `name` may lead
/// through objects: `runtime.state`.
std::string shown(const nlohmann::json& of, std::string_view name);

/// The string at `name` (may lead through objects), empty when there is none.
std::string text_at(const nlohmann::json& of, std::string_view name);

/// The colour of a status or state.
colour colour_of(std::string_view state);

/// A table of `rows` with one column per {heading, member}; the member called
/// `status` or `state` is coloured. An empty list says `nothing`.
void print_rows(output& out, const nlohmann::json& rows,
                const std::vector<std::pair<std::string, std::string>>& columns,
                int flexible, std::string_view nothing);

/// Says which tasks `row`, a task or a session, looks like; one a line.
void print_suspects(output& out, const nlohmann::json& row);

/// All scalar members of an object, aligned, one a line.
void print_object(output& out, const nlohmann::json& what);

/// GETs a list, prints it with `--json` as it came, else as a table.
outcome
show_list(invocation& what, const std::string& target,
          const std::vector<std::pair<std::string, std::string>>& columns,
          int flexible, std::string_view nothing);

/// GETs an object and prints it.
outcome show_object(invocation& what, const std::string& target);

} // namespace ao::cli
