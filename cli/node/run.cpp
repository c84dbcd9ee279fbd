#include "actors/hub.hpp"
#include "actors/link.hpp"
#include "actors/relay.hpp"
#include "ao_version.hpp"
#include "cli/node/node.hpp"
#include "messages/interfaces/supervision.hpp"
#include "runtime/actor/compat.hpp"
#include "runtime/actor/error.hpp"
#include "runtime/actor/network.hpp"
#include "runtime/agents/adapter.hpp"
#include "runtime/agents/launch.hpp"
#include "runtime/agents/readiness.hpp"
#include "runtime/cluster/lease_file.hpp"
#include "runtime/cluster/node_settings.hpp"
#include "runtime/cluster/renewal.hpp"
#include "runtime/home/lock.hpp"
#include "runtime/http/server.hpp"
#include "runtime/io/loop.hpp"
#include "runtime/log/log.hpp"
#include "runtime/node/capacity.hpp"
#include "runtime/node/leftovers.hpp"
#include "runtime/node/session_dir.hpp"
#include "runtime/process/process.hpp"
#include "runtime/process/reader_pool.hpp"
#include "runtime/rules/breakers.hpp"
#include "runtime/tls/channel.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <thread>

namespace ao::node {
namespace {

namespace fs = std::filesystem;

/// How long an ordered stop may take before the process ends anyway.
constexpr unsigned stop_limit_seconds = 12;

struct config : caf::actor_system_config {
  explicit config(const tls::identity_files& files) {
    AO_INIT();
    register_errors(*this);
    set(AO_KEY("scheduler.max-throughput"), 300u);
    set(AO_KEY("scheduler.policy"), AO_SCHED("sharing"));
    speak_to_hosts(*this, files.certificate, files.key, files.authority);
  }
};

/// What other threads have for the main one, which waits for signals.
class letter_box {
public:
  void put_settings(std::string text) {
    std::lock_guard<std::mutex> guard{mutex_};
    settings_ = std::move(text);
    ::kill(::getpid(), SIGUSR1);
  }

  void put_end(error why) {
    std::lock_guard<std::mutex> guard{mutex_};
    if (!end_)
      end_ = std::move(why);
    ::kill(::getpid(), SIGUSR1);
  }

  std::optional<std::string> take_settings() {
    std::lock_guard<std::mutex> guard{mutex_};
    return std::exchange(settings_, std::nullopt);
  }

  std::optional<error> end() const {
    std::lock_guard<std::mutex> guard{mutex_};
    return end_;
  }

private:
  mutable std::mutex mutex_;
  std::optional<std::string> settings_;
  std::optional<error> end_;
};

sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1})
    sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGALRM, [](int) { ::_exit(1); });
  return set;
}

/// The sessions that the node's files know, and what they say.
std::vector<msg::session_spec> known_sessions(const home& place) {
  std::vector<msg::session_spec> out;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator{place.sessions(), problem})
    if (auto spec = session_dir{entry.path().string()}.spec(); spec && *spec)
      out.push_back(std::move(**spec));
  return out;
}

/// Kills what runs of a project's sessions, at once.
void kill_agents(const home& place, const std::string& project) {
  for (const auto& spec : known_sessions(place)) {
    if (spec.project.text != project)
      continue;
    auto dir = place.sessions() + "/" + spec.session.text;
    if (auto launch = read_launch(dir))
      // What cannot be ended is fenced by its epoch.
      (void)end_leftovers(launch->mark, 0, dir, milliseconds{0});
  }
}

/// Agents of the hub's configuration whose program is here.
std::vector<std::string> usable_agents(const settings& all,
                                       const environment& env) {
  std::vector<std::string> out;
  for (const auto& [name, agent] : all.agents) {
    const auto* adapter = find_adapter(agent.adapter);
    auto program = !agent.command.empty() ? agent.command.front()
      : adapter != nullptr                ? std::string{adapter->program}
                                          : std::string{};
    if (!program.empty() && find_program(program, env.get("PATH")))
      out.push_back(name);
  }
  return out;
}

/// Why the agent could not start here now, asked as its runner would.
std::optional<msg::unready_agent> why_unready(const node_context& context,
                                              const agent_settings& agent) {
  if (!can_tell(agent))
    return std::nullopt;
  auto env = environment_for(agent, *context.inherited);
  auto answer = context.desk->ask(agent, env, context.place->root());
  if (answer.ready)
    return std::nullopt;
  return msg::unready_agent{agent.name, answer.failure == auth_failure,
                            answer.reason};
}

int refuse(const error& why) {
  std::fprintf(stderr, "ao-node: %s\n", to_string(why).c_str());
  return info(why.code).exit_code;
}

/// The parts that need the hub's settings; begun once these are known.
class worker {
public:
  worker(caf::actor_system& system, node_context& context, io_loop& loop,
         reader_pool& relays)
      : system_(system), context_(context), loop_(loop), relays_(relays) {}

  bool runs() const { return root_ != nullptr; }

  result<void> begin(const std::string& text, letter_box& box) {
    auto all = read_node_settings(text);
    if (!all)
      return fail(all.error());
    auto shared = std::make_shared<const settings>(std::move(*all));
    if (runs()) {
      context_.config.replace(std::move(shared));
      return {};
    }
    context_.config.replace(std::move(shared));
    context_.caches = make_caches();
    server_.emplace(loop_.context(),
                    make_relay_handler(system_, relays_, context_));
    if (auto ok = server_->listen_unix("agent", context_.place->agent_socket(),
                                       http::stale_socket::replace);
        !ok)
      return ok;
    std::vector<std::string> sessions;
    for (const auto& spec : known_sessions(*context_.place))
      sessions.push_back(spec.session.text);
    caf::scoped_actor self{system_};
    root_ = self->spawn<caf::monitored>(supervisor, actor_context{context_},
                                        node_tree(context_, sessions));
    std::optional<error> failed;
    self->request(root_, std::chrono::seconds{60}, ready_atom::value)
      .receive([](const child_list&) {},
               [&](const caf::error& why) { failed = to_ao_error(why); });
    if (failed)
      return fail(*failed);
    watch_ = std::thread{[this, &box] { wait_for_end(box); }};
    return {};
  }

  void end() {
    if (server_)
      server_->stop();
    if (!runs())
      return;
    caf::scoped_actor self{system_};
    self->send_exit(root_, caf::exit_reason::user_shutdown);
    if (watch_.joinable())
      watch_.join();
  }

private:
  std::shared_ptr<std::map<project_id, std::shared_ptr<repository_cache>>>
  make_caches() {
    auto out = std::make_shared<
      std::map<project_id, std::shared_ptr<repository_cache>>>();
    for (const auto& [id, project] : context_.config->projects)
      (*out)[id] = std::make_shared<repository_cache>(
        git_runner{}, fs::path{context_.place->repos()} / (id.text + ".git"),
        context_.place->forge() + "/" + id.text + ".git",
        [this, id = id] { return refresh_relay(system_, context_, id); });
    return out;
  }

  void wait_for_end(letter_box& box) {
    caf::scoped_actor watcher{system_};
    watcher->monitor(root_);
    watcher->receive([&](const caf::down_msg& down) {
      if (down.reason != caf::exit_reason::user_shutdown)
        box.put_end(to_ao_error(down.reason));
    });
  }

  caf::actor_system& system_;
  node_context& context_;
  io_loop& loop_;
  reader_pool& relays_;
  supervisor_actor::super root_;
  std::optional<http::server> server_;
  std::thread watch_;
};

link_host host_of(const node_context& context, const node_membership& hub,
                  std::uint64_t incarnation, const run_words& words,
                  std::shared_ptr<seen_numbers> seen, letter_box& box) {
  link_host host;
  host.seen = std::move(seen);
  host.hub = hub;
  host.incarnation = incarnation;
  host.program = AO_VERSION;
  host.slots = words.slots;
  host.describe = [context] {
    msg::node_hello out;
    out.cores = std::max(1u, std::thread::hardware_concurrency());
    out.memory = free_capacity(context.place->root()).memory;
    out.agents = usable_agents(*context.config, *context.inherited);
    for (const auto& [id, project] : context.config->projects)
      if (std::error_code ignored; fs::exists(
            context.place->repos() + "/" + id.text + ".git/HEAD", ignored))
        out.projects.push_back(id.text);
    for (const auto& spec : known_sessions(*context.place))
      out.sessions.push_back({spec.session, spec.epoch, spec.run});
    return out;
  };
  host.probe = [context](const std::string& text) {
    msg::node_facts out;
    auto all = read_node_settings(text).value_or(settings{});
    out.agents = usable_agents(all, *context.inherited);
    out.memory = free_capacity(context.place->root()).memory;
    for (const auto& name : out.agents)
      if (auto why = why_unready(context, all.agents.at(name)))
        out.unready.push_back(std::move(*why));
    return out;
  };
  host.told = [&box, context](const std::string& text) {
    // They count all the same; only a start without the hub would miss them.
    if (auto ok = keep_settings(*context.place, text); !ok)
      context.say(log_level::error,
                  "settings_not_kept reason=\"" + to_string(ok.error()) + "\"");
    box.put_settings(text);
  };
  host.refused = [&box](const error& why) { box.put_end(why); };
  host.fence = [place = context.place](const std::string& project) {
    kill_agents(*place, project);
  };
  return host;
}

/// From the locked home to the end of the process.
int live(const home& place, const node_membership& hub,
         std::uint64_t incarnation, const run_words& words, environment env,
         const sigset_t& signals) {
  auto secret = load_or_make_secret(place);
  if (!secret)
    return refuse(secret.error());
  log_options options;
  options.file = place.logs() + "/node.log";
  auto opened = log::open(options, redactor{{hub.credential}});
  if (!opened)
    return refuse(opened.error());
  std::shared_ptr<log> journal = std::move(*opened);
  auto programs = own_directory();
  if (!programs)
    return refuse(programs.error());
  auto seen = seen_numbers::open(place, known_sessions(place));
  if (!seen)
    return refuse(seen.error());

  directory names;
  row_view rows;
  io_loop loop;
  reader_pool readers{4};
  letter_box box;
  node_context context;
  context.names = &names;
  context.log = [journal](log_level level, const std::string& line) {
    journal->write(level, line);
  };
  context.place = std::make_shared<const home>(place);
  context.rows = &rows;
  context.config = std::make_shared<const settings>();
  context.secret = std::make_shared<const home_secret>(*secret);
  context.loop = &loop;
  context.readers = &readers;
  context.programs = *programs;
  context.node = hub.name;
  context.caches = std::make_shared<
    std::map<project_id, std::shared_ptr<repository_cache>>>();
  context.inherited = std::make_shared<const environment>(std::move(env));
  context.transcripts = std::make_shared<transcript_reader>(loop);

  int code = 0;
  config cfg{tls::node_files(place)};
  {
    caf::actor_system system{cfg};
    caf::scoped_actor self{system};
    std::optional<reader_pool> relays{std::in_place, 16};
    worker work{system, context, loop, *relays};
    supervisor_spec spec;
    spec.name = "node-root";
    child_spec link;
    link.name = "link"_name;
    link.start = starts(node_link_keeper, context,
                        host_of(context, hub, incarnation, words, *seen, box));
    spec.children = {link};
    auto root = self->spawn<caf::monitored>(supervisor, actor_context{context},
                                            std::move(spec));
    // Without its hub, too, a node adopts what lives on it.
    if (auto kept = kept_settings(place); kept && *kept)
      box.put_settings(**kept);
    std::fprintf(stderr, "ao-node: %s of the hub at %s, life %llu, pid %d\n",
                 hub.name.text.c_str(), hub.link.c_str(),
                 static_cast<unsigned long long>(incarnation), ::getpid());
    int signal = 0;
    while (sigwait(&signals, &signal) == 0
           && (signal == SIGUSR1 || signal == SIGHUP)) {
      if (auto text = box.take_settings())
        if (auto ok = work.begin(*text, box); !ok)
          box.put_end(ok.error());
      if (auto why = box.end()) {
        code = refuse(*why);
        break;
      }
    }
    std::fprintf(stderr, "ao-node: stopping; agents go on\n");
    ::alarm(stop_limit_seconds);
    if (code == 0)
      if (call_hub_now(
            system, names,
            {std::string{msg::verb::leave}, "{}", {}, milliseconds{2'000}}))
        forget_lease(place);
    work.end();
    self->send_exit(root, caf::exit_reason::user_shutdown);
    relays.reset();
    end_all_runs();
    self->await_all_other_actors_done();
  }
  loop.stop();
  return code;
}

} // namespace

int run(const home& place, const run_words& words) {
  auto signals = block_signals();
  auto env = environment::inherited();
  auto lock = home_lock::take(place);
  if (!lock)
    return refuse(lock.error());
  if (auto ok = settle_renewal(place); !ok)
    return refuse(ok.error());
  auto hub = read_membership(place);
  if (!hub)
    return refuse(hub.error());
  if (auto why = expiry_problem(place, hub->name, wall_now()))
    return refuse(*why);
  auto facts
    = tls::check_files(tls::node_files(place), ec::node_not_joined, wall_now());
  if (!facts)
    return refuse(facts.error());
  if (auto ok = tls::require_tls_1_3(place); !ok)
    return refuse(ok.error());
  auto incarnation = next_incarnation(place);
  if (!incarnation)
    return refuse(incarnation.error());
  return live(place, *hub, *incarnation, words, std::move(env), signals);
}

} // namespace ao::node
