#include "actors/hub.hpp"
#include "ao_version.hpp"
#include "cli/hub_authority.hpp"
#include "cli/hub_probe.hpp"
#include "messages/interfaces/api.hpp"
#include "messages/interfaces/sessions.hpp"
#include "messages/interfaces/store.hpp"
#include "messages/json.hpp"
#include "runtime/actor/compat.hpp"
#include "runtime/actor/error.hpp"
#include "runtime/actor/network.hpp"
#include "runtime/config/load.hpp"
#include "runtime/git/git.hpp"
#include "runtime/home/files.hpp"
#include "runtime/home/home.hpp"
#include "runtime/home/lock.hpp"
#include "runtime/home/readiness.hpp"
#include "runtime/http/problem.hpp"
#include "runtime/http/server.hpp"
#include "runtime/io/loop.hpp"
#include "runtime/log/log.hpp"
#include "runtime/process/environment.hpp"
#include "runtime/process/process.hpp"
#include "runtime/process/reader_pool.hpp"
#include "runtime/rules/reconcile.hpp"
#include "runtime/rules/sessions.hpp"
#include "runtime/shim/peers.hpp"
#include "runtime/tls/channel.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/after.hpp>
#include <caf/scoped_actor.hpp>

#include <malloc.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>

namespace ao {
namespace {

namespace fs = std::filesystem;

/// How long an ordered stop may take before the process ends anyway: CAF
/// waits for every actor, also for one that is blocked.
constexpr std::chrono::seconds stop_limit{12};

struct config : caf::actor_system_config {
  config() {
    AO_INIT();
    register_errors(*this);
    // A busy registry must not starve the others (CAF.md §2).
    set(AO_KEY("scheduler.max-throughput"), 300u);
    // One queue: its threads sleep until there is something to do. Those of
    // `stealing` look a hundred times a second each.
    set(AO_KEY("scheduler.policy"), AO_SCHED("sharing"));
  }

  /// Has CAF's network layer run, where nodes may join.
  void open_to_nodes(const tls::identity_files& files) {
    speak_to_hosts(*this, files.certificate, files.key, files.authority);
  }
};

struct arguments {
  bool local_node = true;
  /// Start the sessions again that `ao stop --agents` has ended.
  bool restore = false;
  std::string path;
};

arguments parse(int argc, char** argv) {
  arguments out;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--no-local-node")
      out.local_node = false;
    else if (word == "--restore")
      out.restore = true;
    else if (word == "--" && i + 1 < argc)
      out.path = argv[++i];
  }
  return out;
}

/// What git says about the checkout that the hub is started in.
result<repository_facts> look_at_repository(const fs::path& where) {
  git_runner git;
  git_call call;
  call.dir = where;
  call.scope = git_scope::users;
  call.args = {"rev-parse", "--show-toplevel"};
  auto top = git.ask_line(call);
  if (!top) {
    if (top.error().code == ec::program_missing)
      return fail(top.error());
    return fail(ec::no_repository,
                where.string()
                  + " is not in a git repository and there is no "
                    "configuration; run ao start in a "
                    "repository, or write an ao.yaml");
  }
  repository_facts facts;
  facts.path = *top;
  call.dir = *top;
  call.args = {"symbolic-ref", "--quiet", "--short", "HEAD"};
  if (auto branch = git.ask_line(call))
    facts.current_branch = *branch;
  call.args
    = {"symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"};
  if (auto head = git.ask_line(call))
    facts.default_branch = head->substr(head->find('/') + 1);
  call.args = {"remote", "get-url", "origin"};
  if (auto url = git.ask_line(call))
    facts.origin_url = *url;
  return facts;
}

/// The built-in agents whose program is on PATH.
std::vector<std::string> usable_agents(const environment& env) {
  static const std::pair<const char*, const char*> programs[] = {
    {"claude-code", "claude"}, {"codex", "codex"},   {"opencode", "opencode"},
    {"aider", "aider"},        {"gemini", "gemini"}, {"cursor", "agent"}};
  std::vector<std::string> out;
  for (const auto& [name, program] : programs)
    if (find_program(program, env.get("PATH")))
      out.emplace_back(name);
  return out;
}

/// The configuration of the place, or of the repository there.
result<config_outcome> read_settings(const home& place, const arguments& args,
                                     const environment& env) {
  std::error_code problem;
  auto here = fs::current_path(problem);
  auto where = args.path.empty() ? here : fs::absolute(args.path, problem);
  if (problem)
    return fail(ec::bad_input,
                "the hub's directory is gone: " + problem.message());
  auto lookup = process_environment();
  if (auto file = find_config(where, lookup, place.root()))
    return load_config(*file, lookup);
  auto facts = look_at_repository(where);
  if (!facts)
    return fail(facts.error());
  return derive_config(*facts, usable_agents(env));
}

/// One error with every line of what is wrong, if anything is.
result<config_outcome> configure(const home& place, const arguments& args,
                                 const environment& env) {
  auto outcome = read_settings(place, args, env);
  if (!outcome || outcome->value)
    return outcome;
  std::string lines;
  auto code = ec::bad_input;
  for (const auto& e : outcome->errors) {
    lines += (lines.empty() ? "" : "\n") + to_string(e);
    if (e.code != ec::bad_input)
      code = e.code;
  }
  return fail(code, lines);
}

/// A hub that can write nothing would say so in the words of git.
result<void> check_disk(const home& place) {
  constexpr std::size_t enough_to_begin = 256 * 1024;
  auto ok = try_to_write(place.root(), enough_to_begin);
  if (!ok)
    return fail(ok.error().code,
                ok.error().context
                  + "; free some space there, or set AO_HOME to another disk");
  return {};
}

/// Each project needs a repository with a commit on its branch.
result<void> check_projects(const settings& all) {
  git_runner git;
  for (const auto& [id, project] : all.projects) {
    git_call call;
    call.dir = project.path;
    call.scope = git_scope::users;
    call.args = {"rev-parse", "--verify", "--quiet",
                 "refs/heads/" + project.default_branch + "^{commit}"};
    std::error_code ignored;
    if (!fs::is_directory(project.path, ignored))
      return fail(ec::no_repository,
                  "project " + id.text + ": " + project.path.string()
                    + " is not a directory");
    auto head = git.ask_line(call);
    if (!head && head.error().code == ec::program_missing)
      return fail(head.error());
    if (!head)
      return fail(ec::no_repository,
                  "project " + id.text + ": " + project.path.string()
                    + " has no commit on branch " + project.default_branch
                    + "; commit something, or set projects." + id.text
                    + ".defaultBranch");
  }
  return {};
}

/// Where nodes may join, there are an authority and the hub's certificate;
/// without them no port is opened.
result<void> check_cluster(const settings& all, const home& place) {
  if (!all.cluster.listen)
    return {};
  auto facts = tls::check_files(tls::hub_files(place),
                                ec::cluster_not_initialised, wall_now());
  if (!facts)
    return fail(facts.error().code,
                "cluster.listen is set, but " + facts.error().context
                  + "; run: ao cluster init");
  return tls::require_tls_1_3(place);
}

result<void> check_programs(const environment& env) {
  for (auto program : {"git", "tmux"})
    if (auto found = find_program(program, env.get("PATH")); !found)
      return fail(ec::program_missing,
                  std::string{program}
                    + " is not on PATH; install it (apt-get "
                      "install "
                    + program + ")");
  return {};
}

std::shared_ptr<std::map<project_id, std::shared_ptr<repository_cache>>>
make_caches(const settings& all, const home& place) {
  auto caches = std::make_shared<
    std::map<project_id, std::shared_ptr<repository_cache>>>();
  for (const auto& [id, project] : all.projects)
    (*caches)[id] = std::make_shared<repository_cache>(
      git_runner{}, fs::path{place.repos()} / (id.text + ".git"),
      place.forge() + "/" + id.text + ".git");
  return caches;
}

/// Takes over SIGTERM, SIGINT and SIGHUP for the whole process; before any
/// thread.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return set;
}

/// Why the process is to end; set once.
class stop_signal {
public:
  void request(int exit_code) {
    {
      std::lock_guard<std::mutex> guard{mutex_};
      if (requested_)
        return;
      requested_ = true;
      exit_code_ = exit_code;
    }
    // The waiter sits in sigwait; SIGTERM is blocked and only seen there.
    ::kill(::getpid(), SIGTERM);
  }

  int exit_code() const {
    std::lock_guard<std::mutex> guard{mutex_};
    return exit_code_;
  }

private:
  mutable std::mutex mutex_;
  bool requested_ = false;
  int exit_code_ = 0;
};

/// Ends the process when an ordered stop takes too long.
class watchdog {
public:
  explicit watchdog(std::chrono::seconds limit)
      : thread_([this, limit] {
          std::unique_lock<std::mutex> guard{mutex_};
          if (!done_.wait_for(guard, limit, [this] { return finished_; })) {
            std::fputs("ao-hub: an actor did not stop; leaving without it\n",
                       stderr);
            ::_exit(1);
          }
        }) {}

  ~watchdog() {
    {
      std::lock_guard<std::mutex> guard{mutex_};
      finished_ = true;
    }
    done_.notify_all();
    thread_.join();
  }

private:
  std::mutex mutex_;
  std::condition_variable done_;
  bool finished_ = false;
  std::thread thread_;
};

/// Records that the hub lives; the first event of each life.
void record(const hub_context& context, caf::scoped_actor& self,
            event_kind kind) {
  store_write write;
  event e;
  e.at = context.now();
  e.subject = "hub";
  e.kind = kind;
  e.actor = "hub";
  e.data = dump(json{{"pid", ::getpid()}, {"version", AO_VERSION}});
  write.events = {e};
  auto store = context.names->find<store_actor>("store"_name);
  if (!store)
    return;
  self->request(store, store_deadline, write)
    .receive([](const store_written&) {},
             [&](const caf::error& why) {
               context.say(log_level::error,
                           "event_lost kind=" + std::string{to_string(kind)}
                             + " reason=\"" + to_string(to_ao_error(why))
                             + "\"");
             });
}

/// How many agents have lived on without a hub.
std::size_t count_adopted(const node_context& context) {
  std::size_t count = 0;
  for (const auto& s : context.rows->all<session>())
    if (!is_terminal(*s) && s->runtime == runtime_state::alive
        && s->role != session_role::manual
        && shim_peers::somebody_listens(context.place->shim_socket(s->id.text)))
      ++count;
  return count;
}

/// `ao start --restore`: what a stop of the hub has parked comes back.
void restore_parked(const hub_context& context, caf::scoped_actor& self) {
  for (const auto& s : context.rows->all<session>()) {
    // One whose work is compared goes on by itself.
    if (!parked_by_hub(*s) || is_reconciled(*s))
      continue;
    auto name = make_actor_name("session", s->id.text);
    auto holder = context.names->find<session_actor>(name);
    if (!holder)
      continue;
    msg::session_order order;
    order.what = msg::session_order::kind::restore;
    order.actor = "hub";
    self->request(holder, registry_deadline, order)
      .receive([](const session&) {},
               [&](const caf::error& why) {
                 context.say(log_level::error,
                             "not_restored session=" + s->id.text + " reason=\""
                               + to_string(to_ao_error(why)) + "\"");
               });
  }
}

/// What was wrong with backlogs at this start, one text each.
std::vector<std::string> refused_backlogs(const hub_context& context,
                                          wall_time since) {
  const auto& feed = context.rows->events();
  constexpr std::uint64_t far_enough = event_feed::capacity / 2;
  auto last = feed.last_seq();
  auto recent = feed.events_after(last > far_enough ? last - far_enough : 0,
                                  event_feed::capacity, std::string{"hub"});
  std::vector<std::string> out;
  if (recent)
    for (const auto& e : *recent)
      if (e->kind == event_kind::backlog_refused && e->at >= since)
        if (auto data = parse_json(e->data, "event"))
          out.push_back("the backlog of " + data->value("project", "")
                        + " was not taken in\n" + data->value("why", ""));
  return out;
}

/// Opens `api.listen`.
result<void> listen_tcp(http::server& server, const std::string& address) {
  auto colon = address.rfind(':');
  auto host = address.substr(0, colon);
  if (host == "localhost")
    host = "127.0.0.1";
  if (host.front() == '[')
    host = host.substr(1, host.size() - 2);
  auto port = std::stoul(address.substr(colon + 1));
  auto opened
    = server.listen_tcp("tcp", host, static_cast<std::uint16_t>(port));
  if (!opened)
    return fail(opened.error().code, "api.listen: " + opened.error().context);
  return {};
}

/// What can be said to the starter, or the foreground's terminal.
int refuse(int ready_fd, const error& why) {
  if (ready_fd >= 0)
    report_readiness(ready_fd, json{{"error", http::problem(why)}});
  else
    std::fprintf(stderr, "ao: %s\n", to_string(why).c_str());
  return info(why.code).exit_code;
}

/// The running hub: from the locked home to the end of the process.
int live(const arguments& args, const home& place, config_outcome loaded,
         environment env, int ready_fd, const sigset_t& signals) {
  auto all = std::make_shared<const settings>(std::move(*loaded.value));
  auto secret = load_or_make_secret(place);
  if (!secret)
    return refuse(ready_fd, secret.error());
  api::tcp_guard tcp;
  if (all->api.listen) {
    auto token = load_or_make_api_token(place);
    if (!token)
      return refuse(ready_fd, token.error());
    tcp = {*all->api.listen, *token};
  }
  auto secrets = [token = tcp.token](const settings& now) {
    auto out = secrets_in(now, process_environment());
    if (!token.empty())
      out.push_back(token);
    return redactor{out};
  };
  log_options options;
  options.file = place.hub_log();
  auto opened = log::open(options, secrets(*all));
  if (!opened)
    return refuse(ready_fd, opened.error());
  std::shared_ptr<log> journal = std::move(*opened);
  auto programs = own_directory();
  if (!programs)
    return refuse(ready_fd, programs.error());

  directory names;
  row_view rows;
  io_loop loop;
  reader_pool readers{4};
  stop_signal stopping;
  node_context context;
  context.names = &names;
  context.log = [journal](log_level level, const std::string& line) {
    journal->write(level, line);
  };
  context.place = std::make_shared<const home>(place);
  context.rows = &rows;
  context.config = all;
  context.secret = std::make_shared<const home_secret>(*secret);
  context.loop = &loop;
  context.programs = *programs;
  context.caches = make_caches(*context.config, place);
  context.inherited = std::make_shared<const environment>(env);
  context.readers = &readers;
  context.local_node = args.local_node;
  context.transcripts = std::make_shared<transcript_reader>(loop);

  api_host host;
  host.shutdown = [&stopping](bool) { stopping.request(0); };
  host.version = AO_VERSION;
  host.started_at = wall_now();
  host.local_node = args.local_node;
  host.tcp = tcp;
  if (const auto* faults = std::getenv("AO_FAULTS"))
    host.faults = std::string_view{faults} == "1";

  config_source source;
  source.read = [place, args, env] { return configure(place, args, env); };
  source.applied = [journal, secrets](const settings& now) {
    journal->replace_secrets(secrets(now));
  };
  *source.shown = std::move(loaded.shown);

  int code = 0;
  config cfg;
  if (all->cluster.listen)
    cfg.open_to_nodes(tls::hub_files(place));
  {
    // Outlives the actor system, whose end waits for every detached actor.
    std::optional<watchdog> limit;
    caf::actor_system system{cfg};
    caf::scoped_actor self{system};
    auto root = self->spawn<caf::monitored>(supervisor, actor_context{context},
                                            hub_tree(context, host, source));
    http::server server{loop.context(), make_api_handler(names)};
    std::optional<error> failed;
    self->request(root, std::chrono::seconds{60}, ready_atom::value)
      .receive([](const child_list&) {},
               [&](const caf::error& why) { failed = to_ao_error(why); });
    // The answer may say only that it has stopped; its end says why.
    if (failed && failed->code == ec::shutting_down)
      self->receive(
        [&](const caf::down_msg& down) { failed = to_ao_error(down.reason); },
        caf::after(std::chrono::seconds{5}) >> [] {});
    if (!failed)
      if (auto ok = server.listen_unix("agent", place.agent_socket(),
                                       http::stale_socket::replace);
          !ok)
        failed = ok.error();
    if (!failed)
      if (auto ok = server.listen_unix("hub", place.hub_socket(),
                                       http::stale_socket::replace);
          !ok)
        failed = ok.error();
    if (!failed && all->api.listen)
      if (auto ok = listen_tcp(server, *all->api.listen); !ok)
        failed = ok.error();
    if (failed) {
      code = refuse(ready_fd, *failed);
    } else {
      record(context, self, event_kind::hub_started);
      if (auto ok = write_file_durably(place.pid_file(),
                                       std::to_string(::getpid()) + "\n");
          !ok)
        context.say(log_level::warn, "pid_file_not_written");
      auto notes = refused_backlogs(context, host.started_at);
      report_readiness(ready_fd,
                       json{{"ready", true},
                            {"pid", ::getpid()},
                            {"socket", place.hub_socket()},
                            {"startedAt", format_time(host.started_at)},
                            {"adopted", count_adopted(context)},
                            {"agents", usable_agents(env)},
                            {"notes", notes}});
      if (args.restore)
        restore_parked(context, self);
      if (ready_fd < 0) {
        std::fprintf(stderr, "ao: hub %s runs, pid %d\n",
                     place.hub_socket().c_str(), ::getpid());
        for (const auto& note : notes)
          std::fprintf(stderr, "ao: %s\n", note.c_str());
      }
      // A root that fails ends the process, and a service manager starts it
      // again; nothing durable is lost.
      std::thread watch_root([&system, root, &stopping] {
        caf::scoped_actor watcher{system};
        watcher->monitor(root);
        watcher->receive([&](const caf::down_msg& down) {
          stopping.request(down.reason == caf::exit_reason::user_shutdown ? 0
                                                                          : 1);
        });
      });
      int signal = 0;
      while (sigwait(&signals, &signal) == 0 && signal == SIGHUP)
        tell<config_actor>(context, "config"_name,
                           msg::reload_config{"signal"});
      code = stopping.exit_code();
      if (ready_fd < 0)
        std::fprintf(stderr, "ao: stopping; agents go on\n");
      server.stop();
      record(context, self, event_kind::hub_stopped);
      limit.emplace(stop_limit);
      self->send_exit(root, caf::exit_reason::user_shutdown);
      watch_root.join();
      // Nobody waits for a job any more; the next hub does its work again.
      end_all_runs();
      self->await_all_other_actors_done();
    }
    if (failed) {
      limit.emplace(stop_limit);
      self->send_exit(root, caf::exit_reason::user_shutdown);
      end_all_runs();
      self->await_all_other_actors_done();
    }
  }
  std::error_code ignored;
  fs::remove(place.pid_file(), ignored);
  loop.stop();
  return code;
}

int run_hub(int argc, char** argv) {
  int ready_fd = take_readiness_pipe();
  auto signals = block_signals();
  auto args = parse(argc, argv);
  auto env = environment::inherited();
  auto place = open_home(home_path_from_environment());
  if (!place)
    return refuse(ready_fd, place.error());
  auto lock = home_lock::take(*place);
  if (!lock)
    return refuse(ready_fd, lock.error());
  if (auto ok = check_disk(*place); !ok)
    return refuse(ready_fd, ok.error());
  if (auto ok = check_programs(env); !ok)
    return refuse(ready_fd, ok.error());
  auto all = configure(*place, args, env);
  if (!all)
    return refuse(ready_fd, all.error());
  if (auto ok = check_projects(*all->value); !ok)
    return refuse(ready_fd, ok.error());
  if (auto ok = check_cluster(*all->value, *place); !ok)
    return refuse(ready_fd, ok.error());
  return live(args, *place, std::move(*all), env, ready_fd, signals);
}

} // namespace
} // namespace ao

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view{argv[1]} == "--probe-gateway")
    return ao::run_probe();
  if (argc > 1 && std::string_view{argv[1]} == "--make-authority")
    return ao::run_authority(argc - 2, argv + 2);
  // What one thread allocates another one frees: with an arena per thread a
  // tenth of the memory lay idle.
  ::mallopt(M_ARENA_MAX, 2);
  return ao::run_hub(argc, argv);
}
