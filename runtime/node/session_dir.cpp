#include "runtime/node/session_dir.hpp"

#include "messages/json.hpp"
#include "runtime/home/files.hpp"
#include "runtime/io/fd.hpp"
#include "runtime/process/process_table.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace ao {
namespace {

json spec_json(const msg::session_spec& s) {
  // The token stays out: it is minted again from (session, epoch, run).
  return json{{"protocol", launch_protocol},
              {"session", s.session.text},
              {"project", s.project.text},
              {"task", s.task.text},
              {"role", std::string{to_string(s.role)}},
              {"epoch", s.epoch},
              {"run", s.run},
              {"resume", std::string{to_string(s.resume)}},
              {"branch", s.branch},
              {"base", s.base},
              {"head", s.head},
              {"takesOver", s.takes_over},
              {"change", s.change.text},
              {"incident", s.incident.text},
              {"title", s.title},
              {"agent", s.agent},
              {"issue", s.issue},
              {"hangAfterMs", s.hang_after.count()}};
}

msg::session_spec spec_from(const json& in) {
  msg::session_spec s;
  s.session = session_id{in.at("session").get<std::string>()};
  s.project = project_id{in.at("project").get<std::string>()};
  s.task = task_id{in.at("task").get<std::string>()};
  s.role = session_role_from(in.at("role").get<std::string>())
             .value_or(session_role::worker);
  s.epoch = in.at("epoch").get<epoch_no>();
  s.run = in.at("run").get<run_no>();
  s.resume = resume_reason_from(in.at("resume").get<std::string>())
               .value_or(resume_reason::none);
  s.branch = in.at("branch").get<std::string>();
  s.base = in.at("base").get<std::string>();
  // Absent in files of an earlier version.
  s.head = in.value("head", "");
  s.takes_over = in.value("takesOver", false);
  s.change = change_id{in.value("change", "")};
  s.incident = incident_id{in.value("incident", "")};
  s.title = in.at("title").get<std::string>();
  s.agent = in.at("agent").get<std::string>();
  s.issue = in.at("issue").get<std::string>();
  // Absent in files of earlier versions.
  s.hang_after = milliseconds{in.value("hangAfterMs", std::int64_t{0})};
  return s;
}

} // namespace

result<void> session_dir::begin(const msg::session_spec& spec) const {
  if (auto made = make_directories(path_ + "/in"); !made)
    return made;
  return write_file_durably(path_ + "/spec.json", dump(spec_json(spec)));
}

result<std::optional<msg::session_spec>> session_dir::spec() const {
  auto file = path_ + "/spec.json";
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored))
    return std::optional<msg::session_spec>{};
  auto text = read_file(file);
  if (!text)
    return fail(text.error());
  auto parsed = parse_json(*text, file);
  if (!parsed)
    return fail(parsed.error());
  try {
    return spec_from(*parsed);
  } catch (const json::exception& e) {
    return fail(ec::bad_input, file + ": " + e.what());
  }
}

result<void> session_dir::note(run_no run, const std::string& step,
                               const std::string& what) const {
  auto file = path_ + "/saga.jsonl";
  auto line = dump(json{{"run", run},
                        {"step", step},
                        {"what", what},
                        {"at", format_time(wall_now())}})
    + "\n";
  unique_fd fd{
    ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
  if (fd.get() < 0
      || ::write(fd.get(), line.data(), line.size())
        != static_cast<ssize_t>(line.size())
      || ::fsync(fd.get()) != 0)
    return fail(ec::home_unusable, file + ": " + std::strerror(errno));
  return {};
}

result<void> session_dir::mark_hung(run_no run) const {
  return write_file_durably(path_ + "/hung." + std::to_string(run), "");
}

bool session_dir::is_hung(run_no run) const {
  std::error_code ignored;
  return std::filesystem::exists(path_ + "/hung." + std::to_string(run),
                                 ignored);
}

result<launch_spec> session_dir::write_launch(
  const msg::session_spec& spec, const agent_launch& launch,
  const session_places& places, const std::string& shim_socket) const {
  if (auto ok = write_file_durably(launch.prompt_file, spec.prompt); !ok)
    return fail(ok.error());
  if (!launch.dossier_file.empty())
    if (auto ok = write_file_durably(launch.dossier_file, spec.dossier); !ok)
      return fail(ok.error());
  launch_spec out;
  out.session = spec.session;
  out.epoch = spec.epoch;
  out.run = spec.run;
  out.argv = launch.argv;
  for (const auto& [name, value] : launch.env.values())
    out.env.emplace(name, value);
  out.cwd = places.worktree;
  out.limits = launch.limits;
  out.node_home = places.leased_home;
  out.project = spec.project.text;
  out.socket = shim_socket;
  // A saga that is begun again keeps the mark: a shim of its first try may
  // just be starting.
  auto earlier = read_launch(path_);
  out.mark = earlier && earlier->epoch == spec.epoch && earlier->run == spec.run
    ? earlier->mark
    : make_ulid();
  out.boot = boot_mark();
  if (launch.prompt_on_stdin) {
    out.in = shim_stdin::file;
    out.in_path = launch.prompt_file;
  }
  if (auto ok = ao::write_launch(path_, out); !ok)
    return fail(ok.error());
  return out;
}

result<void> session_dir::remove() const {
  std::error_code problem;
  std::filesystem::remove_all(path_, problem);
  if (problem)
    return fail(ec::home_unusable, path_ + ": " + problem.message());
  return {};
}

exit_info describe_exit(const exit_report& report) {
  exit_info out;
  out.run = report.run;
  out.code = report.code;
  out.signal = report.signal;
  out.cause = std::string{to_string(report.cause)};
  out.at = report.at;
  out.last_lines = report.last_lines;
  out.unread = report.unread;
  if (!report.detail.empty())
    out.last_lines.push_back(report.detail);
  if (report.cause == exit_cause::stopped)
    out.failure = "killed";
  else if (report.code != 0)
    out.failure = report.out_of_memory ? "oom" : "crash";
  return out;
}

} // namespace ao
