#include "runtime/api/metrics.hpp"

#include "messages/incident.hpp"
#include "runtime/rules/status.hpp"

#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace ao::api {
namespace {

using prometheus::BuildGauge;
using prometheus::Registry;

using counts = std::map<std::string, std::size_t>;

/// One gauge for each state.
void add_states(Registry& to, const char* name, const char* help,
                const char* label, const counts& by_state) {
  auto& family = BuildGauge().Name(name).Help(help).Register(to);
  for (const auto& [state, n] : by_state)
    family.Add({{label, state}}, static_cast<double>(n));
}

void add_value(Registry& to, const char* name, const char* help, double x) {
  BuildGauge().Name(name).Help(help).Register(to).Add({}, x);
}

/// All values of a closed list with their counts, `State` counting from 0.
template <class Row, class State>
counts count_states(const row_view& rows, State last) {
  counts out;
  for (auto i = 0; i <= static_cast<int>(last); ++i)
    out[std::string{to_string(static_cast<State>(i))}] = 0;
  for (const auto& row : rows.all<Row>())
    ++out[std::string{to_string(row->state)}];
  return out;
}

void add_rows(Registry& to, const row_view& rows) {
  add_states(to, "ao_tasks", "Tasks by state.", "state",
             count_states<task>(rows, task_state::parked));
  add_states(to, "ao_changes", "Changes by state.", "state",
             count_states<change>(rows, change_state::closed));
  add_states(to, "ao_incidents", "Incidents by state.", "state",
             count_states<incident>(rows, incident_state::abandoned));
  add_states(to, "ao_notifications", "Notifications by state.", "state",
             count_states<notification>(rows, notification_state::dead));
  add_states(to, "ao_messages", "Messages to agents by state.", "state",
             count_states<message>(rows, message_state::unknown));
}

void add_sessions(Registry& to, const row_view& rows, const settings& all) {
  auto runtimes = counts{};
  for (auto i = 0; i <= static_cast<int>(runtime_state::parked); ++i)
    runtimes[std::string{to_string(static_cast<runtime_state>(i))}] = 0;
  std::size_t live = 0;
  std::uint64_t runs = 0;
  for (const auto& s : rows.all<session>()) {
    runs += s->run;
    if (is_terminal(*s))
      continue;
    ++live;
    ++runtimes[std::string{to_string(s->runtime)}];
  }
  add_states(to, "ao_sessions", "Sessions that have not ended, by runtime.",
             "runtime", runtimes);
  add_value(to, "ao_sessions_live", "Sessions that have not ended.",
            static_cast<double>(live));
  add_value(to, "ao_sessions_limit", "limits.sessions.", all.limits.sessions);
  add_value(to, "ao_runs", "Starts of agents in all sessions that are kept.",
            static_cast<double>(runs));
}

/// Resident memory in bytes; 0 when the kernel does not say.
double resident_memory() {
  std::ifstream in{"/proc/self/statm"};
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  in >> size >> resident;
  return static_cast<double>(resident)
    * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double open_descriptors() {
  std::error_code problem;
  std::filesystem::directory_iterator all{"/proc/self/fd", problem};
  return problem ? 0 : static_cast<double>(std::distance(begin(all), end(all)));
}

double processor_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec)
      + static_cast<double>(t.tv_usec) / 1'000'000;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void add_process(Registry& to, const process_facts& process) {
  BuildGauge()
    .Name("ao_info")
    .Help("The hub's version; always 1.")
    .Register(to)
    .Add({{"version", process.version}}, 1);
  auto started
    = std::chrono::duration<double>(process.started_at.time_since_epoch());
  add_value(to, "process_start_time_seconds", "Since 1970.", started.count());
  add_value(to, "process_resident_memory_bytes", "Of the hub.",
            resident_memory());
  add_value(to, "process_open_fds", "Of the hub.", open_descriptors());
  add_value(to, "process_cpu_seconds_total", "Of the hub.",
            processor_seconds());
  add_value(to, "ao_actors", "Actors with a name.",
            static_cast<double>(process.actors));
}

} // namespace

std::string metrics_text(const row_view& rows, const settings& all,
                         const process_facts& process) {
  Registry registry;
  add_rows(registry, rows);
  add_sessions(registry, rows, all);
  add_value(registry, "ao_events", "The number of the newest event.",
            static_cast<double>(rows.events().last_seq()));
  add_value(registry, "ao_store_writable", "0 while nothing can be written.",
            rows.trouble() ? 0 : 1);
  add_process(registry, process);
  return prometheus::TextSerializer{}.Serialize(registry.Collect());
}

} // namespace ao::api
