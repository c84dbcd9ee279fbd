#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"

#include <filesystem>

namespace ao::cli {

/// The hub writes the file, as the database is its alone.
outcome run_db_backup(invocation& what) {
  std::error_code problem;
  auto path = std::filesystem::absolute(what.args.text("file"), problem);
  if (problem)
    return fail(ec::bad_input, "file: " + problem.message());
  auto answer = what.api().call("POST", api_root + "/backups",
                                {{"path", path.lexically_normal().string()}});
  if (!answer)
    return fail(answer.error());
  what.out.document(answer->body);
  what.out.line(shown(answer->body, "path") + ": "
                  + shown(answer->body, "bytes") + " bytes",
                colour::green);
  return 0;
}

} // namespace ao::cli
