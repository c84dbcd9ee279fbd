#pragma once

#include "cli/output.hpp"
#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/home/home.hpp"
#include "runtime/http/client.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ao::cli {

/// One argument of a command, as the user sees it.
struct argument {
  enum class kind {
    /// A word without dashes; at most one value.
    positional,
    /// All remaining words.
    positional_list,
    /// `--name value`.
    option,
    /// `--name value`, repeatable.
    option_list,
    /// `--name`.
    flag,
  };
  kind what = kind::flag;
  /// `issue`, `--prompt` or `-f,--file`.
  std::string name;
  std::string help;
  bool required = false;
};

/// The values of a command's arguments. Keys are the long names without
/// dashes (`prompt-file`).
class arguments {
public:
  bool has(const std::string& name) const;
  bool flag(const std::string& name) const { return has(name); }
  /// The value, empty when absent.
  std::string text(const std::string& name) const;
  std::optional<std::string> maybe(const std::string& name) const;
  std::vector<std::string> list(const std::string& name) const;
  /// A whole number; `otherwise` when absent. Errors: `bad_input`.
  result<std::uint64_t> number(const std::string& name,
                               std::uint64_t otherwise) const;
  /// A duration such as `10m`. Errors: `bad_input`.
  result<milliseconds> duration(const std::string& name,
                                milliseconds otherwise) const;

  void put(const std::string& name, std::string value);

private:
  std::map<std::string, std::vector<std::string>> values_;
};

/// What a running command has at hand.
struct invocation {
  /// Its full name, e.g. `session ls`.
  std::string name;
  arguments args;
  /// `-p/--project`, empty when not given.
  std::string project;
  /// `--json`.
  bool json = false;
  output& out;
  /// Directory of the running program; its siblings are there.
  std::string program_dir;

  /// The home of this invocation, unchecked.
  home where() const;

  /// The API: inside a session (`AO_SOCKET` and `AO_TOKEN` are set) over the
  /// agents' socket with the session's token, otherwise over the hub's.
  http::api_client api() const;

  /// Whether this process runs inside a session.
  bool in_session() const;
};

/// The exit code of a command that did its work; anything that went wrong is
/// an error, which the frame prints (CONTRACT §2) and turns into its code.
using outcome = result<int>;

/// One row of the command table.
struct command {
  /// Words separated by a blank: `session ls`.
  std::string name;
  /// One line.
  std::string help;
  std::vector<argument> args;
  outcome (*run)(invocation&);
  /// Not shown in the help.
  bool hidden = false;
};

/// Every command of `ao`, in the order of the help.
const std::vector<command>& command_table();

/// The whole of `ao`: parses, runs, prints errors. Returns the exit code.
int run_ao(int argc, const char* const* argv, output& out);

} // namespace ao::cli
