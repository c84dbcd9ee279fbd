#pragma once

#include "messages/error.hpp"

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace ao {

/// Replaces the file at `path` as a whole: temporary file beside it, fsync,
/// rename, fsync of the directory. A reader, also after a power cut, sees the
/// old bytes or the new ones. Errors: `home_unusable` with path and reason.
result<void> write_file_durably(const std::string& path, std::string_view bytes,
                                mode_t mode = 0600);

/// Whether files in `dir` can be written at present: makes one of `size` bytes,
/// syncs and removes it. Errors: `home_unusable` with path and reason.
result<void> try_to_write(const std::string& dir, std::size_t size);

/// The bytes of a file of at most `limit` bytes. Errors: `home_unusable` with
/// path and reason, `too_large`.
result<std::string> read_file(const std::string& path,
                              std::size_t limit = 64u << 20);

/// What is left in an open descriptor of any kind, e.g. standard input, which
/// cannot be opened by a name everywhere. `name` is for the errors, which are
/// those of `read_file`.
result<std::string> read_stream(int fd, const std::string& name,
                                std::size_t limit = 64u << 20);

/// Makes a directory and its parents, each of `mode` if it is made. Errors:
/// `home_unusable`.
result<void> make_directories(const std::string& path, mode_t mode = 0700);

/// Whether `bytes` is UTF-8 without a NUL: what may become a prompt, a title,
/// an argument.
bool is_clean_utf8(std::string_view bytes);

} // namespace ao
