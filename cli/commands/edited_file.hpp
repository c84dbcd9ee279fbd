#pragma once

#include "messages/error.hpp"

#include <sys/types.h>

#include <string>

namespace ao::cli {

/// A file of a person that is about to be changed.
struct edited_file {
  /// As the person calls it.
  std::string name;
  /// Where it is, links followed.
  std::string path;
  bool exists = false;
  std::string text;
  mode_t mode = 0600;
};

/// Reads it; one that is not there is empty. Errors: those of `read_file`.
result<edited_file> open_for_edit(const std::string& name);

/// Replaces it as a whole by `text`; what it was is beside it as `<name>.bak`.
/// Errors: those of `write_file_durably`; `wrong_state` when somebody else has
/// changed it since.
result<void> replace_text(const edited_file& file, const std::string& text);

} // namespace ao::cli
