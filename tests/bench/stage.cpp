#include "tests/bench/stage.hpp"

#include "tests/bench/rows.hpp"

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace ao::bench {
namespace {

namespace fs = std::filesystem;

world_options options(const std::string& project, const std::string& settings) {
  world_options o;
  o.settings = "limits: {sessions: 200, parallelSpawns: 64, spawnsPerMinute: "
               "0, minFreeMemory: 1MiB, minFreeDisk: 1MiB}\n"
               "restart: {intensity: 100, delay: 1ms, maxDelay: 1ms, jitter: "
               "0}\n"
    + settings;
  o.project = project;
  return o;
}

} // namespace

const char* const stamp_lines = R"(
bash -c 'echo $EPOCHREALTIME > "$HOME/$AO_SESSION.$AO_RUN.part"
mv "$HOME/$AO_SESSION.$AO_RUN.part" "$HOME/$AO_SESSION.$AO_RUN"'
)";

double wall_seconds() {
  return std::chrono::duration<double>(
           std::chrono::system_clock::now().time_since_epoch())
    .count();
}

stage::stage(const std::string& project, const std::string& settings,
             const std::string& script)
    : world_(options(project, settings)) {
  world_.add_agent(
    "stamping", stamp_lines + (script.empty() ? "exec sleep 600\n" : script));
  // Something to check out: a tree of a usual size.
  for (int i = 0; i < 400; ++i) {
    auto dir = world_.checkout() / ("d" + std::to_string(i % 20));
    fs::create_directories(dir);
    std::ofstream{dir / ("f" + std::to_string(i))} << std::string(4000, 'x');
  }
  world_.git(world_.checkout(), {"add", "--all"});
  world_.git(world_.checkout(), {"commit", "--quiet", "--message", "tree"});
  world_.start();
}

std::string stage::request(const std::string& task) const {
  auto answer
    = world_.api().call("POST", "/api/v1/sessions",
                        nlohmann::json{{"project", "app"}, {"issue", task}});
  if (!answer)
    throw std::runtime_error(to_string(answer.error()));
  return answer->body.at("id").get<std::string>();
}

fs::path stage::agent() const {
  for (const auto& entry : fs::recursive_directory_iterator(world_.root()))
    if (entry.path().filename().string().rfind("stamping", 0) == 0)
      return entry.path();
  throw std::runtime_error("the agent's program is not found");
}

double stage::stamp(const fs::path& file) const {
  auto until = std::chrono::steady_clock::now() + world::patience;
  while (std::chrono::steady_clock::now() < until) {
    std::ifstream in{file};
    double seconds = 0;
    if (in >> seconds)
      return seconds;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  throw std::runtime_error(file.string() + " was never written");
}

double stage::began(const std::string& session, int run) const {
  return stamp(world_.user() / (session + "." + std::to_string(run)));
}

double stage::raw_spawn(const std::string& name) {
  auto from = wall_seconds();
  auto tree = (world_.root() / ("raw-" + name)).string();
  world_.git(world_.checkout(),
             {"worktree", "add", "--quiet", "-b", "raw/" + name, tree, "main"});
  raw_run(name, tree);
  return (began(name) - from) * 1000;
}

double stage::raw_start(const std::string& name) {
  auto from = wall_seconds();
  raw_run(name, world_.checkout().string());
  return (began(name) - from) * 1000;
}

void stage::raw_run(const std::string& name, const std::string& tree) {
  process_spec tmux;
  tmux.argv = {"tmux",
               "-f",
               "/dev/null",
               "-S",
               (world_.root() / "raw.sock").string(),
               "new-session",
               "-d",
               "-s",
               name,
               "-c",
               tree,
               "-e",
               "HOME=" + world_.user().string(),
               "-e",
               "AO_SESSION=" + name,
               "-e",
               "AO_RUN=1",
               agent().string()};
  tmux.env = world_.variables().to_vector();
  auto end = run(tmux, world::patience);
  if (!end || !end->ok())
    throw std::runtime_error("tmux: " + (end ? end->err : "cannot start"));
}

} // namespace ao::bench
