#include "cli/commands/commands.hpp"
#include "cli/commands/common.hpp"
#include "runtime/home/files.hpp"

#include <algorithm>
#include <filesystem>

namespace ao::cli {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// What one run of an agent, or of a change's checks, has printed.
struct printed_log {
  /// `run 2`, or the first digits of the commit.
  std::string of;
  std::string text;
};

/// A log that the shim has written; a link that somebody has put in its place
/// is none.
result<std::string> read_log(const std::string& path) {
  std::error_code gone;
  if (!fs::is_regular_file(fs::symlink_status(path, gone)))
    return fail(ec::bad_input, path + " is not a file");
  return read_file(path);
}

/// A screen without the lines below its last text.
std::string without_empty_end(std::string screen) {
  auto last = screen.find_last_not_of(" \n");
  screen.erase(last == std::string::npos ? 0 : last + 1);
  return screen.empty() ? screen : screen + "\n";
}

/// All that a run has printed, or its terminal shows, part by part from the
/// session's node; none when nothing is kept of it.
result<std::optional<std::string>> read_run(const http::api_client& api,
                                            const std::string& id,
                                            std::uint64_t run) {
  std::string text;
  std::string snapshot;
  for (std::uint64_t offset = 0;;) {
    auto target
      = item_path("sessions", id, "output") + "?run=" + std::to_string(run);
    add_query(target, "offset", std::to_string(offset));
    add_query(target, "snapshot", snapshot);
    auto part = api.call("GET", target);
    if (!part)
      return fail(part.error());
    if (part->body.value("text", json{}).is_null())
      return std::optional<std::string>{};
    text += text_at(part->body, "text");
    auto next = part->body.value("next", json{});
    if (!next.is_number_unsigned())
      return std::optional<std::string>{std::move(text)};
    next.get_to(offset);
    snapshot = text_at(part->body, "snapshot");
  }
}

/// What each run that has ended has printed; then what runs.
result<std::vector<printed_log>> logs_of_session(const http::api_client& api,
                                                 const json& session) {
  auto runs = session.value("run", std::uint64_t{0});
  std::vector<printed_log> out;
  for (std::uint64_t run = 1; run <= runs; ++run) {
    auto text = read_run(api, text_at(session, "id"), run);
    if (!text)
      return fail(text.error());
    if (*text && (run < runs || !(*text)->empty()))
      out.push_back(
        {"run " + std::to_string(run), without_empty_end(std::move(**text))});
  }
  return out;
}

/// What the checks of each head have printed, in their order.
std::vector<printed_log> logs_of_change(const invocation& what,
                                        const std::string& id) {
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code problem;
  for (fs::directory_iterator i{what.where().ci() + "/" + id, problem}, end;
       !problem && i != end; i.increment(problem)) {
    auto file = i->path() / "output.log";
    std::error_code missing;
    auto at = fs::last_write_time(file, missing);
    if (!missing)
      found.emplace_back(at, file);
  }
  std::sort(found.begin(), found.end());
  std::vector<printed_log> out;
  for (const auto& [at, file] : found)
    if (auto text = read_log(file.string()))
      out.push_back({file.parent_path().filename().string(), std::move(*text)});
  return out;
}

outcome show(invocation& what, const std::vector<printed_log>& logs) {
  auto rows = json::array();
  for (const auto& log : logs) {
    what.out.line("--- " + log.of, colour::bold);
    for (std::size_t from = 0; from < log.text.size();) {
      auto end = std::min(log.text.find('\n', from), log.text.size());
      what.out.line(log.text.substr(from, end - from));
      from = end + 1;
    }
    rows.push_back({{"of", log.of}, {"text", sanitize(log.text, true)}});
  }
  what.out.document({{"data", std::move(rows)}});
  if (logs.empty())
    what.out.note("ao: nothing was printed that is still kept");
  return 0;
}

} // namespace

outcome run_logs(invocation& what) {
  auto id = what.args.text("of");
  auto api = what.api();
  if (id.find('#') != std::string::npos) {
    auto change = api.call("GET", item_path("changes", id));
    if (!change)
      return fail(change.error());
    return show(what, logs_of_change(what, text_at(change->body, "id")));
  }
  auto session = api.call("GET", item_path("sessions", id));
  if (!session)
    return fail(session.error());
  auto logs = logs_of_session(api, session->body);
  if (!logs)
    return fail(logs.error());
  return show(what, *logs);
}

} // namespace ao::cli
