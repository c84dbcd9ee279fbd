#pragma once

#include "messages/error.hpp"
#include "runtime/http/message.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace ao::http {

/// The problem document of CONTRACT §4: `type` (`urn:ao:<name>`), `title`,
/// `status`, `detail`, `error` (`<name>`), and the members of `extra`.
nlohmann::json problem(ec code, const std::string& detail,
                       const nlohmann::json& extra = nlohmann::json::object());

/// The problem document of an error; its details become members. Those that
/// count (`epoch`, `current`, `run`, `pid`, `seq`) become numbers.
nlohmann::json problem(const error& why);

/// The same as an answer, `application/problem+json`.
response problem_response(ec code, const std::string& detail,
                          const nlohmann::json& extra
                          = nlohmann::json::object());
response problem_response(const error& why);

/// Reads the error back from the answer of a server: a problem document, or
/// whatever else came with `status`.
error error_of_problem(int status, const std::string& body);

} // namespace ao::http
