#include "runtime/shim/protocol.hpp"

#include "runtime/home/files.hpp"
#include "runtime/io/fd.hpp"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <cerrno>
#include <tuple>

namespace ao {
namespace {

using nlohmann::json;

/// Files of ours are small; what is larger is not ours.
constexpr std::size_t file_limit = 16u << 20;

template <class Enum>
struct word {
  Enum value;
  std::string_view text;
};

constexpr word<exit_cause> causes[] = {
  {exit_cause::exited, "exited"},   {exit_cause::signalled, "signalled"},
  {exit_cause::stopped, "stopped"}, {exit_cause::timed_out, "timed_out"},
  {exit_cause::hangup, "hangup"},   {exit_cause::start_failed, "start_failed"},
};

constexpr word<shim_state> states[] = {
  {shim_state::starting, "starting"},
  {shim_state::running, "running"},
  {shim_state::stopping, "stopping"},
  {shim_state::exited, "exited"},
};

constexpr word<shim_stdin> inputs[] = {
  {shim_stdin::null, "null"},
  {shim_stdin::tty, "tty"},
  {shim_stdin::file, "file"},
};

constexpr word<shim_output> outputs[] = {
  {shim_output::tty, "tty"},
  {shim_output::file, "file"},
};

template <class Enum, std::size_t N>
std::string_view word_of(const word<Enum> (&table)[N], Enum value) {
  for (const auto& row : table)
    if (row.value == value)
      return row.text;
  return "unknown";
}

/// What is wrong with a document; becomes an `error` in `parse`.
struct bad_field {
  std::string text;
};

const json& need(const json& doc, const char* name) {
  auto i = doc.find(name);
  if (i == doc.end())
    throw bad_field{std::string{name} + " is missing"};
  return *i;
}

std::string text_at(const json& doc, const char* name) {
  const auto& value = need(doc, name);
  if (!value.is_string())
    throw bad_field{std::string{name} + " is not a string"};
  return value.get<std::string>();
}

/// A whole number of `[0, max]`.
std::uint64_t number_at(const json& doc, const char* name, std::uint64_t max) {
  const auto& value = need(doc, name);
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > max)
    throw bad_field{std::string{name} + " is not a number of 0 to "
                    + std::to_string(max)};
  return value.get<std::uint64_t>();
}

/// Files of an older ao lack what came later.
bool has(const json& doc, const char* name) {
  auto i = doc.find(name);
  return i != doc.end() && !i->is_null();
}

constexpr std::uint64_t max32 = 0xffff'ffffu;
constexpr std::uint64_t max_pid = 0x7fff'ffffu;
constexpr std::uint64_t max_count = 0x7fff'ffff'ffff'ffffull;
/// Longest duration accepted: a year.
constexpr std::uint64_t max_ms = 366ull * 86'400'000;

milliseconds duration_at(const json& doc, const char* name) {
  return milliseconds{static_cast<std::int64_t>(number_at(doc, name, max_ms))};
}

bool flag_at(const json& doc, const char* name) {
  const auto& value = need(doc, name);
  if (!value.is_boolean())
    throw bad_field{std::string{name} + " is not true or false"};
  return value.get<bool>();
}

std::optional<int> optional_at(const json& doc, const char* name) {
  if (need(doc, name).is_null())
    return std::nullopt;
  return static_cast<int>(number_at(doc, name, 255));
}

std::vector<std::string> texts_at(const json& doc, const char* name) {
  const auto& value = need(doc, name);
  if (!value.is_array())
    throw bad_field{std::string{name} + " is not a list"};
  std::vector<std::string> out;
  for (const auto& item : value) {
    if (!item.is_string())
      throw bad_field{std::string{name} + " holds something else than strings"};
    out.push_back(item.get<std::string>());
  }
  return out;
}

template <class Enum, std::size_t N>
Enum word_at(const json& doc, const char* name, const word<Enum> (&table)[N]) {
  auto text = text_at(doc, name);
  for (const auto& row : table)
    if (row.text == text)
      return row.value;
  throw bad_field{std::string{name} + " is the unknown word " + text};
}

/// Parses an object and reads it by `reader`; whatever is wrong is bad_input.
template <class T, class Reader>
result<T> parse(std::string_view text, Reader reader) {
  auto doc = json::parse(text, nullptr, false);
  if (doc.is_discarded())
    return fail(ec::bad_input, "not JSON");
  if (!doc.is_object())
    return fail(ec::bad_input, "not a JSON object");
  try {
    return reader(doc);
  } catch (const bad_field& wrong) {
    return fail(ec::bad_input, wrong.text);
  }
}

result<void> check_protocol(const json& doc, std::uint32_t ours,
                            const char* what) {
  auto theirs = number_at(doc, "protocol", max32);
  if (theirs == ours)
    return {};
  return fail(ec::protocol_mismatch,
              std::string{what} + " of protocol " + std::to_string(theirs)
                + ", this program speaks " + std::to_string(ours));
}

template <class Number>
json number_or_null(const std::optional<Number>& value) {
  return value ? json(*value) : json(nullptr);
}

/// One line; bytes that are no UTF-8 (a pane may hold any) are replaced.
std::string line_of(const json& doc) {
  return doc.dump(-1, ' ', false, json::error_handler_t::replace);
}

json report_document(const exit_report& r) {
  return {{"session", r.session.text},
          {"epoch", r.epoch},
          {"run", r.run},
          {"pid", r.pid},
          {"code", number_or_null(r.code)},
          {"signal", number_or_null(r.signal)},
          {"cause", to_string(r.cause)},
          {"at", format_time(r.at)},
          {"lastLines", r.last_lines},
          {"detail", r.detail},
          {"unread", r.unread},
          {"outputTruncated", r.output_truncated},
          {"outOfMemory", r.out_of_memory}};
}

template <class T>
result<T> named(result<T> r, const std::string& path) {
  if (!r)
    r.error().context = path + ": " + r.error().context;
  return r;
}

} // namespace

bool operator==(const launch_spec& a, const launch_spec& b) {
  auto all = [](const launch_spec& x) {
    return std::tie(x.protocol, x.session, x.epoch, x.run, x.argv, x.env, x.cwd,
                    x.limits.memory, x.limits.processes, x.node_home, x.project,
                    x.socket, x.mark, x.boot, x.in, x.in_path, x.out,
                    x.out_path, x.out_cap, x.timeout, x.grace, x.capture_lines);
  };
  return all(a) == all(b);
}

bool operator==(const exit_report& a, const exit_report& b) {
  auto all = [](const exit_report& x) {
    return std::tie(x.session, x.epoch, x.run, x.pid, x.code, x.signal, x.cause,
                    x.at, x.last_lines, x.detail, x.unread, x.output_truncated,
                    x.out_of_memory);
  };
  return all(a) == all(b);
}

bool operator==(const shim_hello& a, const shim_hello& b) {
  auto all = [](const shim_hello& x) {
    return std::tie(x.protocol, x.session, x.epoch, x.run, x.pid, x.shim_pid,
                    x.state);
  };
  return all(a) == all(b);
}

std::string_view to_string(exit_cause cause) {
  return word_of(causes, cause);
}

result<exit_cause> parse_exit_cause(std::string_view text) {
  for (const auto& row : causes)
    if (row.text == text)
      return row.value;
  return fail(ec::bad_input, "unknown cause " + std::string{text});
}

std::string to_json(const launch_spec& l) {
  return line_of({{"protocol", l.protocol},
                  {"session", l.session.text},
                  {"epoch", l.epoch},
                  {"run", l.run},
                  {"argv", l.argv},
                  {"env", l.env},
                  {"cwd", l.cwd},
                  {"socket", l.socket},
                  {"nodeHome", l.node_home},
                  {"project", l.project},
                  {"mark", l.mark},
                  {"boot", l.boot},
                  {"stdin", word_of(inputs, l.in)},
                  {"stdinPath", l.in_path},
                  {"output", word_of(outputs, l.out)},
                  {"outputPath", l.out_path},
                  {"outputMaxBytes", l.out_cap},
                  {"timeoutMs", l.timeout.count()},
                  {"graceMs", l.grace.count()},
                  {"captureLines", l.capture_lines},
                  {"memoryMax", number_or_null(l.limits.memory)},
                  {"processesMax", number_or_null(l.limits.processes)}});
}

std::string to_json(const exit_report& report) {
  return line_of(report_document(report));
}

std::string to_json(const shim_hello& h) {
  return line_of({{"protocol", h.protocol},
                  {"session", h.session.text},
                  {"epoch", h.epoch},
                  {"run", h.run},
                  {"pid", h.pid},
                  {"shimPid", h.shim_pid},
                  {"state", word_of(states, h.state)}});
}

std::string to_json(const shim_order& order) {
  if (order.what == shim_order::kind::kill)
    return line_of({{"order", "kill"}});
  return line_of({{"order", "stop"}, {"graceMs", order.grace.count()}});
}

std::string exited_event(const exit_report& report) {
  auto doc = report_document(report);
  doc["event"] = "exited";
  return line_of(doc);
}

result<launch_spec> parse_launch(std::string_view text) {
  return parse<launch_spec>(text, [](const json& doc) -> result<launch_spec> {
    if (auto ok = check_protocol(doc, launch_protocol, "a launch"); !ok)
      return fail(ok.error());
    launch_spec l;
    l.session = session_id{text_at(doc, "session")};
    l.epoch = number_at(doc, "epoch", max_count);
    l.run = static_cast<run_no>(number_at(doc, "run", max32));
    l.argv = texts_at(doc, "argv");
    const auto& env = need(doc, "env");
    if (!env.is_object())
      throw bad_field{"env is not an object"};
    for (const auto& [name, value] : env.items()) {
      if (!value.is_string() || name.empty()
          || name.find('=') != std::string::npos)
        throw bad_field{"env." + name + " is no variable"};
      l.env.emplace(name, value.get<std::string>());
    }
    l.cwd = text_at(doc, "cwd");
    l.socket = text_at(doc, "socket");
    l.mark = text_at(doc, "mark");
    if (doc.contains("boot"))
      l.boot = text_at(doc, "boot");
    if (has(doc, "nodeHome")) {
      l.node_home = text_at(doc, "nodeHome");
      l.project = text_at(doc, "project");
    }
    l.in = word_at(doc, "stdin", inputs);
    l.in_path = text_at(doc, "stdinPath");
    l.out = word_at(doc, "output", outputs);
    l.out_path = text_at(doc, "outputPath");
    l.out_cap = number_at(doc, "outputMaxBytes", max_count);
    l.timeout = duration_at(doc, "timeoutMs");
    l.grace = duration_at(doc, "graceMs");
    l.capture_lines
      = static_cast<std::uint32_t>(number_at(doc, "captureLines", 100'000));
    if (has(doc, "memoryMax"))
      l.limits.memory = number_at(doc, "memoryMax", max_count);
    if (has(doc, "processesMax"))
      l.limits.processes
        = static_cast<std::uint32_t>(number_at(doc, "processesMax", max32));
    if (l.mark.empty())
      throw bad_field{"mark is empty"};
    if (l.socket.empty())
      throw bad_field{"socket is empty"};
    return l;
  });
}

result<exit_report> parse_exit(std::string_view text) {
  return parse<exit_report>(text, [](const json& doc) -> result<exit_report> {
    exit_report r;
    r.session = session_id{text_at(doc, "session")};
    r.epoch = number_at(doc, "epoch", max_count);
    r.run = static_cast<run_no>(number_at(doc, "run", max32));
    r.pid = static_cast<pid_t>(number_at(doc, "pid", max_pid));
    r.code = optional_at(doc, "code");
    r.signal = optional_at(doc, "signal");
    r.cause = word_at(doc, "cause", causes);
    auto at = parse_time(text_at(doc, "at"));
    if (!at)
      throw bad_field{"at: " + at.error().context};
    r.at = *at;
    r.last_lines = texts_at(doc, "lastLines");
    r.detail = text_at(doc, "detail");
    if (doc.contains("unread"))
      r.unread = number_at(doc, "unread", max_count);
    r.output_truncated = flag_at(doc, "outputTruncated");
    if (has(doc, "outOfMemory"))
      r.out_of_memory = flag_at(doc, "outOfMemory");
    return r;
  });
}

result<shim_hello> parse_hello(std::string_view text) {
  return parse<shim_hello>(text, [](const json& doc) -> result<shim_hello> {
    if (auto ok = check_protocol(doc, shim_protocol, "a shim"); !ok)
      return fail(ok.error());
    shim_hello h;
    h.session = session_id{text_at(doc, "session")};
    h.epoch = number_at(doc, "epoch", max_count);
    h.run = static_cast<run_no>(number_at(doc, "run", max32));
    h.pid = static_cast<pid_t>(number_at(doc, "pid", max_pid));
    h.shim_pid = static_cast<pid_t>(number_at(doc, "shimPid", max_pid));
    h.state = word_at(doc, "state", states);
    return h;
  });
}

result<shim_order> parse_order(std::string_view text) {
  return parse<shim_order>(text, [](const json& doc) -> result<shim_order> {
    auto order = text_at(doc, "order");
    if (order == "kill")
      return shim_order{shim_order::kind::kill, milliseconds{0}};
    if (order != "stop")
      throw bad_field{"order is the unknown word " + order};
    return shim_order{shim_order::kind::stop, duration_at(doc, "graceMs")};
  });
}

std::string launch_path(const std::string& dir) {
  return dir + "/launch.json";
}

std::string exit_path(const std::string& dir, run_no run) {
  return dir + "/exit." + std::to_string(run) + ".json";
}

std::string pane_path(const std::string& dir, run_no run) {
  return dir + "/pane." + std::to_string(run) + ".txt";
}

std::string lock_path(const std::string& dir) {
  return dir + "/shim.lock";
}

bool was_taken(const std::string& dir, run_no run) {
  auto holder = read_whole_file(lock_path(dir), 64);
  return holder && *holder == std::to_string(run);
}

result<void> write_launch(const std::string& dir, const launch_spec& launch) {
  return write_file_durably(launch_path(dir), to_json(launch) + "\n");
}

result<launch_spec> read_launch(const std::string& dir) {
  auto path = launch_path(dir);
  auto text = read_whole_file(path, file_limit);
  if (!text)
    return fail(text.error());
  return named(parse_launch(*text), path);
}

result<std::optional<exit_report>> read_exit(const std::string& dir,
                                             run_no run) {
  auto path = exit_path(dir, run);
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT)
    return std::optional<exit_report>{};
  auto text = read_whole_file(path, file_limit);
  if (!text)
    return fail(text.error());
  auto report = named(parse_exit(*text), path);
  if (!report)
    return fail(report.error());
  return std::optional{std::move(*report)};
}

} // namespace ao
