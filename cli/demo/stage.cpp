#include "cli/demo/stage.hpp"

#include "cli/demo/assets.hpp"
#include "runtime/git/git.hpp"
#include "runtime/home/files.hpp"
#include "runtime/process/environment.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>

namespace ao::cli::demo {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view sample_prefix = "sample/";

/// What tools of developers may need in every process.
const std::vector<std::string> passed_on
  = {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"};

/// The user's PATH and terminal, nobody's settings: neither ao's nor git's.
std::vector<std::string> make_environment(const std::string& root) {
  auto env = environment::inherited(passed_on);
  env.unset("XDG_CONFIG_HOME").unset("SSH_AUTH_SOCK");
  env.set("HOME", root + "/demo/user");
  env.set("AO_HOME", root);
  env.set("AO_CONFIG_PATH", root + "/demo/ao.yaml");
  env.set("GIT_CONFIG_NOSYSTEM", "1");
  // The demo shows what becomes of actors that throw.
  env.set("AO_FAULTS", "1");
  return env.to_vector();
}

result<void> put_file(const std::string& path, std::string_view text) {
  if (auto ok = make_directories(path.substr(0, path.rfind('/'))); !ok)
    return ok;
  auto program = text.substr(0, 2) == "#!";
  return write_file_durably(path, text, program ? 0755 : 0644);
}

std::string replaced(std::string text, std::string_view what,
                     const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

/// `D` as an absolute path; empty or missing, so that nothing can be harmed.
result<std::string> check_wanted(const std::string& wanted) {
  std::error_code problem;
  auto path = fs::absolute(wanted, problem).lexically_normal();
  if (problem)
    return fail(ec::home_unusable, wanted + ": " + problem.message());
  if (!path.has_filename())
    path = path.parent_path();
  if (fs::exists(path, problem) && !fs::is_empty(path, problem))
    return fail(ec::bad_input,
                path.string()
                  + " is not empty; the demo removes its home afterwards");
  if (problem)
    return fail(ec::home_unusable, path.string() + ": " + problem.message());
  return path.string();
}

result<std::string> make_temporary() {
  std::error_code problem;
  auto pattern = (fs::temp_directory_path(problem) / "ao-demo-XXXXXX").string();
  if (problem || !::mkdtemp(pattern.data()))
    return fail(ec::home_unusable, errno_text(pattern));
  return pattern;
}

} // namespace

stage::stage(std::string root, std::string programs)
    : root_(std::move(root)),
      programs_(std::move(programs)),
      environment_(make_environment(root_)) {}

result<stage> stage::make(const std::string& wanted, std::string programs) {
  auto root = wanted.empty() ? make_temporary() : check_wanted(wanted);
  if (!root)
    return fail(root.error());
  if (auto ok = make_directories(*root); !ok)
    return fail(ok.error());
  return stage{locate_home(*root).root(), std::move(programs)};
}

result<void>
stage::furnish(const scenario& what, unsigned parallel, const gateway& phone,
               const std::vector<std::string>& open, std::uint16_t door) {
  auto target = directory() + "/" + what.project + "/";
  for (const auto& one : assets()) {
    auto path = std::string{one.path};
    auto text = std::string{one.text};
    if (path.rfind(sample_prefix, 0) == 0)
      path = target + path.substr(sample_prefix.size());
    else
      path = directory() + "/" + path;
    if (one.path == "ao.yaml") {
      text = replaced(std::move(text), "@DEMO@", directory());
      text = replaced(std::move(text), "@PARALLEL@", std::to_string(parallel));
      text = replaced(std::move(text), "@GATEWAY@", phone.url());
      text = replaced(std::move(text), "@TOKEN@", phone.token());
      if (door != 0)
        text
          += "cluster: {listen: \"127.0.0.1:" + std::to_string(door) + "\"}\n";
    }
    if (auto ok = put_file(path, text); !ok)
      return ok;
  }
  for (const auto* name : {"/user", "/gates"})
    if (auto ok = make_directories(directory() + name); !ok)
      return ok;
  std::set<std::string> gates{open.begin(), open.end()};
  for (const auto& act : what.acts)
    if (!act.opens.empty())
      gates.insert(act.opens);
  for (const auto& name : gates) {
    auto gate = directory() + "/gates/" + name;
    if (::mkfifo(gate.c_str(), 0600) != 0)
      return fail(ec::home_unusable, errno_text(gate));
  }
  for (const auto& name : open)
    if (auto ok = open_gate(name); !ok)
      return ok;
  git_runner git;
  const std::vector<std::vector<std::string>> steps = {
    {"init", "--quiet", "--initial-branch=main"},
    {"config", "user.name", "ao demo"},
    {"config", "user.email", "demo@ao.invalid"},
    {"add", "--all"},
    {"commit", "--quiet", "--message", "Begin with a program and a test"},
  };
  for (const auto& step : steps) {
    git_call call;
    call.dir = target;
    call.args = step;
    if (auto done = git.ask(call); !done)
      return fail(done.error());
  }
  return {};
}

process_spec stage::spec_of(std::vector<std::string> words) const {
  process_spec spec;
  spec.argv = std::move(words);
  spec.argv.insert(spec.argv.begin(), programs_ + "/ao");
  spec.env = environment_;
  spec.cwd = directory();
  return spec;
}

result<answer> stage::ask_ao(std::vector<std::string> words,
                             milliseconds deadline) const {
  // Not behind a `--`.
  words.insert(words.begin(), "--json");
  auto end = run(spec_of(std::move(words)), deadline);
  if (!end)
    return fail(end.error());
  answer out;
  out.code = end->status.code.value_or(128 + end->status.signal.value_or(0));
  out.body = nlohmann::json::parse(end->out, nullptr, false);
  if (out.body.is_discarded())
    out.body = nullptr;
  out.err = std::move(end->err);
  return out;
}

result<child> stage::start_ao(std::vector<std::string> words) const {
  auto spec = spec_of(std::move(words));
  spec.err = child_output::null();
  return spawn(spec);
}

process_spec stage::node_spec(const std::string& name,
                              std::vector<std::string> words) const {
  auto spec = spec_of(std::move(words));
  spec.argv[0] = programs_ + "/ao-node";
  for (auto& variable : spec.env)
    if (variable.rfind("AO_HOME=", 0) == 0)
      variable = "AO_HOME=" + node_home(name);
  return spec;
}

result<finished> stage::run_node(const std::string& name,
                                 std::vector<std::string> words,
                                 milliseconds deadline) const {
  return run(node_spec(name, std::move(words)), deadline);
}

result<child> stage::start_node(const std::string& name,
                                std::vector<std::string> words) const {
  auto spec = node_spec(name, std::move(words));
  spec.out = child_output::file(node_home(name) + "/run.log");
  spec.err = child_output::as_stdout();
  // A Ctrl-C is for the demo alone.
  spec.group = process_spec::grouping::own_session;
  return spawn(spec);
}

result<finished> stage::run_in(const std::string& cwd,
                               std::vector<std::string> argv,
                               milliseconds deadline) const {
  process_spec spec;
  spec.argv = std::move(argv);
  spec.env = environment_;
  spec.cwd = cwd;
  return run(std::move(spec), deadline);
}

result<void> stage::open_gate(const std::string& name) {
  auto path = directory() + "/gates/" + name;
  // For reading too: then it opens whether somebody waits already or not.
  unique_fd gate{::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK)};
  // One line for each run that may come by.
  const std::string lines(64, '\n');
  if (!gate || ::write(gate.get(), lines.data(), lines.size()) < 0)
    return fail(ec::home_unusable, errno_text(path));
  gates_.push_back(std::move(gate));
  return {};
}

result<void> stage::strike() {
  gates_.clear();
  std::error_code problem;
  std::vector<home> homes{where()};
  for (fs::directory_iterator i{fs::path{root_} / "nodes", problem}, end;
       !problem && i != end; i.increment(problem))
    homes.push_back(locate_home(i->path().string()));
  problem.clear();
  for (const auto& one : homes)
    if (auto sockets = fs::path{one.run_dir()};
        !problem && sockets.string().rfind(root_ + "/", 0) != 0)
      fs::remove_all(sockets, problem);
  if (!problem)
    fs::remove_all(root_, problem);
  if (problem)
    return fail(ec::home_unusable, root_ + ": " + problem.message());
  return {};
}

} // namespace ao::cli::demo
