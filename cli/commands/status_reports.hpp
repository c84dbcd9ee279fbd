#pragma once

#include "messages/error.hpp"
#include "runtime/http/client.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace ao::cli {

class output;

/// How many reports of each session are wanted: `full` or a number. Errors:
/// `bad_input`.
result<std::size_t> number_of_reports(const std::string& word);

/// Gives each row of a status its `reports`, `[{at, state, note}]`, oldest
/// first: the last `most` words of its agent.
result<void> add_reports(const http::api_client& api, nlohmann::json& rows,
                         std::size_t most);

/// A table of them; nothing when nobody has said a word.
void print_reports(output& out, const nlohmann::json& rows);

} // namespace ao::cli
