#pragma once

#include "messages/error.hpp"
#include "runtime/log/redactor.hpp"

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace ao {

/// error: a person is needed. warn: we coped. info: the life of tasks,
/// sessions, children, hosts, escalations. debug: messages.
enum class log_level : std::uint8_t { debug, info, warn, error };

std::string_view to_string(log_level x);

/// One `key=value` of a log line.
using log_field = std::pair<std::string_view, std::string>;

struct log_options {
  /// E.g. `$AO_HOME/logs/hub.log`; made with mode 0600, its directory 0700.
  std::filesystem::path file;
  log_level level = log_level::info;
  /// The file becomes `<file>.1` beyond this.
  std::uint64_t max_file_bytes = 16ull << 20;
  /// Older ones than `<file>.<max_files>` are removed.
  std::uint32_t max_files = 8;
};

/// The log of one process: one line per change of state,
/// `<time> <level> <verb> key=value…`, redacted, written by a thread of its
/// own, so that a slow disk never holds up an actor. When 8192 lines wait the
/// oldest are dropped, and the next line says how many. Safe from any thread.
class log {
public:
  /// Opens the file. Errors: `home_unusable`.
  static result<std::unique_ptr<log>> open(const log_options& options,
                                           redactor secrets);

  /// Writes what waits.
  ~log();

  log(const log&) = delete;
  log& operator=(const log&) = delete;

  /// @param verb A stable word such as `task_claimed`.
  /// @param fields Every id in play; never prompts, secrets or output.
  void write(log_level level, std::string_view verb,
             std::initializer_list<log_field> fields = {});

  void debug(std::string_view verb, std::initializer_list<log_field> f = {}) {
    write(log_level::debug, verb, f);
  }
  void info(std::string_view verb, std::initializer_list<log_field> f = {}) {
    write(log_level::info, verb, f);
  }
  void warn(std::string_view verb, std::initializer_list<log_field> f = {}) {
    write(log_level::warn, verb, f);
  }
  void error(std::string_view verb, std::initializer_list<log_field> f = {}) {
    write(log_level::error, verb, f);
  }

  /// Takes the secrets of a configuration that was reloaded.
  void replace_secrets(redactor secrets);

  /// Returns when everything written so far is in the file.
  void flush();

private:
  struct parts;
  explicit log(std::unique_ptr<parts> p);

  std::unique_ptr<parts> parts_;
};

/// `verb key=value key="two words"`, without level and time; line breaks and
/// quotes in values are escaped.
std::string log_line(std::string_view verb,
                     std::initializer_list<log_field> fields);

} // namespace ao
