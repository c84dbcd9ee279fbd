#pragma once

#include "runtime/config/check.hpp"

#include <string>
#include <string_view>

namespace ao {

/// True for `[A-Za-z0-9_-]+`, at most 50 of them.
bool is_identifier(std::string_view text);

/// True for the name of a git branch (git-check-ref-format), never one that
/// reads as an option.
bool is_branch_name(std::string_view text);

/// True for `host:port` and `[::1]:port`.
bool is_address(std::string_view text);

/// True for `http://…` and `https://…` with a host and without spaces.
bool is_url(std::string_view text);

/// True when the host of a URL is this machine itself.
bool is_loopback_url(std::string_view text);

/// `a, b or c`.
std::string or_list(const std::vector<std::string>& words);

/// What a row expects, for people: `a duration from 1s to 7d, such as 10m`.
std::string expectation(const key_row& row);

/// The rule of one element of a list or map of texts.
key_row item_rule(const key_row& row);

/// Reads a scalar by its row.
///
/// @param plain Not quoted: may be read as something else than text.
/// @returns Empty when good, else what is wrong, to follow the quoted value.
std::string read_text(const key_row& row, const std::string& text, bool plain,
                      checked_value& out);

} // namespace ao
