#pragma once

#include <string>
#include <string_view>

namespace ao {

/// Whether `name` may be a branch (without `refs/heads/`): the rules of
/// git-check-ref-format(1), and never a leading `-`, never `HEAD` or `@`, at
/// most 200 bytes (a ref is a file name, its lock one with `.lock` behind it).
bool valid_branch(std::string_view name);

/// Whether `name` may be a full ref (`refs/...`), by the same rules.
bool valid_ref(std::string_view name);

/// Whether `text` is a full object name in lower-case hexadecimal digits.
bool valid_oid(std::string_view text);

/// Whether `path` stays below the directory that it is relative to: not
/// empty, not absolute, no `.`, `..`, `.git` or empty component, no NUL.
bool valid_inner_path(std::string_view path);

/// `refs/heads/<branch>`.
std::string branch_ref(std::string_view branch);

/// The object name of zeros: "there is no such ref".
const std::string& zero_oid();

/// Whether `text` is valid UTF-8, so that it can be part of JSON.
bool valid_utf8(std::string_view text);

/// `text` as one line that can be printed: control characters become spaces,
/// runs of spaces one, invalid UTF-8 `?`, at most `limit` bytes with an
/// ellipsis at the cut. For commit subjects, status lines and messages.
std::string one_line(std::string_view text, std::size_t limit = 200);

} // namespace ao
