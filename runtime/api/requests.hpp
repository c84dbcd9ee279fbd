#pragma once

#include "messages/json.hpp"
#include "messages/orders.hpp"
#include "messages/requests.hpp"
#include "messages/settings.hpp"
#include "runtime/home/token.hpp"
#include "runtime/http/message.hpp"
#include "runtime/rules/push.hpp"
#include "runtime/store/row_view.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao::api {

// -- reading what came --------------------------------------------------------

/// The body as an object (`{}` when there is none). Errors: `bad_input` for
/// anything but JSON objects, and for a NUL or invalid UTF-8 anywhere in body,
/// path or query.
result<json> read_body(const http::request& what);

/// Members of a body. Absent and null are the same. Errors: `bad_input`
/// naming the member and what was expected.
result<std::string> text_of(const json& body, const std::string& name);
result<bool> flag_of(const json& body, const std::string& name);
result<std::uint64_t> number_of(const json& body, const std::string& name,
                                std::uint64_t otherwise, std::uint64_t largest);
result<std::vector<std::string>> list_of_texts(const json& body,
                                               const std::string& name);

/// The body's `requestId`, else the `Idempotency-Key`, else a new one.
/// Errors: `bad_input` unless it is 1 to 128 printable ASCII characters.
result<request_id> request_id_of(const http::request& what, const json& body);

// -- finding what is meant ----------------------------------------------------

/// Which project: the one named; the only one; the one of the asking session;
/// the one whose path `cwd` is in or below. Errors: `no_such_project`,
/// `bad_input` when it could be several.
result<const project_settings*>
resolve_project(const settings& all, const std::string& named,
                const std::string& cwd, const project_id& of_session = {});

/// Where a person or an agent stands when it names things.
struct place {
  std::string project;
  std::string cwd;
  project_id of_session;
};

/// `project` and `cwd` of a body.
result<place> place_of(const json& body, const project_id& of_session = {});

/// The task called `T<n>`, by its canonical key, by `<project or prefix>/ID`,
/// or by the tracker's own `ID` in the project of `where`. Errors:
/// `no_such_task` (names it), and those of `resolve_project`.
result<row_ptr<task>> resolve_task(const row_view& rows, const settings& all,
                                   const std::string& name, const place& where);

// -- what is asked of the registry --------------------------------------------

/// `POST /tasks`. Errors: `bad_input`, `no_such_task` (a need),
/// `no_such_project`.
result<msg::add_task> plan_task(const row_view& rows, const settings& all,
                                const json& body, const request_id& id,
                                const place& where);

/// What `POST /sessions` comes to.
struct spawn_plan {
  /// To be made first, for `prompt`; `open.task` is its answer's then.
  std::optional<msg::add_task> add;
  msg::open_session open;
  /// Of the task.
  project_id project;
  /// The task that exists already.
  row_ptr<task> existing;
};

/// `POST /sessions`: checks everything before anything is made. Errors:
/// `bad_input`, `no_such_task`, `no_such_project`, `prompt_too_long`.
result<spawn_plan> plan_spawn(const row_view& rows, const settings& all,
                              const json& body, const request_id& id,
                              const place& where);

/// `POST /tasks/<id>/claim`: a session without agent and pane.
/// Errors: `no_such_project` when the task's is not configured any more.
result<msg::open_session> plan_claim(const settings& all, const task& t,
                                     const request_id& id);

/// The first line of a prompt as a title: one clean line of 1 to 80
/// characters, cut at a character.
std::string title_of_prompt(std::string_view prompt);

/// A ULID for the task of a prompt: the request id itself when it is one,
/// else always the same one for the same id.
std::string ulid_of(const request_id& id);

/// The states that `ao report` knows.
bool is_report_state(std::string_view state);

// -- pushes -------------------------------------------------------------------

/// `{project, updates: [{old, new, ref}]}`. Errors: `bad_input`.
struct push {
  project_id project;
  std::vector<ref_update> updates;
};
result<push> read_push(const json& body);

/// Whether a push to `what.project` is refused, and how it is said: the exact
/// line that git shows (CONTRACT §8).
/// @param who The pusher's proven claims, if any.
/// @param lease_holds Whether claims of sessions on a node count now.
using lease_check = std::function<bool(const node_name&)>;
std::optional<error> refuse_push_of(const push& what,
                                    const std::optional<token_claims>& who,
                                    const row_view& rows, const settings& all,
                                    const lease_check& lease_holds);

} // namespace ao::api
