#pragma once

#include "messages/error.hpp"

#include <optional>
#include <string>
#include <vector>

/// Changes of a YAML text that leave every other byte, comments too, as it
/// is. Each change is proven: the text is read again, and must say what the
/// old one said and the change, and nothing else. What cannot be changed so
/// (aliases, blocks of text, values over several lines) is refused, not
/// guessed at.
///
/// Errors of all: `bad_input` with `<line>:<column>: <key>: <why>`.
namespace ao {

/// The names from the top down to a key.
using yaml_path = std::vector<std::string>;

/// The text of the scalar at `path`, nothing replaced in it; none when the key
/// is absent, or has no scalar.
std::optional<std::string> yaml_text_at(const std::string& yaml,
                                        const yaml_path& path);

/// Sets the scalar at `path`; makes what is missing on the way there.
result<std::string> put_yaml_text(const std::string& yaml,
                                  const yaml_path& path,
                                  const std::string& value);

/// Makes the list at `path` exactly `items`, which are texts; entries that
/// stay are not touched, new ones come last.
result<std::string> put_yaml_list(const std::string& yaml,
                                  const yaml_path& path,
                                  const std::vector<std::string>& items);

/// Removes the key at `path`, which has a scalar; the text as it is when there
/// is none.
result<std::string> remove_yaml_key(const std::string& yaml,
                                    const yaml_path& path);

} // namespace ao
