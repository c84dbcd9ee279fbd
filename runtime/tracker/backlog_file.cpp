#include "runtime/tracker/backlog_file.hpp"

#include "runtime/git/tree.hpp"
#include "runtime/home/files.hpp"
#include "runtime/rules/backlog.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

namespace ao {
namespace {

namespace fs = std::filesystem;

auto refused(const fs::path& file, const std::string& why) {
  return fail(ec::bad_input, file.string() + ": " + why);
}

/// `path` without its links, as far as it exists.
fs::path resolved(const fs::path& path) {
  std::error_code bad;
  auto out = fs::weakly_canonical(path, bad);
  return bad ? path.lexically_normal() : out;
}

bool leads_out(const fs::path& relative) {
  return relative.empty() || *relative.begin() == "..";
}

} // namespace

std::string backlog_source(const project_settings& project,
                           const fs::path& file) {
  if (file == "-")
    return "-";
  auto whole = file.lexically_normal();
  auto below = whole.lexically_relative(project.path.lexically_normal());
  if (leads_out(below))
    // A checkout may be reached by a link.
    below = resolved(file).lexically_relative(resolved(project.path));
  return leads_out(below) ? whole.string() : below.string();
}

result<std::string> read_backlog_file(const fs::path& file) {
  std::error_code problem;
  auto there = fs::status(file, problem);
  if (there.type() == fs::file_type::not_found)
    return refused(file, "there is no such file, expected a backlog");
  if (problem)
    return refused(file, problem.message() + ", expected a backlog");
  if (there.type() == fs::file_type::directory)
    return refused(file, "it is a directory, expected a backlog");
  auto bytes = read_file(file.string(), largest_backlog);
  if (bytes || bytes.error().code == ec::too_large)
    return bytes;
  return fail(ec::bad_input, bytes.error().context);
}

result<backlog_text> read_backlog(const project_settings& project) {
  const auto& tracker = project.tracker;
  if (!tracker || tracker->plugin != tracker_kind::file)
    return fail(ec::bad_input,
                "project " + project.id.text
                  + " has no backlog; name a file, or set projects."
                  + project.id.text + ".tracker");
  const auto& file = tracker->path;
  backlog_text out;
  out.source = backlog_source(project, file);
  // A link that somebody has committed must not lead anywhere else.
  auto named_below = !leads_out(file.lexically_normal().lexically_relative(
    project.path.lexically_normal()));
  if (named_below && !is_below(file, project.path))
    return refused(file,
                   "a link leads out of the project, expected a file in "
                   "it");
  std::error_code problem;
  if (fs::exists(file, problem) && !fs::is_directory(file, problem)
      && !fs::is_regular_file(file, problem))
    return refused(file, "it is not a file, expected a backlog");
  auto bytes = read_backlog_file(file);
  if (!bytes)
    return fail(bytes.error());
  out.bytes = std::move(*bytes);
  return out;
}

} // namespace ao
